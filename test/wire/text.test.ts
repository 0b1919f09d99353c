import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { textFromOctets, textOf } from '../../src/wire/text.ts';
import { hex } from './sample.ts';

describe('text of a peer', () => {
  it('is UTF-8 where it is valid UTF-8', () => {
    assert.equal(textFromOctets(hex("'J' c3bc 'rgen'")).text, 'Jürgen');
    assert.equal(textFromOctets(hex('e282ac f09f9880')).text, '€😀');
  });

  it('is ISO 8859-1 otherwise', () => {
    assert.equal(textFromOctets(hex("'J' fc 'rgen'")).text, 'Jürgen');
    // Overlong, a surrogate, beyond U+10FFFF, cut short: none of them is UTF-8.
    for (const octets of ['c080', 'eda080', 'f4908080', 'e282', 'f09f98'])
      assert.equal(textFromOctets(hex(octets)).text.length, octets.length / 2, octets);
  });

  it('keeps a byte order mark and a replacement character that were sent', () => {
    assert.equal(textFromOctets(hex("efbbbf 'a'")).text, '\ufeffa');
    assert.equal(textFromOctets(hex('efbfbd')).text, '\ufffd');
  });

  it('keeps the octets as they came, in memory of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        const input = octets.slice();
        const text = textFromOctets(input);
        input.fill(0);
        assert.deepEqual(text.octets, octets);
      }),
    );
  });
});

describe('text of ours', () => {
  it('is sent as UTF-8 and reads back', () => {
    assert.deepEqual(textOf('Jürgen').octets, hex("'J' c3bc 'rgen'"));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.deepEqual(textFromOctets(textOf(text).octets), textOf(text));
      }),
    );
  });

  it('cannot hold a lone surrogate', () => {
    assert.throws(() => textOf('a\ud800'), RangeError);
  });
});
