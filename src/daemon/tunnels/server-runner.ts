/** Carries out what one server and its callers ask: the device, TCP, routes. */
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import type { TcpSocket } from '../../platform/sockets.ts';
import type { Caller } from '../../session/server/caller.ts';
import type { ServerOptions } from '../../session/options.ts';
import type { CallerOutput, CallPath, SessionOutput, Tunnel } from '../../session/ports.ts';
import { Server } from '../../session/server/server.ts';
import type { TunDevice } from '../../tun-tap/tun-device.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, type AddressRange } from '../../wire/ip.ts';
import type { ControlPath, ServerInterface } from '../../router/router.ts';
import type { RunnerPorts } from './runner-ports.ts';
import { outerPath } from '../engine/outer-path.ts';
import { routerCause } from '../engine/router-cause.ts';
import { Groups } from './groups.ts';
import { Standing } from './standing.ts';
import { endpointsOf, TcpConnection } from '../engine/tcp-connection.ts';

/** MPPE's header and the inner protocol: what encrypted packets must be shorter by (RFC 3078 §3). */
const MPPE_OCTETS = 4;

/** As all its sessions have it: then callers need no route of their own. Where encryption is optional, the encrypted ones do. */
function deviceMtu({ mtu, mppe }: ServerOptions): number {
  return mppe.policy === 'required' ? mtu - MPPE_OCTETS : mtu;
}

export class ServerRunner {
  readonly server: Server;
  private readonly ports: RunnerPorts;
  private readonly groups: Groups;
  private readonly connections = new Map<Caller, ControlPath | undefined>();
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

  /** @throws IoError or RouterError: the device cannot be made */
  async start(): Promise<void> {
    const { options } = this.server;
    const { device, isolate } = options;
    this.device = this.ports.io.openDevice(device, { isolate }, this.lost);
    await this.adapt(options);
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
      masquerade,
    };
    await this.ports.router.serverUp(this.network);
  }

  accept(socket: TcpSocket): void {
    let caller: Caller | undefined = undefined; // until it is accepted
    const feed = (act: (caller: Caller, now: number) => void) => {
      if (caller !== undefined) this.ports.drive.feed(caller, act);
    };
    const tcp = new TcpConnection(socket, this.ports.connections, {
      octets: (octets) => {
        this.ports.io.captureControl(tcp, 'in', octets);
        feed((found, now) => found.handleOctets(octets, now));
      },
      closed: (errno) => feed((found, now) => found.handleClosed(now, errno)),
      written: (octets) => this.ports.io.captureControl(tcp, 'out', octets),
    });
    const outer = outerPath(endpointsOf(socket), 'peer');
    const accepted = this.ports.connections.makeRoom()
      ? this.server.accept(tcp.peer, outer?.local ?? tcp.local, clock.monotonic())
      : cause('TOO_MANY_SESSIONS', 'no descriptor is left for another connection');
    if ('code' in accepted) {
      tcp.destroy();
      this.ports.report({
        what: 'caller-refused',
        server: this.server.options.name,
        peer: tcp.peer,
        cause: accepted,
      });
      return;
    }
    caller = accepted;
    this.connections.set(accepted, outer);
    const { drive, faults, router } = this.ports;
    const about = `server ${this.server.options.name} caller ${formatAddress(tcp.peer)}`;
    const standing = new Standing();
    drive.add(accepted, {
      about,
      carryOut: (output) => standing.carryOut(output, () => this.carryOut(accepted, tcp, output)),
      failed: (why) => this.fail(accepted, tcp, standing.endings(why), about, why),
    });
    // GRE comes after several more messages.
    if (outer !== undefined) drive.guard(accepted, () => faults.watch(about, router.admit(outer)));
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
    const outer = this.connections.get(caller);
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

  private async tunnelUp(caller: Caller, path: CallPath, tunnel: Tunnel): Promise<void> {
    try {
      if (tunnel.groups.length > 0 && !(await this.groups.enter(path, tunnel))) return;
      if (this.device === undefined) throw new Error(`the device ${tunnel.device} does not exist`);
      this.ports.io.attach(path, this.device, tunnel);
      await this.ports.router.tunnelUp(tunnel);
    } catch (error) {
      const why = routerCause(error, 'DEVICE_FAILED');
      this.ports.drive.feed(caller, (machine, now) =>
        machine.handleTunnelFailed(path.callId, why, now),
      );
    }
  }
}
