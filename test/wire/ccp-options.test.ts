import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ccpOptions, MppeBits } from '../../src/wire/ccp-options.ts';
import { checkOptions } from './options-of.ts';
import { hex } from './sample.ts';

describe('CCP options', () => {
  const { Stateless, Strength128, Strength56, Strength40, Obsolete, Mppc } = MppeBits;

  checkOptions(ccpOptions, [
    { option: { name: 'mppe', bits: Stateless | Strength128 }, octets: hex('12 06 01000040') },
    // pppd -v prints this set as "+H +M +S +L +D +C".
    {
      option: {
        name: 'mppe',
        bits: Stateless | Strength56 | Strength128 | Strength40 | Obsolete | Mppc,
      },
      octets: hex('12 06 010000f1'),
    },
    { option: { name: 'mppe', bits: 0 }, octets: hex('12 06 00000000') },
    { option: { name: 'mppe', bits: 0xffffffff }, octets: hex('12 06 ffffffff') },
  ]);

  it('have the bits of RFC 3078 §2', () => {
    assert.deepEqual(MppeBits, {
      Stateless: 0x01000000,
      Strength56: 0x80,
      Strength128: 0x40,
      Strength40: 0x20,
      Obsolete: 0x10,
      Mppc: 0x01,
    });
  });

  it('other than MPPE are unknown: deflate, BSD compress', () => {
    assert.deepEqual(ccpOptions.decode(hex('1a047800 15032f')), [
      { name: 'unknown', type: 26, data: hex('7800') },
      { name: 'unknown', type: 21, data: hex('2f') },
    ]);
  });
});
