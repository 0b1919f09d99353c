import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed, malformed } from '../../src/wire/codec.ts';
import {
  decodeRadiusHeader,
  decodeRadiusPacket,
  encodeRadiusPacket,
  messageAuthenticatorAt,
  RADIUS_MAX_LENGTH,
  radiusLength,
  RadiusCode,
  type AttributeCipher,
} from '../../src/wire/radius.ts';
import {
  radiusAttributes,
  radiusValue,
  radiusValues,
  type RadiusAttribute,
} from '../../src/wire/radius-attributes.ts';
import { textOf } from '../../src/wire/text.ts';
import { bad, hex, ok } from './sample.ts';
import { radiusSamples } from './radius-samples.ts';

/** Hides nothing. */
const plainly: AttributeCipher = { hide: (_, plain) => plain, reveal: (_, hidden) => hidden };
const authenticator = hex('0f403f9473978057bd83d5cb98f4227a');

const encoded = (...attributes: RadiusAttribute[]): Uint8Array =>
  encodeRadiusPacket(
    { code: RadiusCode.AccessRequest, identifier: 7, authenticator, attributes },
    plainly,
  );
const decoded = (octets: Uint8Array) => ok(decodeRadiusPacket(octets, plainly));
/** The octets of one packet with these attributes. */
const around = (attributes: string): Uint8Array => {
  const body = hex(attributes);
  return Uint8Array.of(2, 7, 0, 20 + body.length, ...authenticator, ...body);
};

describe('a RADIUS packet (RFC 2865 §3)', () => {
  it('is read as RFC 2865 §7.1 prints it', () => {
    const octets = hex(
      `01 00 0038 0f403f9473978057bd83d5cb98f4227a 0106 'nemo' 0212 0dbe708d93d413ce3196e43f782a0aee 0406 c0a80110 0506 00000003`,
    );
    const packet = decoded(octets);
    assert.deepEqual(packet, {
      code: RadiusCode.AccessRequest,
      identifier: 0,
      authenticator,
      attributes: [
        { name: 'User-Name', value: textOf('nemo') },
        { name: 'User-Password', value: hex('0dbe708d93d413ce3196e43f782a0aee') },
        { name: 'NAS-IP-Address', value: 0xc0a80110 },
        { name: 'NAS-Port', value: 3 },
      ],
      skipped: 0,
      faults: [],
    });
    assert.deepEqual(encodeRadiusPacket(packet, plainly), octets);
  });

  it('has as many octets as it says: fewer are refused, more are padding', () => {
    const octets = encoded({ name: 'NAS-Port', value: 3 });
    for (let length = 0; length < octets.length; length++) {
      bad(decodeRadiusHeader(octets.subarray(0, length)), 'too-short');
      bad(decodeRadiusPacket(octets.subarray(0, length), plainly), 'too-short');
      assert.equal(radiusLength(octets.subarray(0, length)), undefined);
    }
    const padded = Uint8Array.of(...octets, 80, 18, 1, 2, 3);
    assert.deepEqual(decoded(padded), decoded(octets));
    assert.equal(radiusLength(padded), octets.length);
    assert.equal(messageAuthenticatorAt(padded), undefined);
  });

  it('has 20 to 4096 octets', () => {
    for (const length of [0, 19]) {
      const octets = new Uint8Array(30);
      octets[3] = length;
      bad(radiusLength(octets), 'too-short');
      bad(decodeRadiusHeader(octets), 'too-short');
    }
    const octets = new Uint8Array(5000);
    octets.set([2, 0, 0x10, 0x01]);
    bad(decodeRadiusHeader(octets), 'too-long');
    const full: RadiusAttribute = { name: 'Class', value: new Uint8Array(253) };
    const rest: RadiusAttribute = { name: 'Class', value: new Uint8Array(4076 - 15 * 255 - 4) };
    const list = Array.from({ length: 15 }, () => full);
    assert.equal(encoded(...list, rest).length, RADIUS_MAX_LENGTH - 2);
    assert.throws(() => encoded(...list, full), RangeError);
  });

  it('is refused where an attribute runs over its end or has no room for itself', () => {
    for (const attributes of ['01', '0100', '0101', '0107 41424344', '0403 41 0104 41'])
      bad(decodeRadiusPacket(around(attributes), plainly), 'bad-value');
    bad(messageAuthenticatorAt(around('0105 4142')), 'bad-value');
  });

  it('has one Message-Authenticator of 16 octets at most', () => {
    assert.equal(messageAuthenticatorAt(around('0103 41 5012 0*16')), 25);
    bad(messageAuthenticatorAt(around('5012 0*16 5012 0*16')), 'bad-value');
    bad(messageAuthenticatorAt(around('5011 0*15')), 'bad-value');
  });
});

