import assert from 'node:assert/strict';
import fs, { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test, type TestContext } from 'node:test';
import { Capture } from '../../../src/daemon/capture/capture.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { octets, password, proof, secretPackets } from './packets.ts';

const written = fs.writeSync;
const local = parseAddress('198.51.100.1')!;
const peer = parseAddress('203.0.113.9')!;
const endpoints = { local, localPort: 1723, peer, peerPort: 40000 };

interface Packet {
  readonly seconds: number;
  readonly microseconds: number;
  /** Octets on the wire, those left out included. */
  readonly length: number;
  readonly octets: Buffer;
}

/** A reader of pcap (version 2.4, big-endian, as the magic number says) that believes nothing. */
function readPcap(path: string): Packet[] {
  const file = readFileSync(path);
  assert.equal(file.readUInt32BE(0), 0xa1b2c3d4);
  assert.deepEqual([file.readUInt16BE(4), file.readUInt16BE(6)], [2, 4]);
  assert.deepEqual([file.readUInt32BE(8), file.readUInt32BE(12)], [0, 0]);
  const snapLength = file.readUInt32BE(16);
  assert.equal(file.readUInt32BE(20), 101); // LINKTYPE_RAW
  const packets: Packet[] = [];
  for (let at = 24; at < file.length;) {
    const included = file.readUInt32BE(at + 8);
    const length = file.readUInt32BE(at + 12);
    assert.ok(included <= snapLength && included <= length);
    packets.push({
      seconds: file.readUInt32BE(at),
      microseconds: file.readUInt32BE(at + 4),
      length,
      octets: file.subarray(at + 16, at + 16 + included),
    });
    at += 16 + included;
    assert.ok(at <= file.length);
  }
  return packets;
}

/** The IPv4 header, checked: what it says of the packet. */
function readIp({ octets: packet, length }: Packet) {
  assert.equal(packet[0], 0x45);
  assert.equal(packet.readUInt16BE(2), length);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet.readUInt16BE(at);
  assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff, 'checksum');
  return {
    protocol: packet[9],
    source: packet.readUInt32BE(12),
    destination: packet.readUInt32BE(16),
    payload: packet.subarray(20),
  };
}

function capture(context: TestContext, size = 1 << 20, secrets = false) {
  const dir = mkdtempSync(join(tmpdir(), 'pptp-capture-test-'));
  context.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'x.pcap');
  return { path, made: new Capture(path, size, secrets) };
}

