/**
 * Many callers in one process: client links of src/session on real TCP and real GRE, without TUN devices. Runs in the client's
 * namespace with its orders as JSON, and prints what became of them as JSON (CallersReport).
 */
import { randomBytes } from 'node:crypto';
import { Secret } from '../src/crypto/secret.ts';
import { Connections } from '../src/daemon/engine/connections.ts';
import { Drive } from '../src/daemon/engine/drive.ts';
import { Faults } from '../src/daemon/engine/faults.ts';
import { PacketIo } from '../src/daemon/engine/packet-io.ts';
import { TcpConnection } from '../src/daemon/engine/tcp-connection.ts';
import { clock, sockets } from '../src/platform/platform.ts';
import { CallIds } from '../src/pptp/call-ids.ts';
import { ClientLink } from '../src/session/link/client-link.ts';
import { Gateway } from '../src/session/gateway.ts';
import type { ClientLinkOptions } from '../src/session/options.ts';
import type { ClientLinkOutput } from '../src/session/ports.ts';
import { cause } from '../src/wire/cause.ts';
import type { Ipv4 } from '../src/wire/brand.ts';
import { formatAddress, parseAddress } from '../src/wire/ip.ts';

export interface CallersOrders {
  /** Addresses, in turn. */
  readonly servers: readonly string[];
  /** Log in and hang up; or log in, and stay until SIGTERM. */
  readonly mode: 'cycles' | 'hold';
  readonly count: number;
  readonly concurrency: number;
  /** How long each stays, ms at most, if cycles. */
  readonly stay?: number;
  /** `%` is a number below `concurrency`: those who call at the same time have different names. */
  readonly username: string;
  readonly password: string;
}

export interface CallersReport {
  readonly done: number;
  readonly failed: number;
  readonly seconds: number;
  /** Median ms from the order to dial until IP is up. */
  readonly login: number;
  /** Addresses that two had at the same time, among those who were up. */
  readonly clashes: readonly string[];
  /** Why calls failed, and how often. */
  readonly causes: Readonly<Record<string, number>>;
}

const orders = JSON.parse(process.argv[2] ?? '') as CallersOrders;
const { servers, mode, count, stay = 0 } = orders;
const concurrency = Math.min(count, orders.concurrency);
const PORT = 1723;
const secret = Secret.fromPassword(orders.password);

const optionsOf = (server: string, place: number): ClientLinkOptions => ({
  kind: 'link',
  name: 'bench',
  keys: { listener: '', session: '' },
  device: 'bench',
  port: PORT,
  auth: ['mschap-v2'],
  mppe: { policy: 'required', strengths: [128], stateful: false },
  mtu: 1400,
  ipv6: false,
  keepalive: { failures: 3, interval: 30_000 },
  rates: { up: 0, down: 0, burst: 50 },
  server,
  username: orders.username.replace('%', String(place)),
  secret,
  routes: [],
  defaultRoute: false,
  metric: 0,
  hostRoute: false,
  peerDns: false,
  bindDevice: undefined,
  auto: false,
  blockOnAuthFailure: true,
  maxFail: 1,
  holdoff: 1000,
  holdoffMax: 1000,
  demand: 0,
  unnumbered: undefined,
  ipv6Client: undefined,
  ipv6Routes: [],
  commands: { up: undefined, down: undefined },
  verbose: false,
  quota: undefined,
});
const places = (mode === 'hold' ? count : concurrency) + 64;
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const broken = (what: unknown): never => {
  throw what instanceof Error ? what : new Error(String(what));
};
const drive = new Drive(new Faults({ line: (_level, text) => broken(text), end: broken }));
const io = new PacketIo(places, drive, new CallIds(random), broken);
const gateway = new Gateway({
  limits: {
    maxSessions: places,
    maxHalfOpen: places,
    maxHalfOpenPerSource: places,
    loginTimeout: 60_000,
  },
  random,
  count: () => undefined,
});
const started = clock.monotonic();
/** Who is up, by address. */
const holders = new Map<Ipv4, number>();
const clashes = new Set<string>();
const causes: Record<string, number> = {};
const logins: number[] = [];
let begun = 0;
let done = 0;
let failed = 0;

