import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createGreHeader,
  greHeaderLength,
  GreFault,
  readGre,
  serialDifference,
  writeGre,
  type GreHeader,
} from '../../src/wire/gre.ts';
import { embed, hex } from './sample.ts';

interface Sample {
  readonly what: string;
  readonly octets: Uint8Array;
  readonly header: GreHeader;
}

const samples: readonly Sample[] = [
  {
    what: 'data with a sequence number (LCP Configure-Request of pptp-linux)',
    octets: hex(
      '3001 880b 0018 0080 00000001 ff03c021 01 01 0014 02060000 0000 0506 8c2f6a11 0702 0802',
    ),
    header: {
      headerLength: 12,
      payloadLength: 24,
      callId: 0x80,
      hasSequence: true,
      sequence: 1,
      hasAcknowledgment: false,
      acknowledgment: 0,
    },
  },
  {
    what: 'data with both numbers',
    octets: hex('3081 880b 0004 9266 fffffffe 00000007 fd900121'),
    header: {
      headerLength: 16,
      payloadLength: 4,
      callId: 0x9266,
      hasSequence: true,
      sequence: 0xfffffffe,
      hasAcknowledgment: true,
      acknowledgment: 7,
    },
  },
  {
    what: 'an acknowledgment alone, its number right behind the call id',
    octets: hex('2081 880b 0000 0000 80000001'),
    header: {
      headerLength: 12,
      payloadLength: 0,
      callId: 0,
      hasSequence: false,
      sequence: 0,
      hasAcknowledgment: true,
      acknowledgment: 0x80000001,
    },
  },
  {
    what: 'neither number',
    octets: hex('2001 880b 0000 ffff'),
    header: {
      headerLength: 8,
      payloadLength: 0,
      callId: 0xffff,
      hasSequence: false,
      sequence: 0,
      hasAcknowledgment: false,
      acknowledgment: 0,
    },
  },
];

const untouched: GreHeader = {
  headerLength: -1,
  payloadLength: -2,
  callId: -3,
  hasSequence: true,
  sequence: -4,
  hasAcknowledgment: true,
  acknowledgment: -5,
};

function fault(octets: Uint8Array): number {
  const into = { ...untouched };
  const result = readGre(octets, 0, octets.length, into);
  if (result !== 0) assert.deepEqual(into, untouched);
  return result;
}

describe('readGre', () => {
  for (const { what, octets, header } of samples) {
    it(`reads ${what}`, () => {
      for (const at of [0, 3]) {
        const into = { ...untouched };
        assert.equal(readGre(embed(octets, at, 0xee), at, octets.length, into), 0);
        assert.deepEqual(into, header);
      }
    });

    it(`refuses ${what} cut at any octet, whatever follows`, () => {
      for (let length = 0; length < octets.length; length++) {
        const into = { ...untouched };
        const expected = length < header.headerLength ? GreFault.TooShort : GreFault.PayloadTooLong;
        // The rest of the packet is still there in memory: only `length` counts.
        assert.equal(readGre(embed(octets, 2, 0), 2, length, into), expected, `length ${length}`);
        assert.deepEqual(into, untouched);
        assert.equal(fault(octets.subarray(0, length)), expected);
      }
    });
  }

  it('takes octets behind the payload for padding', () => {
    const into = createGreHeader();
    const octets = hex('3001 880b 0001 0001 00000000 21 000000');
    assert.equal(readGre(octets, 0, octets.length, into), 0);
    assert.equal(into.payloadLength, 1);
  });

  it('refuses another version', () => {
    for (const version of [0, 2, 3, 4, 5, 6, 7])
      assert.equal(fault(hex(`300${version} 880b 0000 0001 00000000`)), GreFault.NotVersion1);
  });

  it('refuses another protocol', () => {
    assert.equal(fault(hex('3001 0800 0000 0001 00000000')), GreFault.NotPpp);
    assert.equal(fault(hex('3001 880c 0000 0001 00000000')), GreFault.NotPpp);
  });

  it('refuses a packet without key', () => {
    assert.equal(fault(hex('1001 880b 0000 0001 00000000')), GreFault.NoKey);
  });

  it('refuses each bit that must be 0', () => {
    // C, R, s and the three of Recur; the four of Flags.
    for (const bit of [0x80, 0x40, 0x08, 0x04, 0x02, 0x01]) {
      const octets = hex('3001 880b 0000 0001 00000000');
      octets[0]! |= bit;
      assert.equal(fault(octets), GreFault.FlagsSet, `first octet ${bit}`);
    }
    for (const bit of [0x40, 0x20, 0x10, 0x08]) {
      const octets = hex('3001 880b 0000 0001 00000000');
      octets[1]! |= bit;
      assert.equal(fault(octets), GreFault.FlagsSet, `second octet ${bit}`);
    }
  });

  it('has a number of its own for each fault, and none is 0', () => {
    const numbers = Object.values(GreFault);
    assert.equal(new Set<number>(numbers).size, numbers.length);
    assert.ok(numbers.every((number) => number > 0));
  });

  it('takes any octets without throwing and stays within them', () => {
    // Flags that are allowed, the protocol, a small payload length, then anything.
    const likely = fc
      .tuple(
        fc.constantFrom('3001', '3081', '2081', '2001'),
        fc.nat(12),
        fc.uint8Array({ maxLength: 20 }),
      )
      .map(([flags, payload, tail]) => Uint8Array.of(...hex(`${flags} 880b 00`), payload, ...tail));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 24 }), likely), (octets) => {
        const into = createGreHeader();
        const other = createGreHeader();
        const result = readGre(embed(octets, 5, 0x00), 5, octets.length, into);
        assert.equal(readGre(embed(octets, 5, 0xff), 5, octets.length, other), result);
        assert.deepEqual(into, other);
        if (result === 0) assert.ok(into.headerLength + into.payloadLength <= octets.length);
      }),
    );
  });
});

