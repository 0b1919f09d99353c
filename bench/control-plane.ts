/** Logins, sessions held, connect and disconnect, time to the first ping, start: the figures beside the packets. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ControlClient } from '../src/daemon/control/client.ts';
import type { CallersOrders, CallersReport } from '../tools/callers.ts';
import { node, type Program } from '../tools/lab.ts';
import { cpuSeconds, median, memory, processesIn, wait } from './machine.ts';
import { probe } from './measure.ts';
import { account, clientNetwork, outer, serverNetwork, users, type Sides } from './tunnels.ts';

const callers = resolve(import.meta.dirname, '../tools/callers.ts');
const dist = resolve(import.meta.dirname, '../dist');

export interface ControlPlane {
  /** Logins (with their hang-up) a second: by the clock, with the callers on the same machine; and for each second of the server's CPU. */
  readonly loginsPerSecond: number;
  readonly loginsPerCpuSecond: number;
  /** ms from the order to dial to the first answer through the tunnel. */
  readonly firstPing: number;
  readonly sessions: number;
  /** kB (10^3 octets) of anonymous memory that each session adds to a new server, with the garbage of its login. */
  readonly memoryPerSession: number;
  /** Percent of one core while the sessions are quiet. */
  readonly idleCpu: number;
  readonly cycles: number;
  /** MB of anonymous memory from the first tenth of the cycles to the last. */
  readonly growth: number;
  readonly failures: number;
}

export interface Start {
  /** ms from the start of node to the line that says it runs. */
  readonly listening: number;
  /** MB, idle. */
  readonly resident: number;
  readonly anonymous: number;
  /** kB */
  readonly bundle: number;
  readonly addon: number;
}

export interface Extent {
  readonly sessions: number;
  readonly cycles: number;
}

export async function controlPlane(sides: Sides, extent: Extent): Promise<ControlPlane> {
  const { lab, server } = sides;
  const near = await lab.gateway('many', server, manyFiles(extent.sessions));
  const pid = onlyProcess(server);
  let failures = 0;
  const cycles = async (count: number): Promise<CallersReport> => {
    const called = await finished(startCallers(sides, 'cycles', count, 32));
    failures += called.failed;
    return called;
  };

  await cycles(50); // loads what logins need
  await wait(1000);
  const base = memory(pid).anonymous;
  const { held, holders } = await holding(sides, extent.sessions);
  failures += held.failed;
  await wait(3000);
  const full = memory(pid).anonymous;
  const quiet = cpuSeconds([pid]);
  await wait(10_000);
  const idleCpu = (cpuSeconds([pid]) - quiet) * 10;
  await holders.stop();
  await wait(1000);

  await cycles(200); // warms the compiler
  const cpu = cpuSeconds([pid]);
  const logins = await cycles(1000);
  const loginCpu = cpuSeconds([pid]) - cpu;

  await cycles(Math.ceil(extent.cycles / 10));
  const early = memory(pid).anonymous;
  await cycles(extent.cycles - Math.ceil(extent.cycles / 10));
  const growth = memory(pid).anonymous - early;
  await near.process.stop();

  return {
    loginsPerSecond: logins.done / logins.seconds,
    loginsPerCpuSecond: logins.done / loginCpu,
    firstPing: await firstPing(sides),
    sessions: held.done,
    memoryPerSession: ((full - base) * 1000) / held.done,
    idleCpu,
    cycles: extent.cycles,
    growth,
    failures,
  };
}

/** Of a server for so many callers. */
export function manyFiles(
  sessions: number,
  accounts: 'local' | 'radius' = 'local',
): Readonly<Record<string, string>> {
  const network = `config interface 'home'
	option proto 'pptpserver'
	option localip '10.64.0.1'
	option network '10.64.0.0/18'
	option mppe 'required'
	option max_sessions '${Math.min(4096, sessions + 200)}'
	option max_per_user '4096'
	option ban_after '0'
	list accounts '${accounts}'
`;
  const pptp = `config pptp 'globals'
	option max_sessions '4096'
	option max_half_open '4096'
	option max_half_open_per_source '4096'
`;
  return { network, pptp, pptp_users: users };
}

