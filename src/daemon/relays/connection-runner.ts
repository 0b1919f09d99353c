/** Carries out what one relayed control connection asks: its two TCP connections, and the packets of its calls in the kernel. */
import { errorText } from '../../platform/errors.ts';
import { sockets } from '../../platform/platform.ts';
import type { TcpSocket } from '../../platform/sockets.ts';
import { RelayedConnection } from '../../relay/relayed-connection.ts';
import {
  isPassing,
  otherSide,
  type PassingCall,
  type RelayedCall,
  type Side,
} from '../../relay/relayed-call.ts';
import type { RelayOutput } from '../../relay/relay-output.ts';
import type { CallIds } from '../../pptp/call-ids.ts';
import type { Count } from '../../router/nft-elements.ts';
import type { RelayTable } from '../../router/relay-table.ts';
import type { RelayWay } from '../../router/relay-way.ts';
import { Progress, type Place } from '../../session/server/half-open.ts';
import type { CallId, Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, parseAddress } from '../../wire/ip.ts';
import type { Capture } from '../capture/capture.ts';
import type { Connections } from '../engine/connections.ts';
import { monotonic, type Drive } from '../engine/drive.ts';
import type { Faults } from '../engine/faults.ts';
import { connectCause } from '../engine/router-cause.ts';
import { TcpConnection } from '../engine/tcp-connection.ts';
import { deviceOfAddress, isAmong } from '../engine/own-addresses.ts';
import type { RelayCallStatus, RelayEvent } from './relay-event.ts';

export const PPTP_PORT = 1723;
/** An end that has vanished without a word is noticed by TCP after this silence, ms. */
const TCP_KEEPALIVE = 60_000;

export interface RelayPorts {
  readonly drive: Drive;
  readonly connections: Connections;
  readonly faults: Faults;
  readonly table: RelayTable;
  readonly ids: CallIds;
  readonly nextId: () => number;
  /** How many more connections may pass. */
  readonly room: () => number;
  readonly report: (event: RelayEvent) => void;
  readonly count: (counter: string) => void;
  readonly warn: (message: string) => void;
  readonly capture: () => Capture | undefined;
}

export interface ConnectionOptions {
  /** The relay's name, and the key of its rules. */
  readonly name: string;
  readonly key: number;
  readonly server: Ipv4;
  /** Our address as the client sees it. */
  readonly clientLocal: Ipv4;
  /** Devices on which the server may be. */
  readonly dest: readonly string[];
  readonly idleTimeout: number;
}

/** The connection to the server. */
type Upstream =
  | { readonly name: 'none' }
  | { readonly name: 'connecting'; readonly socket: TcpSocket }
  | { readonly name: 'connected'; readonly tcp: TcpConnection };

type Standing =
  /** It has had no call yet. */
  | { readonly name: 'half-open'; readonly place: Place }
  /** Its place has gone to another one. */
  | { readonly name: 'evicted' }
  | { readonly name: 'called' };

export type SavedRelayConnection = NonNullable<ReturnType<ConnectionRunner['save']>>;

export class ConnectionRunner {
  readonly machine: RelayedConnection;
  readonly client: TcpConnection;
  private readonly options: ConnectionOptions;
  private readonly ports: RelayPorts;
  private readonly ended: () => void;
  private upstream: Upstream = { name: 'none' };
  /** Call ids that ends were told. */
  private readonly ids = new Set<CallId>();
  /** Calls that were told of. */
  private readonly up = new Set<PassingCall>();
  private readonly ways = new Map<RelayedCall, Partial<Record<Side, RelayWay>>>();
  /** Counters of a call that was removed and whose end is about to be told. */
  private last: Record<Side, Count> | undefined;
  /** Packets at the last look. */
  private packets = 0;
  private standing: Standing;

  /** @param socket from the client @param place undefined: it has had its call, see restore() */
  constructor(
    socket: TcpSocket,
    options: ConnectionOptions,
    ports: RelayPorts,
    place: Place | undefined,
    ended: () => void,
  ) {
    this.options = options;
    this.ports = ports;
    this.standing = place === undefined ? { name: 'called' } : { name: 'half-open', place };
    this.ended = ended;
    const { nextId } = ports;
    const count = (what: string) => ports.count(`relay: ${what}`);
    const { idleTimeout } = options;
    const ids = {
      take: () => this.takeId(),
      release: (id: CallId) => this.releaseId(id),
      isUsed: (id: CallId) => ports.ids.isUsed(id),
    };
    this.machine = new RelayedConnection({ ids, nextId, count, idleTimeout }, monotonic());
    this.client = this.tcp(socket, 'client');
  }

