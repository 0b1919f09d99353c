/** The commands that talk to the running daemon. Each returns its exit code. */
import { errorText } from '../../platform/errors.ts';
import { clock, files } from '../../platform/platform.ts';
import { ControlClient } from '../control/client.ts';
import type {
  CaptureDocument,
  FailureDocument,
  LinkDocument,
  ProblemDocument,
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
import { showLog } from './log.ts';
import { Patience } from './patience.ts';
import { allSessions, showSessions } from './sessions.ts';
import { problemText, statusText } from './status.ts';
import { shortened, table } from './tables.ts';
import { usage } from './usage-tables.ts';
import { UbusError } from '../../ubus-js/index.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import type { DaemonCommandName } from './command-table.ts';

/** ms between two looks at a capture */
const LOOK = 1_000;

type Command = (client: ControlClient, options: Arguments, answer: Answer) => Promise<ExitCode>;

export const commands: Readonly<Record<DaemonCommandName, Command>> = {
  async status(client, { all }, answer) {
    const status = (await client.call('status')) as StatusDocument;
    const sessions = await allSessions(client);
    answer.give({ ...status, sessions });
    answer.say(statusText(status, sessions, all));
    return ExitCode.Ok;
  },

  sessions: showSessions,
  log: showLog,

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
      answer.hint(`${name} is ${link.state}`);
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

  async metrics(client, { sessions }, answer) {
    const { text } = (await client.call('metrics', { sessions })) as { text: string };
    answer.give({ metrics: text });
    answer.say(text.trimEnd());
    return ExitCode.Ok;
  },

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
    const patience = new Patience();
    const end = clock.monotonic() + seconds * 1000;
    for (let left = seconds * 1000; left > 0; left = end - clock.monotonic()) {
      if (!(await patience.pause(Math.min(left, LOOK)))) break;
      const { capture } = (await client.call('status')) as StatusDocument;
      answer.hint(`${capture?.packets ?? 0} packets`);
    }
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
    const status = async () => (await client.call('status')) as StatusDocument;
    let before = await status();
    // It is in whole seconds: what has just been started would look like what is started anew.
    for (; before.uptime < 1; before = await status()) await clock.pause(POLL);
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

/** Nested counters as rows of `group.name` and number. */
function flatten(counters: object, prefix = ''): [name: string, value: string][] {
  return Object.entries(counters).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? flatten(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, String(value)]],
  );
}
