/**
 * Servers and links in one process: TCP, GRE, names, devices and time in memory. The links' and servers' outputs are carried
 * out as the daemon does it.
 */
import assert from 'node:assert/strict';
import { Secret } from '../../src/crypto/secret.ts';
import type { Caller } from '../../src/session/server/caller.ts';
import type { LoginAnswer, LoginQuestion } from '../../src/session/authorization.ts';
import { ClientLink } from '../../src/session/link/client-link.ts';
import { Gateway } from '../../src/session/gateway.ts';
import type {
  ClientLinkOptions,
  Keys,
  Limits,
  ServerOptions,
  User,
} from '../../src/session/options.ts';
import type {
  CallerOutput,
  ClientLinkOutput,
  Neighbours,
  Tunnel,
  SessionEvent,
} from '../../src/session/ports.ts';
import { Access } from '../../src/session/server/access.ts';
import { Server } from '../../src/session/server/server.ts';
import { cause, type Cause } from '../../src/wire/cause.ts';
import { formatAddress, parseAddress, parsePrefix } from '../../src/wire/ip.ts';
import { decodeDocument, encodeDocument } from '../../src/daemon/upgrade/document.ts';
import type { Plain } from '../../src/wire/plain.ts';
import { GreNetwork, TwinPath, type HostPaths } from './call-paths.ts';
import { VirtualClock, type Timed } from './clock.ts';

export function ip(text: string): number {
  const address = parseAddress(text);
  assert(address !== undefined);
  return address;
}

export function net(text: string): { address: number; length: number } {
  const prefix = parsePrefix(text);
  assert(prefix !== undefined);
  return prefix;
}

/** Repeatable "random" octets. */
export function seeded(seed: number): (length: number) => Uint8Array {
  let state = seed >>> 0 || 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state >>>= 0;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state & 0xff;
    });
}

/** Of a section whose listener or sessions a reload changes. */
export const otherKeys: Keys = { listener: 'other', session: 'other' };
const keys: Keys = { listener: 'same', session: 'same' };

export const limits: Limits = {
  maxSessions: 64,
  maxHalfOpen: 16,
  maxHalfOpenPerSource: 4,
  loginTimeout: 60_000,
};

export function user(username: string, more: Partial<User> = {}): User {
  return {
    section: username,
    keys,
    enabled: true,
    username,
    secret: Secret.fromPassword(`secret of ${username}`),
    servers: [],
    address: undefined,
    routes: [],
    ip6: { prefixes: [], routes: [] },
    clientRoutes: [],
    domains: [],
    maxSessions: undefined,
    rates: {},
    mppe: undefined,
    auth: [],
    hours: undefined,
    groups: [],
    note: undefined,
    quota: undefined,
    mustChange: false,
    expires: undefined,
    ...more,
  };
}

export const serverOptions: ServerOptions = {
  kind: 'server',
  name: 'home',
  keys,
  device: 'pptps-home',
  port: 1723,
  auth: ['mschap-v2'],
  mppe: { policy: 'required', strengths: [128], stateful: false },
  mtu: 1400,
  ipv6: false,
  ip6: { mode: 'own', prefixes: [], dns: [] },
  keepalive: { failures: 3, interval: 30_000 },
  rates: { up: 0, down: 0, burst: 50 },
  localAddress: ip('192.168.99.1'),
  network: { address: ip('192.168.99.1'), length: 24 },
  pool: [{ first: ip('192.168.99.10'), last: ip('192.168.99.20') }],
  proxyArp: false,
  listen: [],
  masquerade: false,
  openFirewall: true,
  idleTimeout: 0,
  sessionTimeout: 0,
  maxSessions: 16,
  maxPerUser: 1,
  onDuplicate: 'replace',
  isolate: true,
  broadcastRelay: [],
  dns: [ip('192.168.99.1')],
  nbns: [],
  clientRoutes: [],
  domains: [],
  accounts: ['local'],
  allowFrom: [],
  denyFrom: [],
  filterSets: [],
  ban: { after: 5, time: 600_000 },
};

