import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isMalformed, optionalU8, rest, struct, u16, u8 } from '../../src/wire/codec.ts';
import { decodeOptions, encodeOptions, optionTable } from '../../src/wire/option.ts';
import { bad, hex, ok } from './sample.ts';

describe('raw options', () => {
  it('are type, length and data, one behind the other', () => {
    const options = [
      { type: 1, data: hex('0578') },
      { type: 7, data: new Uint8Array() },
      { type: 13, data: hex('06') },
    ];
    const octets = hex('01 04 0578 07 02 0d 03 06');
    assert.deepEqual(decodeOptions(octets), options);
    assert.deepEqual(encodeOptions(options), octets);
    assert.deepEqual(decodeOptions(new Uint8Array()), []);
    assert.deepEqual(encodeOptions([]), new Uint8Array());
  });

  it('are refused as a whole if the last is cut', () => {
    const octets = hex('07 02 01 04 0578');
    for (const length of [1, 3, 4, 5]) bad(decodeOptions(octets.subarray(0, length)), 'too-short');
    assert.equal(ok(decodeOptions(octets.subarray(0, 2))).length, 1);
  });

  it('are refused if a length does not cover type and length (no endless loop)', () => {
    bad(decodeOptions(hex('01 00 0578')), 'bad-value');
    bad(decodeOptions(hex('07 02 01 01 0578')), 'bad-value');
  });

  it('refuse to be encoded where they do not fit', () => {
    assert.equal(encodeOptions([{ type: 255, data: new Uint8Array(253) }])[1], 255);
    for (const option of [
      { type: 1, data: new Uint8Array(254) },
      { type: 256, data: new Uint8Array() },
      { type: -1, data: new Uint8Array() },
      { type: 0.5, data: new Uint8Array() },
    ])
      assert.throws(() => encodeOptions([option]), RangeError);
  });

  it('come back as they went, octet for octet, from any octets', () => {
    const lengths = fc.uint8Array({ maxLength: 40, max: 6 });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), lengths), (octets) => {
        const options = decodeOptions(octets);
        if (!isMalformed(options)) assert.deepEqual(encodeOptions(options), octets);
      }),
    );
    const anyOption = fc.record(
      { type: fc.nat(255), data: fc.uint8Array({ maxLength: 253 }) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(anyOption, { maxLength: 5 }), (options) => {
        assert.deepEqual(decodeOptions(encodeOptions(options)), options);
      }),
    );
  });

  it('have memory of their own', () => {
    const input = Buffer.from(hex('01 04 0578'));
    const options = ok(decodeOptions(input));
    input.fill(0);
    assert.deepEqual(options, [{ type: 1, data: hex('0578') }]);
  });
});

describe('a table of options', () => {
  const table = optionTable({
    flag: { type: 1, body: struct({}) },
    number: { type: 2, body: struct({ value: u16 }) },
    pair: { type: 3, body: struct({ first: u8, last: optionalU8 }) },
    open: { type: 4, body: struct({ value: u8, data: rest }) },
  });

  it('gives each known option its name and values', () => {
    const options = [
      { name: 'flag' },
      { name: 'number', value: 0x0102 },
      { name: 'pair', first: 1 },
      { name: 'pair', first: 1, last: 2 },
      { name: 'open', value: 9, data: hex('0807') },
      { name: 'unknown', type: 99, data: hex('05') },
    ] as const;
    const octets = hex('0102 02040102 030301 03040102 0405090807 630305');
    assert.deepEqual(table.decode(octets), options);
    assert.deepEqual(table.encode(options), octets);
  });

  it('keeps a known option of a wrong length as malformed, to be rejected as it came', () => {
    for (const [octets, type] of [
      ['01 03 00', 1],
      ['02 02', 2],
      ['02 03 00', 2],
      ['02 05 000000', 2],
      ['03 02', 3],
      ['03 05 010203', 3],
      ['04 02', 4],
    ] as const) {
      const options = ok(table.decode(hex(octets)));
      assert.deepEqual(options, [
        { name: 'unknown', type, data: hex(octets).subarray(2), malformed: true },
      ]);
      assert.deepEqual(table.encode(options), hex(octets));
    }
  });

  it('passes on what makes the whole malformed', () => {
    bad(table.decode(hex('02')), 'too-short');
    bad(table.decode(hex('02 00')), 'bad-value');
  });

  it('takes and gives single options', () => {
    const raw = { type: 2, data: hex('0007') };
    assert.deepEqual(table.fromRaw(raw), { name: 'number', value: 7 });
    assert.deepEqual(table.toRaw({ name: 'number', value: 7 }), raw);
    assert.throws(() => table.toRaw({ name: 'number', value: 70000 }), /number\.value: 70000/);
  });
});
