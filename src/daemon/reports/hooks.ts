/**
 * The owner's own commands: executables in /etc/pptp/session-up.d and session-down.d, and a link's `connect` and
 * `disconnect`. They run beside the daemon, a few at a time, each session's in order, and not for ever; nothing waits for
 * them. What they are told is in their environment; no secret is.
 */
import { errorCode, errorText } from '../../platform/errors.ts';
import { children, clock, files, program } from '../../platform/platform.ts';
import type { SessionEvent, SessionStatus } from '../../session/ports.ts';
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import { isShortage } from '../../router/run-program.ts';
import type { Level } from './log.ts';
import type { RelayEvent } from '../relays/relay-event.ts';

/** Pause before what found no descriptor, process or memory is tried again, ms; and how often it is. */
const PAUSE = 1_000;
const ATTEMPTS = 30;

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
/** Output of one hook that goes to the log, in lines and octets of a line. */
const LINES = 50;
const LINE = 500;

export interface HookOptions {
  /** Folder of session-up.d and session-down.d. */
  readonly dir: string;
  /** ms until a hook is killed. */
  readonly limit: number;
  /** Hooks at the same time, and waiting ones. */
  readonly running: number;
  readonly waiting: number;
}

export const defaultHooks: HookOptions = {
  dir: '/etc/pptp',
  limit: 30_000,
  running: 4,
  waiting: 256,
};

export interface HookPorts {
  readonly log: (level: Level, text: string) => void;
  readonly count: (counter: string) => void;
  /** The device and the link's own commands of a session; undefined: it is not known any more. */
  readonly about: (session: SessionStatus) => AboutSession | undefined;
}

export interface AboutSession {
  readonly device: string;
  readonly up?: string | undefined;
  readonly down?: string | undefined;
}

/** All hooks of one event. */
interface Job {
  readonly session: number;
  readonly env: Readonly<Record<string, string>>;
  /** Option of a link. */
  readonly own: Hook | undefined;
  readonly folder: string;
}

interface Hook {
  /** Name of a file, or the option of a link. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

export class Hooks {
  readonly #options: HookOptions;
  readonly #ports: HookPorts;
  readonly #queue: Job[] = [];
  readonly #busy = new Set<number>();

  constructor(ports: HookPorts, options: HookOptions = defaultHooks) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Some run now. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** Those that wait. Not carried: #options, #ports; #busy, which go on by themselves. */
  save() {
    return this.#queue;
  }

  restore(queue: ReturnType<Hooks['save']>): void {
    for (const job of queue) this.#add(job);
  }

