/** RFC 2865 §3, §5: what is read can be written, and reads the same again; nothing that comes throws, and nothing false is believed. */
import assert from 'node:assert/strict';
import { readAccessAnswer } from '../../../src/radius/access-answer.ts';
import { openAnswer, openRequest, sealAnswer } from '../../../src/radius/sealing.ts';
import { SharedSecret } from '../../../src/radius/shared-secret.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import {
  decodeRadiusPacket,
  encodeRadiusPacket,
  messageAuthenticatorAt,
  type AttributeCipher,
  type RadiusPacket,
} from '../../../src/wire/radius.ts';
import type { RadiusAttribute } from '../../../src/wire/radius-attributes.ts';
import {
  parseFramedIpv6Route,
  parseFramedRoute,
  parseMikrotikRateLimit,
} from '../../../src/wire/radius-texts.ts';
import { radiusSamples } from '../../wire/radius-samples.ts';
import { harness } from '../harness.ts';
import type { Random } from '../random.ts';

/** Hides nothing. */
const plainly: AttributeCipher = { hide: (_, plain) => plain, reveal: (_, hidden) => hidden };
const secret = new SharedSecret('testing123');
const authenticator = new Uint8Array(16).fill(7);
const words = [
  '10.0.0.0',
  '/8',
  ' ',
  '0.0.0.0',
  '1',
  '2001:db8::',
  '/64',
  '::',
  'k',
  'M',
  '/',
  '0',
];
const texts = ['10.0.0.0/8 0.0.0.0 1', '2001:db8::/32 :: 1', '1M/4M 2M/8M 1M/4M 10/10 8 256k/256k'];

function attributes(random: Random): RadiusAttribute[] {
  return random.list(12, () => random.pick(radiusSamples));
}

function sealed(random: Random): Uint8Array {
  return sealAnswer(plain(random), authenticator, secret, (length) => random.octets(length));
}

function plain(random: Random) {
  const code = random.pick([1, 2, 3, 4, 5, 11, 12, 40, 43]);
  return { code, identifier: random.below(256), attributes: attributes(random) };
}

function packet(random: Random): Uint8Array {
  const octets = encodeRadiusPacket({ ...plain(random), authenticator }, plainly);
  if (random.chance(4)) return octets;
  const damaged = random.damaged(octets);
  // Mostly of the length that it says, so that its attributes are looked at.
  if (!random.chance(4) && damaged.length >= 4) {
    damaged[2] = damaged.length >> 8;
    damaged[3] = damaged.length;
  }
  return damaged;
}

export const radiusPackets = harness({
  name: 'radius-packets',
  generate(random) {
    const text = random.damagedText(random.pick(texts), words);
    if (random.chance(3)) {
      const whole = sealed(random);
      const octets = random.chance(2) ? whole : random.damaged(whole);
      // What is put behind it is padding.
      return { octets, isSealed: whole.every((octet, i) => octet === octets[i]), text };
    }
    const octets = random.chance(8) ? random.anyOctets(200) : packet(random);
    return { octets, isSealed: false, text };
  },
  run({ octets, isSealed, text }) {
    const before = octets.slice();
    const decoded = decodeRadiusPacket(octets, plainly);
    if (!isMalformed(decoded)) {
      assert.ok(decoded.attributes.length + decoded.faults.length <= octets.length / 2);
      assert.ok(!isMalformed(messageAuthenticatorAt(octets)) || decoded.attributes.length > 0);
      const again = encoded(decoded);
      if (again !== undefined) {
        const reread = decodeRadiusPacket(again, plainly);
        assert.ok(!isMalformed(reread));
        assert.deepEqual(reread.attributes, decoded.attributes);
        assert.deepEqual([reread.faults, reread.skipped], [[], 0]);
      }
      for (const method of ['pap', 'mschap', 'mschap-v2', 'eap'] as const) {
        const { kind, faults } = readAccessAnswer(decoded, { method });
        assert.ok(kind !== 'accept' || decoded.code === 2);
        assert.ok(faults.every((fault) => fault.length < 200));
      }
    }
    openRequest(octets, secret);
    const answer = openAnswer(octets, authenticator, secret);
    const isBelieved = typeof answer === 'object' && !isMalformed(answer);
    assert.ok(isSealed || !isBelieved, 'an answer is believed that nobody has sealed');
    assert.deepEqual(octets, before, 'the input was changed');

    const route = parseFramedRoute(text);
    if (!isMalformed(route)) assert.ok(route.destination.length <= 32);
    const route6 = parseFramedIpv6Route(text);
    if (!isMalformed(route6)) assert.ok(route6.destination.length <= 128);
    const rates = parseMikrotikRateLimit(text);
    if (!isMalformed(rates)) assert.ok(rates.up !== 0 && rates.down !== 0);
  },
});

/** undefined where it does not fit: prefixes and tags are written whole, prefixes only of a length that there is. */
function encoded(packet: RadiusPacket): Uint8Array | undefined {
  try {
    return encodeRadiusPacket(packet, plainly);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