function onlyProcess(namespace: string): number {
  const pids = processesIn(namespace);
  if (pids.length !== 1) throw new Error(`${pids.length} processes in ${namespace}, expected one`);
  return pids[0]!;
}

export function startCallers(
  { lab, client }: Sides,
  mode: CallersOrders['mode'],
  count: number,
  concurrency: number,
): Program {
  const of = { servers: [outer.server], mode, count, concurrency };
  const orders = JSON.stringify({ ...of, ...account } satisfies CallersOrders);
  return lab.start(client, process.execPath, '--import', 'tsx', callers, orders);
}

/** Callers that are in, and stay. */
export async function holding(
  sides: Sides,
  sessions: number,
): Promise<{ readonly held: CallersReport; readonly holders: Program }> {
  const holders = startCallers(sides, 'hold', sessions, 32);
  const line = await holders.line(/\{"done".*\}/);
  return { held: JSON.parse(line) as CallersReport, holders };
}

export async function finished(program: Program): Promise<CallersReport> {
  const line = await program.line(/\{"done".*\}/);
  await program.ended;
  return JSON.parse(line) as CallersReport;
}

/** Median of five dials. */
async function firstPing({ lab, server, client }: Sides): Promise<number> {
  const near = await lab.gateway('first', server, {
    network: serverNetwork('required'),
    pptp_users: users,
  });
  const far = await lab.gateway('dialler', client, { network: clientNetwork('required') });
  const control = await ControlClient.open(join(far.configDir, 'run', 'ubus.sock'));
  const echo = lab.start(server, probe, 'echo', '7007');
  await echo.line(/listening/);
  const times: number[] = [];
  for (let n = 0; n < 5; n++) {
    const pinging = lab.start(client, probe, 'first', '192.168.99.1', '7007');
    await wait(100); // it is trying by now
    const from = process.hrtime.bigint(); // the same clock as the probe's
    await control.call('dial', { interface: 'office' });
    const { output } = await pinging.ended;
    const [, answered] = /^first (\d+)/m.exec(output) ?? [];
    if (answered === undefined) throw new Error(`no ping: ${output}`);
    times.push(Number(BigInt(answered) - from) / 1e6);
    const before = far.process.output.length;
    await control.call('hangup', { interface: 'office' });
    await far.process.line(/down/, before);
    await wait(500);
  }
  control.close();
  await echo.stop();
  await far.process.stop();
  await near.process.stop();
  return median(times);
}

/** Medians of `times` starts of an idle server. */
export async function start({ lab, server }: Sides, times: number): Promise<Start> {
  const listening: number[] = [];
  const resident: number[] = [];
  const anonymous: number[] = [];
  const dir = mkdtempSync(join(lab.dir, 'start-'));
  writeFileSync(join(dir, 'network'), serverNetwork('required'), { mode: 0o600 });
  writeFileSync(join(dir, 'pptp_users'), users, { mode: 0o600 });
  for (let n = 0; n < times; n++) {
    const from = performance.now();
    const daemon = lab.start(
      server,
      ...node,
      ...[join(dist, 'pptp-gateway.js'), 'run'],
      ...['--config-dir', dir, '--socket', join(dir, 'ubus.sock')],
    );
    await daemon.line(/is running/);
    listening.push(performance.now() - from);
    await wait(12_000); // what the start has left is given back by then
    const size = memory(onlyProcess(server));
    resident.push(size.resident);
    anonymous.push(size.anonymous);
    await daemon.stop();
  }
  rmSync(dir, { recursive: true });
  const kilobytes = (file: string) => statSync(join(dist, file)).size / 1000;
  return {
    listening: median(listening),
    resident: median(resident),
    anonymous: median(anonymous),
    bundle: kilobytes('pptp-gateway.js'),
    addon: kilobytes('native.node'),
  };
}
