/** Carries out what one client link asks: names, TCP, host route, device, routes. */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { ControlPath, Router } from '../router/router.ts';
import { ClientLink } from '../session/client-link.ts';
import type { Gateway } from '../session/gateway.ts';
import type { ClientLinkOptions } from '../session/options.ts';
import type { LinkOutput, Network, CallPath, SessionEvent } from '../session/ports.ts';
import type { TunDevice } from '../tun-tap/tun-device.ts';
import { cause, type Cause, type CauseCode } from '../wire/cause.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import type { Connections } from './connections.ts';
import { monotonic, type Drive } from './drive.ts';
import { outerPath } from './outer-path.ts';
import type { PacketIo } from './packet-io.ts';
import { failureText, routerCause } from './router-cause.ts';
import { endpointsOf, TcpConnection } from './tcp-connection.ts';

export interface RunnerPorts {
  readonly gateway: Gateway;
  readonly drive: Drive;
  readonly io: PacketIo;
  readonly router: Router;
  readonly connections: Connections;
  readonly report: (event: SessionEvent) => void;
}

type LinkStateEvent = Extract<SessionEvent, { what: 'link-state' }>;

export class LinkRunner {
  readonly link: ClientLink;
  /** DNS servers that the peer gave; empty while the link is down, or with peerdns 0. */
  dns: readonly number[] = [];
  private readonly ports: RunnerPorts;
  private finished: () => void;
  private readonly isProbe: boolean;
  /** A check beside the link has a host route of its own: releasing it must not cut the link. */
  private readonly routeName: string;
  private connecting: Socket | undefined;
  private tcp: TcpConnection | undefined;
  private device: TunDevice | undefined;
  /** What the device is there for; that of a session, or the placeholder for it (dialling on demand). */
  private network: Network | undefined;
  /** A network that went down; another one of the same session may take its place at once, on the same device. */
  private falling: Network | undefined;
  /** Firewall and NAT let its GRE pass. */
  private admitted: ControlPath | undefined;

  /** @param finished the machine said 'done' */
  constructor(
    options: ClientLinkOptions,
    ports: RunnerPorts,
    probe = false,
    finished: () => void = () => undefined,
  ) {
    this.ports = ports;
    this.isProbe = probe;
    this.finished = finished;
    this.routeName = probe ? `${options.name} (check)` : options.name;
    const machine = {
      paths: ports.io.paths,
      touched: (link: ClientLink) => ports.drive.touched(link),
    };
    const held = !probe && ports.router.supervisor !== undefined;
    this.link = new ClientLink(options, ports.gateway, machine, { probe, held });
    ports.drive.add(this.link, (output) => this.carryOut(output));
  }

  isBlocked(): boolean {
    return this.link.status().state === 'blocked';
  }

  /** Feeds the machine and drains it. */
  feed(act: (link: ClientLink, now: number) => void): void {
    act(this.link, monotonic());
    this.ports.drive.touched(this.link);
  }

  /** The supervisor does not want it up: its device is gone when this returns. */
  hold(): void {
    this.feed((link, now) => link.hold(now));
    this.settleDown();
  }

  release(fresh: boolean): void {
    this.feed((link, now) => link.release(fresh, now));
  }

  /** Hangs up, and forgets the link once it is down. */
  retire(why: Cause): Promise<void> {
    return new Promise((resolve) => {
      this.finished = resolve;
      this.feed((link, now) => link.close(why, now));
    });
  }

  private remove(): void {
    this.ports.drive.remove(this.link);
    this.hangUp();
    this.settleDown();
    this.closeDevice();
    void this.ports.router.releaseHostRoute(this.routeName);
  }

  private carryOut(output: LinkOutput): void {
    switch (output.kind) {
      case 'resolve':
        void resolve(output.server).then((answer) =>
          this.feed((link, now) => link.handleResolved(output.server, answer, now)),
        );
        break;
      case 'host-route':
        void this.hostRoute(output.address, output.bindDevice);
        break;
      case 'connect':
        this.connect(output.address, output.port, output.bindDevice);
        break;
      case 'write':
        this.tcp?.write(output.octets);
        break;
      case 'disconnect':
        this.hangUp();
        break;
      case 'network-up':
        void this.networkUp(output.path, output.network);
        break;
      case 'network-down':
        this.ports.io.detach(output.path);
        this.falling = output.network;
        queueMicrotask(() => this.settleDown());
        break;
      case 'standby':
        this.falling = undefined;
        this.network = output.network;
        // A session may bring its own at once, or nothing is to be there after all.
        queueMicrotask(() => void this.standBy(output.network));
        break;
      case 'standby-down':
        this.falling = output.network;
        this.settleDown();
        break;
      case 'event':
        this.ports.report(output.event);
        if (output.event.what === 'link-state') this.showState(output.event);
        break;
      case 'done':
        this.remove();
        this.finished();
        break;
    }
  }

  private showState({ link, state, cause: why }: LinkStateEvent): void {
    const { router } = this.ports;
    if (state === 'down') void router.releaseHostRoute(this.routeName);
    if (why === undefined || this.isProbe) return;
    if (state === 'waiting' || state === 'blocked')
      router.linkFailed(link, why, state === 'blocked');
  }

  private settleDown(): void {
    const network = this.falling;
    if (network === undefined) return;
    this.falling = undefined;
    this.closeDevice();
    void this.ports.router.networkDown(network); // warns, never fails
  }

  private async hostRoute(address: number, bindDevice: string | undefined): Promise<void> {
    let failure: Cause | undefined;
    try {
      await this.ports.router.hostRoute(this.routeName, address, bindDevice);
    } catch (error) {
      failure = routerCause(error, 'NO_ROUTE');
    }
    this.feed((link, now) => link.handleHostRoute(address, failure, now));
  }

