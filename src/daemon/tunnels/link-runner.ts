/** Carries out what one client link asks: names, TCP, host route, device, routes. */
import { errorText } from '../../platform/errors.ts';
import { clock, host, sockets } from '../../platform/platform.ts';
import type { TcpSocket } from '../../platform/sockets.ts';
import type { ControlPath } from '../../router/router.ts';
import { ClientLink } from '../../session/link/client-link.ts';
import type { ClientLinkOptions } from '../../session/options.ts';
import type { ClientLinkOutput, Tunnel, CallPath, SessionEvent } from '../../session/ports.ts';
import type { TunDevice } from '../../tun-tap/tun-device.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress, parseAddress } from '../../wire/ip.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import { outerPath } from '../engine/outer-path.ts';
import { connectCause, routerCause } from '../engine/router-cause.ts';
import type { RunnerPorts } from './runner-ports.ts';
import { serverAddresses } from './server-address.ts';
import { Standing } from './standing.ts';
import { endpointsOf, TcpConnection } from '../engine/tcp-connection.ts';

type LinkStateEvent = Extract<SessionEvent, { what: 'link-state' }>;

export type SavedLink = NonNullable<ReturnType<LinkRunner['save']>>;

export class LinkRunner {
  /** Another one after a fault. */
  link: ClientLink;
  /** DNS servers that the peer gave; empty while the link is down, or with peerdns 0. */
  dns: readonly Ipv4[] = [];
  private readonly ports: RunnerPorts;
  private finished: () => void;
  private readonly isProbe: boolean;
  /** It is to be removed. */
  private retiring = false;
  /** A check beside the link has a host route of its own: releasing it must not cut the link. */
  private readonly routeName: string;
  /** What is done about the host route, one after the other: one that is still being made can be released. */
  private routing: Promise<void> = Promise.resolve();
  private connecting: TcpSocket | undefined;
  private tcp: TcpConnection | undefined;
  private device: TunDevice | undefined;
  /** What the device is there for; that of a session, or the placeholder for it (dialling on demand). */
  private tunnel: Tunnel | undefined;
  /** A tunnel that went down; another one of the same session may take its place at once, on the same device. */
  private falling: Tunnel | undefined;
  private standing = new Standing();
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
      feed: (link: ClientLink, act: () => void) => ports.drive.feed(link, act),
    };
    const held = !probe && ports.router.supervisor !== undefined;
    this.link = new ClientLink(options, ports.gateway, machine, { probe, held });
    this.drive();
  }

  isBlocked(): boolean {
    return this.link.status().state === 'blocked';
  }

  /** Feeds the machine and drains it. */
  feed(act: (link: ClientLink, now: number) => void): void {
    this.ports.drive.feed(this.link, act);
  }

  /** The supervisor does not want it up: its device is gone when this returns. */
  hold(): void {
    this.feed((link, now) => link.hold(now));
    this.settleDown();
  }

  release(fresh: boolean): void {
    this.feed((link, now) => link.release(fresh, now));
  }

  /** The addresses and prefixes that its device has now. With a source filter nothing else passes, but for networks of one's own. */
  giveIpv6(prefixes: readonly Ipv6Prefix[]): void {
    if (this.device === undefined) return;
    const { ipv6Client, ipv6Routes } = this.link.options;
    const exclusive = ipv6Client?.sourceFilter === true && ipv6Routes.length === 0;
    this.ports.io.giveIpv6(this.device, prefixes, exclusive);
  }

  /** A session that is being negotiated ends: nobody can go on with it. */
  get isSettled(): boolean {
    const { state } = this.link.save() ?? {};
    return state?.name !== 'again' || this.tcp === undefined;
  }

  /**
   * What another program goes on with; undefined: it is being removed.
   * Not carried: ports, finished, isProbe, retiring, routeName; connecting, for that begins again; falling, of which there is none;
   * routing, standing.
   */
  save() {
    const { options } = this.link;
    const link = this.retiring || this.isProbe ? undefined : this.link.save();
    if (link === undefined) return undefined;
    const { name, keys } = options;
    const up = link.state.name === 'up' ? this.tcp?.descriptor : undefined;
    const stands = up !== undefined || link.state.name === 'demand';
    return {
      name,
      keys,
      link,
      tcp: up,
      device: stands ? this.device?.fd : undefined,
      tunnel: stands ? this.tunnel : undefined,
      dns: stands ? this.dns : [],
      admitted: up === undefined ? undefined : this.admitted,
    };
  }

  /** @throws Error its session does not fit the options */
  restore({ link: saved, tcp, device, tunnel, dns, admitted }: SavedLink): void {
    const { io } = this.ports;
    const { link } = this;
    link.restore(saved, clock.monotonic());
    this.tunnel = tunnel;
    this.dns = dns;
    this.admitted = admitted;
    if (device !== undefined && tunnel !== undefined) this.openDevice(tunnel, device);
    if (tcp !== undefined && link.up !== undefined && this.device !== undefined) {
      this.tcp = this.connection(sockets.adopt(tcp), link);
      io.attach(link.up.path, this.device, link.up.tunnel);
      const { session } = link.status();
      this.standing.restore([link.up], session === undefined ? [] : [session]);
    } else if (this.device !== undefined)
      io.park(this.device, () => this.feed((machine, now) => machine.handlePacket(now)));
    this.ports.drive.touched(link);
  }

  /** Hangs up, and forgets the link once it is down. */
  retire(why: Cause): Promise<void> {
    this.retiring = true;
    return new Promise((resolve) => {
      this.finished = resolve;
      this.feed((link, now) => link.close(why, now));
    });
  }

  private drive(): void {
    const { name } = this.link.options;
    this.ports.drive.add(this.link, {
      about: this.isProbe ? `check of ${name}` : `link ${name}`,
      carryOut: (output) => this.standing.carryOut(output, () => this.carryOut(output)),
      failed: (why) => this.fail(why),
    });
  }

  /** The machine has thrown: what it had done is undone without it, and another one takes its place. */
  private fail(why: Cause): void {
    const { link } = this;
    const { name } = link.options;
    const { faults, io, report } = this.ports;
    const attempt = <T>(act: () => T) => faults.contain(`link ${name}`, act);
    attempt(() => this.hangUp());
    for (const output of this.standing.endings(why)) attempt(() => this.carryOut(output));
    this.standing = new Standing();
    attempt(() => io.release(link));
    attempt(() => link.abandon());
    // Before the device goes: a supervisor answers that by holding the link.
    const isWanted = !this.retiring;
    const next = isWanted ? attempt(() => link.successor(why, clock.monotonic())) : undefined;
    if (next !== undefined) {
      this.link = next;
      this.drive();
    }
    this.falling ??= this.tunnel;
    attempt(() => this.settleDown());
    if (next !== undefined) return;
    attempt(() => report({ what: 'link-state', link: name, state: 'down', cause: why }));
    void (attempt(() => this.remove()) ?? Promise.resolve()).then(() => this.finished());
  }

  /** What takes time; the answer is for the machine that asked. */
  private take(link: ClientLink, job: Promise<void>): void {
    this.ports.drive.watch(link, job);
  }

  private tell(link: ClientLink, answer: (machine: ClientLink, now: number) => void): void {
    this.ports.drive.feed(link, answer);
  }

  private remove(): Promise<void> {
    this.ports.drive.remove(this.link);
    this.hangUp();
    this.settleDown();
    this.closeDevice();
    return this.releaseHostRoute();
  }

  private releaseHostRoute(): Promise<void> {
    const { faults, router } = this.ports;
    return (this.routing = this.routing.then(() => {
      const released = router.releaseHostRoute(this.routeName);
      faults.watch(`host route of ${this.routeName}`, released);
      return released.catch(() => undefined); // it was told
    }));
  }

  private carryOut(output: ClientLinkOutput): void {
    const { link } = this;
    switch (output.kind) {
      case 'resolve':
        this.take(link, this.resolve(link, output.server));
        break;
      case 'host-route':
        this.take(link, this.hostRoute(link, output.address, output.bindDevice));
        break;
      case 'connect':
        this.connect(link, output.address, output.port, output.bindDevice);
        break;
      case 'write':
        this.tcp?.write(output.octets);
        break;
      case 'disconnect':
        this.hangUp();
        break;
      case 'tunnel-up':
        this.take(link, this.tunnelUp(link, output.path, output.tunnel));
        break;
      case 'tunnel-down':
        this.ports.io.detach(output.path);
        this.falling = output.tunnel;
        queueMicrotask(() => this.ports.drive.guard(link, () => this.settleDown()));
        break;
      case 'standby':
        this.falling = undefined;
        this.tunnel = output.tunnel;
        // A session may bring its own at once, or nothing is to be there after all.
        queueMicrotask(() => this.take(link, this.standBy(link, output.tunnel)));
        break;
      case 'standby-down':
        this.falling = output.tunnel;
        this.settleDown();
        break;
      case 'event':
        this.ports.report(output.event);
        if (output.event.what === 'link-state') this.showState(output.event);
        break;
      case 'done':
        // The next link of this name must not lose its route to this one's end.
        void this.remove().then(() => this.finished());
        break;
    }
  }

  private showState({ link, state, cause: why }: LinkStateEvent): void {
    const { router } = this.ports;
    if (state === 'down') void this.releaseHostRoute();
    if (why === undefined || this.isProbe) return;
    if (state === 'waiting' || state === 'blocked')
      router.linkFailed(link, why, state === 'blocked');
  }

  private settleDown(): void {
    const tunnel = this.falling;
    if (tunnel === undefined) return;
    this.falling = undefined;
    this.closeDevice();
    const { faults, router } = this.ports;
    faults.watch(`interface ${tunnel.name}`, router.tunnelDown(tunnel)); // warns, never fails
  }

  private async resolve(link: ClientLink, server: string): Promise<void> {
    const answer = await serverAddresses(server);
    this.tell(link, (machine, now) => machine.handleResolved(server, answer, now));
  }

  private async hostRoute(
    link: ClientLink,
    address: Ipv4,
    bindDevice: string | undefined,
  ): Promise<void> {
    let failure: Cause | undefined;
    await (this.routing = this.routing.then(async () => {
      try {
        await this.ports.router.hostRoute(this.routeName, address, bindDevice);
      } catch (error) {
        failure = routerCause(error, 'NO_ROUTE');
      }
    }));
    this.tell(link, (machine, now) => machine.handleHostRoute(address, failure, now));
  }

  private connect(
    link: ClientLink,
    address: Ipv4,
    port: number,
    through: string | undefined,
  ): void {
    const { router } = this.ports;
    const { unnumbered } = link.options;
    this.dismiss();
    const addressIn = (network: string | undefined): string | undefined => {
      const device = network === undefined ? undefined : router.deviceOf(network);
      return device === undefined ? undefined : addressOf(device);
    };
    const missing = [through, unnumbered].find(
      (network) => network !== undefined && addressIn(network) === undefined,
    );
    if (missing !== undefined) {
      this.tell(link, (machine, now) =>
        machine.handleConnectFailed(cause('BIND_FAILED', `${missing} has no IPv4 address`), now),
      );
      return;
    }
    const wanted = parseAddress(addressIn(unnumbered) ?? '');
    const to = { address: formatAddress(address), port, from: addressIn(through) };
    const socket = sockets.connect(to, () =>
      this.ports.drive.guard(link, () => this.take(link, this.connected(link, socket, wanted))),
    );
    this.connecting = socket;
    socket.hear({
      closed: (error) => {
        if (this.connecting !== socket) return;
        this.connecting = undefined;
        this.dismiss();
        this.tell(link, (machine, now) => machine.handleConnectFailed(connectCause(error), now));
      },
    });
  }

  /** GRE can get through before a call is asked for. */
  private async connected(
    link: ClientLink,
    socket: TcpSocket,
    wanted: Ipv4 | undefined,
  ): Promise<void> {
    if (this.connecting !== socket) return;
    const endpoints = endpointsOf(socket);
    this.admitted = outerPath(endpoints, 'we');
    const { local } = this.admitted ?? endpoints;
    if (this.admitted !== undefined) await this.ports.router.admit(this.admitted);
    if (this.connecting !== socket) return;
    this.connecting = undefined;
    this.tcp = this.connection(socket, link);
    this.tell(link, (machine, now) => machine.handleConnected(local, now, wanted));
  }

  private connection(socket: TcpSocket, link: ClientLink): TcpConnection {
    const tcp: TcpConnection = new TcpConnection(socket, this.ports.connections, {
      octets: (octets) => {
        this.ports.io.captureControl(tcp, 'in', octets);
        this.tell(link, (machine, now) => machine.handleOctets(octets, now));
      },
      closed: (errno) => this.tell(link, (machine, now) => machine.handleClosed(now, errno)),
      written: (octets) => this.ports.io.captureControl(tcp, 'out', octets),
    });
    return tcp;
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

  private async tunnelUp(link: ClientLink, path: CallPath, tunnel: Tunnel): Promise<void> {
    const { io, router } = this.ports;
    const before = this.tunnel;
    this.tunnel = tunnel;
    let failure: Cause | undefined;
    try {
      this.falling = undefined; // it stays: only what is to be said of it has changed
      const device = this.openDevice(tunnel);
      this.dns = tunnel.dns;
      io.attach(path, device, tunnel);
      await router.tunnelUp(tunnel);
      // Not before: answers need the address.
      if (this.tunnel === tunnel && before !== undefined)
        io.unpark(device, before.localAddress, tunnel.localAddress);
    } catch (error) {
      failure = routerCause(error, 'DEVICE_FAILED');
    }
    if (this.tunnel !== tunnel) return; // it went down meanwhile, failed or not
    this.tell(link, (machine, now) => machine.handleTunnelUp(failure, now));
  }

  /** The placeholder, whose first packet dials. */
  private async standBy(link: ClientLink, tunnel: Tunnel): Promise<void> {
    if (this.tunnel !== tunnel) return;
    let failure: Cause | undefined;
    try {
      this.dns = [];
      this.ports.io.park(this.openDevice(tunnel), () =>
        this.feed((link, now) => link.handlePacket(now)),
      );
      await this.ports.router.tunnelUp(tunnel);
    } catch (error) {
      failure = routerCause(error, 'DEVICE_FAILED');
    }
    if (this.tunnel === tunnel)
      this.tell(link, (machine, now) => machine.handleStandby(failure, now));
  }

  /** Made once. @param inherited its descriptor, of the program before @throws IoError */
  private openDevice({ device: name }: Tunnel, inherited?: number): TunDevice {
    return (this.device ??= this.ports.io.openDevice(
      name,
      { isolate: false, isLink: true },
      (error) =>
        this.feed((link, now) => {
          link.handleDeviceLost(cause('DEVICE_FAILED', errorText(error)), now);
        }),
      inherited,
    ));
  }

  private closeDevice(): void {
    if (this.device !== undefined) this.ports.io.closeDevice(this.device);
    this.device = undefined;
    this.tunnel = undefined;
    this.dns = [];
  }
}

function addressOf(device: string): string | undefined {
  try {
    return host.addresses().find((one) => one.device === device && one.family === 'IPv4')?.address;
  } catch {
    return undefined; // no descriptors are left: the attempt fails, the daemon does not
  }
}