export const linkOptions: ClientLinkOptions = {
  kind: 'link',
  name: 'office',
  keys,
  device: 'pptp-office',
  port: 1723,
  auth: ['mschap-v2'],
  mppe: { policy: 'required', strengths: [128], stateful: false },
  mtu: 1400,
  ipv6: false,
  keepalive: { failures: 3, interval: 30_000 },
  rates: { up: 0, down: 0, burst: 50 },
  server: '203.0.113.1',
  username: 'anna',
  secret: Secret.fromPassword('secret of anna'),
  routes: [],
  defaultRoute: false,
  metric: 0,
  hostRoute: true,
  peerDns: true,
  bindDevice: undefined,
  auto: true,
  blockOnAuthFailure: false,
  maxFail: 0,
  holdoff: 5_000,
  holdoffMax: 300_000,
  demand: 0,
  unnumbered: undefined,
  ipv6Client: undefined,
  ipv6Routes: [],
  commands: { up: undefined, down: undefined },
  verbose: false,
  quota: undefined,
};

interface Drained {
  drain(): boolean;
}

export class World {
  readonly clock = new VirtualClock();
  readonly gre = new GreNetwork(this.clock);
  /** ms since 1970 at the start of the world's clock */
  epoch = Date.UTC(2026, 10, 1);
  readonly machines: (Timed & Drained)[] = [];
  readonly listeners = new Map<number, ServerHost>();
  readonly names = new Map<string, readonly number[] | Cause>();
  /** Addresses that do not answer SYNs. */
  readonly unreachable = new Set<number>();
  readonly tcpLatency = 5;
  readonly counted: string[] = [];
  /** What became of bans. */
  readonly bans: string[] = [];
  /** What quotas leave, by user name; everything where there is none. */
  readonly allowances = new Map<string, number>();
  readonly #started = this.clock.now;
  #seed = 1;
  readonly #access = new Map<Gateway, Access>();

  /** Of the clocks on the walls, ms. */
  utcOffset = 0;

  get wallClock(): number {
    return this.epoch + this.clock.now - this.#started;
  }

  gateway(users: readonly User[] = [user('anna')], more: Partial<Limits> = {}): Gateway {
    const gateway = new Gateway({
      limits: { ...limits, ...more },
      random: seeded(this.#seed++ * 7919),
      count: (counter) => this.counted.push(counter),
    });
    const access = new Access(gateway, {
      users,
      wallTime: () => ({ utc: this.wallClock, local: this.wallClock + this.utcOffset }),
      allowance: (username) => this.allowances.get(username) ?? Infinity,
      report: (event) => this.bans.push(describe(event)),
    });
    this.#access.set(gateway, access);
    return gateway;
  }

  access(gateway: Gateway): Access {
    return this.#access.get(gateway)!;
  }

  server(
    options: Partial<ServerOptions> = {},
    gateway: Gateway = this.gateway(),
    address = ip('203.0.113.1'),
  ): ServerHost {
    return new ServerHost(this, { ...serverOptions, ...options }, gateway, address);
  }

  link(
    options: Partial<ClientLinkOptions> = {},
    more: { address?: number; gateway?: Gateway; probe?: boolean; held?: boolean } = {},
  ): LinkHost {
    const address = more.address ?? ip('198.51.100.2');
    const gateway = more.gateway ?? this.gateway([]);
    return new LinkHost(this, { ...linkOptions, ...options }, gateway, address, {
      probe: more.probe ?? false,
      held: more.held ?? false,
    });
  }

  add(machine: Timed & Drained): void {
    this.machines.push(machine);
  }

  remove(machine: Timed & Drained): void {
    const at = this.machines.indexOf(machine);
    if (at !== -1) this.machines.splice(at, 1);
  }

  advance(duration: number): void {
    this.clock.advance(duration, this.machines, () => this.drain());
  }

  drain(): void {
    for (let again = true; again;) {
      again = false;
      for (const machine of [...this.machines]) again = machine.drain() || again;
    }
  }
}

/** One end of a TCP connection. */
export class TcpEnd {
  readonly #world: World;
  peer: TcpEnd | undefined;
  open = true;
  /** Writes, in order. */
  readonly written: Uint8Array[] = [];
  onOctets: (octets: Uint8Array) => void = () => undefined;
  onClosed: () => void = () => undefined;

