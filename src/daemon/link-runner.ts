/** Carries out what one client link asks: names, TCP, host route, device, routes. */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { IoError } from '../native/io-error.ts';
import type { Router } from '../router/router.ts';
import { ClientLink } from '../session/client-link.ts';
import type { Gateway } from '../session/gateway.ts';
import type { ClientLinkOptions } from '../session/options.ts';
import type { LinkOutput, Network, CallPath, SessionEvent } from '../session/ports.ts';
import type { TunDevice } from '../tun-tap/tun-device.ts';
import { cause, type Cause, type CauseCode } from '../wire/cause.ts';
import { formatAddress, parseAddress } from '../wire/ip.ts';
import { monotonic, type Drive } from './drive.ts';
import type { PacketIo } from './packet-io.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface RunnerPorts {
  readonly gateway: Gateway;
  readonly drive: Drive;
  readonly io: PacketIo;
  readonly router: Router;
  readonly report: (event: SessionEvent) => void;
}

export class LinkRunner {
  readonly link: ClientLink;
  /** DNS servers that the peer gave; empty while the link is down, or with peerdns 0. */
  dns: readonly number[] = [];
  private readonly ports: RunnerPorts;
  private finished: () => void;
  /** A check beside the link has a host route of its own: releasing it must not cut the link. */
  private readonly routeName: string;
  private connecting: Socket | undefined;
  private tcp: TcpConnection | undefined;
  private device: TunDevice | undefined;

  /** @param finished the machine said 'done' */
  constructor(
    options: ClientLinkOptions,
    ports: RunnerPorts,
    probe = false,
    finished: () => void = () => undefined,
  ) {
    this.ports = ports;
    this.finished = finished;
    this.routeName = probe ? `${options.name} (check)` : options.name;
    const machine = {
      paths: ports.io.paths,
      touched: (link: ClientLink) => ports.drive.touched(link),
    };
    this.link = new ClientLink(options, ports.gateway, machine, { probe });
    ports.drive.add(this.link, (output) => this.carryOut(output));
  }

  /** Feeds the machine and drains it. */
  feed(act: (link: ClientLink, now: number) => void): void {
    act(this.link, monotonic());
    this.ports.drive.touched(this.link);
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
        this.closeDevice();
        void this.ports.router.networkDown(output.network); // warns, never fails
        break;
      case 'event':
        this.ports.report(output.event);
        if (output.event.what === 'link-state' && output.event.state === 'down')
          void this.ports.router.releaseHostRoute(this.routeName);
        break;
      case 'done':
        this.remove();
        this.finished();
        break;
    }
  }

  private async hostRoute(address: number, bindDevice: string | undefined): Promise<void> {
    let failure: Cause | undefined;
    try {
      await this.ports.router.hostRoute(this.routeName, address, bindDevice);
    } catch (error) {
      failure = cause('NO_ROUTE', message(error));
    }
    this.feed((link, now) => link.handleHostRoute(address, failure, now));
  }

  private connect(address: number, port: number, bindDevice: string | undefined): void {
    const { unnumbered } = this.link.options;
    const missing = [bindDevice, unnumbered].find(
      (device) => device !== undefined && addressOf(device) === undefined,
    );
    if (missing !== undefined) {
      queueMicrotask(() =>
        this.feed((link, now) =>
          link.handleConnectFailed(cause('BIND_FAILED', `${missing} has no IPv4 address`), now),
        ),
      );
      return;
    }
    const localAddress = bindDevice === undefined ? undefined : addressOf(bindDevice);
    const wanted = unnumbered === undefined ? undefined : parseAddress(addressOf(unnumbered) ?? '');
    const socket = connect({
      host: formatAddress(address),
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.connecting = socket;
    const failed = (error: NodeJS.ErrnoException) => {
      if (this.connecting !== socket) return;
      this.connecting = undefined;
      this.feed((link, now) =>
        link.handleConnectFailed(
          cause(connectCauses[error.code ?? ''] ?? 'CONNECT_FAILED', message(error)),
          now,
        ),
      );
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      if (this.connecting !== socket) return;
      this.connecting = undefined;
      socket.off('error', failed);
      const tcp = new TcpConnection(socket, {
        octets: (octets) => {
          this.ports.io.captureControl(tcp, 'in', octets);
          this.feed((link, now) => link.handleOctets(octets, now));
        },
        closed: (errno) => this.feed((link, now) => link.handleClosed(now, errno)),
        written: (octets) => this.ports.io.captureControl(tcp, 'out', octets),
      });
      this.tcp = tcp;
      this.feed((link, now) => link.handleConnected(tcp.local, now, wanted));
    });
  }

  private hangUp(): void {
    this.connecting?.destroy();
    this.connecting = undefined;
    this.tcp?.close();
    this.tcp = undefined;
  }

  private async networkUp(path: CallPath, network: Network): Promise<void> {
    let failure: Cause | undefined;
    let device: TunDevice | undefined;
    try {
      device = this.ports.io.openDevice(network.device, { isolate: false, single: path }, (error) =>
        this.feed((link, now) => link.handleNetworkUp(cause('DEVICE_FAILED', message(error)), now)),
      );
      this.device = device;
      this.dns = network.dns;
      this.ports.io.attach(path, device, network);
      await this.ports.router.networkUp(network);
    } catch (error) {
      failure = cause('DEVICE_FAILED', message(error));
    }
    if (device !== undefined && this.device !== device) return; // it went down meanwhile, failed or not
    this.feed((link, now) => link.handleNetworkUp(failure, now));
  }

  private closeDevice(): void {
    if (this.device !== undefined) this.ports.io.closeDevice(this.device);
    this.device = undefined;
    this.dns = [];
  }
}

const connectCauses: Readonly<Record<string, CauseCode>> = {
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
    return cause('RESOLVE_FAILED', message(error));
  }
}

function addressOf(device: string): string | undefined {
  try {
    return networkInterfaces()[device]?.find(({ family }) => family === 'IPv4')?.address;
  } catch {
    return undefined; // no descriptors are left: the attempt fails, the daemon does not
  }
}

function message(error: unknown): string {
  if (error instanceof IoError && error.code === 'EBUSY')
    return `${error.message}: another program uses a device of this name`;
  return error instanceof Error ? error.message : String(error);
}
