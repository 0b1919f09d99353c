import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decode, encode, isMalformed } from '../../src/wire/codec.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
  magicNumberData,
  PacketCode,
  protocolRejectData,
} from '../../src/wire/control-packet.ts';
import { bad, hex, ok } from './sample.ts';

const packets = [
  {
    what: 'a Configure-Request of pppd',
    octets: hex('01 01 0014 02060000 0000 0506 8c2f6a11 0702 0802'),
    packet: {
      code: PacketCode.ConfigureRequest,
      identifier: 1,
      data: hex('020600000000 05068c2f6a11 0702 0802'),
    },
  },
  {
    what: 'a Terminate-Request with its reason',
    octets: hex("05 02 0010 'User request'"),
    packet: { code: PacketCode.TerminateRequest, identifier: 2, data: hex("'User request'") },
  },
  {
    what: 'a CCP Reset-Request without data',
    octets: hex('0e ff 0004'),
    packet: { code: PacketCode.ResetRequest, identifier: 255, data: new Uint8Array() },
  },
] as const;

describe('a control packet', () => {
  for (const { what, octets, packet } of packets) {
    it(`is laid out as in RFC 1661 §5: ${what}`, () => {
      assert.deepEqual(encodeControlPacket(packet), octets);
      assert.deepEqual(decodeControlPacket(octets), packet);
    });

    it(`drops the padding behind its length: ${what}`, () => {
      assert.deepEqual(decodeControlPacket(Uint8Array.of(...octets, 0, 0xff)), packet);
    });

    it(`is refused if it is cut: ${what}`, () => {
      for (let length = 0; length < octets.length; length++)
        bad(decodeControlPacket(octets.subarray(0, length)), 'too-short');
    });
  }

  it('is refused if its length does not cover its header', () => {
    for (const length of ['0000', '0001', '0003'])
      bad(decodeControlPacket(hex(`01 01 ${length} 0000`)), 'bad-value');
  });

  it('comes back as it went', () => {
    const anyPacket = fc.record(
      { code: fc.nat(255), identifier: fc.nat(255), data: fc.uint8Array({ maxLength: 300 }) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(anyPacket, (packet) => {
        assert.deepEqual(decodeControlPacket(encodeControlPacket(packet)), packet);
      }),
    );
  });

  it('decodes from any octets without throwing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 12 }),
        fc.option(fc.nat(14)),
        fc.boolean(),
        (octets, length, buffer) => {
          const input = buffer ? Buffer.from(octets) : octets.slice();
          if (length !== null && input.length >= 4) input.set([0, length], 2);
          const packet = decodeControlPacket(input);
          if (isMalformed(packet)) return;
          const expected = input.slice(4, 4 + packet.data.length).join();
          input.fill(0);
          assert.equal(packet.data.join(), expected);
        },
      ),
    );
  });

  it('refuses to be encoded where it does not fit', () => {
    const data = new Uint8Array();
    for (const [code, identifier] of [
      [256, 0],
      [-1, 0],
      [1.5, 0],
      [1, 256],
      [1, NaN],
    ] as const)
      assert.throws(() => encodeControlPacket({ code, identifier, data }), RangeError);
    const packet = { code: 1, identifier: 1 };
    assert.equal(encodeControlPacket({ ...packet, data: new Uint8Array(65531) }).length, 65535);
    assert.throws(
      () => encodeControlPacket({ ...packet, data: new Uint8Array(65532) }),
      RangeError,
    );
  });

  it('has the codes of RFC 1661 §5, RFC 1570 §2 and RFC 1962 §3 in order', () => {
    assert.deepEqual(
      Object.entries(PacketCode).map(([name, code]) => `${code} ${name}`),
      [
        '1 ConfigureRequest',
        '2 ConfigureAck',
        '3 ConfigureNak',
        '4 ConfigureReject',
        '5 TerminateRequest',
        '6 TerminateAck',
        '7 CodeReject',
        '8 ProtocolReject',
        '9 EchoRequest',
        '10 EchoReply',
        '11 DiscardRequest',
        '12 Identification',
        '13 TimeRemaining',
        '14 ResetRequest',
        '15 ResetAck',
      ],
    );
  });
});

describe('data of packets', () => {
  it('holds a magic number in echo, discard, identification and time remaining', () => {
    const value = { magicNumber: 0x8c2f6a11, data: hex("'MSRASV5.20'") };
    const octets = hex("8c2f6a11 'MSRASV5.20'");
    assert.deepEqual(ok(decode(magicNumberData, octets, 'echo')), value);
    assert.deepEqual(encode(magicNumberData, value, 'echo'), octets);
    bad(decode(magicNumberData, hex('8c2f6a'), 'echo'), 'too-short');
  });

  it('holds a protocol and its packet in Protocol-Reject', () => {
    const value = { rejectedProtocol: 0x8057, rejectedInformation: hex('01010004') };
    const octets = hex('8057 01010004');
    assert.deepEqual(ok(decode(protocolRejectData, octets, 'reject')), value);
    assert.deepEqual(encode(protocolRejectData, value, 'reject'), octets);
    bad(decode(protocolRejectData, hex('80'), 'reject'), 'too-short');
  });
});
