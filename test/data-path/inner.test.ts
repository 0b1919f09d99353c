/** MSS clamp, fragments and ICMP on single packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { internetChecksum, updateChecksum } from '../../src/wire/checksum.ts';
import { mayNotFragment, writeFragment } from '../../src/data-path/ip/fragmentation.ts';
import { mayAnswer, writeFragmentationNeeded } from '../../src/data-path/ip/icmp.ts';
import { ipv4Length, ipv6Length } from '../../src/data-path/ip/inner-packet.ts';
import { clampMss } from '../../src/data-path/ip/mss-clamp.ts';
import { address, ipv4, ipv6, sum, tcp, tcpFault } from './packets.ts';

const SYN = 0x02;
const SYN_ACK = 0x12;
const ACK = 0x10;
const A = '192.168.99.10';
const B = '10.9.8.7';

function clamped(packet: Uint8Array, maximum: number): Uint8Array {
  const octets = new Uint8Array(packet.length + 10).fill(0xee);
  octets.set(packet, 5);
  clampMss(octets, 5, packet.length, maximum + 40);
  assert.deepEqual(octets.subarray(0, 5), new Uint8Array(5).fill(0xee));
  assert.deepEqual(octets.subarray(5 + packet.length), new Uint8Array(5).fill(0xee));
  return octets.slice(5, 5 + packet.length);
}

test('the checksum is that of RFC 1071, whole and updated', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 101 }),
      fc.nat(0xffff),
      fc.nat(60),
      (octets, word, where) => {
        assert.equal(internetChecksum(octets, 0, octets.length), sum(octets));
        // A message that carries its checksum in front; one of its words changes.
        const message = Uint8Array.from([0, 0, ...octets]);
        const view = new DataView(message.buffer);
        view.setUint16(0, sum(message));
        const at = 2 + 2 * (where % Math.floor(octets.length / 2));
        const before = view.getUint16(at);
        view.setUint16(at, word);
        updateChecksum(message, 0, before, word);
        assert.equal(sum(message), 0);
      },
    ),
  );
});

test('a SYN offers at most what fits, its checksum still right', () => {
  for (const flags of [SYN, SYN_ACK]) {
    for (const [options, at] of [
      [[2, 4, 0x05, 0xb4], 42],
      [[1, 1, 1, 2, 4, 0x05, 0xb4, 0], 45], // at an odd distance
      [[4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 2, 4, 0xff, 0xff], 54],
    ] as const) {
      const packet = tcp(A, B, flags, options);
      const result = clamped(packet, 1356);
      const mss = new DataView(result.buffer).getUint16(at);
      assert.equal(mss, 1356);
      assert.equal(tcpFault(result), 0);
      assert.deepEqual(result.subarray(0, 20), packet.subarray(0, 20));
    }
  }
});

test('everything else keeps its octets', () => {
  const mss = [2, 4, 0x05, 0xb4];
  const fragment = tcp(A, B, SYN, mss);
  new DataView(fragment.buffer).setUint16(6, 100);
  for (const packet of [
    tcp(A, B, SYN, [2, 4, 0x04, 0x00]), // small enough
    tcp(A, B, ACK, mss),
    tcp(A, B, SYN, []),
    tcp(A, B, SYN, [], mss), // data that looks like an option
    tcp(A, B, SYN, [0, 2, 4, 0x05, 0xb4, 0, 0, 0]), // behind the end of the options
    tcp(A, B, SYN, [3, 0, ...mss, 0, 0]), // an option of length 0
    tcp(A, B, SYN, [3, 200, ...mss, 0, 0]), // one that goes beyond the header
    tcp(A, B, SYN, [1, 1, 1, 2]), // one without its length
    tcp(A, B, SYN, [2, 3, 0x05, 0xb4]), // MSS of the wrong length
    ipv4({ source: A, destination: B, protocol: 17, payload: tcp(A, B, SYN, mss).subarray(20) }),
    ipv4({ source: A, destination: B, protocol: 6, payload: new Uint8Array(13).fill(0xff) }),
    fragment,
  ]) {
    assert.deepEqual(clamped(packet, 1000 < packet.length ? packet.length : 1356), packet);
  }
});

test('random TCP headers change nothing outside MSS and checksum', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
      const packet = ipv4({ source: A, destination: B, protocol: 6, payload });
      const result = clamped(packet, 1000);
      const changed = [...result.keys()].filter((n) => result[n] !== packet[n]);
      assert.ok(changed.length <= 4);
      assert.ok(changed.every((n) => n === 36 || n === 37 || n >= 40));
    }),
  );
});

/** Puts fragments together as RFC 791 §3.2 has it. */
function reassemble(fragments: Uint8Array[], mtu: number): Uint8Array {
  const payload: number[] = [];
  fragments.forEach((fragment, n) => {
    assert.ok(fragment.length <= mtu);
    assert.equal(ipv4Length(fragment, 0, fragment.length), fragment.length);
    const headerLength = (fragment[0]! & 15) * 4;
    assert.equal(sum(fragment.subarray(0, headerLength)), 0);
    const word = new DataView(fragment.buffer).getUint16(6);
    assert.equal((word & 0x1fff) * 8, payload.length);
    assert.equal((word & 0x2000) !== 0, n < fragments.length - 1);
    payload.push(...fragment.subarray(headerLength));
  });
  return Uint8Array.from(payload);
}

function fragments(packet: Uint8Array, mtu: number): Uint8Array[] {
  const octets = new Uint8Array(4000);
  octets.set(packet, 64);
  const headerLength = (packet[0]! & 15) * 4;
  const result: Uint8Array[] = [];
  for (let done = 0; done < packet.length - headerLength;) {
    const length = writeFragment(octets, 64, packet.length, done, mtu, 2048);
    if (length === 0) return [];
    const fragment = octets.slice(2048, 2048 + length);
    result.push(fragment);
    done += length - (fragment[0]! & 15) * 4;
  }
  return result;
}