  private connect(address: number, port: number, through: string | undefined): void {
    const { router } = this.ports;
    const { unnumbered } = this.link.options;
    this.dismiss();
    const addressIn = (network: string | undefined): string | undefined => {
      const device = network === undefined ? undefined : router.deviceOf(network);
      return device === undefined ? undefined : addressOf(device);
    };
    const missing = [through, unnumbered].find(
      (network) => network !== undefined && addressIn(network) === undefined,
    );
    if (missing !== undefined) {
      this.feed((link, now) =>
        link.handleConnectFailed(cause('BIND_FAILED', `${missing} has no IPv4 address`), now),
      );
      return;
    }
    const localAddress = addressIn(through);
    const wanted = parseAddress(addressIn(unnumbered) ?? '');
    const socket = connect({
      host: formatAddress(address),
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.connecting = socket;
    const failed = (error: NodeJS.ErrnoException) => {
      if (this.connecting !== socket) return;
      this.connecting = undefined;
      this.dismiss();
      this.feed((link, now) =>
        link.handleConnectFailed(
          cause(connectCauses[error.code ?? ''] ?? 'CONNECT_FAILED', failureText(error)),
          now,
        ),
      );
    };
    socket.once('error', failed);
    socket.once('connect', () => void this.connected(socket, failed, wanted));
  }

  /** GRE can get through before a call is asked for. */
  private async connected(
    socket: Socket,
    failed: (error: NodeJS.ErrnoException) => void,
    wanted: number | undefined,
  ): Promise<void> {
    if (this.connecting !== socket) return;
    const endpoints = endpointsOf(socket);
    this.admitted = outerPath(endpoints, 'we');
    const { local } = this.admitted ?? endpoints;
    if (this.admitted !== undefined) await this.ports.router.admit(this.admitted);
    if (this.connecting !== socket) return;
    this.connecting = undefined;
    socket.off('error', failed);
    const tcp = new TcpConnection(socket, this.ports.connections, {
      octets: (octets) => {
        this.ports.io.captureControl(tcp, 'in', octets);
        this.feed((link, now) => link.handleOctets(octets, now));
      },
      closed: (errno) => this.feed((link, now) => link.handleClosed(now, errno)),
      written: (octets) => this.ports.io.captureControl(tcp, 'out', octets),
    });
    this.tcp = tcp;
    this.feed((link, now) => link.handleConnected(local, now, wanted));
  }

  private hangUp(): void {
    this.dismiss();
    this.connecting?.destroy();
    this.connecting = undefined;
    this.tcp?.close();
    this.tcp = undefined;
  }

  private dismiss(): void {
    if (this.admitted !== undefined) this.ports.router.dismiss(this.admitted);
    this.admitted = undefined;
  }

  private async networkUp(path: CallPath, network: Network): Promise<void> {
    const { io, router } = this.ports;
    const before = this.network;
    this.network = network;
    let failure: Cause | undefined;
    try {
      this.falling = undefined; // it stays: only what is to be said of it has changed
      const device = this.openDevice(network);
      this.dns = network.dns;
      io.attach(path, device, network);
      await router.networkUp(network);
      // Not before: answers need the address.
      if (this.network === network && before !== undefined)
        io.unpark(device, before.localAddress, network.localAddress);
    } catch (error) {
      failure = routerCause(error, 'DEVICE_FAILED');
    }
    if (this.network !== network) return; // it went down meanwhile, failed or not
    this.feed((link, now) => link.handleNetworkUp(failure, now));
  }

  /** The placeholder, whose first packet dials. */
  private async standBy(network: Network): Promise<void> {
    if (this.network !== network) return;
    let failure: Cause | undefined;
    try {
      this.dns = [];
      this.ports.io.park(this.openDevice(network), () =>
        this.feed((link, now) => link.handlePacket(now)),
      );
      await this.ports.router.networkUp(network);
    } catch (error) {
      failure = routerCause(error, 'DEVICE_FAILED');
    }
    if (this.network === network) this.feed((link, now) => link.handleStandby(failure, now));
  }

  /** Made once. @throws IoError */
  private openDevice({ device: name }: Network): TunDevice {
    return (this.device ??= this.ports.io.openDevice(
      name,
      { isolate: false, isLink: true },
      (error) =>
        this.feed((link, now) => {
          link.handleDeviceLost(cause('DEVICE_FAILED', failureText(error)), now);
        }),
    ));
  }

  private closeDevice(): void {
    if (this.device !== undefined) this.ports.io.closeDevice(this.device);
    this.device = undefined;
    this.network = undefined;
    this.dns = [];
  }
}

export const connectCauses: Readonly<Record<string, CauseCode>> = {
  ECONNREFUSED: 'CONNECT_REFUSED',
  ETIMEDOUT: 'CONNECT_TIMEOUT',
  EHOSTUNREACH: 'NO_ROUTE',
  ENETUNREACH: 'NO_ROUTE',
  EADDRNOTAVAIL: 'BIND_FAILED',
};

async function resolve(server: string): Promise<readonly number[] | Cause> {
  const literal = parseAddress(server);
  if (literal !== undefined) return [literal];
  try {
    const found = await lookup(server, { all: true, family: 4 });
    return found.flatMap(({ address }) => parseAddress(address) ?? []);
  } catch (error) {
    return cause('RESOLVE_FAILED', failureText(error));
  }
}

function addressOf(device: string): string | undefined {
  try {
    return networkInterfaces()[device]?.find(({ family }) => family === 'IPv4')?.address;
  } catch {
    return undefined; // no descriptors are left: the attempt fails, the daemon does not
  }
}
