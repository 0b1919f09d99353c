/**
 * Many callers in one process, for the control-plane figures: client links of src/session on real TCP and real GRE, without
 * TUN devices. Runs in the client's namespace.
 *
 *     callers.ts SERVER cycles COUNT CONCURRENCY    logs in and hangs up; prints {"done", "failed", "seconds"}
 *     callers.ts SERVER hold COUNT CONCURRENCY      logs in, prints the same, stays until SIGTERM
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
import { parseAddress } from '../src/wire/ip.ts';
import { account } from './tunnels.ts';

const [, , server = '', mode = '', countText = '', concurrencyText = ''] = process.argv;
const count = Number(countText);
const concurrency = Math.min(count, Number(concurrencyText));
const address = parseAddress(server);
if (address === undefined || !['cycles', 'hold'].includes(mode) || !(concurrency > 0))
  throw new Error('usage: callers.ts SERVER cycles|hold COUNT CONCURRENCY');

const options: ClientLinkOptions = {
  kind: 'link',
  name: 'bench',
  keys: { listener: '', session: '' },
  device: 'bench',
  port: 1723,
  auth: ['mschap-v2'],
  mppe: { policy: 'required', strengths: [128], stateful: false },
  mtu: 1400,
  ipv6: false,
  keepalive: { failures: 3, interval: 30_000 },
  rates: { up: 0, down: 0, burst: 50 },
  server,
  username: account.username,
  secret: Secret.fromPassword(account.password),
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
  commands: { up: undefined, down: undefined },
  verbose: false,
  quota: undefined,
};
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
let begun = 0;
let done = 0;
let failed = 0;

for (let n = 0; n < concurrency; n++) begin();

function begin(): void {
  if (begun === count) return;
  begun++;
  call();
}

function over(ok: boolean, why = ''): void {
  if (ok) done++;
  else failed++;
  if (why !== '' && failed < 5) process.stderr.write(`a call failed: ${why}\n`);
  if (done + failed === count) {
    const seconds = (clock.monotonic() - started) / 1000;
    process.stdout.write(`${JSON.stringify({ done, failed, seconds })}\n`);
    if (mode === 'cycles') process.exit(0);
  }
  begin();
}

function call(): void {
  const link: ClientLink = new ClientLink(options, gateway, {
    paths: io.paths,
    feed: (machine, act) => drive.feed(machine, act),
  });
  let tcp: TcpConnection | undefined;
  let wasUp = false;
  const feed = (act: (now: number) => void) => {
    drive.feed(link, (_link, now) => act(now));
  };
  const carryOut = (output: ClientLinkOutput): void => {
    switch (output.kind) {
      case 'resolve':
        queueMicrotask(() => feed((now) => link.handleResolved(server, [address!], now)));
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
        if (output.event.what !== 'link-state') break;
        if (output.event.state === 'up') {
          wasUp = true;
          if (mode === 'hold') over(true);
          else queueMicrotask(() => feed((now) => link.close(cause('USER_REQUEST'), now)));
        } else if (output.event.state === 'blocked' || output.event.state === 'waiting') {
          over(false, output.event.cause?.code);
          queueMicrotask(() => feed((now) => link.close(cause('USER_REQUEST'), now)));
        }
        break;
      case 'done':
        drive.remove(link);
        if (wasUp && mode === 'cycles') over(true);
        break;
    }
  };
  const dial = (): void => {
    const socket = sockets.connect({ address: server, port: options.port }, () => {
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
