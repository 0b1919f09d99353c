import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed } from '../../src/wire/codec.ts';
import {
  decodeEap,
  decodeEapMsChapV2Request,
  decodeEapMsChapV2Response,
  EapType,
  encodeEap,
  encodeEapMsChapV2Request,
  encodeEapMsChapV2Response,
  nakTypes,
  type EapMsChapV2Request,
  type EapMsChapV2Response,
  type EapPacket,
} from '../../src/wire/eap.ts';
import { textFromOctets, textOf } from '../../src/wire/text.ts';
import { bad, hex } from './sample.ts';

const samples: readonly { octets: Uint8Array; packet: EapPacket }[] = [
  {
    octets: hex('01 07 0005 01'),
    packet: { kind: 'request', identifier: 7, type: EapType.Identity, data: hex('') },
  },
  {
    octets: hex("02 07 0009 01 'anna'"),
    packet: { kind: 'response', identifier: 7, type: EapType.Identity, data: hex("'anna'") },
  },
  {
    octets: hex('02 08 0006 03 1a'),
    packet: { kind: 'response', identifier: 8, type: EapType.Nak, data: hex('1a') },
  },
  {
    // RFC 3748 §5.7: an expanded type is another type to us.
    octets: hex('01 ff 000c fe 000137 00000001'),
    packet: { kind: 'request', identifier: 255, type: 254, data: hex('000137 00000001') },
  },
  { octets: hex('03 08 0004'), packet: { kind: 'success', identifier: 8 } },
  { octets: hex('04 09 0004'), packet: { kind: 'failure', identifier: 9 } },
];

describe('an EAP packet', () => {
  for (const { octets, packet } of samples) {
    it(`is laid out as in RFC 3748 §4: ${packet.kind} of ${octets.length}`, () => {
      assert.deepEqual(decodeEap(octets), packet);
      assert.deepEqual(encodeEap(packet), octets);
      assert.deepEqual(decodeEap(Uint8Array.of(...octets, 0, 0)), packet, 'padding');
    });

    it(`is refused if it is cut: ${packet.kind} of ${octets.length}`, () => {
      for (let length = 0; length < octets.length; length++)
        bad(decodeEap(octets.slice(0, length)), 'too-short');
    });
  }

  it('is refused with another code, a Length below 4, and without a type', () => {
    for (const code of ['00', '05', '06'])
      bad(decodeEap(hex(`${code} 01 0005 01`)), 'unknown-type');
    bad(decodeEap(hex('01 01 0003 01')), 'bad-value');
    for (const code of ['01', '02']) bad(decodeEap(hex(`${code} 01 0004`)), 'too-short');
  });

  it('names in a Nak what the peer would rather have: RFC 3748 §5.3.1', () => {
    assert.deepEqual(nakTypes(hex('0d 1a')), [EapType.Tls, EapType.MsChapV2]);
    assert.deepEqual(nakTypes(hex('00')), []);
    assert.deepEqual(nakTypes(hex('')), []);
  });

  it('decodes from any octets without throwing, and comes back', () => {
    const likely = fc
      .tuple(fc.nat(5), fc.uint8Array({ maxLength: 12 }))
      .map(([code, tail]) => Uint8Array.of(code, 1, 0, tail.length + 4, ...tail));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 16 }), likely), (octets) => {
        const packet = decodeEap(octets);
        if (!isMalformed(packet)) assert.deepEqual(decodeEap(encodeEap(packet)), packet);
      }),
    );
  });
});

const challenge = '5b5d7c7d7b3f2f3e3c2c602132262628';
const value = `21402324255e262a28295f2b3a337c7e 0*8 82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df 00`;

