/** The daemon under attack, in a network namespace of its own: it stays up, bounded and honest. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeControlMessage } from '../../src/wire/control-message.ts';
import { PROTOCOL_VERSION } from '../../src/wire/control-codes.ts';
import { ControlClient } from '../../src/daemon/control/client.ts';
import { IoContext } from '../../src/native/io-context.ts';
import { GreSocket } from '../../src/raw-socket/gre-socket.ts';
import { encodeMessage } from '../../src/ubus-js/index.ts';
import { inNamespace, ipv4 } from '../native/namespace.ts';
import { grePacket } from '../raw-socket/gre-packet.ts';
import { call } from '../support/control.ts';
import { gateway } from './cli/gateway.ts';

const server = (name: string, more = '') => `config interface '${name}'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
${more}`;

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** The daemon closes what its peers have closed when it comes to it. */
async function descriptorsFall(pid: number, most: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (descriptors(pid) > most) {
    assert.equal(
      performance.now() < deadline,
      true,
      `${descriptors(pid)} descriptors, not ${most}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const devices = () => execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' });

/** A connection that survives whatever happens to it. */
async function dial(
  context: TestContext,
  to: number | string,
  host = '127.0.0.1',
): Promise<Socket> {
  const socket = typeof to === 'string' ? connect(to) : connect(to, host);
  socket.on('error', () => undefined);
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Unlike once(), an error is no failure: a reset ends a connection as well. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => socket.once('close', () => resolve()));

const startRequest = encodeControlMessage({
  name: 'StartControlConnectionRequest',
  protocolVersion: PROTOCOL_VERSION,
  framingCapabilities: 3,
  bearerCapabilities: 3,
  maximumChannels: 0,
  firmwareRevision: 0,
  hostName: '',
  vendorName: '',
});
const callRequest = encodeControlMessage({
  name: 'OutgoingCallRequest',
  callId: 7,
  callSerialNumber: 1,
  minimumBps: 300,
  maximumBps: 100_000_000,
  bearerType: 3,
  framingType: 3,
  packetReceiveWindowSize: 64,
  packetProcessingDelay: 0,
  phoneNumberLength: 0,
  phoneNumber: '',
  subaddress: '',
});
/** LCP Configure-Request without options. */
const lcpRequest = Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4);
const stopRequest = encodeControlMessage({ name: 'StopControlConnectionRequest', reason: 1 });

inNamespace('hostile', import.meta.url, () => {
  test('a peer that goes on sending after the end does not keep its descriptor', async (context) => {
    const daemon = await gateway(context, server('home'));
    const before = descriptors(daemon.pid);
    const peers = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const peer = connect({ port: 1723, host: '127.0.0.1', allowHalfOpen: true });
        peer.on('error', () => undefined);
        context.after(() => peer.destroy());
        const end = closed(peer);
        peer.write(startRequest);
        peer.write(stopRequest);
        await once(peer.resume(), 'end');
        return { peer, end };
      }),
    );
    const drip = setInterval(() => peers.forEach(({ peer }) => peer.write('x')), 200);
    context.after(() => clearInterval(drip));
    await Promise.all(peers.map(({ end }) => end));
    await descriptorsFall(daemon.pid, before);
  });

  test('strangers do not fill the log, nor push other failures out of the list', async (context) => {
    const daemon = await gateway(context, server('home'));
    for (let n = 0; n < 200; n++) {
      const peer = await dial(context, 1723);
      const end = closed(peer);
      peer.resume().end('GET / HTTP/1.0\r\n\r\n');
      await end;
    }
    const failures = await daemon.command('failures');
    assert.equal(failures.stdout.match(/CONTROL_MALFORMED/g)?.length, 1);
    const status = await daemon.command('status');
    assert.equal(status.code, 0);
    daemon.process.kill('SIGTERM');
    const { code, stderr } = await daemon.ended;
    assert.equal(code, 0);
    const lines = stderr.match(/refused CONTROL_MALFORMED/g)?.length ?? 0;
    assert.ok(lines >= 20 && lines < 150, `${lines} lines`);
  });

  test('half-open callers of one source are few, and another source still gets in', async (context) => {
    const daemon = await gateway(context, server('home'));
    const before = descriptors(daemon.pid);
    const peers = await Promise.all(Array.from({ length: 100 }, () => dial(context, 1723)));
    const open = () => peers.filter(({ destroyed }) => !destroyed).length;
    for (const peer of peers) peer.resume();
    const other = connect({ port: 1723, host: '127.0.0.1', localAddress: '127.0.0.9' });
    context.after(() => other.destroy());
    other.write(startRequest);
    const [reply] = (await once(other, 'data')) as [Buffer];
    assert.equal(reply.readUInt16BE(8), 2, 'Start-Control-Connection-Reply');
    while (open() > 8) await Promise.race(peers.filter(({ destroyed }) => !destroyed).map(closed));
    await descriptorsFall(daemon.pid, before + 9);
  });

  test('descriptors run out: callers are turned away, and the daemon goes on', async (context) => {
    const generous = "config pptp 'globals'\n\toption max_half_open_per_source '64'\n";
    const daemon = await gateway(context, server('home'));
    writeFileSync(join(daemon.dir, 'pptp'), generous);
    assert.equal((await daemon.command('reload')).code, 0);
    const limit = descriptors(daemon.pid) + 2;
    execFileSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${limit}:`]);
    const peers = await Promise.all(Array.from({ length: 20 }, () => dial(context, 1723)));
    await daemon.says(/TCP port 1723: /);
    for (const peer of peers) peer.destroy();
    execFileSync('prlimit', ['--pid', String(daemon.pid), '--nofile=512:']);
    const caller = await dial(context, 1723);
    caller.write(startRequest);
    await once(caller, 'data');
  });

  test('control frames of one call are rationed, and the GRE of strangers ends in the kernel', async (context) => {
    const daemon = await gateway(context, server('home'));
    const caller = await dial(context, 1723);
    caller.write(startRequest);
    await once(caller, 'data');
    caller.write(callRequest);
    const [reply] = (await once(caller, 'data')) as [Buffer];
    const callId = reply.readUInt16BE(12);

    const io = new IoContext(new ArrayBuffer(64 * 1024));
    const gre = new GreSocket(io);
    context.after(() => gre.close());
    const octets = new Uint8Array(io.arena);
    const send = (id: number, sequence: number) => {
      const packet = grePacket(id, lcpRequest.length);
      packet.set(lcpRequest, 12);
      packet[17] = sequence & 0xff; // LCP identifier, so that none is a copy
      new DataView(packet.buffer).setUint32(8, sequence);
      octets.set(packet, 1024);
      assert.equal(gre.send(Int32Array.of(1024, packet.length, ipv4('127.0.0.1'), 0), 1), 1);
    };
    const counters = () =>
      call<{
        flood_frames: number;
        calls: { rxControl: number; drops: Record<string, number> };
      }>(daemon, 'counters');
    for (let n = 0; n < 1_000; n++) {
      send(callId, n);
      send(callId ^ 0x8000, n);
      if (n % 50 === 0) await counters(); // the daemon has time to take them
    }
    const { flood_frames, calls } = await counters();
    assert.ok(calls.rxControl > 900, `${calls.rxControl}`);
    assert.ok(flood_frames > 400, `${flood_frames}`);
    // The daemon's own replies come back to it on the loopback, with the peer's call id.
    assert.equal(calls.drops['unknownCall'] ?? 0, 0);
  });

  test('a reload to a port in use leaves the server as it was', async (context) => {
    const daemon = await gateway(context, server('home'));
    const other = createServer().listen(1799, '0.0.0.0');
    await once(other, 'listening');
    context.after(() => other.close());
    const caller = await dial(context, 1723);
    caller.write(startRequest);
    await once(caller, 'data');

    // Another port for the same server, and a new server beside it.
    for (const network of [
      server('home', "\toption port '1799'\n"),
      server('home') + server('more', "\toption port '1799'\n").replaceAll('.99.', '.98.'),
    ]) {
      daemon.configure(network);
      const { code, stdout } = await daemon.command('reload');
      assert.equal(code, 78);
      assert.match(stdout, /TCP port 1799 is in use/);
      assert.match(
        (await daemon.command('status')).stdout,
        /^home +pptps-home +1723 +192\.168\.99\.1/m,
      );
      assert.doesNotMatch(devices(), /pptps-more/);
      assert.equal(caller.destroyed, false);
    }
    await dial(context, 1723);

    daemon.configure(server('home', "\toption port '1800'\n"));
    assert.equal((await daemon.command('reload')).code, 0);
    await dial(context, 1800);
    await assert.rejects(dial(context, 1723));
  });

  test('a reload to a device that cannot be made leaves the others as they were', async (context) => {
    const daemon = await gateway(context, server('home'));
    execFileSync('ip', ['tuntap', 'add', 'pptps-more', 'mode', 'tap']);
    context.after(() => execFileSync('ip', ['link', 'del', 'pptps-more']));
    const caller = await dial(context, 1723);
    caller.write(startRequest);
    await once(caller, 'data');
    let ended = false;
    caller.on('data', () => (ended = true)).on('close', () => (ended = true));
    const more = server('more', "\toption port '1801'\n").replaceAll('.99.', '.97.');
    daemon.configure(server('home') + more);
    assert.equal((await daemon.command('reload')).code, 78);
    assert.match((await daemon.command('status')).stdout, /^home +pptps-home +1723/m);
    assert.match(devices(), /^pptps-home /m);
    assert.equal(ended, false, 'its callers stay');
    await dial(context, 1723);
    await assert.rejects(dial(context, 1801));
  });

  test('100 SIGHUPs, with callers coming and going', async (context) => {
    const daemon = await gateway(context, server('home'));
    const before = descriptors(daemon.pid);
    for (let n = 0; n < 100; n++) {
      daemon.configure(server('home', `\toption mtu '${1300 + (n % 2)}'\n`));
      daemon.process.kill('SIGHUP');
      if (n % 10 === 0) (await dial(context, 1723)).destroy();
    }
    assert.equal((await daemon.command('reload')).code, 0);
    assert.match((await daemon.command('status')).stdout, /^home +pptps-home +1723/m);
    assert.equal(devices().match(/pptps-/g)?.length, 1);
    await descriptorsFall(daemon.pid, before);
  });

  test('own bus: a client that never reads, a message without end, more clients than there is room for', async (context) => {
    const daemon = await gateway(context, server('home'));
    const before = descriptors(daemon.pid);
    const control = await ControlClient.open(daemon.socket);
    await control.call('status');
    const endless = await dial(context, daemon.socket);
    const deaf = await dial(context, daemon.socket);
    const gone = [closed(endless.resume()), closed(deaf.pause())];
    endless.write(Uint8Array.from([0, 5, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1])); // 64 KiB and one octet
    await gone[0];
    const ask = encodeMessage({ type: 'LOOKUP', seq: 1, peer: 0, attributes: {} });
    const asked = Buffer.concat(Array.from({ length: 1000 }, () => ask));
    const write = () => {
      while (deaf.writable && deaf.write(asked));
    };
    deaf.on('drain', write);
    write();
    await gone[1];
    await control.call('status');
    control.close();
    const crowd = await Promise.all(
      Array.from({ length: 100 }, () => dial(context, daemon.socket)),
    );
    for (const socket of crowd) socket.destroy();
    assert.equal((await daemon.command('status')).code, 0);
    await descriptorsFall(daemon.pid, before);
  });
});