for (let place = 0; place < concurrency; place++) begin(place);

function begin(place: number): void {
  if (begun < count) call(servers[begun++ % servers.length]!, place);
}

/** @param why undefined: it went well */
function over(place: number, why?: string): void {
  if (why === undefined) done++;
  else {
    failed++;
    causes[why] = (causes[why] ?? 0) + 1;
  }
  if (done + failed === count) {
    const seconds = (clock.monotonic() - started) / 1000;
    const login = logins.sort((a, b) => a - b)[logins.length >> 1] ?? NaN;
    const report: CallersReport = { done, failed, seconds, login, clashes: [...clashes], causes };
    process.stdout.write(`${JSON.stringify(report)}\n`);
    if (mode === 'cycles') process.exit(0);
  }
  begin(place);
}

function call(server: string, place: number): void {
  const from = clock.monotonic();
  const address = parseAddress(server)!;
  const link: ClientLink = new ClientLink(optionsOf(server, place), gateway, {
    paths: io.paths,
    feed: (machine, act) => drive.feed(machine, act),
  });
  let tcp: TcpConnection | undefined;
  let held: Ipv4 | undefined;
  const feed = (act: (now: number) => void) => {
    drive.feed(link, (_link, now) => act(now));
  };
  const carryOut = (output: ClientLinkOutput): void => {
    switch (output.kind) {
      case 'resolve':
        queueMicrotask(() => feed((now) => link.handleResolved(server, [address], now)));
        break;
      case 'host-route':
        queueMicrotask(() => feed((now) => link.handleHostRoute(output.address, undefined, now)));
        break;
      case 'connect':
        dial();
        break;
      case 'write':
        tcp?.write(output.octets);
        break;
      case 'disconnect':
        tcp?.close();
        tcp = undefined;
        break;
      case 'tunnel-up':
        queueMicrotask(() => feed((now) => link.handleTunnelUp(undefined, now)));
        break;
      case 'tunnel-down':
      case 'standby':
      case 'standby-down':
        break; // no link here dials on demand
      case 'event':
        if (output.event.what === 'session-up') up(output.event.session.localAddress);
        else if (output.event.what === 'link-state')
          if (output.event.state === 'blocked' || output.event.state === 'waiting') {
            const { code, detail } = output.event.cause ?? { code: 'none' };
            hangUp();
            held = undefined;
            over(place, detail === undefined ? code : `${code} ${detail}`);
          }
        break;
      case 'done':
        drive.remove(link);
        if (held !== undefined && mode === 'cycles') over(place);
        break;
    }
  };
  const up = (given: Ipv4): void => {
    held = given;
    logins.push(clock.monotonic() - from);
    if (holders.has(given)) clashes.add(formatAddress(given));
    holders.set(given, place);
    if (mode === 'hold') over(place);
    else if (stay === 0) hangUp();
    else clock.after(1 + Math.random() * stay, hangUp);
  };
  const hangUp = (): void => {
    if (held !== undefined && holders.get(held) === place) holders.delete(held);
    queueMicrotask(() => feed((now) => link.close(cause('USER_REQUEST'), now)));
  };
  const dial = (): void => {
    const socket = sockets.connect({ address: server, port: PORT }, () => {
      const connection = new TcpConnection(socket, new Connections(), {
        octets: (octets) => feed((now) => link.handleOctets(octets, now)),
        closed: (errno) => feed((now) => link.handleClosed(now, errno)),
        written: () => undefined,
      });
      tcp = connection;
      feed((now) => link.handleConnected(connection.local, now));
    });
    socket.hear({
      closed: (error) =>
        feed((now) => link.handleConnectFailed(cause('CONNECT_FAILED', error?.message), now)),
    });
  };
  drive.add(link, { about: 'caller', carryOut, failed: ({ detail }) => broken(detail) });
  feed((now) => link.dial(now));
}
