import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed } from '../../src/wire/codec.ts';
import { decodePap, encodePap, type PapPacket } from '../../src/wire/pap.ts';
import { textFromOctets, textOf } from '../../src/wire/text.ts';
import { bad, hex } from './sample.ts';

const samples: readonly { octets: Uint8Array; packet: PapPacket }[] = [
  {
    octets: hex("01 01 0010 04 'anna' 06 's3cret'"),
    packet: {
      kind: 'authenticate-request',
      identifier: 1,
      peerId: textOf('anna'),
      password: hex("'s3cret'"),
    },
  },
  {
    octets: hex('01 ff 0006 00 00'),
    packet: {
      kind: 'authenticate-request',
      identifier: 255,
      peerId: textOf(''),
      password: new Uint8Array(),
    },
  },
  {
    octets: hex("02 01 000d 08 'Login ok'"),
    packet: { kind: 'authenticate-ack', identifier: 1, message: textOf('Login ok') },
  },
  {
    octets: hex("03 01 0014 0f 'Login incorrect'"),
    packet: { kind: 'authenticate-nak', identifier: 1, message: textOf('Login incorrect') },
  },
];

describe('a PAP packet', () => {
  for (const { octets, packet } of samples) {
    it(`is laid out as in RFC 1334 §2.2: ${packet.kind} of ${octets.length}`, () => {
      assert.deepEqual(decodePap(octets), packet);
      assert.deepEqual(encodePap(packet), octets);
    });

    it(`is read with octets behind its last field: ${packet.kind} of ${octets.length}`, () => {
      const longer = Uint8Array.of(...octets, 0);
      longer[3]!++;
      assert.deepEqual(decodePap(longer), packet);
    });

    it(`is refused if it is cut: ${packet.kind} of ${octets.length}`, () => {
      for (let length = 0; length < octets.length; length++) {
        const shorter = octets.slice(0, length);
        if (length >= 4) shorter.set([0, length], 2);
        // RFC 1334 wants the Msg-Length, but an answer without it is a whole one.
        const bare = length === 4 && packet.kind !== 'authenticate-request';
        if (bare) assert.deepEqual(decodePap(shorter), { ...packet, message: textOf('') });
        else bad(decodePap(shorter), 'too-short');
      }
    });
  }

  it('is refused with another code', () => {
    for (const code of ['00', '04']) bad(decodePap(hex(`${code} 01 0005 00`)), 'unknown-type');
  });

  it('refuses to be encoded with a field of more than 255 octets', () => {
    const longest = new Uint8Array(255);
    const request = { kind: 'authenticate-request', identifier: 1, peerId: textOf('x') } as const;
    assert.equal(encodePap({ ...request, password: longest }).length, 4 + 2 + 256);
    const password = new Uint8Array(256).fill(65);
    // The error must not tell the secret.
    assert.throws(() => encodePap({ ...request, password }), /^RangeError: PAP field: 256 octets$/);
    const message = textOf('x'.repeat(256));
    assert.throws(
      () => encodePap({ kind: 'authenticate-nak', identifier: 1, message }),
      RangeError,
    );
  });

  it('comes back as it went', () => {
    const identifier = fc.nat(255);
    const octets = fc.uint8Array({ maxLength: 255 });
    const text = octets.map(textFromOctets);
    const options = { noNullPrototype: true };
    const anyPacket: fc.Arbitrary<PapPacket> = fc.oneof(
      fc.record(
        {
          kind: fc.constant('authenticate-request' as const),
          identifier,
          peerId: text,
          password: octets,
        },
        options,
      ),
      fc.record(
        {
          kind: fc.constantFrom('authenticate-ack', 'authenticate-nak'),
          identifier,
          message: text,
        },
        options,
      ),
    );
    fc.assert(
      fc.property(anyPacket, (packet) => {
        assert.deepEqual(decodePap(encodePap(packet)), packet);
      }),
    );
  });

  it('decodes from any octets without throwing', () => {
    const likely = fc
      .tuple(fc.nat(4), fc.uint8Array({ maxLength: 12, max: 8 }))
      .map(([code, tail]) => Uint8Array.of(code, 1, 0, tail.length + 4, ...tail));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 16 }), likely), (octets) => {
        const packet = decodePap(octets);
        if (isMalformed(packet)) return;
        assert.deepEqual(decodePap(encodePap(packet)), packet);
      }),
      { numRuns: 300 },
    );
  });

  it('has a password in memory of its own', () => {
    const input = Buffer.from(samples[0]!.octets);
    const packet = decodePap(input);
    input.fill(0);
    assert.deepEqual(packet, samples[0]!.packet);
  });
});
