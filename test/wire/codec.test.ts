import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bytes,
  decode,
  encode,
  isMalformed,
  malformed,
  optionalU8,
  reserved,
  rest,
  struct,
  text,
  u16,
  u32,
  u8,
  type Value,
} from '../../src/wire/codec.ts';
import { bad, hex, ok } from './sample.ts';

const all = struct({
  small: u8,
  middle: u16,
  gap: reserved(3),
  large: u32,
  name: text(4),
  key: bytes(2),
  data: rest,
});
type All = Value<typeof all>;

const sample: All = {
  small: 1,
  middle: 0x0203,
  large: 0xfffefdfc,
  name: 'ab',
  key: hex('aa bb'),
  data: hex('09 08'),
};
const octets = hex("01 0203 000000 fffefdfc 'ab' 0000 aabb 0908");

describe('struct', () => {
  it('writes the fields in order, big-endian', () => {
    assert.deepEqual(encode(all, sample, 'all'), octets);
  });

  it('reads them back, without the reserved field', () => {
    assert.deepEqual(decode(all, octets, 'all'), sample);
  });

  it('ignores what reserved octets hold', () => {
    const rubbish = octets.slice();
    rubbish.set([0xde, 0xad, 0xbe], 3);
    assert.deepEqual(decode(all, rubbish, 'all'), sample);
  });

  it('knows its lengths', () => {
    assert.deepEqual([all.minimum, all.maximum], [16, Infinity]);
    assert.deepEqual([struct({}).minimum, struct({}).maximum], [0, 0]);
    assert.equal(all.measure(sample), octets.length);
  });

  it('refuses every length below the minimum and above the maximum', () => {
    for (let length = 0; length < 16; length++)
      bad(decode(all, octets.subarray(0, length), 'all'), 'too-short');
    bad(decode(struct({ value: u16 }), new Uint8Array(3), 'pair'), 'too-long');
    bad(decode(struct({}), new Uint8Array(1), 'nothing'), 'too-long');
  });

  it('gives values that share no memory with the input', () => {
    // Node's Buffer, as sockets deliver it: its slice() would be a view.
    const input = Buffer.from(octets);
    const value = ok(decode(all, input, 'all'));
    input.fill(0xee);
    assert.deepEqual(value, sample);
    assert.equal(value.key.constructor, Uint8Array);
  });

  it('nests', () => {
    const inner = struct({ low: u8, high: u8 });
    const outer = struct({ before: u8, inner, after: u8 });
    const value = { before: 1, inner: { low: 2, high: 3 }, after: 4 };
    assert.deepEqual(encode(outer, value, 'outer'), hex('01020304'));
    assert.deepEqual(decode(outer, hex('01020304'), 'outer'), value);
    assert.throws(
      () => encode(outer, { ...value, inner: { low: 2, high: 300 } }, 'outer'),
      /^RangeError: outer\.inner\.high: 300 /,
    );
  });

  it('has the type of its fields, no more and no less', () => {
    // @ts-expect-error a reserved field is not part of the value
    const wider: All = { ...sample, gap: 0 };
    assert.deepEqual(encode(all, wider, 'all'), octets);
    // @ts-expect-error a required field is missing
    const narrower: All = { small: 1, middle: 2, large: 3, name: '', key: hex('0000') };
    assert.throws(() => encode(all, narrower, 'all'), TypeError);
  });

  it('refuses to be declared with a variable field before the end', () => {
    assert.throws(() => struct({ data: rest, after: u8 }), /after follows a field of variable/);
    assert.throws(() => struct({ maybe: optionalU8, after: u8 }), TypeError);
  });

  it('zeroes reserved octets of a buffer in use', () => {
    const buffer = new Uint8Array(4).fill(0xff);
    struct({ gap: reserved(3) }).write(buffer, 0, {}, 'gap');
    assert.deepEqual(buffer, hex('000000ff'));
  });
});

