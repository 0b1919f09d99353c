/**
 * All relays of the configuration: which backend each has and why, and how they change while others go on. A relay that
 * cannot work is a state with a cause, never the failure of the rest.
 */
import type { Timer } from '../../platform/clock.ts';
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import {
  assignedByFirewall,
  HELPER_TABLE,
  helperState,
  installHelper,
  type HelperRules,
} from '../../router/nat-helper.ts';
import { RELAY_TABLE } from '../../router/relay-rules.ts';
import type { Upkeep } from '../../router/upkeep.ts';
import type { Zones } from '../../router/zones.ts';
import { cause, describeCause, type Cause } from '../../wire/cause.ts';
import { kernel } from '../engine/kernel.ts';
import {
  choose,
  NOTHING_LACKS,
  probeBackends,
  type Backend,
  type Lacks,
} from './backend-choice.ts';
import { HelperCalls } from './helper-calls.ts';
import type { RelayPorts, SavedRelayConnection } from './connection-runner.ts';
import type { RelayCallStatus } from './relay-event.ts';
import { RelayRunner, type SavedRelay } from './relay-runner.ts';

/** How often calls are looked at for traffic, ms. */
const LOOK = 10_000;

export interface RelayStatus {
  readonly options: RelayOptions;
  /** undefined: none works. */
  readonly backend: Backend | undefined;
  /** Why this backend. */
  readonly reason: string;
  readonly cause: Cause | undefined;
  readonly clients: number;
  readonly connections: number;
  readonly calls: readonly RelayCallStatus[];
}

type Relay = {
  readonly options: RelayOptions;
  readonly devices: RelayRunner['devices'];
  readonly reason: string;
} & (
  | { readonly backend: 'ebpf' | 'relay'; readonly runner: RelayRunner }
  | { readonly backend: 'helper' }
  /** None works. */
  | { readonly backend: undefined; readonly cause: Cause }
);

type SavedRelays = ReturnType<Relays['save']>;

type WriteLog = (level: 'info' | 'warning' | 'error', message: string) => void;

export class Relays {
  /** Connections through all of them at the same time. */
  most = Infinity;
  #relays: readonly Relay[] = [];
  readonly #ports: RelayPorts;
  readonly #zones: Zones;
  readonly #log: WriteLog;
  #lastKey = 0;
  #inherited: readonly SavedRelay[] = [];
  #hasHelper = false;
  /** Of its table, as we made it. */
  #helperState: string | undefined;
  /** Nothing of before is in the kernel: the first change has removed it. */
  #isClean = false;
  readonly #timer: Timer;
  readonly #helperCalls: HelperCalls;