  constructor(world: World) {
    this.#world = world;
  }

  write(octets: Uint8Array): void {
    assert(this.open, 'written after the end');
    this.written.push(octets);
    const copy = octets.slice();
    this.#world.clock.after(this.#world.tcpLatency, () => {
      if (this.peer?.open === true) this.peer.onOctets(copy);
    });
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.#world.clock.after(this.#world.tcpLatency, () => {
      const { peer } = this;
      if (peer?.open !== true) return;
      peer.open = false;
      peer.onClosed();
    });
  }

  static pair(world: World): [TcpEnd, TcpEnd] {
    const ends: [TcpEnd, TcpEnd] = [new TcpEnd(world), new TcpEnd(world)];
    ends[0].peer = ends[1];
    ends[1].peer = ends[0];
    return ends;
  }
}

/** What a host's network shows. */
class Networks {
  readonly up = new Map<TwinPath, Tunnel>();
  readonly log: string[] = [];

  carryOut(
    output: Extract<CallerOutput, { kind: 'tunnel-up' | 'tunnel-changed' | 'tunnel-down' }>,
  ): void {
    const { path } = output;
    assert(path instanceof TwinPath);
    assert(!path.closed, `${output.kind} for a path that is closed`);
    this.log.push(output.kind);
    if (output.kind === 'tunnel-changed') {
      assert(this.up.has(path), 'tunnel-changed without tunnel-up');
      this.up.set(path, output.tunnel);
    } else if (output.kind === 'tunnel-up') {
      assert(!this.up.has(path), 'tunnel-up twice');
      path.attached = true;
      this.up.set(path, output.tunnel);
    } else {
      assert(this.up.delete(path), 'tunnel-down without tunnel-up');
      path.attached = false;
    }
  }

  only(): [TwinPath, Tunnel] {
    assert.equal(this.up.size, 1);
    return [...this.up][0]!;
  }
}

/** Devices with addresses, which answer ARP. */
export class Lan implements Neighbours {
  readonly devices = new Map<number, string>();
  readonly asked: number[] = [];

  ask(address: number): void {
    this.asked.push(address);
  }

  holder(address: number): string | undefined {
    return this.devices.get(address);
  }
}

type Stored = Extract<CallerOutput, { kind: 'store-password' }>;

/** As it comes through the state document. */
function handedOver<T>(state: T & Plain<T>): T {
  return decodeDocument(encodeDocument(state, 'here'), 'here') as T;
}

export class ServerHost {
  readonly world: World;
  server: Server;
  gateway: Gateway;
  access: Access;
  readonly address: number;
  readonly paths: HostPaths;
  readonly networks = new Networks();
  readonly events: SessionEvent[] = [];
  readonly callers = new Map<Caller, CallerHost>();
  readonly lan = new Lan();
  /** Logins that are decided on elsewhere: those that wait for an answer. */
  readonly questions = new Map<number, { caller: Caller; question: LoginQuestion }>();
  touches = 0;
  /** Answers by itself to those. */
  decide: ((question: LoginQuestion) => LoginAnswer) | undefined;
  /** Where new passwords are written: why that fails, or undefined, after how long, ms. */
  storing: { failure?: string; after?: number; forgets?: true } = {};
  readonly stored: Stored[] = [];

  constructor(world: World, options: ServerOptions, gateway: Gateway, address: number) {
    this.world = world;
    this.gateway = gateway;
    this.address = address;
    const { maxSessions, maxHalfOpen } = gateway.limits;
    this.paths = world.gre.host(address, maxSessions + maxHalfOpen); // as the daemon has it
    this.access = world.access(gateway);
    this.server = this.#newServer(options);
    world.listeners.set(address, this);
  }

