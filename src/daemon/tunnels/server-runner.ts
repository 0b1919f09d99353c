/** Carries out what one server and its callers ask: the device, TCP, routes. */
import { errorText } from '../../platform/errors.ts';
import { clock, sockets } from '../../platform/platform.ts';
import type { TcpSocket } from '../../platform/sockets.ts';
import type { Caller } from '../../session/server/caller.ts';
import type { ServerOptions } from '../../session/options.ts';
import type { CallerOutput, CallPath, SessionOutput, Tunnel } from '../../session/ports.ts';
import { Server } from '../../session/server/server.ts';
import type { TunDevice } from '../../tun-tap/tun-device.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, type AddressRange } from '../../wire/ip.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import type { ControlPath, ServerInterface } from '../../router/router.ts';
import type { RunnerPorts } from './runner-ports.ts';
import { outerPath } from '../engine/outer-path.ts';
import { routerCause } from '../engine/router-cause.ts';
import { Groups } from './groups.ts';
import { Standing } from './standing.ts';
import { sayGoodbye } from '../engine/goodbye.ts';
import { endpointsOf, TcpConnection } from '../engine/tcp-connection.ts';

/** MPPE's header and the inner protocol: what encrypted packets must be shorter by (RFC 3078 §3). */
const MPPE_OCTETS = 4;

/** As all its sessions have it: then callers need no route of their own. Where encryption is optional, the encrypted ones do. */
function deviceMtu({ mtu, mppe }: ServerOptions): number {
  return mppe.policy === 'required' ? mtu - MPPE_OCTETS : mtu;
}

interface Connection {
  readonly tcp: TcpConnection;
  readonly outer: ControlPath | undefined;
}

export type SavedServer = ReturnType<ServerRunner['save']>['saved'];

export class ServerRunner {
  readonly server: Server;
  private readonly ports: RunnerPorts;
  private readonly groups: Groups;
  private readonly connections = new Map<Caller, Connection>();
  private device: TunDevice | undefined;
  /** As the router has it. */
  private network: ServerInterface | undefined;
  private readonly lost: (error: Error) => void;
  /** The last login that has succeeded. */
  lastCaller: { readonly at: number; readonly username: string; readonly peer: number } | undefined;

  /**
   * @param kept addresses that lead elsewhere
   * @param lost the server's device was deleted behind our back
   */
  constructor(
    options: ServerOptions,
    ports: RunnerPorts,
    kept: readonly AddressRange[],
    lost: (error: Error) => void,
  ) {
    this.ports = ports;
    this.groups = new Groups(ports.sets);
    this.lost = lost;
    this.server = new Server(
      options,
      ports.access,
      {
        paths: ports.io.paths,
        feed: (caller, act) => ports.drive.feed(caller, act),
        neighbours: ports.neighbours,
        report: (event) => ports.report(event),
      },
      kept,
    );
  }

  /** @param inherited descriptor of its device @throws IoError or RouterError: the device cannot be made */
  async start(inherited?: number): Promise<void> {
    const { options } = this.server;
    const { device, isolate } = options;
    this.device = this.ports.io.openDevice(device, { isolate }, this.lost, inherited);
    await this.adapt(options);
  }

  /** Ends who is not logged in: nobody can go on with them. */
  settle(): void {
    for (const caller of this.connections.keys())
      if (caller.sessions().length === 0)
        this.ports.drive.feed(caller, (each, now) => each.close(cause('SHUTDOWN'), now));
  }

  /** Whether all callers can be saved now. */
  get isSettled(): boolean {
    return [...this.connections.keys()].every((caller) => caller.save() !== undefined);
  }

  /**
   * What another program goes on with. Callers that are negotiating are left out.
   * Not carried: ports, lost, emptied; network, which the router has; groups, which the sessions say.
   */
  save() {
    const callers = [...this.connections].flatMap(([caller, { tcp, outer }]) => {
      const saved = caller.save();
      const { descriptor } = tcp;
      if (saved === undefined || descriptor === undefined) return [];
      return { machine: caller, saved: { descriptor, caller: saved, outer } };
    });
    const { name } = this.server.options;
    const device = this.device?.fd;
    const saved = callers.map((caller) => caller.saved);
    return {
      machines: callers.map(({ machine }) => machine),
      saved: { name, device, server: this.server.save(), callers: saved },
    };
  }