describe('writeGre', () => {
  for (const { what, octets, header } of samples) {
    it(`writes ${what}`, () => {
      const buffer = new Uint8Array(24).fill(0xee);
      assert.equal(writeGre(buffer, 4, header), header.headerLength);
      assert.deepEqual(
        buffer.subarray(4, 4 + header.headerLength),
        octets.subarray(0, header.headerLength),
      );
      // Nothing around it is touched.
      assert.ok(buffer.subarray(0, 4).every((octet) => octet === 0xee));
      assert.ok(buffer.subarray(4 + header.headerLength).every((octet) => octet === 0xee));
    });
  }

  it('is the inverse of readGre', () => {
    const u32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.nat(40),
        fc.option(u32, { nil: undefined }),
        fc.option(u32, { nil: undefined }),
        (callId, payloadLength, sequence, acknowledgment) => {
          const header: GreHeader = {
            headerLength: greHeaderLength(sequence !== undefined, acknowledgment !== undefined),
            payloadLength,
            callId,
            hasSequence: sequence !== undefined,
            sequence: sequence ?? 0,
            hasAcknowledgment: acknowledgment !== undefined,
            acknowledgment: acknowledgment ?? 0,
          };
          const octets = new Uint8Array(64);
          assert.equal(writeGre(octets, 1, header), header.headerLength);
          const into = createGreHeader();
          assert.equal(readGre(octets, 1, header.headerLength + payloadLength, into), 0);
          assert.deepEqual(into, header);
        },
      ),
    );
  });
});

describe('createGreHeader', () => {
  it('is empty', () => {
    assert.deepEqual(createGreHeader(), {
      headerLength: 0,
      payloadLength: 0,
      callId: 0,
      hasSequence: false,
      sequence: 0,
      hasAcknowledgment: false,
      acknowledgment: 0,
    });
  });
});

describe('greHeaderLength', () => {
  it('counts 4 octets for each number', () => {
    assert.equal(greHeaderLength(false, false), 8);
    assert.equal(greHeaderLength(true, false), 12);
    assert.equal(greHeaderLength(false, true), 12);
    assert.equal(greHeaderLength(true, true), 16);
  });
});

describe('serialDifference', () => {
  it('is the distance, across the wrap too', () => {
    assert.equal(serialDifference(5, 3), 2);
    assert.equal(serialDifference(3, 5), -2);
    assert.equal(serialDifference(0, 0xffffffff), 1);
    assert.equal(serialDifference(0xffffffff, 0), -1);
    assert.equal(serialDifference(0x7fffffff, 0), 0x7fffffff);
    assert.equal(serialDifference(0x80000000, 0), -0x80000000);
  });

  it('is what was added', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: -0x80000000, max: 0x7fffffff }),
        (b, distance) => {
          assert.equal(serialDifference((b + distance) >>> 0, b), distance);
        },
      ),
    );
  });
});
