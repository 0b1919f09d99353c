/**
 * The owner's own commands: executables in folders of /etc/pptp such as session-up.d (hook-occasions.ts), and a link's
 * `connect` and `disconnect`. They run beside the daemon, a few at a time, each session's in order, and not for ever; nothing
 * waits for them. What strangers can be the cause of as often as they like has a lane of its own, and is left out where it
 * comes too often, so that it costs little and keeps sessions' hooks from nothing.
 */
import type { Event } from './event.ts';
import { errorCode, errorText } from '../../platform/errors.ts';
import { children, clock, files, program } from '../../platform/platform.ts';
import type { SessionStatus } from '../../session/ports.ts';
import { isShortage } from '../../router/run-program.ts';
import { formatAddress } from '../../wire/ip.ts';
import { Strangers } from '../engine/strangers.ts';
import { downOf, Occasions, type OccasionName } from './hook-occasions.ts';
import type { Level } from './log.ts';
import type { Hook, Job, OwedHooks } from './owed-hooks.ts';

/** Pause before what found no descriptor, process or memory is tried again, ms; and how often it is. */
const PAUSE = 1_000;
const ATTEMPTS = 30;

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
/** Output of one hook that goes to the log, in lines and octets of a line. */
const LINES = 50;
const LINE = 500;

export interface HookOptions {
  /** Folder of session-up.d and the others. */
  readonly dir: string;
  /** ms until a hook is killed. */
  readonly limit: number;
  /** Hooks at the same time, and waiting ones: of sessions and links, and as many of bans. */
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

interface Waiting extends Job {
  /** Who is not among those that share the common room for what waits. */
  readonly stranger: OccasionName | undefined;
  /** What is owed no more when they run. */
  readonly pays: string | undefined;
}

/** Failed logins are told of so often, and not when they are long past: as many may wait. */
const FRESH = 20;

export class Hooks {
  readonly #options: HookOptions;
  readonly #ports: HookPorts;
  readonly #owed: OwedHooks;
  readonly #queue: Waiting[] = [];
  /** Lanes. */
  readonly #busy = new Set<string>();
  readonly #occasions = new Occasions();
  readonly #strangers = new Strangers();
  /** Of what strangers are the cause: events since the last one at which hooks were run. */
  readonly #omitted = new Map<OccasionName, number>();

  constructor(ports: HookPorts, owed: OwedHooks, options: HookOptions = defaultHooks) {
    this.#ports = ports;
    this.#owed = owed;
    this.#options = options;
  }

  /** Some run now. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** Those that wait. Not carried: #options, #ports; #owed, which is a file; #busy, which go on by themselves; #strangers and #omitted, which begin anew. */
  save() {
    return { queue: this.#queue, occasions: this.#occasions.save() };
  }

  restore({ queue, occasions }: ReturnType<Hooks['save']>): void {
    this.#occasions.restore(occasions);
    for (const job of queue) this.#add(job);
  }

  note(event: Event): void {
    const about = 'session' in event ? this.#ports.about(event.session) : undefined;
    const occasion = this.#occasions.of(event, () => about?.device ?? '');
    if (occasion === undefined) return;
    const { name, lane, env } = occasion;
    const isStranger = name === 'auth-failed' || name === 'ban' || name === 'unban';
    const subject = subjectOf(event);
    const down =
      subject === undefined ? undefined : downOf(occasion, ownHook('disconnect', event, about));
    if (down !== undefined) this.#owed.owe(subject!, down);
    this.#add({
      lane,
      stranger: isStranger ? name : undefined,
      env,
      own: ownHook(name === 'session-up' ? 'connect' : 'disconnect', event, about),
      folder: `${name}.d`,
      pays: down === undefined ? subject : undefined,
    });
  }

  /**
   * Runs what is owed of things that are up no more, and nobody was told so.
   * @param isUp by what subjectOf() calls it
   */
  recover(isUp: (subject: string) => boolean): void {
    const waiting = new Set(this.#queue.map(({ pays }) => pays));
    const claimed = this.#owed.claim((subject) => isUp(subject) || waiting.has(subject));
    if (claimed.length === 0) return;
    this.#ports.log(
      'warning',
      `a daemon before was killed: hooks hear now of ${claimed.length} sessions, links and bans that it had`,
    );
    for (const [subject, job] of claimed) this.#add({ ...job, stranger: undefined, pays: subject });
  }

  #add(job: Waiting): void {
    const { stranger, lane } = job;
    const isFull = this.#isFull(job);
    if (stranger === undefined) {
      if (isFull) {
        this.#failed(`hooks of ${lane}: not run, too many are waiting`);
        this.#pay(job);
      } else this.#queue.push(job);
    } else {
      const omitted = this.#omitted.get(stranger) ?? 0;
      const isTooOften =
        stranger === 'auth-failed' && !this.#strangers.admit(stranger, clock.monotonic());
      if (isFull || isTooOften) {
        this.#omitted.set(stranger, omitted + 1);
        this.#ports.count(`hook left out: ${stranger}`);
        this.#pay(job);
        return;
      }
      this.#omitted.delete(stranger);
      this.#queue.push({ ...job, env: { ...job.env, OMITTED: String(omitted) } });
    }
    this.#next();
  }

  /** Whether no more may wait where the job would. */
  #isFull({ stranger, lane }: Waiting): boolean {
    const others = this.#queue.filter((each) =>
      stranger === undefined ? each.stranger === undefined : each.lane === lane,
    );
    return others.length >= (stranger === 'auth-failed' ? FRESH : this.#options.waiting);
  }

  /** Starts what may run: those of a lane one after the other, so that a session's down does not overtake its up. */
  #next(): void {
    while (this.#busy.size < this.#options.running) {
      const at = this.#queue.findIndex(({ lane }) => !this.#busy.has(lane));
      if (at === -1) return;
      const [job] = this.#queue.splice(at, 1) as [Waiting];
      this.#busy.add(job.lane);
      this.#pay(job);
      void this.#runAll(job).finally(() => {
        this.#busy.delete(job.lane);
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

  #pay({ pays }: Waiting): void {
    if (pays !== undefined) this.#owed.pay(pays);
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

/** The command that a link itself has for it. */
function ownHook(
  option: 'connect' | 'disconnect',
  event: Event,
  about: AboutSession | undefined,
): Hook | undefined {
  if (event.what !== 'session-up' && event.what !== 'session-down') return undefined;
  const command = option === 'connect' ? about?.up : about?.down;
  if (command === undefined) return undefined;
  return { name: `${event.session.name}: ${option}`, command: ['/bin/sh', '-c', command] };
}

/** What is up or down by an event. */
function subjectOf(event: Event): string | undefined {
  if (event.what === 'session-up' || event.what === 'session-down')
    return `session ${event.session.id}`;
  if (event.what === 'link-state') return `link ${event.link}`;
  if (event.what === 'banned' || event.what === 'unbanned')
    return `ban ${formatAddress(event.ban.address)}`;
  return undefined;
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
