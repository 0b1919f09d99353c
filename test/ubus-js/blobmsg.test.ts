import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeTable,
  encodeTable,
  UbusError,
  type Table,
  type Value,
} from '../../src/ubus-js/index.ts';
import { fromHex } from './captures.ts';

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: false }),
    fc.bigInt({ min: 1n << 53n, max: (1n << 63n) - 1n }),
    fc.bigInt({ min: -(1n << 63n), max: -(1n << 53n) }),
    text(),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text(), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const table: fc.Arbitrary<Table> = fc.dictionary(text(), value, {
  maxKeys: 8,
  noNullPrototype: true,
});

function text(): fc.Arbitrary<string> {
  return fc.string({ unit: 'grapheme' }).filter((found) => !found.includes('\0'));
}

function decoded(octets: Uint8Array): Table {
  const found = decodeTable(octets);
  if (found instanceof UbusError) throw found;
  return found;
}

test('what is encoded is decoded, and encoded again the same', () => {
  fc.assert(
    fc.property(table, (given) => {
      const octets = encodeTable(given);
      assert.equal(octets.length % 4, 0);
      const found = decoded(octets);
      assert.deepEqual(found, given);
      assert.deepEqual(encodeTable(found), octets);
    }),
  );
});

test('each type has its octets', () => {
  const cases: [Value, string][] = [
    [null, '80000008 00016100'],
    [true, '87000009 00016100 01000000'],
    [-5, '8500000c 00016100 fffffffb'],
    [2 ** 31 - 1, '8500000c 00016100 7fffffff'],
    [2 ** 31, '84000010 00016100 00000000 80000000'],
    [-1n, '84000010 00016100 ffffffff ffffffff'],
    [0.5, '88000010 00016100 3fe00000 00000000'],
    ['é', '8300000b 00016100 c3a90000'],
    ['', '83000009 00016100 00000000'],
    [[], '81000008 00016100'],
    [['b'], '81000014 00016100 8300000a 00000000 62000000'],
    [{ b: {} }, '82000010 00016100 82000008 00016200'],
  ];
  for (const [given, hex] of cases) assert.deepEqual(encodeTable({ a: given }), fromHex(hex));
});

test('INT16 is read, and integers that a number cannot hold are bigint', () => {
  assert.deepEqual(decoded(fromHex('8600000a 00016100 fffe0000')), { a: -2 });
  assert.deepEqual(decoded(fromHex('84000010 00016100 7fffffff ffffffff')), { a: 2n ** 63n - 1n });
  assert.deepEqual(decoded(fromHex('84000010 00016100 001fffff ffffffff')), { a: 2 ** 53 - 1 });
});

test('names are only names', () => {
  const given = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"":3}') as Table;
  const found = decoded(encodeTable(given));
  assert.equal(Object.getPrototypeOf(found), Object.prototype);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.deepEqual(Object.keys(found).sort(), ['', '__proto__', 'constructor']);
});

test('what C text cannot carry is replaced; what is no UTF-8 too; C sees text up to its NUL, and so do we', () => {
  assert.deepEqual(decoded(encodeTable({ 'a\0': 'b\0c\ud800' })), { 'a\ufffd': 'b\ufffdc\ufffd' });
  assert.deepEqual(decoded(fromHex('8300000c 00016100 62ff6300')), { a: 'b\ufffdc' });
  assert.deepEqual(decoded(fromHex('8300000c 00016100 62006300')), { a: 'b' });
  assert.deepEqual(decoded(fromHex('83000010 00036100 62000000 63000000')), { a: 'c' });
});

test('values that ubus does not have are refused by name', () => {
  const wrong = (given: unknown) => () => encodeTable({ size: given as Value });
  for (const given of [undefined, () => 1, Symbol('x'), [undefined], { a: undefined }])
    assert.throws(wrong(given), { name: 'UbusError', status: 'INVALID_ARGUMENT' });
  assert.throws(wrong(1n << 63n), { message: 'size: 9223372036854775808 has more than 64 bits' });
  assert.throws(() => encodeTable({ ['x'.repeat(65536)]: 1 }), { status: 'INVALID_ARGUMENT' });
});

test('1 MiB is the most, and a nest of 32', () => {
  assert.throws(() => encodeTable({ a: 'x'.repeat(1 << 20) }), { status: 'NO_MEMORY' });
  const nest = (depth: number) => {
    let found: Table = {};
    for (let i = 1; i < depth; i++) found = { a: found };
    return found;
  };
  assert.deepEqual(decoded(encodeTable(nest(32))), nest(32));
  assert.throws(() => encodeTable(nest(33)), { status: 'INVALID_ARGUMENT' });
  // Deeper octets, made by hand: each level is a table named a.
  let octets = new Uint8Array(0);
  for (let i = 0; i < 40_000; i++) {
    const around = new Uint8Array(8 + octets.length);
    new DataView(around.buffer).setUint32(0, (0x82000000 | around.length) >>> 0);
    around.set([0, 1, 0x61, 0], 4);
    around.set(octets, 8);
    octets = around;
    if (i > 64) i += 2000; // the copies, not the depth, take the time
  }
  const found = decodeTable(octets);
  assert.ok(found instanceof UbusError);
  assert.match(found.message, /nested deeper than 32$/);
});

const malformed: Readonly<Record<string, string>> = {
  'a length past the end': '83000010 00016100 62000000',
  'a length below its header': '83000003 00016100 62000000',
  'no room for a name': '83000006 00010000',
  'a name past the end': '8300000c 00ff6100 62000000',
  'a name without its NUL': '8300000a 00016161 62000000',
  'text without its NUL': '8300000a 00016100 62620000',
  'empty text': '83000008 00016100',
  'a boolean of two octets': '8700000a 00016100 01010000',
  'an integer of three octets': '8500000b 00016100 01010100',
  'an integer of no octets': '85000008 00016100',
  'INT64 of four octets': '8400000c 00016100 00000000',
  'a double of four octets': '8800000c 00016100 00000000',
  'an unknown type': '8900000c 00016100 00000000',
  'no padding': '83000009 00016100 00',
  'a member longer than its table': '8200000c 00016100 83000010 00016200 00000000',
};
for (const [what, hex] of Object.entries(malformed)) {
  test(`${what} is a returned error`, () => {
    const found = decodeTable(fromHex(hex));
    assert.ok(found instanceof UbusError);
    assert.equal(found.status, 'PARSE_ERROR');
  });
}

test('any octets are a table or an error, and never an exception', () => {
  const spoilt = fc
    .tuple(
      table,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
    )
    .map(([given, changes]) => {
      const octets = encodeTable(given);
      for (const [at, octet] of changes) if (octets.length > 0) octets[at % octets.length] = octet;
      return octets;
    });
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.uint8Array({ maxLength: 64 })), (octets) => {
      const found = decodeTable(octets);
      assert.ok(found instanceof UbusError || typeof found === 'object');
    }),
    { numRuns: 2000 },
  );
});