  /**
   * What another program goes on with. undefined: something is being negotiated.
   * Not carried: ports, ended, last; ids and up, which the calls tell; standing, which is called.
   */
  save() {
    const machine = this.machine.save();
    const client = this.client.descriptor;
    const server = this.upstream.name === 'connected' ? this.upstream.tcp.descriptor : undefined;
    const calls = machine?.calls ?? [];
    if (machine === undefined || calls.length === 0) return undefined;
    if (client === undefined || server === undefined || calls.some((call) => !this.ways.has(call)))
      return undefined;
    const ways = calls.map((call) => this.ways.get(call)!);
    return { options: this.options, client, server, machine, ways, packets: this.packets };
  }

  /** Before start(). */
  restore({ server, machine, ways, packets }: SavedRelayConnection): void {
    this.upstream = { name: 'connected', tcp: this.tcp(sockets.adopt(server), 'server') };
    machine.calls.forEach((call, n) => {
      this.ways.set(call, ways[n]!);
      if (isPassing(call)) this.up.add(call);
      for (const { told } of [call.client, call.server]) {
        if (told === undefined) continue;
        this.ports.ids.claim(told);
        this.ids.add(told);
      }
    });
    this.packets = packets;
    this.machine.restore(machine);
  }

  /** From now on it may end at any time. */
  start(): void {
    this.ports.drive.add(this.machine, {
      about: this.about,
      carryOut: (output) => this.carryOut(output),
      failed: (why) => this.fail(why),
    });
  }

  private get about(): string {
    return `relay ${this.options.name} client ${formatAddress(this.client.peer)}`;
  }

  private takeId(): CallId | undefined {
    const id = this.ports.ids.take();
    if (id !== undefined) this.ids.add(id);
    return id;
  }

  private releaseId(id: CallId): void {
    if (this.ids.delete(id)) this.ports.ids.release(id);
  }

  /** The machine has thrown: what it had done is undone without it. */
  private fail(why: Cause): void {
    const attempt = (act: () => void) => this.ports.faults.contain(this.about, act);
    for (const call of this.ways.keys()) {
      attempt(() => this.remove(call));
      if (isPassing(call) && this.up.has(call))
        attempt(() => this.carryOut({ kind: 'call-down', call, cause: why }));
    }
    for (const id of this.ids) attempt(() => this.releaseId(id));
    attempt(() => this.done(why));
  }

  /** Feeds the machine and drains it. */
  feed(act: (machine: RelayedConnection) => void): void {
    this.ports.drive.feed(this.machine, act);
  }

  get isHalfOpen(): boolean {
    return this.standing.name === 'half-open';
  }

  giveWay(): void {
    this.standing = { name: 'evicted' };
    this.feed((machine) =>
      machine.end(cause('TOO_MANY_HALF_OPEN', 'another client got on better')),
    );
  }

  calls(): RelayCallStatus[] {
    return this.machine.calls.map((call) => this.status(call));
  }

  /** Looks for packets since the last time: a connection whose calls are in use is not idle. */
  lookForTraffic(): void {
    this.ports.drive.guard(this.machine, () => this.countPackets());
  }

  private countPackets(): void {
    const ways = [...this.ways.values()].flatMap((both) => Object.values(both));
    const counts = this.ports.table.counters(ways);
    const packets = counts?.reduce((sum, count) => sum + count.packets, 0) ?? this.packets;
    if (packets === this.packets) return;
    this.packets = packets;
    this.feed((machine) => machine.handleTraffic(monotonic()));
  }

  private tcp(socket: TcpSocket, side: Side): TcpConnection {
    const { capture, connections } = this.ports;
    socket.keepAlive(TCP_KEEPALIVE);
    const tcp = new TcpConnection(socket, connections, {
      octets: (octets) => {
        capture()?.control(tcp, 'in', octets);
        this.feed((machine) => machine.handleOctets(side, octets, monotonic()));
      },
      closed: (errno) => this.feed((machine) => machine.handleClosed(side, errno)),
      written: (octets) => capture()?.control(tcp, 'out', octets),
    });
    return tcp;
  }

  private carryOut(output: RelayOutput): void {
    const { report } = this.ports;
    switch (output.kind) {
      case 'connect':
        this.connect();
        break;
      case 'write':
        this.tcpOf(output.side)?.write(output.octets);
        break;
      case 'open':
        if (this.standing.name === 'half-open')
          this.standing.place.advance(Progress.call, monotonic());
        this.ports.drive.watch(this.machine, this.open(output.call, output.towards));
        break;
      case 'remove':
        this.remove(output.call);
        break;
      case 'call-up':
        this.leavePlace(true);
        this.standing = { name: 'called' };
        this.up.add(output.call);
        report({ what: 'relay-call-up', call: this.status(output.call) });
        break;
      case 'call-down':
        this.up.delete(output.call);
        report({
          what: 'relay-call-down',
          call: this.status(output.call),
          cause: output.cause,
        });
        break;
      case 'done':
        this.done(output.cause);
        break;
    }
  }

