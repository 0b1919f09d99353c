/** The commands that talk to the running daemon. Each returns its exit code. */
import { errorText } from '../../platform/errors.ts';
import { clock, files, program } from '../../platform/platform.ts';
import { ControlClient } from '../control/client.ts';
import type {
  CaptureDocument,
  FailureDocument,
  LinkDocument,
  ProblemDocument,
  SessionDocument,
  SessionsDocument,
  ServerDocument,
  StatusDocument,
} from '../reports/documents.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { printable } from '../printable.ts';
import type { CheckDocument } from '../tunnels/checks.ts';
import { bans, unban } from './bans.ts';
import { events } from './events.ts';
import { exitCodeOf, followed, POLL } from './checks.ts';
import { clientSetupCommand } from './client-setup.ts';
import { radiusTest } from './radius-test.ts';
import { relaysText } from './relays.ts';
import { duration, octets, shortened, table } from './tables.ts';
import { usage } from './usage-tables.ts';
import { UbusError } from '../../ubus-js/index.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { DaemonCommandName } from './command-table.ts';

type Command = (client: ControlClient, options: Arguments, answer: Answer) => Promise<ExitCode>;

export const commands: Readonly<Record<DaemonCommandName, Command>> = {
  async status(client, _options, answer) {
    const status = (await client.call('status')) as StatusDocument;
    const sessions = await allSessions(client);
    answer.give({ ...status, sessions });
    answer.say(statusText(status, sessions));
    return ExitCode.Ok;
  },

  async sessions(client, _options, answer) {
    const sessions = await allSessions(client);
    answer.give({ sessions });
    answer.say(sessions.length === 0 ? 'no sessions' : sessionTable(sessions));
    return ExitCode.Ok;
  },

  async disconnect(client, { operands: [which = ''] }, answer) {
    const { ended } = (await disconnect(client, which)) as { ended: number };
    answer.give({ ended });
    answer.say(`ended ${ended} session${ended === 1 ? '' : 's'}`);
    return ExitCode.Ok;
  },

  bans,
  unban,
  events,

  async dial(client, { operands: [name = ''] }, answer) {
    await client.call('dial', { interface: name });
    for (;;) {
      const link = await linkNamed(client, name);
      answer.give({ link });
      if (link?.state === 'up') {
        answer.say(`${name} is up: ${link.session?.local_address ?? ''}`);
        return ExitCode.Ok;
      }
      if (
        link === undefined ||
        link.state === 'waiting' ||
        link.state === 'demand' ||
        link.state === 'blocked' ||
        link.state === 'down'
      ) {
        answer.say(
          `${name} is ${link?.state ?? 'gone'}: ${link?.cause?.code ?? ''} ${link?.cause?.text ?? ''}`,
        );
        return exitCodeOf(link?.cause?.code);
      }
      await clock.pause(POLL);
    }
  },

  async hangup(client, { operands: [name = ''] }, answer) {
    await client.call('hangup', { interface: name });
    for (;;) {
      const link = await linkNamed(client, name);
      answer.give({ link });
      if ((link?.state ?? 'down') === 'down') break;
      await clock.pause(POLL);
    }
    answer.say(`${name} is down`);
    return ExitCode.Ok;
  },

  async check(client, { operands: [name], server }, answer) {
    const wanted =
      server !== undefined
        ? [{ server: server.host, port: server.port }]
        : (name !== undefined ? [name] : await linkNames(client)).map((each) => ({
            interface: each,
          }));
    if (wanted.length === 0) answer.say('there is no link to check');
    const checks: CheckDocument[] = [];
    for (const each of wanted) {
      const method = 'server' in each ? 'check_server' : 'check';
      checks.push(await followed(client, await client.call(method, each), answer));
    }
    answer.give({ checks });
    const codes = new Set(checks.flatMap(({ cause }) => (cause ? [exitCodeOf(cause.code)] : [])));
    return codes.size > 1 ? ExitCode.Failed : ([...codes][0] ?? ExitCode.Ok);
  },

  'radius-test': radiusTest,
  usage,

  windows: clientSetupCommand('windows'),
  networkmanager: clientSetupCommand('networkmanager'),
  routeros: clientSetupCommand('routeros'),

  async failures(client, _options, answer) {
    const { failures } = (await client.call('failures')) as { failures: FailureDocument[] };
    answer.give({ failures });
    answer.say(
      failures.length === 0
        ? 'no failures'
        : table(
            failures.map(({ time, name, peer, username, cause, count, first }) => [
              new Date(time * 1000).toISOString(),
              name,
              peer,
              shortened(printable(username)),
              cause.code,
              printable(cause.text) +
                (count > 1
                  ? ` (${count} times since ${new Date(first * 1000).toISOString()})`
                  : ''),
            ]),
          ),
    );
    return ExitCode.Ok;
  },

  async counters(client, _options, answer) {
    const counters = (await client.call('counters')) as Record<string, object>;
    answer.give({ counters });
    answer.say(table(flatten(counters)));
    return ExitCode.Ok;
  },

  async capture(client, { operands: [file = ''], seconds, secrets }, answer) {
    writeCapture(file, new Uint8Array()); // before anything is recorded for nothing
    // The daemon's own limit is for when we are killed.
    const start = secrets ? 'capture_secrets' : 'capture_start';
    await client.call(start, { seconds: seconds + 60 });
    answer.say(
      `recording for ${seconds} s, or until Ctrl-C${secrets ? '; the file will hold login data' : ''}`,
    );
    await new Promise<void>((resolve) => {
      const enough = () => {
        clock.cancel(timer);
        for (const ignore of signals) ignore();
        resolve();
      };
      const timer = clock.after(seconds * 1000, enough);
      const signals = (['SIGINT', 'SIGTERM'] as const).map((name) =>
        program.onSignal(name, enough),
      );
    });
    const { path, packets, omitted, fault } = (await client.call(
      'capture_stop',
    )) as CaptureDocument;
    writeCapture(file, files.octets(path));
    files.remove(path);
    answer.give({ file, packets, omitted, fault });
    answer.say(
      `${packets} packets in ${file}${omitted === 0 ? '' : `, ${omitted} left out (${fault ?? 'the file is full'})`}`,
    );
    return ExitCode.Ok;
  },

  async reload(client, _options, answer) {
    const { faults } = (await client.call('reload')) as { faults: readonly ProblemDocument[] };
    answer.give({ faults });
    answer.say('configuration read again');
    for (const fault of faults) answer.say(problemText(fault));
    return faults.length === 0 ? ExitCode.Ok : ExitCode.Configuration;
  },

  async upgrade(client, { socket }, answer) {
    const before = (await client.call('status')) as StatusDocument;
    const { from, to } = (await client.call('upgrade')) as { from: string; to: string };
    for (let waited = 0; waited < UPGRADE_TIME; waited += POLL) {
      await clock.pause(POLL);
      const now = await statusAnew(socket);
      if (now?.upgrade_failure !== undefined) throw new Fatal(ExitCode.Failed, now.upgrade_failure);
      if (now !== undefined && now.upgrades > before.upgrades) {
        answer.give({ from, to });
        answer.say(`from ${from} to ${to}: sessions go on`);
        return ExitCode.Ok;
      }
      if (now !== undefined && now.uptime < before.uptime)
        throw new Fatal(
          ExitCode.Failed,
          `from ${from} to ${to}: it was started anew, and sessions have ended; the log says why`,
        );
    }
    throw new Fatal(ExitCode.Failed, 'the new program does not answer; the log may say why');
  },
};

