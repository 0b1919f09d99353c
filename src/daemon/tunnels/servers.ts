/**
 * The running servers, and how they are changed: what may fail is done first (ports, then devices), what was there before
 * is given up last. Where it fails all the same, what was there before runs again.
 */
import { errorText } from '../../platform/errors.ts';
import type { ServerOptions } from '../../session/options.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, type AddressRange } from '../../wire/ip.ts';
import type { RunnerPorts } from './runner-ports.ts';
import type { Listeners } from './listeners.ts';
import type { Log } from '../reports/log.ts';
import { ServerRunner } from './server-runner.ts';

type Undo = () => Promise<void> | void;

export class Servers {
  readonly running: Map<string, ServerRunner>;
  readonly #inherited = new Map<string, number>();
  readonly #ports: RunnerPorts;
  readonly #log: Log;
  readonly #lost: (name: string) => void;
  readonly #keptFrom: (server: ServerOptions) => readonly AddressRange[];

  /**
   * @param lost a server's device was deleted behind our back
   * @param keptFrom addresses that lead elsewhere than to callers of a server
   */
  constructor(
    ports: RunnerPorts,
    log: Log,
    lost: (name: string) => void,
    keptFrom: (server: ServerOptions) => readonly AddressRange[],
    running = new Map<string, ServerRunner>(),
  ) {
    this.running = running;
    this.#ports = ports;
    this.#log = log;
    this.#lost = lost;
    this.#keptFrom = keptFrom;
  }

  /**
   * Starts what is new and ends what is gone. A server whose listener key is the same goes on, its device as new sessions
   * need it; reconfiguring it is the caller's. With a supervisor one that must start anew is only ended: it is started when
   * the supervisor says so.
   * @throws Fatal, IoError or RouterError: everything is as it was, but sessions of a server that had to give up its
   * device for its own successor
   */
  async change(wanted: readonly ServerOptions[], listeners: Listeners): Promise<void> {
    const { running } = this;
    const before = new Map(running);
    const kept = (options: ServerOptions): boolean => {
      const runner = before.get(options.name);
      return runner?.server.options.keys.listener === options.keys.listener;
    };
    const isSupervised = this.#ports.router.supervisor !== undefined;
    const fresh = wanted.filter(
      (options) => !kept(options) && !(isSupervised && before.has(options.name)),
    );
    const ended = [...before.values()].filter(
      ({ server }) =>
        !wanted.some((options) => options.name === server.options.name && kept(options)),
    );
    const devices = new Set(ended.map(({ server }) => server.options.device));
    const undo: Undo[] = [];
    try {
      undo.push(await listeners.open(wanted.map(({ port }) => port)));
      for (const options of wanted.filter(kept)) {
        const runner = before.get(options.name)!;
        const old = runner.server.options;
        if (old.keys.session === options.keys.session && isSameIpv6(old, options)) continue;
        undo.push(() => this.#adaptAgain(runner, old));
        await runner.adapt(options);
      }
      const started: ServerRunner[] = [];
      const start = async (options: ServerOptions) => {
        const runner = await this.#start(options);
        started.push(runner);
        undo.push(() => runner.shutdown(cause('CONFIG_CHANGED')));
      };
      const end = async (runner: ServerRunner) => {
        running.delete(runner.server.options.name);
        await runner.shutdown(cause('CONFIG_CHANGED'));
      };
      for (const options of fresh) if (!devices.has(options.device)) await start(options);
      for (const options of fresh) {
        const old = ended.find(({ server }) => server.options.device === options.device);
        if (old === undefined) continue;
        undo.push(() => this.#startAgain(old.server.options));
        await end(old);
        await start(options);
      }
      for (const runner of ended) if (running.has(runner.server.options.name)) await end(runner);
      for (const runner of started) running.set(runner.server.options.name, runner);
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
    listeners.retain(wanted.map(({ port }) => port));
    for (const options of fresh) this.#log.line('info', describe(options));
  }

  /**
   * All at once, for one may need what another one gives up; where that fails each by itself, so that one that cannot be
   * started keeps nothing from the others, and goes on as it was.
   * @returns what went wrong, by server
   */
  async changeAsFarAsPossible(
    wanted: readonly ServerOptions[],
    listeners: Listeners,
  ): Promise<ReadonlyMap<string, unknown>> {
    const failed = new Map<string, unknown>();
    try {
      await this.change(wanted, listeners);
      return failed;
    } catch {
      // Which of them it was is seen below.
    }
    let now = wanted.flatMap(({ name }) => this.running.get(name)?.server.options ?? []);
    await this.change(now, listeners);
    for (const options of wanted) {
      const next = [...now.filter(({ name }) => name !== options.name), options];
      try {
        await this.change(next, listeners);
        now = next;
      } catch (error) {
        failed.set(options.name, error);
      }
    }
    return failed;
  }

  /** Descriptors of devices, by the names of their servers: a server that starts takes its own. */
  adopt(devices: ReadonlyMap<string, number>): void {
    for (const [name, descriptor] of devices) this.#inherited.set(name, descriptor);
  }

  /** Ends a server. */
  async end(name: string, why: Cause): Promise<void> {
    const runner = this.running.get(name);
    this.running.delete(name);
    await runner?.shutdown(why);
  }

  async #start(options: ServerOptions): Promise<ServerRunner> {
    const runner = new ServerRunner(options, this.#ports, this.#keptFrom(options), (error) => {
      this.#log.line(
        'error',
        `server ${options.name}: its device ${options.device} is gone (${error.message}); starting it anew`,
      );
      this.#lost(options.name);
    });
    try {
      const inherited = this.#inherited.get(options.name);
      this.#inherited.delete(options.name);
      await runner.start(inherited);
    } catch (error) {
      await runner.shutdown(cause('DEVICE_FAILED')); // it may have its device already
      throw error;
    }
    return runner;
  }

  async #adaptAgain(runner: ServerRunner, options: ServerOptions): Promise<void> {
    try {
      await runner.adapt(options);
    } catch (error) {
      this.#log.line('error', `server ${options.name}: ${errorText(error)}`);
    }
  }

  async #startAgain(options: ServerOptions): Promise<void> {
    try {
      this.running.set(options.name, await this.#start(options));
    } catch (error) {
      this.#log.line(
        'error',
        `server ${options.name}: cannot be started again: ${errorText(error)}`,
      );
    }
  }
}

/** The device carries it. */
function isSameIpv6(a: ServerOptions, b: ServerOptions): boolean {
  return JSON.stringify(a.ip6.prefixes) === JSON.stringify(b.ip6.prefixes);
}

function describe({ name, localAddress, port, listen, device }: ServerOptions): string {
  return `server ${name}: listening on port ${port} of ${listen.join(' ') || 'all networks'}, ${formatAddress(localAddress)} on ${device}`;
}