  /** @throws Error not one of a caller, for those end each by itself */
  restore({ server, callers }: SavedServer): void {
    const { drive } = this.ports;
    this.server.restore(server);
    const isOther = server.keys.session !== this.server.options.keys.session;
    for (const saved of callers) {
      const socket = sockets.adopt(saved.descriptor);
      let caller: Caller;
      try {
        caller = this.server.resume(saved.caller, clock.monotonic());
      } catch (error) {
        this.ports.faults.note(`server ${this.server.options.name}: a session`, error);
        sayGoodbye(socket);
        continue;
      }
      const { tcp, standing } = this.drive(socket, caller, saved.outer);
      standing.restore(caller.tunnels(), caller.sessions());
      for (const { path, tunnel } of caller.tunnels()) {
        if (this.device !== undefined) this.ports.io.attach(path, this.device, tunnel);
        void this.groups.enter(path, tunnel);
      }
      if (isOther || tcp.descriptor === undefined)
        drive.feed(caller, (each, now) => each.close(cause('CONFIG_CHANGED'), now));
    }
  }

  /** Makes the device what sessions with these options need, which are for the same listener. @throws RouterError */
  async adapt(options: ServerOptions): Promise<void> {
    if (this.device === undefined) return; // it is to end
    const { device, name, localAddress, network, ipv6, masquerade } = options;
    this.network = {
      name,
      device,
      localAddress,
      prefixLength: network.length,
      mtu: deviceMtu(options),
      ipv6,
      ipv6Networks: this.server.ipv6Networks(options),
      masquerade,
    };
    await this.ports.router.serverUp(this.network);
  }

  accept(socket: TcpSocket): void {
    const ends = endpointsOf(socket);
    const outer = outerPath(ends, 'peer');
    const { connections } = this.ports;
    connections.add(socket);
    const accepted = connections.makeRoom()
      ? this.server.accept(ends.peer, outer?.local ?? ends.local, clock.monotonic())
      : cause('TOO_MANY_SESSIONS', 'no descriptor is left for another connection');
    if ('code' in accepted) {
      connections.remove(socket);
      socket.destroy();
      this.ports.report({
        what: 'caller-refused',
        server: this.server.options.name,
        peer: ends.peer,
        cause: accepted,
      });
      return;
    }
    this.drive(socket, accepted, outer);
    const { drive, faults, router } = this.ports;
    // GRE comes after several more messages.
    if (outer !== undefined)
      drive.guard(accepted, () => faults.watch(this.about(ends.peer), router.admit(outer)));
  }

  private about(peer: Ipv4): string {
    return `server ${this.server.options.name} caller ${formatAddress(peer)}`;
  }

  /** From now on the caller hears of its connection. */
  private drive(
    socket: TcpSocket,
    caller: Caller,
    outer: ControlPath | undefined,
  ): { readonly tcp: TcpConnection; readonly standing: Standing } {
    const { connections, drive, io } = this.ports;
    const tcp: TcpConnection = new TcpConnection(socket, connections, {
      octets: (octets) => {
        io.captureControl(tcp, 'in', octets);
        drive.feed(caller, (found, now) => found.handleOctets(octets, now));
      },
      closed: (errno) => drive.feed(caller, (found, now) => found.handleClosed(now, errno)),
      written: (octets) => io.captureControl(tcp, 'out', octets),
    });
    this.connections.set(caller, { tcp, outer });
    const about = this.about(tcp.peer);
    const standing = new Standing();
    drive.add(caller, {
      about,
      carryOut: (output) => standing.carryOut(output, () => this.carryOut(caller, tcp, output)),
      failed: (why) => this.fail(caller, tcp, standing.endings(why), about, why),
    });
    return { tcp, standing };
  }

  /** The machine has thrown: what it had done is undone without it. */
  private fail(
    caller: Caller,
    tcp: TcpConnection,
    endings: readonly SessionOutput[],
    about: string,
    why: Cause,
  ): void {
    const { faults, io, report } = this.ports;
    const attempt = (act: () => void) => faults.contain(about, act);
    for (const output of endings) attempt(() => this.carryOut(caller, tcp, output));
    attempt(() => io.release(caller));
    attempt(() => caller.abandon(clock.monotonic()));
    const server = this.server.options.name;
    if (!endings.some(({ kind }) => kind === 'event'))
      attempt(() => report({ what: 'caller-refused', server, peer: tcp.peer, cause: why }));
    attempt(() => this.carryOut(caller, tcp, { kind: 'done' }));
  }

  /** Sends an IPv4 packet to every caller but the one it is from. */
  spread(packet: Uint8Array): void {
    if (this.device !== undefined) this.ports.io.spread(this.device, packet);
  }