/** ms */
const UPGRADE_TIME = 60_000;

/** Of whoever serves the socket now; undefined: nobody. */
async function statusAnew(socket: string): Promise<StatusDocument | undefined> {
  try {
    const client = await ControlClient.open(socket);
    try {
      return (await client.call('status')) as StatusDocument;
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof Fatal && error.exitCode === ExitCode.NotRunning) return undefined;
    throw error;
  }
}

function problemText({ file, section, option, message, kept }: ProblemDocument): string {
  const place = [file, section, option].filter((part) => part !== undefined).join('.');
  const effect = kept === true ? 'as it was before' : 'left out';
  return printable(`${place}: ${message} (${effect})`);
}

/** A number is a session's id, or the name of a user who is called so. */
async function disconnect(client: ControlClient, which: string): Promise<unknown> {
  if (/^\d+$/.test(which)) {
    try {
      return await client.call('disconnect', { id: Number(which) });
    } catch (error) {
      if (!(error instanceof UbusError && error.status === 'NOT_FOUND')) throw error;
    }
  }
  return client.call('disconnect', { username: which });
}

async function allSessions(client: ControlClient): Promise<readonly SessionDocument[]> {
  const found: SessionDocument[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const { sessions, next } = (await client.call('sessions', { after })) as SessionsDocument;
    found.push(...sessions);
    after = next;
  }
  return found;
}

