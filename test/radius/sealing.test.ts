import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { attributeCipher } from '../../src/radius/hiding.ts';
import {
  openAnswer,
  openRequest,
  sealAnswer,
  sealRequest,
  type Opened,
} from '../../src/radius/sealing.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { isMalformed } from '../../src/wire/codec.ts';
import { decodeRadiusPacket, RadiusCode } from '../../src/wire/radius.ts';
import { radiusValue, type RadiusAttribute } from '../../src/wire/radius-attributes.ts';
import { textOf } from '../../src/wire/text.ts';
import { bad, hex, ok } from '../wire/sample.ts';

const secret = new SharedSecret('xyzzy5461');
const random = (length: number) => Uint8Array.from({ length }, (_, i) => 0x80 + i);
const cipher = (authenticator: Uint8Array) => attributeCipher(secret, authenticator, random);

function opened(value: ReturnType<typeof openAnswer>): Opened {
  if (typeof value === 'string') assert.fail(value);
  return ok(value);
}

describe('hidden values', () => {
  const authenticator = hex('0f403f9473978057bd83d5cb98f4227a');
  const { hide, reveal } = cipher(authenticator);

  it('hides User-Password as RFC 2865 §7.1 prints it', () => {
    const hidden = hide('user-password', new TextEncoder().encode('arctangent'));
    assert.deepEqual(hidden, hex('0dbe708d93d413ce3196e43f782a0aee'));
    assert.deepEqual(reveal('user-password', hidden), hex(`'arctangent' 0*6`));
    assert.equal(hide('user-password', new Uint8Array()).length, 16);
  });

  it('come back as they went, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 240 }), (plain) => {
        const salted = hide('salt', plain);
        assert.equal(salted.length % 16, 2);
        assert.deepEqual(reveal('salt', salted), plain);
        const padded = ok(reveal('user-password', hide('user-password', plain)));
        assert.deepEqual(padded.subarray(0, plain.length), plain);
        assert.ok(padded.subarray(plain.length).every((octet) => octet === 0));
      }),
    );
  });

  it('have salts that differ, with the highest bit set (RFC 2548 §2.4.2)', () => {
    const salts = Array.from({ length: 300 }, () => {
      const salted = hide('salt', new Uint8Array(16));
      assert.ok(salted[0]! >= 0x80);
      return `${salted[0]} ${salted[1]}`;
    });
    assert.equal(new Set(salts).size, salts.length);
  });

  it('are refused where shorter than 18 octets, not 2 mod 16, or longer inside than outside', () => {
    for (const length of [0, 1, 2, 3, 16, 17, 19, 33, 35])
      bad(reveal('salt', new Uint8Array(length)), 'bad-value');
    for (const length of [0, 1, 15, 17])
      bad(reveal('user-password', new Uint8Array(length)), 'bad-value');
    // A length octet of 16 in a field of one block, which has room for 15.
    const salted = hide('salt', new Uint8Array(15));
    salted[2]! ^= 15 ^ 16;
    bad(reveal('salt', salted), 'bad-value');
  });
});