  constructor(ports: Omit<RelayPorts, 'room'>, zones: Zones, log: WriteLog, upkeep: Upkeep) {
    const room = () =>
      runnersOf(this.#relays).reduce((rest, { connections }) => rest - connections, this.most);
    this.#ports = { ...ports, room };
    this.#zones = zones;
    this.#log = log;
    this.#helperCalls = new HelperCalls(ports.nextId);
    upkeep.keep({
      what: `the nftables table ${RELAY_TABLE}`,
      by: ['nftables'],
      look: () => ports.table.look(),
    });
    upkeep.keep({
      what: 'the shortcut of relays',
      by: ['devices', 'routes'],
      look: () => {
        ports.table.lookForShortcuts();
        return Promise.resolve(false);
      },
    });
    upkeep.keep({
      what: `the nftables table ${HELPER_TABLE}`,
      by: ['nftables'],
      look: () => this.#lookForHelper(),
    });
    this.#timer = clock.every(LOOK, () => {
      for (const runner of runnersOf(this.#relays))
        ports.faults.contain(`relay ${runner.options.name}`, () => runner.lookForTraffic());
    });
  }

  /** Not carried: most, #zones, #log, #ports, #timer, #helperCalls; #helperState, for that table is made anew; #inherited, which is
   * restored by then. */
  save() {
    return {
      table: this.#ports.table.save(),
      lastKey: this.#lastKey,
      hasHelper: this.#hasHelper,
      isClean: this.#isClean,
      relays: runnersOf(this.#relays).map((runner) => runner.save()),
    };
  }

  /** What the program before has left: change() takes it up, and restore() the connections. */
  adopt(saved: SavedRelays): void {
    const connections = saved.relays.flatMap((relay) => relay.connections);
    const ways = connections.flatMap((each) => each.ways.flatMap((both) => Object.values(both)));
    this.#ports.table.adopt(saved.table, ways);
    this.#lastKey = saved.lastKey;
    this.#hasHelper = saved.hasHelper;
    this.#isClean = saved.isClean;
    this.#inherited = saved.relays;
  }

  /** @returns connections that cannot go on */
  restore(): readonly SavedRelayConnection[] {
    const left = this.#inherited;
    this.#inherited = [];
    return left.flatMap((saved) => {
      const runner = runnersOf(this.#relays).find(({ key }) => key === saved.key);
      runner?.restore(saved);
      return runner === undefined ? saved.connections : [];
    });
  }

  /** Makes the relays those of the configuration. What does not change goes on undisturbed. Never fails. */
  async change(wanted: readonly RelayOptions[]): Promise<void> {
    const isNone = this.#relays.length === 0 && this.#inherited.length === 0 && !this.#hasHelper;
    if (wanted.length === 0 && isNone && this.#isClean) return;
    const before = this.#relays;
    const lacks =
      wanted.length === 0 ? NOTHING_LACKS : await probeBackends(wanted, this.#ports.table);
    const planned: Relay[] = [];
    for (const options of wanted) planned.push(await this.#plan(options, lacks, before));
    const kept = new Set(runnersOf(planned));
    // Those that go say goodbye while their calls can still be told apart.
    for (const runner of runnersOf(before))
      if (!kept.has(runner)) runner.stop(cause('CONFIG_CHANGED'));
    this.#relays = await this.#install(planned);
    for (const relay of this.#relays) this.#tell(relay, before);
  }

  /** The devices behind zones and networks may have changed. */
  async refresh(): Promise<void> {
    await this.change(this.#relays.map(({ options }) => options));
  }

  async status(): Promise<readonly RelayStatus[]> {
    const usesHelper = this.#relays.some(({ backend }) => backend === 'helper');
    const helper = usesHelper ? await this.#helperCalls.look() : undefined;
    if (!usesHelper) this.#helperCalls.forget();
    return this.#relays.map((relay): RelayStatus => {
      const { options, backend, reason } = relay;
      const common = { options, backend, reason, cause: undefined };
      const none = { clients: 0, connections: 0, calls: [] };
      switch (relay.backend) {
        case 'ebpf':
        case 'relay': {
          const { clients, connections } = relay.runner;
          return { ...common, clients, connections, calls: relay.runner.calls() };
        }
        case 'helper': {
          if (helper !== undefined) return { ...common, ...helper(relay) };
          const unseen = 'the kernel does not list its connections (/proc/net/nf_conntrack)';
          return { ...common, reason: `${reason}; ${unseen}`, ...none };
        }
        case undefined:
          return { ...common, cause: relay.cause, ...none };
      }
    });
  }

  /** @returns 'unable' for a call that the kernel's helper passes */
  disconnect(id: number, why: Cause): 'ended' | 'unable' | 'unknown' {
    if (runnersOf(this.#relays).some((runner) => runner.disconnect(id, why))) return 'ended';
    return this.#helperCalls.has(id) ? 'unable' : 'unknown';
  }

  /** Ends all connections, and leaves nothing in the kernel. */
  async stop(): Promise<void> {
    clock.cancel(this.#timer);
    for (const runner of runnersOf(this.#relays)) runner.stop(cause('SHUTDOWN'));
    const had = this.#relays.length > 0;
    this.#relays = [];
    if (!had) return;
    try {
      await this.#ports.table.install([]);
      if (this.#hasHelper) await installHelper([]);
    } catch (error) {
      this.#log('warning', `relays: ${errorText(error)}`);
    }
  }

  async #plan(options: RelayOptions, lacks: Lacks, before: readonly Relay[]): Promise<Relay> {
    const devices = { src: [] as readonly string[], dest: [] as readonly string[] };
    const failed = (why: Cause): Relay => ({
      options,
      devices,
      backend: undefined,
      reason: describeCause(why),
      cause: why,
    });
    try {
      devices.src = await this.#devicesOf(options.src);
      devices.dest = await this.#devicesOf(options.dest);
    } catch (error) {
      return failed(cause('NETWORK_MISSING', errorText(error)));
    }
    const missing = [
      ...(devices.src.length === 0 ? options.src : []),
      ...(devices.dest.length === 0 ? options.dest : []),
    ];
    if (missing.length > 0) return failed(cause('NETWORK_MISSING', missing.join(' ')));

    const choice = choose(options.backend, lacks);
    if (choice.backend === undefined) return failed(choice.cause);
    const common = { options, devices, reason: choice.reason };
    if (choice.backend === 'helper') {
      const also = (await assignedByFirewall()) ? '; fw4 assigns the helper too' : '';
      return { ...common, reason: choice.reason + also, backend: 'helper' };
    }
    const { backend } = choice;
    const hasShortcut = backend === 'ebpf';
    const old = before.find(({ options: { name } }) => name === options.name);
    if (old !== undefined && 'runner' in old && isSame(old, options, devices)) {
      old.runner.reconfigure(options, hasShortcut);
      return { ...common, backend, runner: old.runner };
    }
    try {
      const inherited = this.#inherited.find(
        (saved) =>
          saved.name === options.name &&
          saved.keys.listener === options.keys.listener &&
          isEqual(saved.devices, devices),
      );
      const key = inherited?.key ?? ++this.#lastKey;
      const { listener } = inherited ?? {};
      const runner = await RelayRunner.start(key, options, devices, this.#ports, listener);
      runner.reconfigure(options, hasShortcut);
      return { ...common, backend, runner };
    } catch (error) {
      return failed(cause('BIND_FAILED', errorText(error)));
    }
  }

  async #devicesOf(names: readonly string[]): Promise<readonly string[]> {
    const found = await Promise.all(names.map((name) => this.#zones.devices(name)));
    return [...new Set(found.flat())];
  }

  /** Each table in one transaction; the relays of a table that nftables refuses have failed. */
  async #install(planned: readonly Relay[]): Promise<readonly Relay[]> {
    const runners = runnersOf(planned);
    const helpers = planned.filter(({ backend }) => backend === 'helper');
    const refused = new Map<Backend, Cause>();
    const attempt = async (
      backends: readonly Backend[],
      isWanted: boolean,
      install: () => Promise<void>,
    ) => {
      try {
        await install();
      } catch (error) {
        const why = cause('FIREWALL_FAILED', errorText(error));
        if (isWanted) for (const backend of backends) refused.set(backend, why);
      }
    };
    await attempt(['ebpf', 'relay'], runners.length > 0, () =>
      this.#ports.table.install(runners.map(({ rules }) => rules)),
    );
    if (helpers.length > 0 || this.#hasHelper || !this.#isClean)
      await attempt(['helper'], helpers.length > 0, () => installHelper(helpers.map(helperRules)));
    this.#hasHelper = helpers.length > 0;
    this.#helperState = this.#hasHelper ? helperState(kernel.netfilter) : undefined;
    this.#isClean = true;
    return planned.map((relay) => {
      const why = relay.backend === undefined ? undefined : refused.get(relay.backend);
      if (why === undefined) return relay;
      if ('runner' in relay) relay.runner.stop(why);
      const { options, devices } = relay;
      return { options, devices, backend: undefined, reason: describeCause(why), cause: why };
    });
  }

  async #lookForHelper(): Promise<boolean> {
    if (this.#helperState === undefined || helperState(kernel.netfilter) === this.#helperState)
      return false;
    const helpers = this.#relays.filter(({ backend }) => backend === 'helper');
    await installHelper(helpers.map(helperRules));
    this.#helperState = helperState(kernel.netfilter);
    return true;
  }

  /** A line for each relay whose state is new. */
  #tell(relay: Relay, before: readonly Relay[]): void {
    const { options, devices, reason } = relay;
    const old = before.find((one) => one.options.name === options.name);
    if (old !== undefined && old.reason === reason && isEqual(old.devices, devices)) return;
    if (relay.backend === undefined)
      this.#log('error', `relay ${options.name}: not working: ${relay.cause.code} "${reason}"`);
    else
      this.#log(
        'info',
        `relay ${options.name}: ${options.direction} from ${devices.src.join(' ')} to ${devices.dest.join(' ')}, backend ${relay.backend} (${reason})`,
      );
  }
}

function runnersOf(relays: readonly Relay[]): RelayRunner[] {
  return relays.flatMap((relay) => ('runner' in relay ? relay.runner : []));
}

/** Whether a running relay can go on with these settings, on these devices. */
function isSame(old: Relay, options: RelayOptions, devices: RelayRunner['devices']): boolean {
  return old.options.keys.listener === options.keys.listener && isEqual(old.devices, devices);
}

function isEqual(before: Relay['devices'], after: Relay['devices']): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

function helperRules({ options, devices }: Relay): HelperRules {
  const { direction, clients, servers, server } = options;
  return { direction, ...devices, clients, servers, server };
}