async function linkNames(client: ControlClient): Promise<readonly string[]> {
  const { links } = (await client.call('status')) as StatusDocument;
  return links.map(({ name }) => name);
}

async function linkNamed(client: ControlClient, name: string): Promise<LinkDocument | undefined> {
  const { links } = (await client.call('status')) as StatusDocument;
  return links.find((link) => link.name === name);
}

function writeCapture(file: string, octets: Uint8Array): void {
  try {
    files.writeSecret(file, octets);
  } catch (error) {
    throw new Fatal(ExitCode.Failed, errorText(error));
  }
}

function statusText(
  { version, uptime, config, problems, servers, links, disabled, relays }: StatusDocument,
  sessions: readonly SessionDocument[],
): string {
  const parts = [`pptp-gateway ${version}, running for ${duration(uptime)}`];
  if (config === 'refused')
    parts.push('The new configuration is refused (see the log); the old one is in force.');
  const faults = problems.filter(({ severity }) => severity === 'error');
  if (config === 'partial')
    parts.push(['Not in force as it stands in the files:', ...faults.map(problemText)].join('\n'));
  if (servers.length > 0) {
    parts.push(
      table([
        ['SERVER', 'DEVICE', 'PORT', 'ADDRESS', 'SESSIONS', ''],
        ...servers.map((server) => [
          server.name,
          server.device,
          String(server.port),
          server.local_address,
          `${server.sessions} of ${server.max_sessions}`,
          serverNote(server),
        ]),
      ]),
    );
  }
  if (links.length > 0) {
    parts.push(
      table([
        ['LINK', 'DEVICE', 'SERVER', 'STATE', ''],
        ...links.map((link) => [link.name, link.device, link.server, link.state, linkNote(link)]),
      ]),
    );
  }
  if (disabled.length > 0)
    parts.push(`disabled: ${disabled.map(({ name, kind }) => `${kind} ${name}`).join(', ')}`);
  parts.push(...relaysText(relays));
  parts.push(sessions.length === 0 ? 'no sessions' : sessionTable(sessions));
  return parts.join('\n\n');
}

function serverNote({ state, cause }: ServerDocument): string {
  return cause === undefined ? '' : `${state}: ${cause.code} ${cause.text}`;
}

function linkNote({ state, cause, retry_in: retryIn }: LinkDocument): string {
  if (state === 'up' || cause === undefined) return '';
  return `${cause.code}: ${cause.text}${retryIn === undefined ? '' : ` Next attempt in ${retryIn} s.`}`;
}

function sessionTable(sessions: readonly SessionDocument[]): string {
  const header = [
    'ID',
    'VIA',
    'USER',
    'FROM',
    'ADDRESS',
    'SINCE',
    'LOGIN',
    'ENCRYPTION',
    'RX',
    'TX',
    'LOSS',
  ];
  // Where somebody has one.
  const more = [
    ['RATE UP, DOWN', sessions.map(ratesText)] as const,
    ['GROUPS', sessions.map(({ groups = [] }) => shortened(groups.join(', ')))] as const,
    ['NOTE', sessions.map(({ note = '' }) => shortened(note))] as const,
  ].filter(([, cells]) => cells.some((cell) => cell !== ''));
  return table([
    [...header, ...more.map(([name]) => name)],
    ...sessions.map((session, n) => [
      ...sessionRow(session),
      ...more.map(([, cells]) => cells[n]!),
    ]),
  ]);
}

function sessionRow(session: SessionDocument): string[] {
  const expected = session.rx_packets + session.lost;
  const loss = `${session.lost} of ${expected}${expected === 0 ? '' : ` (${((100 * session.lost) / expected).toFixed(2)} %)`}`;
  return [
    String(session.id),
    session.server ?? session.link ?? '',
    shortened(printable(session.username)),
    session.peer,
    session.link === undefined ? session.address : session.local_address,
    duration(session.uptime),
    session.account === 'radius' ? `${session.auth} RADIUS` : session.auth,
    session.mppe,
    octets(session.rx_bytes),
    octets(session.tx_bytes),
    loss,
  ];
}

/** Of those sessions that have a rate. */
function ratesText({ rate_up: up, rate_down: down }: SessionDocument): string {
  const text = (rate: number | undefined) => (rate === undefined ? 'any' : `${rate} kbit/s`);
  return up === undefined && down === undefined ? '' : `${text(up)}, ${text(down)}`;
}

/** Nested counters as rows of `group.name` and number. */
function flatten(counters: object, prefix = ''): [name: string, value: string][] {
  return Object.entries(counters).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? flatten(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, String(value)]],
  );
}
