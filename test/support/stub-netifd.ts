/**
 * netifd as its clients see it: the interfaces of a shell protocol with our handler's flags (no_proto_task, available,
 * lasterror, teardown_on_l3_link_down), and procd's `service set_data`. It behaves as the real one was seen to and records
 * every call. Its kernel is a set of names: the test says when a device is gone.
 *
 * Handlers run as the real script does: a call of `pptp link_setup` or `link_teardown`, which may find nobody; a test may run
 * the script itself (`script`).
 */
import { UbusError, method, type Table, type UbusClient } from '../../src/ubus-js/index.ts';

type Bus = Pick<UbusClient, 'add' | 'remove' | 'call' | 'send' | 'notify'>;
type State = 'down' | 'setup' | 'up' | 'teardown';

interface Upstream {
  readonly device: string;
  readonly address: string;
  readonly mask: number;
  /** It has the default route, of this metric. */
  readonly metric?: number;
}

export interface Call {
  readonly path: string;
  readonly method: string;
  readonly args: Table;
}

class Interface {
  readonly name: string;
  readonly proto: string;
  /** Made by add_dynamic, not by a section. */
  readonly dynamic: boolean;
  state: State = 'down';
  autostart = true;
  available = true;
  device: string | undefined;
  link: Table = {};
  errors: string[] = [];
  /** What a DHCPv6 client has got, or what is assigned to it. */
  ipv6: Table = {};
  dependencies: string[] = [];
  /** The handler's script of now. */
  script: Promise<void> = Promise.resolve();
  wasUp = false;

  constructor(name: string, proto: string, dynamic = false) {
    this.name = name;
    this.proto = proto;
    this.dynamic = dynamic;
  }
}

const UpdateLink = 0;
const NotifyError = 3;
const BlockRestart = 4;
const HostDependency = 6;
const SetupFailed = 7;

