import { describe } from 'node:test';
import { ipv6cpOptions } from '../../src/wire/ipv6cp-options.ts';
import { checkOptions } from './options-of.ts';
import { hex } from './sample.ts';

describe('IPV6CP options', () => {
  checkOptions(ipv6cpOptions, [
    {
      option: { name: 'interfaceIdentifier', value: hex('021122fffe334455') },
      octets: hex('01 0a 021122fffe334455'),
    },
    {
      option: { name: 'ipv6Compression', protocol: 0x004f, data: new Uint8Array() },
      octets: hex('02 04 004f'),
      open: true,
    },
  ]);
});
