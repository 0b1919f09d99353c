import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ipcpOptions } from '../../src/wire/ipcp-options.ts';
import { checkOptions } from './options-of.ts';
import { hex } from './sample.ts';

describe('IPCP options', () => {
  checkOptions(ipcpOptions, [
    {
      option: { name: 'addresses', source: 0xc0a86301, destination: 0xc0a8630a },
      octets: hex('01 0a c0a86301 c0a8630a'),
    },
    {
      // Van Jacobson: 16 slots, slot ids compressed.
      option: { name: 'ipCompression', protocol: 0x002d, data: hex('0f01') },
      octets: hex('02 06 002d 0f01'),
      open: true,
    },
    { option: { name: 'address', value: 0xc0a86301 }, octets: hex('03 06 c0a86301') },
    { option: { name: 'primaryDns', value: 0x08080808 }, octets: hex('81 06 08080808') },
    { option: { name: 'primaryNbns', value: 0 }, octets: hex('82 06 00000000') },
    { option: { name: 'secondaryDns', value: 0xffffffff }, octets: hex('83 06 ffffffff') },
    { option: { name: 'secondaryNbns', value: 1 }, octets: hex('84 06 00000001') },
  ]);

  it('are read from a Configure-Request of a Windows caller', () => {
    const data = hex('030600000000 810600000000 820600000000 830600000000 840600000000');
    assert.deepEqual(ipcpOptions.decode(data), [
      { name: 'address', value: 0 },
      { name: 'primaryDns', value: 0 },
      { name: 'primaryNbns', value: 0 },
      { name: 'secondaryDns', value: 0 },
      { name: 'secondaryNbns', value: 0 },
    ]);
  });
});