describe('optionalU8', () => {
  const codec = struct({ first: u16, last: optionalU8 });

  it('leaves the key out where the octet is absent', () => {
    const absent: Value<typeof codec> = { first: 7 };
    assert.deepEqual(decode(codec, hex('0007'), 'x'), absent);
    assert.deepEqual(encode(codec, absent, 'x'), hex('0007'));
  });

  it('reads and writes it where it is there, 0 included', () => {
    for (const last of [0, 0x81]) {
      const value = { first: 7, last };
      assert.deepEqual(encode(codec, value, 'x'), Uint8Array.of(0, 7, last));
      assert.deepEqual(decode(codec, Uint8Array.of(0, 7, last), 'x'), value);
    }
    bad(decode(codec, hex('00070000'), 'x'), 'too-long');
    assert.throws(() => encode(codec, { first: 7, last: 256 }, 'x'), /x\.last: 256/);
  });
});

describe('integers', () => {
  for (const { name, codec, maximum } of [
    { name: 'u8', codec: u8, maximum: 0xff },
    { name: 'u16', codec: u16, maximum: 0xffff },
    { name: 'u32', codec: u32, maximum: 0xffffffff },
  ]) {
    it(`${name} carries 0 to ${maximum} and nothing else`, () => {
      for (const value of [0, 1, maximum - 1, maximum])
        assert.equal(decode(codec, encode(codec, value, name), name), value);
      for (const value of [-1, maximum + 1, 0.5, NaN, Infinity])
        assert.throws(() => encode(codec, value, name), RangeError);
    });
  }

  it('refuse a missing field by its name', () => {
    // What the compiler forbids, plain JavaScript may still do.
    const value = {} as { missing: number };
    assert.throws(() => encode(struct({ missing: u8 }), value, 'm'), /^RangeError: m\.missing/);
  });
});

describe('text', () => {
  const codec = text(4);

  it('ends at the first NUL', () => {
    assert.equal(decode(codec, hex("'ab' 00 'z'"), 't'), 'ab');
    assert.equal(decode(codec, hex('00000000'), 't'), '');
  });

  it('may fill its field without a NUL', () => {
    assert.equal(decode(codec, hex("'abcd'"), 't'), 'abcd');
    assert.deepEqual(encode(codec, 'abcd', 't'), hex("'abcd'"));
  });

  it('is ISO 8859-1', () => {
    assert.equal(decode(codec, hex('fce9ff80'), 't'), 'üéÿ\u0080');
    assert.deepEqual(encode(codec, 'üé', 't'), hex('fce90000'));
  });

  it('refuses text too long, with a NUL inside, or beyond ISO 8859-1', () => {
    assert.throws(() => encode(codec, 'abcde', 't'), RangeError);
    assert.throws(() => encode(codec, 'a\0b', 't'), RangeError);
    assert.throws(() => encode(codec, '€', 't'), RangeError);
  });
});

describe('bytes', () => {
  it('refuses another length, rather than padding or cutting', () => {
    assert.throws(() => encode(bytes(2), new Uint8Array(3), 'key'), /^RangeError: key: 3 octets/);
    assert.throws(() => encode(bytes(2), new Uint8Array(1), 'key'), RangeError);
  });
});

describe('isMalformed', () => {
  it('tells Malformed from everything else', () => {
    assert.equal(isMalformed(malformed('bad-value', 'x')), true);
    for (const value of [undefined, null, 0, 'error', [], {}, { error: 1 }, { detail: '' }])
      assert.equal(isMalformed(value), false);
  });
});

describe('any struct', () => {
  const arbitrary: fc.Arbitrary<All> = fc.record(
    {
      small: fc.integer({ min: 0, max: 0xff }),
      middle: fc.integer({ min: 0, max: 0xffff }),
      large: fc.integer({ min: 0, max: 0xffffffff }),
      name: fc.string({ maxLength: 4, unit: fc.integer({ min: 1, max: 255 }).map(fromCode) }),
      key: fc.uint8Array({ minLength: 2, maxLength: 2 }),
      data: fc.uint8Array(),
    },
    { noNullPrototype: true },
  );

  it('comes back as it went', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        assert.deepEqual(decode(all, encode(all, value, 'all'), 'all'), value);
      }),
    );
  });

  it('decodes any octets without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (input) => {
        assert.equal(isMalformed(decode(all, input, 'all')), input.length < 16);
      }),
    );
  });
});

function fromCode(code: number): string {
  return String.fromCharCode(code);
}
