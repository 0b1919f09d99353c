import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactGre } from '../../../src/daemon/capture/redact.ts';
import { encodeChap } from '../../../src/wire/chap.ts';
import { encodeControlPacket } from '../../../src/wire/control-packet.ts';
import { PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { textOf } from '../../../src/wire/text.ts';
import { framed, gre, octets, password, proof, secretPackets } from './packets.ts';

/** Any run of octets of a secret that is long enough not to be chance. */
function leaks(shown: Uint8Array): string | undefined {
  const RUN = 4;
  const text = Buffer.from(shown);
  for (const secret of [octets(password), proof])
    for (let at = 0; at + RUN <= secret.length; at++)
      if (text.includes(Buffer.from(secret.subarray(at, at + RUN))))
        return `octets ${at}.. of a secret are in ${text.toString('hex')}`;
  return undefined;
}

for (const [name, packet] of Object.entries(secretPackets)) {
  test(`${name}: the secret is left out`, () => {
    assert.notEqual(leaks(packet), undefined, 'the packet must have one to begin with');
    assert.equal(leaks(redactGre(packet)), undefined);
  });

  test(`${name}: nor does a piece or a corruption of it show a secret`, () => {
    for (let length = 0; length <= packet.length; length++)
      assert.equal(leaks(redactGre(packet.subarray(0, length))), undefined, `${length} octets`);
    // A payload length that was cut along with the packet, as a truncated one may have.
    for (let length = 16; length <= packet.length; length++) {
      const cut = packet.slice(0, length);
      new DataView(cut.buffer).setUint16(4, length - 16);
      assert.equal(leaks(redactGre(cut)), undefined, `payload of ${length - 16}`);
    }
  });
}

test('what negotiates is shown whole', () => {
  const challenge = encodeChap({
    kind: 'challenge',
    identifier: 1,
    value: new Uint8Array(16).fill(7),
    name: textOf('router'),
  });
  const request = encodeControlPacket({ code: 1, identifier: 1, data: octets('some options') });
  for (const packet of [
    framed(PppProtocol.Chap, challenge),
    framed(PppProtocol.Lcp, request),
    framed(PppProtocol.Ccp, request),
    framed(PppProtocol.Ipcp, request),
    framed(PppProtocol.Ipv6cp, request),
  ])
    assert.deepEqual(redactGre(packet), packet);
});

test('of what was rejected by LCP the protocol is shown', () => {
  const shown = redactGre(secretPackets['PAP request, rejected by LCP']!);
  assert.deepEqual([...shown.subarray(24, 26)], [0xc0, 0x23]);
  assert.ok(shown.subarray(26).every((octet) => octet === 0));
});

test('of a login code, identifier and length are shown', () => {
  const packet = secretPackets['CHAP response']!;
  const shown = redactGre(packet);
  assert.equal(shown.length, packet.length);
  assert.deepEqual(shown.subarray(0, 24), packet.subarray(0, 24));
  assert.ok(shown.subarray(24).every((octet) => octet === 0));
});

test('of an inner packet addresses and ports are shown', () => {
  const packet = secretPackets['payload of an IP packet']!;
  assert.deepEqual(redactGre(packet), packet.subarray(0, 16 + 4 + 28));
});

test('octets behind the payload are left out', () => {
  const request = encodeControlPacket({ code: 1, identifier: 1, data: octets('options') });
  const packet = framed(PppProtocol.Lcp, request);
  assert.deepEqual(redactGre(Uint8Array.from([...packet, ...octets(password)])), packet);
});

test('of an acknowledgment alone, and of what is no GRE of ours, the header is shown', () => {
  assert.equal(redactGre(gre(new Uint8Array())).length, 16);
  const foreign = secretPackets['PAP request']!.slice();
  foreign[1] = 0x80; // version 0
  assert.deepEqual(redactGre(foreign), foreign.subarray(0, 8));
});

test('the packet itself is not changed', () => {
  for (const packet of Object.values(secretPackets)) {
    const before = packet.slice();
    redactGre(packet);
    assert.deepEqual(packet, before);
  }
});

test('no octets make it throw, and it never shows more than there is', () => {
  const start = fc.constantFrom(
    new Uint8Array(),
    ...Object.values(secretPackets).map((packet) => packet.subarray(0, 22)),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 60 }), fc.nat(30), (head, tail, cut) => {
      const packet = Uint8Array.from([...head, ...tail]).subarray(0, head.length + cut);
      assert.ok(redactGre(packet).length <= packet.length);
    }),
    { numRuns: 1000 },
  );
});