  /** Ends all callers; resolved when every one has said goodbye. */
  async shutdown(why: Cause): Promise<void> {
    this.server.shutdown(why, clock.monotonic());
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.emptied = resolve));
    this.closeDevice();
  }

  /** Nothing can get through any more; shutdown() says goodbye. */
  closeDevice(): void {
    if (this.device !== undefined) this.ports.io.closeDevice(this.device);
    this.device = undefined;
    if (this.network !== undefined) this.ports.router.serverDown(this.network);
    this.network = undefined;
  }

  private emptied: () => void = () => undefined;

  private carryOut(caller: Caller, tcp: TcpConnection, output: CallerOutput): void {
    switch (output.kind) {
      case 'write':
        tcp.write(output.octets);
        break;
      case 'disconnect':
        tcp.close();
        break;
      case 'tunnel-up':
        this.ports.drive.watch(caller, this.tunnelUp(caller, output.path, output.tunnel));
        break;
      case 'tunnel-changed':
        this.groups.change(output.path, output.tunnel);
        this.ports.drive.watch(caller, this.tunnelChanged(caller, output.path, output.tunnel));
        break;
      case 'tunnel-down':
        this.ports.io.detach(output.path);
        this.groups.leave(output.path);
        this.ports.faults.watch(
          `server ${output.tunnel.name}`,
          this.ports.router.tunnelDown(output.tunnel), // warns, never fails
        );
        break;
      case 'event':
        if (output.event.what === 'session-up') {
          const { username, peer, since } = output.event.session;
          this.lastCaller = { at: since, username, peer };
        }
        this.ports.report(output.event);
        break;
      case 'authorize': {
        const { question } = output;
        this.ports.authority.ask(question, (answer) =>
          this.ports.drive.feed(caller, (machine, now) =>
            machine.handleAuthorized(question.id, answer, now),
          ),
        );
        break;
      }
      case 'authorize-cancel':
        this.ports.authority.cancel(output.id);
        break;
      case 'store-password':
        this.ports.drive.watch(caller, this.storePassword(caller, output));
        break;
      case 'done':
        this.ports.drive.remove(caller);
        this.dismiss(caller);
        tcp.close();
        if (this.connections.size === 0) this.emptied();
        break;
    }
  }

  private dismiss(caller: Caller): void {
    const outer = this.connections.get(caller)?.outer;
    this.connections.delete(caller);
    if (outer !== undefined) this.ports.router.dismiss(outer);
  }

  private async storePassword(
    caller: Caller,
    { id, section, secret }: Extract<CallerOutput, { kind: 'store-password' }>,
  ): Promise<void> {
    let why: string | undefined;
    try {
      await this.ports.storePassword(section, secret);
    } catch (error) {
      why = errorText(error);
    }
    this.ports.drive.feed(caller, (machine, now) => machine.handlePasswordStored(id, why, now));
  }

  private async tunnelUp(caller: Caller, path: CallPath, told: Tunnel): Promise<void> {
    try {
      if (told.groups.length > 0 && !(await this.groups.enter(path, told))) return;
      if (this.device === undefined) throw new Error(`the device ${told.device} does not exist`);
      // It may have changed while the firewall was waited for.
      const tunnel = caller.tunnels().find((up) => up.path === path)?.tunnel ?? told;
      this.ports.io.attach(path, this.device, tunnel);
      await this.ports.router.tunnelUp(tunnel);
    } catch (error) {
      return this.tunnelFailed(caller, path, error);
    }
    this.ports.drive.feed(caller, (machine, now) => machine.handleTunnelReady(path.callId, now));
  }

  /** What leads to the caller in IPv6 may be other than before. */
  private async tunnelChanged(caller: Caller, path: CallPath, tunnel: Tunnel): Promise<void> {
    try {
      this.ports.io.setIpv6(path, tunnel.ipv6);
      await this.ports.router.tunnelChanged(tunnel);
    } catch (error) {
      this.tunnelFailed(caller, path, error);
    }
  }

  private tunnelFailed(caller: Caller, path: CallPath, error: unknown): void {
    const why = routerCause(error, 'DEVICE_FAILED');
    this.ports.drive.feed(caller, (machine, now) =>
      machine.handleTunnelFailed(path.callId, why, now),
    );
  }

  /** IPv6 networks that the router assigns to the interface. */
  async assign(networks: readonly Ipv6Prefix[]): Promise<void> {
    this.server.assign(networks, clock.monotonic());
    await this.adapt(this.server.options);
  }
}
