/**
 * One relay at work: takes the control connections that the kernel redirects to its port, and decides which of them may
 * pass.
 */
import { originalDestination } from '../../native/original-destination.ts';
import { errorText } from '../../platform/errors.ts';
import { sockets } from '../../platform/platform.ts';
import type { Listener, TcpSocket } from '../../platform/sockets.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import type { RelayRules } from '../../router/relay-rules.ts';
import { HalfOpen, type Place } from '../../session/server/half-open.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, parseAddress, prefixContains, type Prefix } from '../../wire/ip.ts';
import { monotonic } from '../engine/drive.ts';
import { deviceOfAddress } from '../engine/own-addresses.ts';
import { ConnectionRunner, PPTP_PORT, type RelayPorts } from './connection-runner.ts';
import type { RelayCallStatus } from './relay-event.ts';

const BACKLOG = 128;

export type SavedRelay = ReturnType<RelayRunner['save']>;

export class RelayRunner {
  readonly key: number;
  options: RelayOptions;
  /** Devices that src and dest stand for. */
  devices: { readonly src: readonly string[]; readonly dest: readonly string[] };
  private hasShortcut = false;
  private readonly ports: RelayPorts;
  private readonly running = new Set<ConnectionRunner>();
  private readonly halfOpen = new HalfOpen();
  private listener!: Listener;

  private constructor(
    key: number,
    options: RelayOptions,
    devices: RelayRunner['devices'],
    ports: RelayPorts,
  ) {
    this.key = key;
    this.options = options;
    this.devices = devices;
    this.ports = ports;
  }

  /**
   * Listens; nothing is redirected to it yet.
   * @param inherited the socket that the program before has listened on
   * @throws Error of the system
   */
  static async start(
    key: number,
    options: RelayOptions,
    devices: RelayRunner['devices'],
    ports: RelayPorts,
    inherited?: number,
  ): Promise<RelayRunner> {
    const runner = new RelayRunner(key, options, devices, ports);
    runner.listener = await sockets.listen(
      { port: 0, backlog: BACKLOG, inherited },
      {
        accept: (socket) =>
          ports.faults.contain(
            `relay ${options.name}`,
            () => runner.accept(socket),
            () => socket.destroy(),
          ),
        failed: (error) => ports.warn(`relay ${options.name}: ${error.message}`), // no descriptors are left
      },
    );
    return runner;
  }

  /** Not carried: ports, hasShortcut, which is chosen again; halfOpen, whose clients connect again. */
  save() {
    const { key, devices, options } = this;
    const connections = [...this.running].flatMap((runner) => runner.save() ?? []);
    const { name, keys } = options;
    return { name, keys, key, devices, listener: this.listener.descriptor, connections };
  }

  restore({ connections }: SavedRelay): void {
    for (const saved of connections) {
      const ended = () => this.running.delete(runner);
      const socket = sockets.adopt(saved.client);
      const runner: ConnectionRunner = new ConnectionRunner(
        socket,
        saved.options,
        this.ports,
        undefined,
        ended,
      );
      runner.restore(saved);
      this.running.add(runner);
      runner.start();
    }
  }

  get rules(): RelayRules {
    const { key, devices, hasShortcut } = this;
    const { direction, clients } = this.options;
    return { key, direction, ...devices, clients, port: this.listener.port, hasShortcut };
  }

  get connections(): number {
    return this.running.size;
  }

  get clients(): number {
    return new Set([...this.running].map(({ client }) => client.peer)).size;
  }

  /** Limits; what needs other rules is a new runner's. */
  reconfigure(options: RelayOptions, hasShortcut: boolean): void {
    this.options = options;
    this.hasShortcut = hasShortcut;
    for (const runner of this.running)
      runner.feed((machine) => machine.setIdleTimeout(options.idleTimeout));
  }

  calls(): RelayCallStatus[] {
    return [...this.running].flatMap((runner) => runner.calls());
  }