const requests: readonly { data: Uint8Array; request: EapMsChapV2Request }[] = [
  {
    data: hex(`01 05 001c 10 ${challenge} 'gateway'`),
    request: {
      kind: 'challenge',
      msChapV2Id: 5,
      challenge: hex(challenge),
      name: textOf('gateway'),
    },
  },
  {
    data: hex(`01 00 0015 10 ${challenge}`),
    request: { kind: 'challenge', msChapV2Id: 0, challenge: hex(challenge), name: textOf('') },
  },
  {
    data: hex(`03 05 0008 'S=40'`),
    request: { kind: 'success', msChapV2Id: 5, message: textOf('S=40') },
  },
  {
    data: hex(`04 06 0009 'E=691'`),
    request: { kind: 'failure', msChapV2Id: 6, message: textOf('E=691') },
  },
];

const responses: readonly { data: Uint8Array; response: EapMsChapV2Response }[] = [
  {
    data: hex(`02 05 003a 31 ${value} 'User'`),
    response: { kind: 'response', msChapV2Id: 5, value: hex(value), name: textOf('User') },
  },
  { data: hex('03'), response: { kind: 'success' } },
  { data: hex('04'), response: { kind: 'failure' } },
];

describe('an EAP-MSCHAPv2 packet', () => {
  for (const { data, request } of requests) {
    it(`is laid out as in the draft's §2: ${request.kind} of ${data.length} octets`, () => {
      assert.deepEqual(decodeEapMsChapV2Request(data), request);
      assert.deepEqual(encodeEapMsChapV2Request(request), data);
      const minimum = request.kind === 'challenge' ? 21 : 4;
      for (let length = 0; length < data.length; length++) {
        const error = length === 0 ? 'unknown-type' : length < minimum ? 'too-short' : 'bad-value';
        bad(decodeEapMsChapV2Request(data.slice(0, length)), error);
      }
      bad(decodeEapMsChapV2Request(Uint8Array.of(...data, 0)), 'bad-value');
    });
  }

  for (const { data, response } of responses) {
    it(`is laid out as in the draft's §2: answer ${response.kind} of ${data.length} octets`, () => {
      assert.deepEqual(decodeEapMsChapV2Response(data), response);
      assert.deepEqual(encodeEapMsChapV2Response(response), data);
    });
  }

  it('is refused with another OpCode, from the wrong side, and with a value of another size', () => {
    for (const opCode of ['00', '02', '05', '07', 'ff'])
      bad(decodeEapMsChapV2Request(hex(`${opCode} 05 0004`)), 'unknown-type');
    for (const opCode of ['00', '01', '05', '07', 'ff'])
      bad(decodeEapMsChapV2Response(hex(`${opCode} 05 0004`)), 'unknown-type');
    bad(decodeEapMsChapV2Request(hex(`01 05 0015 11 ${challenge}`)), 'bad-value');
    bad(decodeEapMsChapV2Response(hex(`02 05 0036 30 ${value}`)), 'bad-value');
    bad(decodeEapMsChapV2Response(hex('02 05 0015 31 0*16')), 'too-short');
    bad(decodeEapMsChapV2Response(hex('')), 'unknown-type');
  });

  it('takes what stands behind an acknowledgment', () => {
    assert.deepEqual(decodeEapMsChapV2Response(hex('03 05 0004')), { kind: 'success' });
  });

  it('comes back as it went, with any name and message', () => {
    const msChapV2Id = fc.nat(255);
    const text = fc.uint8Array({ maxLength: 300 }).map(textFromOctets);
    fc.assert(
      fc.property(msChapV2Id, text, (id, message) => {
        const request: EapMsChapV2Request = { kind: 'success', msChapV2Id: id, message };
        assert.deepEqual(decodeEapMsChapV2Request(encodeEapMsChapV2Request(request)), request);
        const response: EapMsChapV2Response = {
          kind: 'response',
          msChapV2Id: id,
          value: new Uint8Array(49),
          name: message,
        };
        assert.deepEqual(decodeEapMsChapV2Response(encodeEapMsChapV2Response(response)), response);
      }),
    );
  });
});
