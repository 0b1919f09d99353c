import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lcpOptions } from '../../src/wire/lcp-options.ts';
import { checkOptions } from './options-of.ts';
import { hex } from './sample.ts';

describe('LCP options', () => {
  checkOptions(lcpOptions, [
    { option: { name: 'mru', value: 1400 }, octets: hex('01 04 0578') },
    { option: { name: 'accm', value: 0 }, octets: hex('02 06 00000000') },
    { option: { name: 'accm', value: 0xffffffff }, octets: hex('02 06 ffffffff') },
    { option: { name: 'authentication', protocol: 0xc023 }, octets: hex('03 04 c023'), open: true },
    {
      option: { name: 'authentication', protocol: 0xc223, algorithm: 5 },
      octets: hex('03 05 c223 05'),
    },
    {
      option: { name: 'authentication', protocol: 0xc223, algorithm: 0x81 },
      octets: hex('03 05 c223 81'),
    },
    { option: { name: 'magicNumber', value: 0x8c2f6a11 }, octets: hex('05 06 8c2f6a11') },
    { option: { name: 'pfc' }, octets: hex('07 02') },
    { option: { name: 'acfc' }, octets: hex('08 02') },
  ]);

  it('are read from a Configure-Request of Windows', () => {
    // MRU, magic number, PFC, ACFC, callback by CBCP, MRRU, endpoint discriminator.
    const data = hex('01040578 05061f2a0c7b 0702 0802 0d0306 1104064e 130300');
    assert.deepEqual(lcpOptions.decode(data), [
      { name: 'mru', value: 1400 },
      { name: 'magicNumber', value: 0x1f2a0c7b },
      { name: 'pfc' },
      { name: 'acfc' },
      { name: 'unknown', type: 13, data: hex('06') },
      { name: 'unknown', type: 17, data: hex('064e') },
      { name: 'unknown', type: 19, data: hex('00') },
    ]);
  });
});