  private tcpOf(side: Side): TcpConnection | undefined {
    if (side === 'client') return this.client;
    return this.upstream.name === 'connected' ? this.upstream.tcp : undefined;
  }

  private connect(): void {
    const failed = (why: Cause) => {
      if (this.upstream.name === 'connecting') this.feed((machine) => machine.end(why));
    };
    const connected = () => {
      const device = deviceOf(socket);
      if (device === undefined || !isAmong(device, this.options.dest)) {
        failed(cause('WRONG_NETWORK', device));
        return;
      }
      this.upstream = { name: 'connected', tcp: this.tcp(socket, 'server') };
      this.feed((machine) => machine.handleConnected(monotonic()));
    };
    const to = { address: formatAddress(this.options.server), port: PPTP_PORT };
    const socket = sockets.connect(to, () => this.ports.drive.guard(this.machine, connected));
    this.upstream = { name: 'connecting', socket };
    socket.hear({ closed: (error) => failed(connectCause(error)) });
  }

  private async open(call: RelayedCall, towards: Side): Promise<void> {
    const { name, key, server, clientLocal } = this.options;
    const ends = {
      client: { address: this.client.peer, local: clientLocal },
      server: { address: server, local: this.tcpOf('server')!.local },
    };
    const { callId, told } = call[towards];
    const way: RelayWay = {
      relay: key,
      towards,
      from: ends[otherSide(towards)],
      to: { ...ends[towards], callId: callId!, toldCallId: told! },
    };
    this.ways.set(call, { ...this.ways.get(call), [towards]: way });
    let failure: Cause | undefined;
    try {
      await this.ports.table.add(way);
    } catch (error) {
      failure = cause('FIREWALL_FAILED', errorText(error));
      this.ports.warn(`relay ${name}: a call is refused: ${errorText(error)}`);
    }
    if (towards !== call.requester)
      this.feed((machine) => machine.handleOpened(call, failure, monotonic()));
  }

  private remove(call: RelayedCall): void {
    this.last = this.counters(call);
    const ways = Object.values(this.ways.get(call) ?? {});
    this.ways.delete(call);
    for (const way of ways)
      this.ports.table.remove(way).catch((error: unknown) => {
        this.ports.warn(`relay ${this.options.name}: ${errorText(error)}`);
      });
  }

  /** What has passed towards each end. */
  private counters(call: RelayedCall): Record<Side, Count> | undefined {
    const { client, server } = this.ways.get(call) ?? {};
    if (client === undefined || server === undefined) return undefined;
    const [toClient, toServer] = this.ports.table.counters([client, server]) ?? [];
    if (toClient === undefined || toServer === undefined) return undefined;
    return { client: toClient, server: toServer };
  }

  private done(why: Cause): void {
    const { upstream, client, options } = this;
    this.ports.drive.remove(this.machine);
    this.leavePlace(false);
    this.upstream = { name: 'none' };
    client.close();
    if (upstream.name === 'connecting') upstream.socket.destroy();
    else if (upstream.name === 'connected') upstream.tcp.close();
    this.ended();
    if (this.standing.name === 'called' || why.code === 'SHUTDOWN' || why.code === 'CONFIG_CHANGED')
      return;
    this.ports.report({
      what: 'relay-refused',
      relay: options.name,
      client: client.peer,
      server: options.server,
      cause: why,
    });
  }

  private leavePlace(isProved: boolean): void {
    if (this.standing.name === 'half-open') this.standing.place.leave(isProved, monotonic());
  }

  private status(call: PassingCall): RelayCallStatus {
    const counters = this.ways.has(call) ? this.counters(call) : this.last;
    return {
      id: call.state.id,
      relay: this.options.name,
      client: this.client.peer,
      server: this.options.server,
      clientCallId: call.client.callId!,
      serverCallId: call.server.callId!,
      since: call.state.since,
      traffic: counters && {
        rxPackets: counters.server.packets,
        rxOctets: counters.server.octets,
        txPackets: counters.client.packets,
        txOctets: counters.client.octets,
      },
      control: { rxOctets: call.control.client, txOctets: call.control.server },
    };
  }
}

function deviceOf(socket: TcpSocket): string | undefined {
  try {
    return deviceOfAddress(parseAddress(socket.endpoints?.local ?? '') ?? 0);
  } catch {
    return undefined; // no descriptors are left: the connection fails, the daemon does not
  }
}
