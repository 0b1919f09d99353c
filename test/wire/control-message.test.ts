import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed } from '../../src/wire/codec.ts';
import {
  controlMessageNames,
  decodeControlHeader,
  decodeControlMessage,
  encodeControlMessage,
  HEADER_LENGTH,
  MAGIC_COOKIE,
  MAX_MESSAGE_LENGTH,
  messageLength,
  type ControlMessage,
} from '../../src/wire/control-message.ts';
import { bad, hex, ok } from './sample.ts';

interface Sample {
  readonly code: number;
  /** RFC 2637's length of the message. */
  readonly length: number;
  readonly message: ControlMessage;
  /** Laid out by hand after the diagrams of RFC 2637 §2. */
  readonly octets: Uint8Array;
  /** Where reserved octets lie: [from, to). */
  readonly reserved: readonly (readonly [number, number])[];
}

const samples: readonly Sample[] = [
  {
    // As pptp-linux sends it.
    code: 1,
    length: 156,
    message: {
      name: 'StartControlConnectionRequest',
      protocolVersion: 0x0100,
      framingCapabilities: 3,
      bearerCapabilities: 3,
      maximumChannels: 65535,
      firmwareRevision: 1,
      hostName: 'local',
      vendorName: 'cananian',
    },
    octets: hex(`
      009c 0001 1a2b3c4d 0001 0000
      0100 0000 00000003 00000003 ffff 0001
      'local' 0*59 'cananian' 0*56`),
    reserved: [
      [10, 12],
      [14, 16],
    ],
  },
  {
    // As pptpd answers: capabilities 0.
    code: 2,
    length: 156,
    message: {
      name: 'StartControlConnectionReply',
      protocolVersion: 0x0100,
      resultCode: 1,
      errorCode: 0,
      framingCapabilities: 0,
      bearerCapabilities: 0,
      maximumChannels: 1,
      firmwareRevision: 0x0102,
      hostName: 'office',
      vendorName: 'linux',
    },
    octets: hex(`
      009c 0001 1a2b3c4d 0002 0000
      0100 01 00 00000000 00000000 0001 0102
      'office' 0*58 'linux' 0*59`),
    reserved: [[10, 12]],
  },
  {
    code: 3,
    length: 16,
    message: { name: 'StopControlConnectionRequest', reason: 3 },
    octets: hex('0010 0001 1a2b3c4d 0003 0000 03 00 0000'),
    reserved: [
      [10, 12],
      [13, 16],
    ],
  },
  {
    code: 4,
    length: 16,
    message: { name: 'StopControlConnectionReply', resultCode: 1, errorCode: 2 },
    octets: hex('0010 0001 1a2b3c4d 0004 0000 01 02 0000'),
    reserved: [
      [10, 12],
      [14, 16],
    ],
  },
  {
    code: 5,
    length: 16,
    message: { name: 'EchoRequest', identifier: 0x01000000 },
    octets: hex('0010 0001 1a2b3c4d 0005 0000 01000000'),
    reserved: [[10, 12]],
  },
  {
    code: 6,
    length: 20,
    message: { name: 'EchoReply', identifier: 0xfedcba98, resultCode: 1, errorCode: 3 },
    octets: hex('0014 0001 1a2b3c4d 0006 0000 fedcba98 01 03 0000'),
    reserved: [
      [10, 12],
      [18, 20],
    ],
  },
  {
    code: 7,
    length: 168,
    message: {
      name: 'OutgoingCallRequest',
      callId: 0xee88,
      callSerialNumber: 1,
      minimumBps: 2400,
      maximumBps: 10_000_000,
      bearerType: 3,
      framingType: 2,
      packetReceiveWindowSize: 3,
      packetProcessingDelay: 4,
      phoneNumberLength: 5,
      phoneNumber: '12345',
      subaddress: 'sub',
    },
    octets: hex(`
      00a8 0001 1a2b3c4d 0007 0000
      ee88 0001 00000960 00989680 00000003 00000002 0003 0004 0005 0000
      '12345' 0*59 'sub' 0*61`),
    reserved: [
      [10, 12],
      [38, 40],
    ],
  },
  {
    // Call ID 0 is a valid id: the first call of pptpd has it.
    code: 8,
    length: 32,
    message: {
      name: 'OutgoingCallReply',
      callId: 0,
      peerCallId: 0xee88,
      resultCode: 1,
      errorCode: 2,
      causeCode: 0x0304,
      connectSpeed: 100_000_000,
      packetReceiveWindowSize: 16384,
      packetProcessingDelay: 5,
      physicalChannelId: 6,
    },
    octets: hex(`
      0020 0001 1a2b3c4d 0008 0000
      0000 ee88 01 02 0304 05f5e100 4000 0005 00000006`),
    reserved: [[10, 12]],
  },
  {
    code: 9,
    length: 220,
    message: {
      name: 'IncomingCallRequest',
      callId: 7,
      callSerialNumber: 8,
      bearerType: 2,
      physicalChannelId: 0x0a0b0c0d,
      dialedNumberLength: 3,
      dialingNumberLength: 4,
      dialedNumber: '110',
      dialingNumber: '2220',
      subaddress: '9',
    },
    octets: hex(`
      00dc 0001 1a2b3c4d 0009 0000
      0007 0008 00000002 0a0b0c0d 0003 0004
      '110' 0*61 '2220' 0*60 '9' 0*63`),
    reserved: [[10, 12]],
  },
  {
    code: 10,
    length: 24,
    message: {
      name: 'IncomingCallReply',
      callId: 9,
      peerCallId: 7,
      resultCode: 3,
      errorCode: 4,
      packetReceiveWindowSize: 64,
      packetTransitDelay: 1,
    },
    octets: hex('0018 0001 1a2b3c4d 000a 0000 0009 0007 03 04 0040 0001 0000'),
    reserved: [
      [10, 12],
      [22, 24],
    ],
  },
  {
    code: 11,
    length: 28,
    message: {
      name: 'IncomingCallConnected',
      peerCallId: 9,
      connectSpeed: 64000,
      packetReceiveWindowSize: 64,
      packetTransitDelay: 2,
      framingType: 1,
    },
    octets: hex(`
      001c 0001 1a2b3c4d 000b 0000
      0009 0000 0000fa00 0040 0002 00000001`),
    reserved: [
      [10, 12],
      [14, 16],
    ],
  },
  {
    code: 12,
    length: 16,
    message: { name: 'CallClearRequest', callId: 0xee88 },
    octets: hex('0010 0001 1a2b3c4d 000c 0000 ee88 0000'),
    reserved: [
      [10, 12],
      [14, 16],
    ],
  },
  {
    code: 13,
    length: 148,
    message: {
      name: 'CallDisconnectNotify',
      callId: 0x80,
      resultCode: 4,
      errorCode: 1,
      causeCode: 0x1234,
      callStatistics: 'in 1 out 2',
    },
    octets: hex(`
      0094 0001 1a2b3c4d 000d 0000
      0080 04 01 1234 0000 'in 1 out 2' 0*118`),
    reserved: [
      [10, 12],
      [18, 20],
    ],
  },
  {
    code: 14,
    length: 40,
    message: {
      name: 'WanErrorNotify',
      peerCallId: 0xee88,
      crcErrors: 1,
      framingErrors: 2,
      hardwareOverruns: 3,
      bufferOverruns: 4,
      timeOutErrors: 5,
      alignmentErrors: 6,
    },
    octets: hex(`
      0028 0001 1a2b3c4d 000e 0000
      ee88 0000 00000001 00000002 00000003 00000004 00000005 00000006`),
    reserved: [
      [10, 12],
      [14, 16],
    ],
  },
  {
    code: 15,
    length: 24,
    message: { name: 'SetLinkInfo', peerCallId: 0, sendAccm: 0xffffffff, receiveAccm: 0 },
    octets: hex('0018 0001 1a2b3c4d 000f 0000 0000 0000 ffffffff 00000000'),
    reserved: [
      [10, 12],
      [14, 16],
    ],
  },
];