  #newServer(options: ServerOptions): Server {
    return new Server(options, this.access, {
      paths: this.paths,
      feed: (_caller, act) => {
        this.touches += 1;
        act();
      },
      neighbours: this.lan,
      report: (event) => this.events.push(event),
    });
  }

  /** Another program takes the place of this one. @returns how many callers it could not take along */
  succeed(users = this.access.users): number {
    const { now } = this.world.clock;
    const state = handedOver({
      gateway: this.gateway.save(),
      access: this.access.save(),
      server: this.server.save(),
      callers: [...this.callers].map(([caller, { tcp }], at) => ({
        at,
        saved: tcp.open ? caller.save() : undefined,
      })),
    });
    const hosts = [...this.callers.values()];
    this.gateway = this.world.gateway(users, this.gateway.limits);
    this.gateway.restore(state.gateway);
    this.access = this.world.access(this.gateway);
    this.access.restore(state.access);
    this.server = this.#newServer(this.server.options);
    this.server.restore(state.server);
    this.callers.clear();
    let lost = 0;
    state.callers.forEach(({ at, saved }) => {
      const { tcp } = hosts[at]!;
      this.world.remove(hosts[at]!);
      try {
        const caller = saved && this.server.resume(saved, now);
        if (caller === undefined) throw new Error('it is negotiating');
        const host = new CallerHost(this, caller, tcp);
        this.callers.set(caller, host);
        this.world.add(host);
      } catch {
        lost += 1;
        tcp.close();
      }
    });
    return lost;
  }

  /** A TCP connection from `peer`: the caller, or why it was refused. */
  accept(peer: number, near: TcpEnd): Cause | Caller {
    const caller = this.server.accept(peer, this.address, this.world.clock.now);
    if ('code' in caller) {
      this.events.push({
        what: 'caller-refused',
        server: this.server.options.name,
        peer,
        cause: caller,
      });
      near.close();
      return caller;
    }
    const host = new CallerHost(this, caller, near);
    this.callers.set(caller, host);
    this.world.add(host);
    return caller;
  }

  store(caller: Caller, output: Stored): void {
    this.stored.push(output);
    const { failure, after = 10, forgets } = this.storing;
    const { clock } = this.world;
    clock.after(after, () => {
      const { section, secret } = output;
      const renew = (each: User): User =>
        each.section === section ? { ...each, secret, mustChange: false, keys: otherKeys } : each;
      if (failure === undefined && forgets === undefined)
        this.access.reconfigure(this.access.users.map(renew));
      caller.handlePasswordStored(output.id, failure, clock.now);
    });
  }

  /** As a peer that speaks for itself: the test's end of a new connection. */
  connect(peer: number): { tcp: TcpEnd; caller: Caller | Cause } {
    const [far, near] = TcpEnd.pair(this.world);
    return { tcp: far, caller: this.accept(peer, near) };
  }

  whats(): string[] {
    return this.events.map(describe);
  }

  /** What waits longest for an answer. */
  get question(): LoginQuestion | undefined {
    const [first] = this.questions.values();
    return first?.question;
  }

  /** `decide` answers, when the machine is done with what it does now. */
  consult(question: LoginQuestion): void {
    const { decide } = this;
    if (decide !== undefined) this.world.clock.after(0, () => this.answer(decide(question)));
  }

  /** To the question that waits longest. */
  answer(answer: LoginAnswer): void {
    const [first] = this.questions.values();
    assert(first !== undefined, 'nothing was asked');
    this.questions.delete(first.question.id);
    first.caller.handleAuthorized(first.question.id, answer, this.world.clock.now);
  }
}

export class CallerHost implements Timed {
  readonly #host: ServerHost;
  readonly caller: Caller;
  readonly tcp: TcpEnd;

