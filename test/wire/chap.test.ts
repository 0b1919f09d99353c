import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ChapAlgorithm, decodeChap, encodeChap, type ChapPacket } from '../../src/wire/chap.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import { textFromOctets, textOf } from '../../src/wire/text.ts';
import { bad, hex } from './sample.ts';

const samples: readonly { octets: Uint8Array; packet: ChapPacket; shortest: number }[] = [
  {
    // MS-CHAP-V2 of pppd: 16 octets, the name of the server. The challenge of RFC 2759 §9.2.
    octets: hex("01 4e 001b 10 5b5d7c7d7b3f2f3e3c2c602132262628 'office'"),
    packet: {
      kind: 'challenge',
      identifier: 0x4e,
      value: hex('5b5d7c7d7b3f2f3e3c2c602132262628'),
      name: textOf('office'),
    },
    shortest: 21,
  },
  {
    // Microsoft's servers send no name.
    octets: hex('01 00 000d 08 102db5df085d3041'),
    packet: {
      kind: 'challenge',
      identifier: 0,
      value: hex('102db5df085d3041'),
      name: textOf(''),
    },
    shortest: 13,
  },
  {
    octets: hex("02 4e 001a 10 000102030405060708090a0b0c0d0e0f 'D' 5c 'usr'"),
    packet: {
      kind: 'response',
      identifier: 0x4e,
      value: hex('000102030405060708090a0b0c0d0e0f'),
      name: textOf('D\\usr'),
    },
    shortest: 21,
  },
  {
    octets: hex("03 4e 0033 'S=407A5589115FD0D6209F510FE9C04566932CDA56 M=ok'"),
    packet: {
      kind: 'success',
      identifier: 0x4e,
      message: textOf('S=407A5589115FD0D6209F510FE9C04566932CDA56 M=ok'),
    },
    shortest: 4,
  },
  {
    octets: hex("04 ff 000d 'E=691 R=0'"),
    packet: { kind: 'failure', identifier: 255, message: textOf('E=691 R=0') },
    shortest: 4,
  },
];

/** `octets` cut to `length`, its length field telling so. */
function cut(octets: Uint8Array, length: number): Uint8Array {
  const shorter = octets.slice(0, length);
  if (length >= 4) shorter.set([length >> 8, length & 255], 2);
  return shorter;
}

describe('a CHAP packet', () => {
  for (const { octets, packet, shortest } of samples) {
    it(`is laid out as in RFC 1994 §4: ${packet.kind} ${packet.identifier}`, () => {
      assert.deepEqual(decodeChap(octets), packet);
      assert.deepEqual(encodeChap(packet), octets);
    });

    it(`is refused if it is cut before name or message: ${packet.kind} ${packet.identifier}`, () => {
      for (let length = 0; length < shortest; length++)
        bad(decodeChap(cut(octets, length)), 'too-short');
      assert.equal(isMalformed(decodeChap(cut(octets, shortest))), false);
    });
  }

  it('may have a value and name of no octets', () => {
    assert.deepEqual(decodeChap(hex('02 01 0005 00')), {
      kind: 'response',
      identifier: 1,
      value: new Uint8Array(),
      name: textOf(''),
    });
  });

  it('is refused with another code', () => {
    for (const code of ['00', '05', '06']) bad(decodeChap(hex(`${code} 01 0004`)), 'unknown-type');
  });

  it('refuses to be encoded with a value of more than 255 octets', () => {
    const packet = { kind: 'challenge', identifier: 1, name: textOf('') } as const;
    assert.equal(encodeChap({ ...packet, value: new Uint8Array(255) }).length, 260);
    assert.throws(() => encodeChap({ ...packet, value: new Uint8Array(256) }), RangeError);
  });

  it('comes back as it went, names octet for octet', () => {
    const identifier = fc.nat(255);
    const text = fc.uint8Array({ maxLength: 20 }).map(textFromOctets);
    const options = { noNullPrototype: true };
    const anyPacket: fc.Arbitrary<ChapPacket> = fc.oneof(
      fc.record(
        {
          kind: fc.constantFrom('challenge', 'response'),
          identifier,
          value: fc.uint8Array({ maxLength: 255 }),
          name: text,
        },
        options,
      ),
      fc.record(
        { kind: fc.constantFrom('success', 'failure'), identifier, message: text },
        options,
      ),
    );
    fc.assert(
      fc.property(anyPacket, (packet) => {
        assert.deepEqual(decodeChap(encodeChap(packet)), packet);
      }),
    );
  });

  it('decodes from any octets without throwing, and encodes to the same', () => {
    const likely = fc
      .tuple(fc.nat(5), fc.nat(10), fc.uint8Array({ maxLength: 12 }))
      .map(([code, size, tail]) => Uint8Array.of(code, 1, 0, tail.length + 5, size, ...tail));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 16 }), likely), (octets) => {
        const packet = decodeChap(octets);
        if (isMalformed(packet)) return;
        const again = encodeChap(packet);
        assert.deepEqual(again, octets.subarray(0, again.length));
      }),
      { numRuns: 300 },
    );
  });

  it('has the algorithms of RFC 1994, RFC 2433 and RFC 2759', () => {
    assert.deepEqual(ChapAlgorithm, { Md5: 5, MsChap: 0x80, MsChapV2: 0x81 });
  });
});
