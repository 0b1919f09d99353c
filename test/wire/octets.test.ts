import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  copyOctets,
  fromHex,
  fromLatin1,
  readU16,
  readU32,
  toHex,
  toLatin1,
  writeU16,
  writeU32,
} from '../../src/wire/octets.ts';
import { hex } from './sample.ts';

describe('integers', () => {
  it('are big-endian', () => {
    assert.equal(readU16(hex('00 1234 00'), 1), 0x1234);
    assert.equal(readU32(hex('00 12345678 00'), 1), 0x12345678);
    assert.equal(readU32(hex('ffffffff'), 0), 0xffffffff);
    const octets = new Uint8Array(8);
    writeU16(octets, 1, 0xabcd);
    writeU32(octets, 3, 0x89abcdef);
    assert.deepEqual(octets, hex('00 abcd 89abcdef 00'));
  });

  it('agree with DataView', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 12 }), fc.nat(8), (octets, n) => {
        const at = Math.min(n, octets.length - 4);
        const view = new DataView(octets.buffer, octets.byteOffset);
        assert.equal(readU16(octets, at), view.getUint16(at));
        assert.equal(readU32(octets, at), view.getUint32(at));
        const copy = new Uint8Array(octets.length);
        writeU32(copy, at, view.getUint32(at));
        assert.deepEqual(copy.subarray(at, at + 4), octets.subarray(at, at + 4));
        writeU16(copy, at, ~view.getUint16(at));
        assert.equal(readU16(copy, at), ~view.getUint16(at) & 0xffff);
      }),
    );
  });
});

describe('copyOctets', () => {
  it('copies a part, and out of a Buffer too', () => {
    const buffer = Buffer.from([1, 2, 3, 4]);
    const copy = copyOctets(buffer, 1, 3);
    const whole = copyOctets(buffer);
    buffer.fill(9);
    assert.deepEqual(copy, Uint8Array.of(2, 3));
    assert.deepEqual(whole, Uint8Array.of(1, 2, 3, 4));
    assert.equal(copy.constructor, Uint8Array);
  });
});

describe('hexadecimal', () => {
  it('is upper case and two digits an octet', () => {
    assert.equal(toHex(hex('000fa0ff')), '000FA0FF');
    assert.equal(toHex(new Uint8Array()), '');
  });

  it('is read in either case and refused otherwise', () => {
    assert.deepEqual(fromHex('0aF9'), hex('0af9'));
    assert.deepEqual(fromHex(''), new Uint8Array());
    for (const text of ['0', '0g', ' 00', '0x00', '00\n', '-1', '٠٠'])
      assert.equal(fromHex(text), undefined, text);
  });

  it('comes back', () => {
    fc.assert(fc.property(fc.uint8Array(), (o) => assert.deepEqual(fromHex(toHex(o)), o)));
  });
});

describe('ISO 8859-1', () => {
  it('has one character for every octet', () => {
    fc.assert(fc.property(fc.uint8Array(), (o) => assert.deepEqual(toLatin1(fromLatin1(o)), o)));
    assert.equal(fromLatin1(hex('41 e9')), 'Aé');
  });

  it('has no others', () => {
    assert.throws(() => toLatin1('aĀ'), /^RangeError: character 100 /);
  });
});
