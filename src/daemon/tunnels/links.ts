/** The running links: how they are changed, dialled and hung up, with a supervisor or without. */
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { ClientLinkOptions } from '../../session/options.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { LinkRunner, type SavedLink } from './link-runner.ts';
import type { RunnerPorts } from './runner-ports.ts';
import type { Log } from '../reports/log.ts';

/** netifd's handler is a shell script, ms. */
const HANDLER_TIME = 5_000;

export class Links {
  readonly running: Map<string, LinkRunner>;
  readonly #ports: RunnerPorts;
  readonly #log: Log;
  readonly #dialsByItself: boolean;
  #expected: ReadonlySet<string> = new Set();

  /** @param dialsByItself links with auto 1 dial as soon as they are there, where no supervisor decides */
  constructor(
    ports: RunnerPorts,
    log: Log,
    dialsByItself: boolean,
    running: Map<string, LinkRunner>,
  ) {
    this.running = running;
    this.#ports = ports;
    this.#log = log;
    this.#dialsByItself = dialsByItself && ports.router.supervisor === undefined;
  }

  /** Makes the links those of a configuration. Of one that stays a session ends only when its own settings did. */
  async change(wanted: readonly ClientLinkOptions[]): Promise<void> {
    for (const [name, runner] of this.running) {
      const next = wanted.find((link) => link.name === name);
      if (next?.keys.listener === runner.link.options.keys.listener)
        await this.#reconfigure(runner, next);
      else {
        this.running.delete(name);
        await runner.retire(cause('CONFIG_CHANGED'));
      }
    }
    for (const options of wanted) if (!this.running.has(options.name)) this.#start(options);
  }

  /** Not carried: #ports, #log, #dialsByItself; #expected, which are there by then. */
  save(): readonly SavedLink[] {
    return [...this.running.values()].flatMap((runner) => runner.save() ?? []);
  }

  /** Links that the program before had: they do not begin to dial by themselves. */
  expect(names: readonly string[]): void {
    this.#expected = new Set(names);
  }

  /** What a person wants of a link; a supervisor decides when it happens. */
  async dial(name: string): Promise<void> {
    const { supervisor } = this.#ports.router;
    if (supervisor !== undefined) {
      await supervisor.dial(name);
      await this.#leavesDown(name);
      if (this.running.get(name)?.link.options.demand === 0) return;
    }
    this.running.get(name)?.feed((link, now) => link.dial(now));
  }

  async hangup(name: string): Promise<void> {
    const { supervisor } = this.#ports.router;
    if (supervisor !== undefined) await supervisor.hangup(name);
    else this.running.get(name)?.feed((link, now) => link.hangup(now, cause('USER_REQUEST')));
  }

  /** What the quota of a link leaves is something else from now on. */
  async allow(name: string): Promise<void> {
    const runner = this.running.get(name);
    if (runner !== undefined) await this.#change(runner, () => this.#allow(runner));
  }

  /** Says goodbye to every peer. */
  async stop(why: Cause): Promise<void> {
    await Promise.all([...this.running.values()].map((runner) => runner.retire(why)));
  }

  #start(options: ClientLinkOptions): void {
    const runner = new LinkRunner(options, this.#ports);
    this.#allow(runner);
    this.running.set(options.name, runner);
    const isNew = !this.#expected.has(options.name);
    if (this.#dialsByItself && options.auto && isNew) runner.release(true);
  }

  #reconfigure(runner: LinkRunner, next: ClientLinkOptions): Promise<void> {
    const isOther = runner.link.options.keys.session !== next.keys.session;
    const reconfigure = () => runner.feed((link, now) => link.reconfigure(next, now));
    return this.#change(runner, reconfigure, isOther);
  }

  #allow(runner: LinkRunner): void {
    const allowance = this.#ports.linkAllowance(runner.link.options.name);
    runner.feed((link, now) => link.allow(allowance, now));
  }

  /** @param isOther its session is made anew */
  async #change(runner: LinkRunner, change: () => void, isOther = false): Promise<void> {
    const { supervisor } = this.#ports.router;
    const { name } = runner.link.options;
    const wasBlocked = runner.isBlocked();
    change();
    // Its supervisor has given it up, too.
    const isFreed = wasBlocked && !runner.isBlocked();
    if (supervisor === undefined || !(isFreed || isOther)) return;
    try {
      await (isFreed ? supervisor.dial(name) : supervisor.revive(name));
    } catch (error) {
      this.#log.line('warning', `link ${name}: ${errorText(error)}`);
    }
  }

  /** Whoever asked looks at the state next: a supervisor's handler takes a moment to call us back. */
  async #leavesDown(name: string): Promise<void> {
    for (let waited = 0; waited < HANDLER_TIME; waited += 100) {
      if (this.running.get(name)?.link.status().state !== 'down') return;
      await clock.pause(100);
    }
  }
}