  constructor(host: ServerHost, caller: Caller, tcp: TcpEnd) {
    this.#host = host;
    this.caller = caller;
    this.tcp = tcp;
    tcp.onOctets = (octets) => caller.handleOctets(octets, host.world.clock.now);
    tcp.onClosed = () => caller.handleClosed(host.world.clock.now);
  }

  nextTimeout(): number | undefined {
    return this.caller.nextTimeout();
  }

  handleTimeout(now: number): void {
    this.caller.handleTimeout(now);
  }

  drain(): boolean {
    const output = this.caller.poll();
    if (output === undefined) return false;
    switch (output.kind) {
      case 'write':
        if (this.tcp.open) this.tcp.write(output.octets);
        break;
      case 'disconnect':
        this.tcp.close();
        break;
      case 'tunnel-up':
      case 'tunnel-changed':
      case 'tunnel-down':
        this.#host.networks.carryOut(output);
        if (output.kind === 'tunnel-up')
          this.#host.world.clock.after(0, () =>
            this.caller.handleTunnelReady(output.path.callId, this.#host.world.clock.now),
          );
        break;
      case 'store-password':
        this.#host.store(this.caller, output);
        break;
      case 'event':
        this.#host.events.push(output.event);
        break;
      case 'authorize': {
        const { question } = output;
        this.#host.questions.set(question.id, { caller: this.caller, question });
        this.#host.consult(question);
        break;
      }
      case 'authorize-cancel':
        assert.ok(this.#host.questions.delete(output.id), 'it was not asked');
        break;
      case 'done':
        assert.equal(this.caller.poll(), undefined, 'outputs after done');
        this.#host.callers.delete(this.caller);
        this.#host.world.remove(this);
        break;
    }
    return true;
  }
}

export class LinkHost implements Timed {
  readonly world: World;
  link: ClientLink;
  gateway: Gateway;
  readonly address: number;
  readonly paths: HostPaths;
  readonly networks = new Networks();
  /** What the device is there for while there is no session. */
  standby: Tunnel | undefined;
  readonly events: SessionEvent[] = [];
  /** Outputs other than writes and events, in words. */
  readonly asked: string[] = [];
  tcp: TcpEnd | undefined;
  done = false;
  /** Answer to the next tunnel-up. */
  tunnelFailure: Cause | undefined;
  hostRouteFailure: Cause | undefined;
  /** The address the server is asked for. */
  wanted: number | undefined;

  constructor(
    world: World,
    options: ClientLinkOptions,
    gateway: Gateway,
    address: number,
    flags: { probe: boolean; held: boolean },
  ) {
    this.world = world;
    this.gateway = gateway;
    this.address = address;
    this.paths = world.gre.host(address);
    const feed = (_link: ClientLink, act: () => void) => act();
    this.link = new ClientLink(options, gateway, { paths: this.paths, feed }, flags);
    world.add(this);
  }

  /** Another program takes the place of this one. */
  succeed(): void {
    const { now } = this.world.clock;
    const state = handedOver({ gateway: this.gateway.save(), link: this.link.save()! });
    const feed = (_link: ClientLink, act: () => void) => act();
    this.gateway = this.world.gateway([], this.gateway.limits);
    this.gateway.restore(state.gateway);
    this.link = new ClientLink(this.link.options, this.gateway, { paths: this.paths, feed });
    if (state.link.state.name !== 'up') {
      this.tcp?.close();
      this.tcp = undefined;
    }
    this.link.restore(state.link, now);
  }

  dial(): void {
    this.link.dial(this.world.clock.now);
  }

  hangup(): void {
    this.link.hangup(this.world.clock.now);
  }

  hold(): void {
    this.link.hold(this.world.clock.now);
  }

  release(fresh: boolean): void {
    this.link.release(fresh, this.world.clock.now);
  }

  /** A packet goes into the device. */
  packet(): void {
    assert.ok(this.standby !== undefined || this.networks.up.size > 0, 'there is no device');
    if (this.standby !== undefined) this.link.handlePacket(this.world.clock.now);
  }

