/** `pptp-gateway run`: the daemon in the foreground, until SIGTERM or SIGINT. */
import { IoError } from '../../native/io-error.ts';
import { dropPrivileges } from '../../native/privileges.ts';
import { errorCode, errorText } from '../../platform/errors.ts';
import { files, program } from '../../platform/platform.ts';
import { describeProblem } from '../configuration/problems.ts';
import { openSecrets, readConfiguration } from '../configuration/read.ts';
import { storePassword } from '../configuration/user-password.ts';
import { Buses, refuseSecond } from '../control/buses.ts';
import type { DaemonOptions } from '../daemon-options.ts';
import { Daemon } from '../daemon.ts';
import { isNetifd } from '../tunnels/router-choice.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { tellReady, toJournald } from '../reports/journald.ts';
import { Log, toStderr } from '../reports/log.ts';
import { pptpObject } from '../methods/object.ts';
import { SystemLog } from '../reports/system-log.ts';
import { Inheritance } from '../upgrade/inheritance.ts';
import { upgradeDue } from '../upgrade/due.ts';
import { takeOver } from '../upgrade/take-over.ts';
import { restart, Upgrade } from '../upgrade/upgrade.ts';
import { version } from '../version.ts';
import { kernel, relayShortcut } from '../engine/kernel.ts';
import { Journal } from '../../router/journal.ts';
import { IpRoute } from '../../router/iproute.ts';
import { Netifd } from '../../router/netifd/netifd.ts';
import { LocalTime } from '../../router/local-time.ts';
import { OpenWrtZones } from '../../router/openwrt-zones.ts';
import { RouterError } from '../../router/router.ts';
import { readSurroundings } from '../../router/surroundings.ts';
import { isOpenWrt, type Arguments } from './arguments.ts';
import { LastResort } from './last-resort.ts';

/** @returns the exit code @throws {Fatal} */
export async function run(options: Arguments): Promise<ExitCode> {
  if (program.uid !== 0)
    throw new Fatal(
      ExitCode.NotRoot,
      'run needs root (or uid 0 with CAP_NET_ADMIN and CAP_NET_RAW)',
    );
  if (!files.exists('/dev/net/tun'))
    throw new Fatal(
      ExitCode.NoTun,
      '/dev/net/tun is missing: load the kernel module tun (OpenWrt: install kmod-tun)',
    );
  if (program.isWatched) return guarded(options, new Log()); // somebody is looking
  if (program.isJournaled) return guarded(options, new Log(toStderr, toJournald));
  const system = new SystemLog(options.ubus, toStderr);
  try {
    await system.open();
    return await guarded(options, new Log(toStderr, (level, text) => system.take(level, text)));
  } finally {
    await system.close();
  }
}

function guarded(options: Arguments, log: Log): Promise<ExitCode> {
  const lastResort = new LastResort(log);
  lastResort.watch();
  return Promise.race([gateway(options, log, lastResort), lastResort.ended]);
}