for (const { code, length, message, octets, reserved } of samples) {
  describe(message.name, () => {
    it('is laid out as in RFC 2637 §2', () => {
      assert.equal(octets.length, length);
      assert.deepEqual(encodeControlMessage(message), octets);
      assert.deepEqual(decodeControlMessage(octets), message);
      assert.equal(messageLength(code), length);
    });

    it('is read whatever its reserved fields hold', () => {
      const rubbish = octets.slice();
      for (const [from, to] of reserved) rubbish.fill(0xa5, from, to);
      assert.deepEqual(decodeControlMessage(rubbish), message);
    });

    it('has no other octet that may change unnoticed', () => {
      // Sets every octet outside reserved fields and text padding to another value: the message must differ or fail.
      for (let at = 0; at < octets.length; at++) {
        if (reserved.some(([from, to]) => at >= from && at < to)) continue;
        if (octets[at] === 0 && octets[at - 1] === 0 && octets.length > 140) continue;
        const changed = octets.slice();
        changed[at]! ^= 0x5a;
        assert.notDeepEqual(decodeControlMessage(changed), message, `octet ${at}`);
      }
    });

    it('is refused at every other length', () => {
      for (let cut = 0; cut < octets.length; cut++)
        bad(decodeControlMessage(octets.subarray(0, cut)), 'too-short');
      bad(decodeControlMessage(Uint8Array.of(...octets, 0)), 'too-long');
      for (const announced of [0, length - 1, length + 1, 0xffff]) {
        const wrong = octets.slice();
        new DataView(wrong.buffer).setUint16(0, announced);
        bad(decodeControlMessage(wrong), 'bad-value');
      }
    });
  });
}