  get state(): string {
    return this.link.status().state;
  }

  get causeCode(): string | undefined {
    return this.link.status().cause?.code;
  }

  nextTimeout(): number | undefined {
    return this.link.nextTimeout();
  }

  handleTimeout(now: number): void {
    this.link.handleTimeout(now);
  }

  drain(): boolean {
    const output = this.link.poll();
    if (output === undefined) return false;
    if (output.kind !== 'write' && output.kind !== 'event') this.asked.push(output.kind);
    this.#carryOut(output);
    return true;
  }

  #carryOut(output: ClientLinkOutput): void {
    const { world, link } = this;
    switch (output.kind) {
      case 'resolve':
        world.clock.after(1, () => {
          const answer = world.names.get(output.server) ?? cause('RESOLVE_FAILED');
          link.handleResolved(output.server, answer, world.clock.now);
        });
        break;
      case 'host-route':
        world.clock.after(1, () => {
          link.handleHostRoute(output.address, this.hostRouteFailure, world.clock.now);
        });
        break;
      case 'connect':
        this.#connect(output.address);
        break;
      case 'write':
        if (this.tcp?.open === true) this.tcp.write(output.octets);
        break;
      case 'disconnect':
        this.tcp?.close();
        this.tcp = undefined;
        break;
      case 'tunnel-up':
        this.standby = undefined;
        this.networks.carryOut(output);
        world.clock.after(1, () => {
          if ([...this.networks.up.keys()].some((path) => path === output.path))
            link.handleTunnelUp(this.tunnelFailure, world.clock.now);
        });
        break;
      case 'tunnel-down':
        this.networks.carryOut(output);
        break;
      case 'standby':
        this.standby = output.tunnel;
        world.clock.after(1, () => {
          if (this.standby === output.tunnel)
            link.handleStandby(this.tunnelFailure, world.clock.now);
        });
        break;
      case 'standby-down':
        assert.ok(this.standby !== undefined, 'standby-down without standby');
        assert.equal(this.networks.up.size, 0, 'standby-down under a session');
        this.standby = undefined;
        break;
      case 'event':
        this.events.push(output.event);
        break;
      case 'done':
        assert.equal(link.poll(), undefined, 'outputs after done');
        this.done = true;
        world.remove(this);
        break;
    }
  }

  #connect(address: number): void {
    const { world, link } = this;
    if (world.unreachable.has(address)) return;
    const [far, near] = TcpEnd.pair(world);
    this.tcp = far;
    world.clock.after(world.tcpLatency * 2, () => {
      if (!far.open) return;
      const listener = world.listeners.get(address);
      if (listener === undefined) {
        far.open = false;
        link.handleConnectFailed(cause('CONNECT_REFUSED'), world.clock.now);
        return;
      }
      far.onOctets = (octets) => this.link.handleOctets(octets, world.clock.now);
      far.onClosed = () => this.link.handleClosed(world.clock.now);
      link.handleConnected(this.address, world.clock.now, this.wanted);
      listener.accept(this.address, near);
    });
  }

  whats(): string[] {
    return this.events.map(describe);
  }
}

/** An event in one line. */
export function describe(event: SessionEvent): string {
  switch (event.what) {
    case 'session-up':
      return `session-up ${event.session.username}`;
    case 'session-down':
      return `session-down ${event.session.username} ${event.cause.code}`;
    case 'caller-refused':
      return `caller-refused ${event.cause.code}`;
    case 'auth-failed':
      return `auth-failed ${event.username} ${event.cause.code}`;
    case 'banned':
      return `banned ${formatAddress(event.ban.address)}`;
    case 'unbanned':
      return `unbanned ${formatAddress(event.ban.address)} ${event.why}`;
    case 'server-trouble':
      return `server-trouble ${event.cause.code} ${event.cause.detail ?? ''}`;
    case 'link-state':
      return `${event.state}${event.cause === undefined ? '' : ` ${event.cause.code}`}`;
    case 'step':
      return `step ${event.step}`;
  }
}