export class StubNetifd {
  readonly calls: Call[] = [];
  /** What procd keeps of our service. */
  serviceData: Table | undefined;
  /** Statuses that the next notify_proto of an action fails with. */
  readonly refusals = new Map<number, UbusError>();
  upstream: Upstream | undefined = {
    device: 'eth1',
    address: '203.0.113.2',
    mask: 24,
    metric: 0,
  };
  /** Runs the protocol's handler: `link_setup` or `link_teardown`. */
  script = (called: string, { name }: Interface): Promise<unknown> =>
    this.#bus.call('pptp', called, { interface: name }, { timeout: 5_000 });
  readonly #bus: Bus;
  readonly #interfaces = new Map<string, Interface>();
  readonly #paths: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Registers the objects: netifd has been started. */
  start(): void {
    this.#object('network.interface', {
      dump: method({}, () => ({ interface: this.#dump() })),
      // The real one ignores what is of another type; here it is refused.
      notify_proto: method(
        {
          interface: 'string',
          action: 'int32',
          'link-up': 'bool?',
          ifname: 'string?',
          ipaddr: 'array?',
          ip6addr: 'array?',
          routes: 'array?',
          routes6: 'array?',
          dns: 'array?',
          host: 'string?',
          error: 'array?',
        },
        (args) => this.#notify(args),
      ),
    });
    this.#object('network', {
      add_dynamic: method(
        {
          name: 'string',
          proto: 'string',
          device: 'string',
          extendprefix: 'string',
          reqprefix: 'string?',
          defaultroute: 'bool',
          metric: 'int32',
          peerdns: 'bool',
          norelease: 'bool',
          sourcefilter: 'bool',
          delegate: 'bool',
          zone: 'string?',
        },
        (args) => {
          this.#interfaces.set(args.name, new Interface(args.name, args.proto, true));
          this.#interfaceObject(args.name);
          return this.#record('network', 'add_dynamic', args);
        },
      ),
    });
    this.#object('service', {
      set_data: method({ name: 'string', data: 'table' }, (args) => {
        this.serviceData = args.data;
        return this.#record('service', 'set_data', args);
      }),
    });
    for (const { name } of this.#interfaces.values()) this.#interfaceObject(name);
  }

  /** netifd ends without a word to its handlers, and forgets. */
  stop(): void {
    for (const path of this.#paths.splice(0)) this.#bus.remove(path);
    for (const [name, { proto, dynamic }] of this.#interfaces)
      if (dynamic) this.#interfaces.delete(name);
      else this.#interfaces.set(name, new Interface(name, proto));
  }

  /** A section in /etc/config/network, after `network reload`. */
  configure(name: string, proto = 'pptpgw'): void {
    this.#interfaces.set(name, new Interface(name, proto));
    this.#interfaceObject(name);
  }

  /** The section is deleted, and the network reloaded. */
  delete(name: string): void {
    const found = this.#of(name);
    this.#interfaces.delete(name);
    this.#bus.remove(`network.interface.${name}`);
    if (found.state !== 'down') found.script = this.#handler(found, 'link_teardown');
    this.#changed();
  }

  up(name: string): void {
    const found = this.#of(name);
    found.autostart = true;
    if (found.state === 'down' && found.available) this.#setUp(found);
  }

  down(name: string): void {
    const found = this.#of(name);
    found.autostart = false;
    this.#tearDown(found);
  }

  /** The kernel says that the device of an interface is gone. */
  deviceGone(name: string): void {
    const found = this.#of(name);
    if (found.state === 'up') this.#tearDown(found);
  }

  upstreamDown(): void {
    this.upstream = undefined;
    for (const found of this.#interfaces.values())
      if (found.dependencies.length > 0) {
        found.available = false;
        this.#tearDown(found);
      }
    this.#changed();
  }

  upstreamUp(upstream: Upstream): void {
    this.upstream = upstream;
    for (const found of this.#interfaces.values()) {
      found.available = true;
      if (found.autostart && found.state === 'down') this.#setUp(found);
    }
    this.#changed();
  }

  /**
   * The DHCPv6 client on a device gets addresses and prefixes, or others. Of that there is no event, only a notification
   * (netifd's interface-event.c).
   */
  give(
    name: string,
    device: string,
    addresses: readonly string[],
    prefixes: readonly string[],
  ): void {
    const found = this.#of(name);
    const entries = (texts: readonly string[]) =>
      texts.map((text) => {
        const [address, mask] = text.split('/');
        return { address: address!, mask: Number(mask) };
      });
    found.state = 'up';
    found.device = device;
    found.ipv6 = { 'ipv6-address': entries(addresses), 'ipv6-prefix': entries(prefixes) };
    this.#bus.notify('network.interface', 'interface.update', { interface: name });
    this.#changed();
  }

  /** Out of the prefixes of the router, or others: without an event or a notification. */
  assign(name: string, networks: readonly string[]): void {
    this.#of(name).ipv6 = {
      'ipv6-prefix-assignment': networks.map((text) => {
        const [address, mask] = text.split('/') as [string, string];
        const own = { address: `${address}1`, mask: Number(mask) };
        return { address, mask: Number(mask), 'local-address': own };
      }),
    };
  }

  state(name: string): State | undefined {
    return this.#interfaces.get(name)?.state;
  }

  link(name: string): Table {
    return this.#of(name).link;
  }

  errors(name: string): readonly string[] {
    return this.#of(name).errors;
  }

  isAutostart(name: string): boolean {
    return this.#of(name).autostart;
  }

  /** notify_proto calls for an interface, their action and what belongs to it. */
  notified(name: string, action: number): readonly Table[] {
    return this.calls
      .filter(({ method: called, args }) => called === 'notify_proto' && args['interface'] === name)
      .map(({ args }) => args)
      .filter((args) => args['action'] === action);
  }

  /** Resolved once `condition` holds: looked at after every change. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #notify(args: Table): Table {
    this.#record('network.interface', 'notify_proto', args);
    const action = args['action'];
    const found = this.#interfaces.get(args['interface'] as string);
    if (typeof action !== 'number') throw new UbusError('INVALID_ARGUMENT');
    if (found === undefined) throw new UbusError('NOT_FOUND');
    const refusal = this.refusals.get(action);
    this.refusals.delete(action);
    if (refusal !== undefined) throw refusal;
    switch (action) {
      case UpdateLink:
        this.#updateLink(found, args);
        break;
      case NotifyError:
        found.errors = [(args['error'] as readonly string[])[0]!];
        break;
      case BlockRestart:
        found.autostart = false;
        break;
      case HostDependency:
        this.#hostDependency(found, args['host'] as string, args['ifname'] ?? 'wan');
        break;
      case SetupFailed:
        if (found.state === 'teardown') throw new UbusError('PERMISSION_DENIED');
        this.#tearDown(found);
        break;
      default:
        throw new UbusError('INVALID_ARGUMENT');
    }
    this.#changed();
    return {};
  }

  #updateLink(found: Interface, args: Table): void {
    if (found.state === 'teardown') throw new UbusError('PERMISSION_DENIED');
    if (args['link-up'] === true) {
      // Down, and told that it is up: netifd raises the device and keeps it, an orphan.
      found.device = args['ifname'] as string;
      found.link = args;
      if (found.state !== 'setup') return;
      found.state = 'up';
      found.errors = [];
      this.#event('ifup', found.name);
    } else if (args['link-up'] === false) {
      // It takes the device down, sees that, and tears down (teardown_on_l3_link_down).
      if (found.state === 'up') this.#tearDown(found);
    } else throw new UbusError('INVALID_ARGUMENT');
  }

  /** @param through network that it has to go through; there is only one */
  #hostDependency(found: Interface, host: string, through: unknown): void {
    if (found.state === 'teardown') throw new UbusError('PERMISSION_DENIED');
    found.dependencies.push(host);
    if (this.upstream !== undefined && through === 'wan') return;
    found.available = false;
    this.#tearDown(found);
    throw new UbusError('NOT_FOUND');
  }

  #setUp(found: Interface): void {
    found.state = 'setup';
    found.dependencies = [];
    found.script = this.#handler(found, 'link_setup');
    this.#changed();
  }

  #tearDown(found: Interface): void {
    if (found.state === 'down' || found.state === 'teardown') return;
    if (found.state === 'up') this.#event('ifdown', found.name);
    found.state = 'teardown';
    found.script = found.script
      .then(() => this.#handler(found, 'link_teardown'))
      .then(() => {
        found.state = 'down';
        found.device = undefined;
        found.link = {};
        const isPresent = this.#interfaces.get(found.name) === found;
        if (found.autostart && found.available && isPresent) this.#setUp(found);
        this.#changed();
      });
    this.#changed();
  }

  async #handler(found: Interface, called: string): Promise<void> {
    try {
      await this.script(called, found);
    } catch (error) {
      if (!(error instanceof UbusError)) throw error;
      if (called === 'link_setup') found.errors = ['SERVICE_NOT_RUNNING'];
    }
  }

  #dump(): readonly Table[] {
    this.#record('network.interface', 'dump', {});
    const { upstream } = this;
    const wan: Table[] =
      upstream === undefined
        ? []
        : [
            {
              interface: 'wan',
              proto: 'static',
              up: true,
              pending: false,
              l3_device: upstream.device,
              metric: upstream.metric ?? 0,
              'ipv4-address': [{ address: upstream.address, mask: upstream.mask }],
              route:
                upstream.metric === undefined
                  ? []
                  : [{ target: '0.0.0.0', mask: 0, nexthop: '203.0.113.1' }],
            },
          ];
    const lan: Table = {
      interface: 'lan',
      proto: 'static',
      up: true,
      pending: false,
      l3_device: 'br-lan',
      metric: 0,
      'ipv4-address': [{ address: '192.168.1.1', mask: 24 }],
      route: [],
    };
    return [lan, ...wan, ...[...this.#interfaces.values()].map(status)];
  }

  #record(path: string, called: string, args: Table): Table {
    this.calls.push({ path, method: called, args });
    this.#changed();
    return {};
  }

  #event(action: string, name: string): void {
    this.#bus.send('network.interface', { action, interface: name }).catch(() => undefined); // the bus may be gone
  }

  #interfaceObject(name: string): void {
    const path = `network.interface.${name}`;
    this.#object(path, {
      up: method({}, () => {
        this.#record(path, 'up', {});
        this.up(name);
        return {};
      }),
      down: method({}, () => {
        this.#record(path, 'down', {});
        this.down(name);
        return {};
      }),
      remove: method({}, () => {
        this.delete(name); // the real one removes those of sections, too
        return this.#record(path, 'remove', {});
      }),
    });
  }

  #object(path: string, methods: Parameters<Bus['add']>[0]['methods']): void {
    this.#paths.push(path);
    this.#bus.add({ path, methods });
  }

  #of(name: string): Interface {
    const found = this.#interfaces.get(name);
    if (found === undefined) throw new Error(`no interface ${name}`);
    return found;
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}

function status(found: Interface): Table {
  const isUp = found.state === 'up';
  return {
    interface: found.name,
    proto: found.proto,
    up: isUp,
    // netifd's own state is still that of before while a teardown runs.
    pending: found.state === 'setup',
    available: found.available,
    autostart: found.autostart,
    dynamic: found.dynamic,
    ...(isUp
      ? { l3_device: found.device!, metric: 0, 'ipv4-address': [], route: [], ...found.ipv6 }
      : {}),
    data: {},
    errors: found.errors.map((code) => ({ subsystem: found.proto, code })),
  };
}