  /** @returns whether there was such a call */
  disconnect(id: number, why: Cause): boolean {
    for (const runner of this.running) {
      const call = runner.machine.calls.find((one) => one.state.id === id);
      if (call === undefined) continue;
      runner.feed((machine) => machine.disconnect(call, why));
      return true;
    }
    return false;
  }

  lookForTraffic(): void {
    for (const runner of [...this.running]) runner.lookForTraffic();
  }

  /** Ends all connections. */
  stop(why: Cause): void {
    this.listener.close();
    for (const runner of [...this.running]) runner.feed((machine) => machine.end(why));
  }

  private accept(socket: TcpSocket): void {
    const client = parseAddress(socket.endpoints?.peer ?? '');
    if (client === undefined) {
      socket.destroy(); // it has hung up already
      return;
    }
    const target = this.target(socket, client);
    if ('code' in target) {
      this.refuse(socket, client, target);
      return;
    }
    const place = this.enter(client, (): void => runner.giveWay());
    if ('code' in place) {
      this.refuse(socket, client, place);
      return;
    }
    const { key, devices } = this;
    const { name, idleTimeout } = this.options;
    const options = { ...target, name, key, dest: devices.dest, idleTimeout };
    const ended = () => this.running.delete(runner);
    const runner: ConnectionRunner = place.occupy(
      () => new ConnectionRunner(socket, options, this.ports, place, ended),
      monotonic(),
    );
    this.running.add(runner);
    runner.start();
  }

  private refuse(socket: TcpSocket, client: Ipv4, why: Cause): void {
    socket.destroy();
    const relay = this.options.name;
    this.ports.report({ what: 'relay-refused', relay, client, server: undefined, cause: why });
  }

  /** Where the client was going, and which server that means; or why it may not. */
  private target(socket: TcpSocket, client: Ipv4): { clientLocal: Ipv4; server: Ipv4 } | Cause {
    const { direction, server: inside, clients, servers } = this.options;
    let original: { address: Ipv4; port: number };
    let server: Ipv4;
    try {
      original = originalDestination(socket.descriptor);
      server = direction === 'inbound' ? inside! : original.address;
      const isOurs = deviceOfAddress(original.address) !== undefined;
      // What was not redirected came to our own port.
      const isRedirected = original.port === PPTP_PORT && isOurs === (direction === 'inbound');
      if (!isRedirected || deviceOfAddress(server) !== undefined)
        return cause('RELAY_LOOP', `${formatAddress(original.address)} port ${original.port}`);
    } catch (error) {
      return cause('CONNECT_FAILED', errorText(error));
    }
    if (!isIn(clients, client)) return cause('CLIENT_NOT_ALLOWED');
    if (!isIn(servers, server)) return cause('DESTINATION_NOT_ALLOWED', formatAddress(server));
    return { clientLocal: original.address, server };
  }

  /** A place for a client without a call: one of those that no calls have. */
  private enter(client: Ipv4, giveWay: () => void): Place | Cause {
    const { maxConnections, maxPerClient, maxHalfOpen } = this.options;
    const calling = [...this.running].filter(({ isHalfOpen }) => !isHalfOpen);
    const own = calling.filter((runner) => runner.client.peer === client).length;
    const most = Math.min(maxConnections, this.running.size + this.ports.room());
    if (calling.length >= most)
      return cause(
        'TOO_MANY_CONNECTIONS',
        most < maxConnections ? 'no descriptor is left for another one' : `${most} in all`,
      );
    if (own >= maxPerClient) return cause('TOO_MANY_CONNECTIONS', `${maxPerClient} of one client`);
    const limits = {
      maxHalfOpen: Math.min(maxHalfOpen, most - calling.length),
      maxHalfOpenPerSource: maxPerClient - own,
    };
    const place = this.halfOpen.enter(client, limits, giveWay, monotonic());
    return place ?? cause('TOO_MANY_HALF_OPEN');
  }
}

function isIn(networks: readonly Prefix[], address: Ipv4): boolean {
  return networks.length === 0 || networks.some((network) => prefixContains(network, address));
}