describe('the attributes', () => {
  it('come back as they went, each of the table', () => {
    for (const attribute of radiusSamples) {
      const packet = decoded(encoded(attribute));
      assert.deepEqual(packet.attributes, [attribute]);
      assert.deepEqual([packet.skipped, packet.faults], [0, []]);
    }
    const names = new Set(radiusSamples.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(radiusAttributes).filter((name) => !names.has(name as never)),
      [],
    );
  });

  it('that we do not know, and those of unknown vendors, are skipped and counted', () => {
    const packet = decoded(
      around(
        '0706 00000001 fa04 0102 1a0c 00000009 0106 41424344 1a0a 00000137 6304 0000 1a04 0000',
      ),
    );
    assert.deepEqual(packet.attributes, [{ name: 'Framed-Protocol', value: 1 }]);
    assert.equal(packet.skipped, 4);
    assert.deepEqual(packet.faults, []);
  });

  it('with a wrong value are named, and the others count', () => {
    const packet = decoded(
      around('0805 0a0000 1b06 0000003c 1a0b 00000137 1c05 0a0000 1a09 00000137 1c09 00'),
    );
    assert.deepEqual(packet.attributes, [{ name: 'Session-Timeout', value: 60 }]);
    assert.equal(packet.faults.length, 3);
    assert.match(packet.faults[0]!, /^Framed-IP-Address: 3 octets/);
    assert.match(packet.faults[1]!, /vendor 311|MS-Primary-DNS-Server/);
  });

  it('of one vendor may share a Vendor-Specific', () => {
    const packet = decoded(around('1a12 00000137 0706 00000002 0806 00000004'));
    assert.deepEqual(packet.attributes, [
      { name: 'MS-MPPE-Encryption-Policy', value: 2 },
      { name: 'MS-MPPE-Encryption-Types', value: 4 },
    ]);
  });

  it('that are too long for one go over several (RFC 3579 §3.1, RFC 2548 §2.1.6)', () => {
    const eap = Uint8Array.from({ length: 600 }, (_, i) => i & 0xff);
    const octets = encoded({ name: 'EAP-Message', value: eap }, { name: 'NAS-Port', value: 1 });
    assert.equal(octets.length, 20 + 600 + 3 * 2 + 6);
    assert.deepEqual(radiusValue(decoded(octets).attributes, 'EAP-Message'), eap);
    const empty = encoded({ name: 'EAP-Message', value: new Uint8Array() });
    assert.deepEqual(empty.subarray(20), Uint8Array.of(79, 2));

    const encryptedPassword = Uint8Array.from({ length: 516 }, (_, i) => (i * 7) & 0xff);
    const change = encoded({
      name: 'MS-CHAP-NT-Enc-PW',
      value: { identifier: 9, encryptedPassword },
    });
    assert.deepEqual(change.subarray(20, 33), hex('1aff 00000137 06f9 06 09 0001 00').slice(0, 13));
    assert.deepEqual(decoded(change).attributes, [
      { name: 'MS-CHAP-NT-Enc-PW', value: { identifier: 9, encryptedPassword } },
    ]);
    const swapped = change.slice();
    swapped[20 + 11] = 3;
    assert.match(decoded(swapped).faults[0]!, /out of order/);
  });

  it('have a tag or none (RFC 2868 §3)', () => {
    const packet = decoded(around(`4006 01000001 4006 20000001 4304 01 41 4305 'abc'`));
    assert.deepEqual(radiusValues(packet.attributes, 'Tunnel-Type'), [
      { tag: 1, value: 1 },
      { tag: 0, value: 1 },
    ]);
    assert.deepEqual(radiusValues(packet.attributes, 'Tunnel-Server-Endpoint'), [
      { tag: 1, value: textOf('A') },
      { tag: 0, value: textOf('abc') },
    ]);
  });

  it('that nobody can carry are our own misuse', () => {
    for (const attribute of [
      { name: 'User-Name', value: textOf('') },
      { name: 'User-Name', value: textOf('x'.repeat(254)) },
      { name: 'User-Password', value: new Uint8Array(129) },
      { name: 'NAS-Port', value: 2 ** 32 },
      { name: 'Tunnel-Type', value: { tag: 32, value: 1 } },
      { name: 'Tunnel-Type', value: { tag: 1, value: 2 ** 24 } },
      { name: 'Tunnel-Assignment-Id', value: { tag: -1, value: textOf('x') } },
      { name: 'Framed-IPv6-Prefix', value: { address: new Uint8Array(16), length: 129 } },
      { name: 'Mikrotik-Rate-Limit', value: textOf('1'.repeat(253)) },
    ] as RadiusAttribute[])
      assert.throws(() => encoded(attribute), RangeError, attribute.name);
  });

  it('hidden in a way that cannot be revealed are faults', () => {
    const octets = encoded({ name: 'MS-MPPE-Send-Key', value: new Uint8Array(4) });
    const reveal = () => malformed('bad-value', 'hidden value of 4 octets');
    const packet = ok(decodeRadiusPacket(octets, { ...plainly, reveal }));
    assert.deepEqual(packet.attributes, []);
    assert.deepEqual(packet.faults, ['MS-MPPE-Send-Key: hidden value of 4 octets']);
  });

  it('are read from any octets without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        const octets = Uint8Array.of(2, 7, 0, 20 + body.length, ...authenticator, ...body);
        const packet = decodeRadiusPacket(octets, plainly);
        if (!isMalformed(packet)) assert.ok(packet.attributes.length <= body.length / 2);
      }),
    );
  });
});