describe('a request', () => {
  const attributes: RadiusAttribute[] = [
    { name: 'User-Name', value: textOf('nemo') },
    { name: 'User-Password', value: new TextEncoder().encode('arctangent') },
  ];

  it('for access or of Status-Server has Message-Authenticator first, made with OpenSSL the same', () => {
    for (const code of [RadiusCode.AccessRequest, RadiusCode.StatusServer]) {
      const { octets, authenticator } = sealRequest(
        { code, identifier: 7, attributes },
        secret,
        random,
      );
      assert.deepEqual(octets.subarray(20, 22), Uint8Array.of(80, 18));
      assert.deepEqual(octets.subarray(4, 20), authenticator);
      const unsigned = octets.slice();
      unsigned.fill(0, 22, 38);
      const expected = createHmac('md5', 'xyzzy5461').update(unsigned).digest();
      assert.deepEqual(octets.slice(22, 38), new Uint8Array(expected));
      const packet = ok(decodeRadiusPacket(octets, cipher(authenticator)));
      assert.deepEqual(packet.attributes.slice(1), attributes);
    }
  });

  it('for accounting has a digest as its authenticator (RFC 2866 §3)', () => {
    const { octets, authenticator } = sealRequest(
      { code: RadiusCode.AccountingRequest, identifier: 7, attributes: attributes.slice(0, 1) },
      secret,
      random,
    );
    assert.deepEqual(octets.subarray(20, 22), Uint8Array.of(1, 6));
    const unsigned = octets.slice();
    unsigned.fill(0, 4, 20);
    const digest = createHash('md5').update(unsigned).update('xyzzy5461').digest();
    assert.deepEqual(authenticator, new Uint8Array(digest));
    assert.deepEqual(opened(openRequest(octets, secret)).packet.attributes, attributes.slice(0, 1));
  });

  it('of somebody else, or changed on its way, is found out', () => {
    for (const code of [RadiusCode.DisconnectRequest, RadiusCode.CoaRequest]) {
      const { octets } = sealRequest(
        { code, identifier: 7, attributes: attributes.slice(0, 1) },
        secret,
        random,
      );
      assert.equal(opened(openRequest(octets, secret)).hasMessageAuthenticator, true);
      assert.equal(openRequest(octets, new SharedSecret('xyzzy5462')), 'bad-authenticator');
      const renamed = octets.slice();
      renamed[40] = 0x4e;
      assert.equal(openRequest(renamed, secret), 'bad-authenticator');
      // The outer digest is right, the inner is not.
      const forged = octets.slice();
      forged[22]! ^= 1;
      forged.fill(0, 4, 20);
      forged.set(createHash('md5').update(forged).update('xyzzy5461').digest(), 4);
      assert.equal(openRequest(forged, secret), 'bad-message-authenticator');
    }
  });

  it('whose authenticator proves nothing is no request to obey', () => {
    const { octets } = sealRequest(
      { code: RadiusCode.AccessRequest, identifier: 7, attributes },
      secret,
      random,
    );
    bad(openRequest(octets, secret), 'unknown-type');
    bad(openRequest(octets.subarray(0, 10), secret), 'too-short');
  });
});

describe('an answer', () => {
  const authenticator = hex('0f403f9473978057bd83d5cb98f4227a');

  it('is believed as RFC 2865 §7.1 prints it', () => {
    const octets = hex(
      '02 00 0026 86fe220e7624ba2a1005f6bf9b55e0b2 0606 00000001 0f06 00000000 0e06 c0a80103',
    );
    const { packet, hasMessageAuthenticator } = opened(openAnswer(octets, authenticator, secret));
    assert.equal(hasMessageAuthenticator, false);
    assert.equal(radiusValue(packet.attributes, 'Service-Type'), 1);
    assert.equal(packet.skipped, 2);
    const padded = Uint8Array.of(...octets, 1, 2, 3);
    assert.deepEqual(opened(openAnswer(padded, authenticator, secret)).packet, packet);
  });

  it('of another server, to another request, or changed at any place is not', () => {
    const octets = sealAnswer(
      {
        code: RadiusCode.AccessAccept,
        identifier: 7,
        attributes: [{ name: 'MS-MPPE-Send-Key', value: hex('000102030405060708090a0b0c0d0e0f') }],
      },
      authenticator,
      secret,
      random,
    );
    const { packet, hasMessageAuthenticator } = opened(openAnswer(octets, authenticator, secret));
    assert.equal(hasMessageAuthenticator, true);
    assert.deepEqual(
      radiusValue(packet.attributes, 'MS-MPPE-Send-Key'),
      hex('000102030405060708090a0b0c0d0e0f'),
    );
    assert.equal(openAnswer(octets, authenticator, new SharedSecret('x')), 'bad-authenticator');
    assert.equal(openAnswer(octets, new Uint8Array(16), secret), 'bad-authenticator');
    for (let at = 0; at < octets.length; at++) {
      const changed = octets.slice();
      changed[at]! ^= 4;
      const outcome = openAnswer(changed, authenticator, secret);
      assert.ok(typeof outcome === 'string' || isMalformed(outcome), `octet ${at}`);
    }
  });
});

it('a shared secret shows itself nowhere, and is not empty', () => {
  for (const text of [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }),
    inspect(secret),
  ])
    assert.ok(!text.includes('xyzzy'), text);
  assert.throws(() => new SharedSecret(''), TypeError);
});