test('an empty capture is a pcap file that only its owner reads', (context) => {
  const { path, made } = capture(context);
  made.close();
  assert.deepEqual(readPcap(path), []);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('it never writes over a file', (context) => {
  const { path, made } = capture(context);
  made.close();
  writeFileSync(path, 'mine');
  assert.throws(() => new Capture(path, 1000, false), { code: 'EEXIST' });
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});

test('GRE goes between the outer addresses, in its direction', (context) => {
  const { path, made } = capture(context);
  const packet = secretPackets['CHAP response']!;
  mock.method(Date, 'now', () => 1_700_000_000_123);
  context.after(() => mock.reset());
  made.gre('in', peer, local, packet);
  made.gre('out', peer, local, packet);
  made.close();
  const found = readPcap(path);
  assert.deepEqual(
    found.map(({ seconds, microseconds }) => [seconds, microseconds]),
    [
      [1_700_000_000, 123_000],
      [1_700_000_000, 123_000],
    ],
  );
  assert.deepEqual(
    found.map(readIp).map(({ protocol, source, destination }) => [protocol, source, destination]),
    [
      [47, peer, local],
      [47, local, peer],
    ],
  );
  assert.deepEqual([made.packets, made.omitted, made.fault], [2, 0, undefined]);
});

test('what is left out of a GRE packet is missing at its end, its length stays true', (context) => {
  const { path, made } = capture(context);
  const packet = secretPackets['payload of an IP packet']!;
  made.gre('in', peer, local, packet);
  made.close();
  const [found] = readPcap(path) as [Packet];
  assert.equal(found.length, 20 + packet.length);
  assert.ok(found.octets.length < found.length);
  readIp(found);
});

test('a login leaves no secret in the file, unless it is asked for', (context) => {
  for (const secrets of [false, true]) {
    const { path, made } = capture(context, 1 << 20, secrets);
    for (const packet of Object.values(secretPackets)) {
      made.gre('in', peer, local, packet);
      for (let cut = 0; cut < packet.length; cut += 5)
        made.gre('in', peer, local, packet.subarray(0, cut));
    }
    made.close();
    const file = readFileSync(path);
    assert.equal(file.includes(password.slice(1)), secrets);
    assert.equal(file.includes(Buffer.from(octets(password).subarray(0, 5))), secrets);
    assert.equal(file.includes(Buffer.from(proof.subarray(0, 5))), secrets);
    readPcap(path);
  }
});

test('control messages are a TCP stream whose numbers count octets in both directions', (context) => {
  const { path, made } = capture(context);
  made.control(endpoints, 'in', octets('request'));
  made.control(endpoints, 'out', octets('reply'));
  made.control(endpoints, 'in', octets('more'));
  made.close();
  const segments = readPcap(path).map((packet) => {
    const { protocol, source, destination, payload } = readIp(packet);
    assert.equal(protocol, 6);
    assert.equal(payload[12]! >> 4, 5);
    return [
      source === peer && destination === local ? 'in' : 'out',
      payload.readUInt16BE(0),
      payload.readUInt16BE(2),
      payload.readUInt32BE(4),
      payload.readUInt32BE(8),
      payload.toString('utf8', 20),
    ];
  });
  assert.deepEqual(segments, [
    ['in', 40000, 1723, 1, 1, 'request'],
    ['out', 1723, 40000, 1, 8, 'reply'],
    ['in', 40000, 1723, 8, 6, 'more'],
  ]);
});

test('a chunk that is larger than an IP packet becomes several', (context) => {
  const { path, made } = capture(context);
  const chunk = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);
  made.control(endpoints, 'in', chunk);
  made.close();
  const segments = readPcap(path).map(readIp);
  assert.ok(segments.length > 1);
  assert.deepEqual(
    Buffer.concat(segments.map(({ payload }) => payload.subarray(20))),
    Buffer.from(chunk),
  );
});

test('a full file keeps whole packets and counts the rest', (context) => {
  const size = 24 + 3 * (16 + 20 + 20 + 5) + 10;
  const { path, made } = capture(context, size);
  for (let i = 0; i < 5; i++) made.control(endpoints, 'in', octets('abcde'));
  made.close();
  assert.equal(readPcap(path).length, 3);
  assert.ok(statSync(path).size <= size);
  assert.deepEqual([made.packets, made.omitted, made.fault], [3, 2, undefined]);
});

for (const [name, writeSync] of Object.entries({
  'refuses the packet': () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  },
  'takes a part of it': (fd: number, packet: Uint8Array) =>
    written(fd, packet.subarray(0, packet.length - 1)),
}))
  test(`a full file system (it ${name}) ends the capture, not the daemon`, (context) => {
    const { path, made } = capture(context);
    made.control(endpoints, 'in', octets('abcde'));
    const full = mock.method(fs, 'writeSync', writeSync);
    syncBuiltinESMExports();
    made.control(endpoints, 'in', octets('lost'));
    full.mock.restore();
    syncBuiltinESMExports();
    made.control(endpoints, 'in', octets('lost too'));
    made.close();
    assert.equal(readPcap(path).length, 1);
    assert.deepEqual([made.packets, made.omitted], [1, 2]);
    assert.match(made.fault!, /no space/);
  });

test('a file that can be neither written nor cut nor closed ends the capture, not the daemon', (context) => {
  const { made } = capture(context);
  const fails = () => {
    throw new Error('EIO: i/o error');
  };
  const broken = (['writeSync', 'ftruncateSync', 'closeSync'] as const).map((name) =>
    mock.method(fs, name, fails),
  );
  syncBuiltinESMExports();
  made.control(endpoints, 'in', octets('lost'));
  made.close();
  for (const { mock: function_ } of broken) function_.restore();
  syncBuiltinESMExports();
  made.close();
  assert.deepEqual([made.packets, made.omitted, made.fault], [0, 1, 'EIO: i/o error']);
});