describe('the table of messages', () => {
  it('has the fifteen of RFC 2637 §2, in order, and all have a sample', () => {
    assert.deepEqual(
      samples.map(({ message }) => message.name),
      controlMessageNames,
    );
    assert.deepEqual(
      samples.map(({ code }) => code),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    );
    assert.equal(messageLength(0), undefined);
    assert.equal(messageLength(16), undefined);
    assert.equal(Math.max(...samples.map(({ length }) => length)), MAX_MESSAGE_LENGTH);
  });
});

describe('the header', () => {
  const echo = hex('0010 0001 1a2b3c4d 0005 0000 00000000');

  it('is read from the first octets of a stream', () => {
    assert.deepEqual(decodeControlHeader(echo), { name: 'EchoRequest', length: 16 });
    assert.deepEqual(decodeControlHeader(echo.subarray(0, HEADER_LENGTH)), {
      name: 'EchoRequest',
      length: 16,
    });
    for (let length = 0; length < HEADER_LENGTH; length++)
      bad(decodeControlHeader(echo.subarray(0, length)), 'too-short');
  });

  it('must have the magic cookie', () => {
    assert.equal(MAGIC_COOKIE, 0x1a2b3c4d);
    for (const at of [4, 5, 6, 7]) {
      const wrong = echo.slice();
      wrong[at]! ^= 0x80;
      bad(decodeControlHeader(wrong), 'bad-value');
      bad(decodeControlMessage(wrong), 'bad-value');
    }
  });

  it('must be of a control message (1), not of a management message (2)', () => {
    bad(decodeControlHeader(hex('0010 0002 1a2b3c4d 0005 0000')), 'unknown-type');
    bad(decodeControlHeader(hex('0010 0000 1a2b3c4d 0005 0000')), 'unknown-type');
  });

  it('must be of a known type', () => {
    for (const code of ['0000', '0010', '0500'])
      bad(decodeControlMessage(hex(`0010 0001 1a2b3c4d ${code} 0000 00000000`)), 'unknown-type');
  });
});

describe('encodeControlMessage', () => {
  it('throws for what a field cannot carry, and names the field', () => {
    assert.throws(
      () => encodeControlMessage({ name: 'CallClearRequest', callId: 0x10000 }),
      /^RangeError: CallClearRequest\.callId: 65536/,
    );
    const { message } = samples[0]!;
    assert.throws(
      () => encodeControlMessage({ ...message, hostName: 'x'.repeat(65) } as ControlMessage),
      /hostName/,
    );
  });
});

/** Any values for the fields of a sample: as wide as the octets show them to be. */
function arbitraryLike({ message, octets }: Sample): fc.Arbitrary<ControlMessage> {
  const octet = new Set(['resultCode', 'errorCode', 'reason']);
  const word = fc.integer({ min: 0, max: 0xffff });
  const character = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [field, value] of Object.entries(message)) {
    if (field === 'name') fields[field] = fc.constant(value);
    else if (typeof value === 'string')
      fields[field] = fc.string({ unit: character, maxLength: octets.length === 148 ? 128 : 64 });
    else fields[field] = octet.has(field) ? fc.nat(0xff) : word;
  }
  return fc.record(fields, { noNullPrototype: true }) as unknown as fc.Arbitrary<ControlMessage>;
}

describe('any control message', () => {
  it('comes back as it went', () => {
    const anyMessage = fc.oneof(...samples.map(arbitraryLike));
    fc.assert(
      fc.property(anyMessage, (message) => {
        const octets = encodeControlMessage(message);
        assert.deepEqual(decodeControlMessage(octets), message);
        assert.equal(octets.length, new DataView(octets.buffer).getUint16(0));
      }),
      { numRuns: 500 },
    );
  });

  it('decodes from any octets without throwing, and then encodes to what decodes the same', () => {
    const body = fc.tuple(fc.constantFrom(...samples), fc.uint8Array({ maxLength: 208 })).map(
      // The header of a type, then anything.
      ([{ octets }, tail]) => Uint8Array.of(...octets.subarray(0, HEADER_LENGTH), ...tail),
    );
    const exact = fc
      .constantFrom(...samples)
      .chain(({ octets, length }) =>
        fc
          .uint8Array({ minLength: length - HEADER_LENGTH, maxLength: length - HEADER_LENGTH })
          .map((tail) => Uint8Array.of(...octets.subarray(0, HEADER_LENGTH), ...tail)),
      );
    let decoded = 0;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 230 }), body, exact), (octets) => {
        decodeControlHeader(octets);
        const message = decodeControlMessage(octets);
        if (isMalformed(message)) return;
        decoded++;
        assert.deepEqual(decodeControlMessage(encodeControlMessage(message)), message);
      }),
      { numRuns: 500 },
    );
    assert.ok(decoded > 50, `only ${decoded} were whole messages`);
  });

  it('shares no memory with the octets it came from', () => {
    const input = Buffer.from(samples[0]!.octets);
    const message = ok(decodeControlMessage(input));
    input.fill(0);
    assert.deepEqual(message, samples[0]!.message);
  });
});