  note(event: SessionEvent | RelayEvent): void {
    if (event.what !== 'session-up' && event.what !== 'session-down') return;
    const about = this.#ports.about(event.session);
    const up = event.what === 'session-up';
    const command = up ? about?.up : about?.down;
    this.#add({
      session: event.session.id,
      env: environment(event, about?.device ?? ''),
      own:
        command === undefined
          ? undefined
          : {
              name: `${event.session.name}: ${up ? 'connect' : 'disconnect'}`,
              command: ['/bin/sh', '-c', command],
            },
      folder: up ? 'session-up.d' : 'session-down.d',
    });
  }

  #add(job: Job): void {
    if (this.#queue.length >= this.#options.waiting) {
      this.#failed(`hooks of session ${job.session}: not run, too many are waiting`);
      return;
    }
    this.#queue.push(job);
    this.#next();
  }

  /** Starts what may run: a session's hooks one after the other, so that its down does not overtake its up. */
  #next(): void {
    while (this.#busy.size < this.#options.running) {
      const at = this.#queue.findIndex(({ session }) => !this.#busy.has(session));
      if (at === -1) return;
      const [job] = this.#queue.splice(at, 1) as [Job];
      this.#busy.add(job.session);
      void this.#runAll(job).finally(() => {
        this.#busy.delete(job.session);
        this.#next();
      });
    }
  }

  async #runAll({ own, env, folder }: Job): Promise<void> {
    if (own !== undefined) await this.#run(own, env);
    for (const file of await this.#executables(folder))
      await this.#run({ name: file, command: [file] }, env);
  }

  /** In order of their names. */
  async #executables(folder: string): Promise<readonly string[]> {
    const dir = files.join(this.#options.dir, folder);
    let names: string[];
    try {
      names = (await persistently(() => files.names(dir))).sort();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.#failed(`hooks: ${errorText(error)}`);
      return [];
    }
    return names
      .filter((name) => !/^\.|~$|\.(?:bak|orig|apk-new|opkg|dpkg-\w+)$|-opkg$/.test(name))
      .map((name) => files.join(dir, name))
      .filter((file) => this.#usable(file));
  }

  /** Executable, and nobody but root can have written it. */
  #usable(file: string): boolean {
    try {
      const { kind, owner, mode } = files.status(file);
      if (kind !== 'file' || (mode & 0o111) === 0) return false;
      files.checkExecutable(file);
      if ((owner === 0 || owner === program.uid) && (mode & 0o022) === 0) return true;
      this.#failed(`hook ${file}: not run, others than root can write it`);
    } catch (error) {
      this.#failed(`hook ${file}: ${errorText(error)}`);
    }
    return false;
  }

  async #run(hook: Hook, env: Job['env']): Promise<void> {
    let fault: string | undefined;
    try {
      fault = await persistently(() => this.#start(hook, env));
    } catch (error) {
      fault = errorText(error);
    }
    if (fault !== undefined) this.#failed(`hook ${hook.name}: ${fault}`);
  }

  /**
   * @returns how it failed
   * @throws Error of the system: it could not be started
   */
  async #start(
    { name, command: [program, ...words] }: Hook,
    env: Job['env'],
  ): Promise<string | undefined> {
    const lines = new Lines((line) => this.#ports.log('info', `hook ${name}: ${line}`));
    const child = children.start(program, words, { PATH, ...env }, (text) => lines.add(text));
    let late = false as boolean;
    const timer = clock.after(this.#options.limit, () => {
      late = true;
      child.kill();
    });
    try {
      const { code, signal } = await child.ended;
      lines.end();
      if (late) return `killed, it ran longer than ${this.#options.limit / 1000} s`;
      if (code === 0) return undefined;
      return code === undefined ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
    } finally {
      clock.cancel(timer);
    }
  }

  #failed(text: string): void {
    this.#ports.count('hook failed');
    this.#ports.log('warning', text);
  }
}

/** Again and again while the system has no room for it. @throws what fails in another way, or for too long */
async function persistently<T>(act: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (!isShortage(error) || attempt === ATTEMPTS) throw error;
    }
    await clock.pause(PAUSE);
  }
}

/** docs/hooks.md says what these mean. Names come from peers: no value is a command, and none has a NUL. */
function environment(
  event: Extract<SessionEvent, { what: 'session-up' | 'session-down' }>,
  device: string,
): Record<string, string> {
  const { session } = event;
  const { id, kind, name, username, peer, localAddress, peerAddress, routes, auth, mppe, mtu } =
    session;
  return {
    ACTION: event.what === 'session-up' ? 'up' : 'down',
    [kind === 'caller' ? 'SERVER' : 'LINK']: name,
    SESSION: String(id),
    USERNAME: username.replaceAll('\0', '?'),
    PEER: formatAddress(peer),
    DEVICE: device,
    LOCAL_ADDRESS: formatAddress(localAddress),
    ADDRESS: formatAddress(peerAddress),
    ROUTES: routes.map(formatPrefix).join(' '),
    AUTH: auth,
    MPPE: mppe,
    MTU: String(mtu),
    ...(event.what === 'session-up'
      ? {}
      : {
          CAUSE: event.cause.code,
          BYTES_RECEIVED: String(session.counters.rxOctets),
          BYTES_SENT: String(session.counters.txOctets),
        }),
  };
}

/** Text as it comes to lines, not too many and not too long. */
class Lines {
  readonly #write: (line: string) => void;
  #rest = '';
  #count = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!.slice(0, LINE);
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #line(text: string): void {
    this.#count++;
    if (this.#count < LINES) this.#write(text.slice(0, LINE));
    else if (this.#count === LINES) this.#write('(more lines are left out)');
  }
}