async function gateway(options: Arguments, log: Log, lastResort: LastResort): Promise<ExitCode> {
  const inheritance = Inheritance.take();
  const { configDir, socket, ubus, dial } = options;
  const { faults } = lastResort;
  const supervised = await isNetifd(options.router, ubus);
  const configuration = readConfiguration(configDir, { leaveOut: true });
  for (const problem of openSecrets(configDir, configuration))
    log.line(problem.severity, describeProblem(problem));

  await refuseSecond(socket);

  const buses = new Buses(ubus, log, faults);
  const read: DaemonOptions['read'] = (before) =>
    readConfiguration(configDir, { leaveOut: true, before });
  let running: Daemon | undefined; // netifd may be known only after the start
  buses.connected = () => running?.networksChanged();
  buses.system.listen('network.interface', () => running?.networksChanged());
  const localTime = new LocalTime(configDir);
  const around = () => readSurroundings(kernel.route);
  const zones = new OpenWrtZones(buses.system, () => readText(files.join(configDir, 'firewall')));
  const router: DaemonOptions['router'] = (supervisedDaemon, warn, upkeep) => {
    const state = files.folderOf(socket);
    if (!supervised)
      return new IpRoute(
        warn,
        around,
        kernel,
        upkeep,
        new Journal(files.join(state, 'journal'), warn),
      );
    const folders = { config: configDir, state };
    const netifd = new Netifd(buses.system, supervisedDaemon, warn, folders, upkeep, kernel, {
      around,
    });
    buses.connected = () => {
      netifd.handleConnected();
      running?.networksChanged();
    };
    return netifd;
  };
  const shortcut = relayShortcut();
  let daemon: Daemon;
  try {
    if (inheritance === undefined) shortcut.load();
    dropPrivileges();
    // Under systemd it is on a disk (systemd.exec(5)), on OpenWrt there is none but in memory.
    const lasting = program.environment('STATE_DIRECTORY');
    const memory = files.folderOf(socket);
    const made: DaemonOptions = {
      log,
      state: lasting ?? memory,
      runtime: memory,
      usage: { memory, lasting: lasting ?? (isOpenWrt() ? '/etc/pptp/usage' : undefined) },
      localTime: (utc) => localTime.at(utc),
      faults,
      dial,
      router,
      read,
      storePassword: (section, secret) => storePassword(configDir, section, secret),
      shortcut,
      publish: ({ name, data }) => buses.send(name, data),
      ...(supervised && { zones }),
    };
    daemon =
      inheritance === undefined
        ? await Daemon.start(configuration, made)
        : await takeOver(inheritance, configuration, made);
    running = daemon;
    lastResort.goodbye = () => daemon.stop();
  } catch (error) {
    throw asFatal(error);
  }
  const reload = async () => {
    try {
      const faults = await daemon.inForce.reload();
      log.line('info', 'configuration read again');
      const due = upgradeDue(configuration, daemon.inForce.configuration);
      if (due.length > 0) {
        log.line('info', `${due.join(', ')}: taken up by an upgrade in place`);
        void upgrade.begin().catch(() => undefined); // it was logged
      }
      return faults;
    } catch (error) {
      log.line('error', 'the new configuration is refused; the old one stays in force');
      for (const line of errorText(error).split('\n')) log.line('error', line);
      throw error;
    }
  };
  const upgrade = new Upgrade(
    daemon,
    log,
    files.folderOf(socket),
    async (why) => {
      log.line('warning', why);
      buses.withdraw();
      await daemon.stop();
      restart();
    },
    inheritance?.failed,
  );
  try {
    await buses.open(socket, pptpObject(daemon, files.folderOf(socket), reload, upgrade));
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  program.onSignal('SIGHUP', () => void reload().catch(() => undefined)); // it was logged
  const ended = new Promise<void>((resolve) => {
    // Not once: a second Ctrl-C must not cut the goodbyes short, which take 4 s at most.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) program.onSignal(signal, resolve);
  });
  inheritance?.handlesSignals();
  log.line('info', `pptp-gateway ${version} is running`); // signals are handled from here on
  const untold = await tellReady(program.environment('NOTIFY_SOCKET'));
  if (untold !== undefined) log.line('warning', `systemd is not told: ${untold}`);
  await ended;
  upgrade.forbid();
  log.line('info', 'stopping');
  buses.withdraw();
  await daemon.stop();
  buses.close();
  return ExitCode.Ok;
}

/** Empty where there is no such file. */
async function readText(path: string): Promise<string> {
  try {
    return await files.textLater(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function asFatal(error: unknown): unknown {
  if (error instanceof RouterError) return new Fatal(ExitCode.Failed, error.message);
  if (!(error instanceof IoError)) return error;
  if (error.code === 'EPERM' || error.code === 'EACCES')
    return new Fatal(
      ExitCode.NotRoot,
      `${error.message}: CAP_NET_ADMIN and CAP_NET_RAW are needed`,
    );
  if (['ENOENT', 'ENODEV', 'ENXIO', 'EPROTONOSUPPORT', 'EAFNOSUPPORT'].includes(error.code))
    return new Fatal(ExitCode.NoTun, error.message);
  return new Fatal(ExitCode.Failed, error.message);
}
