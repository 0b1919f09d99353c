import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeIpv6, hasRightIpv6Checksum, parseIpv6Address } from '../../src/wire/ipv6.ts';
import { decodeUdp, encodeUdp } from '../../src/wire/udp.ts';
import { bad, hex, ok } from './sample.ts';

const carrier = {
  hopLimit: 64,
  source: parseIpv6Address('fe80::1')!,
  destination: parseIpv6Address('fe80::2')!,
};

test('a datagram over IPv6: RFC 768, RFC 8200 §8.1', () => {
  const packet = encodeUdp({ sourcePort: 547, destinationPort: 546 }, hex("'abc'"), carrier);
  assert.deepEqual(
    encodeIpv6(packet),
    hex("60000000 000b 11 40 fe80 0*13 01 fe80 0*13 02 0223 0222 000b 3a2c 'abc'"),
  );
  assert.ok(hasRightIpv6Checksum(packet));
  assert.ok(!hasRightIpv6Checksum({ ...packet, nextHeader: 58 }));
  assert.deepEqual(ok(decodeUdp(packet.payload)), {
    sourcePort: 547,
    destinationPort: 546,
    checksum: 0x3a2c,
    payload: hex("'abc'"),
  });
});

test('a sum of 0 is written as ffff, for 0 means that there is none', () => {
  for (let n = 0; n < 0x10000; n++) {
    const payload = Uint8Array.of(n >> 8, n);
    const packet = encodeUdp({ sourcePort: 1, destinationPort: 2 }, payload, carrier);
    const { checksum } = ok(decodeUdp(packet.payload));
    if (checksum !== 0xffff) continue;
    assert.ok(hasRightIpv6Checksum(packet));
    return;
  }
  assert.fail('no payload has this sum');
});

test('a length that is not that of the datagram', () => {
  bad(decodeUdp(hex('0001 0002 0008 00')), 'too-short');
  for (const length of ['0000', '0007', '0009', 'ffff'])
    bad(decodeUdp(hex(`0001 0002 ${length} 0000`)), 'bad-value');
  assert.equal(ok(decodeUdp(hex('0001 0002 0008 0000'))).payload.length, 0);
});