test('fragments make up the packet again', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 1600 }),
      fc.integer({ min: 68, max: 1500 }),
      (payload, mtu) => {
        const packet = ipv4({ source: A, destination: B, payload, identification: 0xbeef });
        const parts = fragments(packet, mtu);
        assert.deepEqual(reassemble(parts, mtu), payload);
        for (const part of parts) {
          assert.deepEqual(part.subarray(4, 6), Uint8Array.of(0xbe, 0xef));
          assert.deepEqual(part.subarray(12, 20), packet.subarray(12, 20));
        }
      },
    ),
  );
});

test('later fragments repeat only the options that say so', () => {
  // Router alert (copied), record route (not), no operation, end.
  const options = Uint8Array.of(0x94, 4, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0);
  const payload = new Uint8Array(300).map((_, n) => n);
  const parts = fragments(ipv4({ source: A, destination: B, payload, options }), 100);
  assert.deepEqual(reassemble(parts, 100), payload);
  assert.deepEqual(parts[0]!.subarray(20, 32), options);
  assert.equal(parts[1]![0], 0x46);
  assert.deepEqual(parts[1]!.subarray(20, 24), options.subarray(0, 4));
});

test('a fragment is fragmented further with its own place and MF', () => {
  const packet = ipv4({ source: A, destination: B, payload: new Uint8Array(200) });
  new DataView(packet.buffer).setUint16(6, 0x2000 | 50);
  const words = fragments(packet, 120).map((part) => new DataView(part.buffer).getUint16(6));
  assert.deepEqual(words, [0x2000 | 50, 0x2000 | 62, 0x2000 | 74]);
});

test('an MTU without room for data yields no fragment', () => {
  assert.deepEqual(
    fragments(ipv4({ source: A, destination: B, payload: new Uint8Array(90) }), 27),
    [],
  );
});

test('random options never lead beyond the packet', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 40 }), (options) => {
      const payload = new Uint8Array(500).map((_, n) => n);
      const parts = fragments(ipv4({ source: A, destination: B, payload, options }), 200);
      assert.deepEqual(reassemble(parts, 200), payload);
    }),
  );
});

test('ICMP says what fits, to the sender, about this packet', () => {
  const packet = ipv4({
    source: A,
    destination: B,
    payload: new Uint8Array(1400).fill(9),
    dontFragment: true,
  });
  assert.ok(mayNotFragment(packet, 0));
  assert.ok(mayAnswer(packet, 0, packet.length));
  const octets = new Uint8Array(4096).fill(0xee);
  octets.set(packet, 100);
  const length = writeFragmentationNeeded(octets, 100, packet.length, address(B), 1396, 2048);
  const message = octets.slice(2048, 2048 + length);
  assert.equal(length, 576);
  assert.equal(ipv4Length(message, 0, length), 576);
  assert.equal(sum(message.subarray(0, 20)), 0);
  assert.equal(sum(message.subarray(20)), 0);
  const view = new DataView(message.buffer);
  assert.equal(view.getUint32(12), address(B));
  assert.equal(view.getUint32(16), address(A));
  assert.deepEqual(message.subarray(20, 22), Uint8Array.of(3, 4));
  assert.equal(view.getUint32(24), 1396);
  assert.deepEqual(message.subarray(28), packet.subarray(0, 548));
});

test('ICMP does not answer errors, groups, later fragments or impossible sources', () => {
  const icmp = (type: number) =>
    ipv4({ source: A, destination: B, protocol: 1, payload: Uint8Array.of(type, 0, 0, 0) });
  const answered = (packet: Uint8Array) => mayAnswer(packet, 0, packet.length);
  const fragment = ipv4({ source: A, destination: B });
  new DataView(fragment.buffer).setUint16(6, 5);
  assert.equal(answered(fragment), false);
  for (const type of [3, 4, 5, 11, 12]) assert.equal(answered(icmp(type)), false);
  assert.equal(answered(icmp(8)), true);
  assert.equal(
    answered(ipv4({ source: A, destination: B, protocol: 1, payload: new Uint8Array() })),
    false,
  );
  for (const source of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255']) {
    assert.equal(answered(ipv4({ source, destination: B })), false);
  }
  for (const destination of ['239.1.2.3', '255.255.255.255']) {
    assert.equal(answered(ipv4({ source: A, destination })), false);
  }
});

test('lengths are those of the header, or the packet is none', () => {
  const packet = ipv4({ source: A, destination: B });
  assert.equal(ipv4Length(packet, 0, packet.length), 28);
  assert.equal(ipv4Length(Uint8Array.from([...packet, 0, 0]), 0, 30), 28);
  assert.equal(ipv4Length(packet, 0, 27), -1);
  assert.equal(ipv4Length(packet, 0, 19), -1);
  for (const [at, value] of [
    [0, 0x65],
    [0, 0x44],
    [0, 0x4f],
    [3, 19],
  ] as const) {
    assert.equal(ipv4Length(packet.with(at, value), 0, 28), -1);
  }
  const v6 = ipv6('fe80' + '0'.repeat(28), 'ff02' + '0'.repeat(28));
  assert.equal(ipv6Length(v6, 0, 48), 48);
  assert.equal(ipv6Length(v6, 0, 47), -1);
  assert.equal(ipv6Length(v6, 0, 39), -1);
  assert.equal(ipv6Length(v6.with(0, 0x45), 0, 48), -1);
});
