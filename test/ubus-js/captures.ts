/** Whole messages taken from the real ubusd of OpenWrt 25.12, and what they say. */
import { encodeTable, type Message } from '../../src/ubus-js/index.ts';

export interface Capture {
  readonly name: string;
  readonly hex: string;
  readonly message: Message;
}

const status = (seq: number, peer: number, attributes: Message['attributes']): Message => ({
  type: 'STATUS',
  seq,
  peer,
  attributes,
});

export const captures: readonly Capture[] = [
  {
    name: 'V1 HELLO',
    hex: '00000000 4e881f48 00000004',
    message: { type: 'HELLO', seq: 0, peer: 0x4e881f48, attributes: {} },
  },
  {
    name: 'V1 LOOKUP',
    hex: '00040001 00000000 00000010 0200000b 6e6f7375 63680000',
    message: { type: 'LOOKUP', seq: 1, peer: 0, attributes: { objpath: 'nosuch' } },
  },
  {
    name: 'V1 STATUS NOT_FOUND',
    hex: '00010001 00000000 0000000c 01000008 00000004',
    message: status(1, 0, { status: 4 }),
  },
  {
    name: 'V2 anonymous ADD_OBJECT',
    hex: '00060001 00000000 00000004',
    message: { type: 'ADD_OBJECT', seq: 1, peer: 0, attributes: {} },
  },
  {
    name: 'V2 its id',
    hex: '00020001 00000000 0000000c 03000008 18576ed7',
    message: { type: 'DATA', seq: 1, peer: 0, attributes: { objid: 0x18576ed7 } },
  },
  {
    name: 'V2 register',
    hex: `00050002 00000001 0000004c 03000008 00000001 0400000d 72656769 73746572 00000000
      07000030 85000014 00066f62 6a656374 00000000 18576ed7 83000016 00077061 74746572 6e000000 6c61622e 2a000000`,
    message: {
      type: 'INVOKE',
      seq: 2,
      peer: 1,
      attributes: {
        objid: 1,
        method: 'register',
        data: encodeTable({ object: 0x18576ed7, pattern: 'lab.*' }),
      },
    },
  },
  {
    name: 'V2 the event',
    hex: '00050050 00000000 00000028 03000008 18576ed7 0400000c 6c61622e 74776f00 07000010 8500000c 00017800 00000001',
    message: {
      type: 'INVOKE',
      seq: 80,
      peer: 0,
      attributes: { objid: 0x18576ed7, method: 'lab.two', data: encodeTable({ x: 1 }) },
    },
  },
  {
    name: 'V3 uci get',
    hex: `00050002 9ff6a773 0000005c 03000008 9ff6a773 04000008 67657400 07000048 83000018 0006636f 6e666967 00000000
      6e657477 6f726b00 83000014 00077365 6374696f 6e000000 77616e00 83000016 00066f70 74696f6e 00000000 70726f74 6f000000`,
    message: {
      type: 'INVOKE',
      seq: 2,
      peer: 0x9ff6a773,
      attributes: {
        objid: 0x9ff6a773,
        method: 'get',
        data: encodeTable({ config: 'network', section: 'wan', option: 'proto' }),
      },
    },
  },
  {
    name: 'V3 its answer',
    hex: '00020002 9ff6a773 00000024 03000008 9ff6a773 07000018 83000013 00057661 6c756500 73746174 69630000',
    message: {
      type: 'DATA',
      seq: 2,
      peer: 0x9ff6a773,
      attributes: { objid: 0x9ff6a773, data: encodeTable({ value: 'static' }) },
    },
  },
  {
    name: 'V3 STATUS',
    hex: '00010002 9ff6a773 00000014 01000008 00000000 03000008 9ff6a773',
    message: status(2, 0x9ff6a773, { status: 0, objid: 0x9ff6a773 }),
  },
  {
    name: 'V4 send',
    hex: `00050001 00000001 0000006c 03000008 00000001 04000009 73656e64 00000000 07000054 83000016 00026964 00000000
      6c61622e 6576656e 74000000 82000038 00046461 74610000 83000012 00056865 6c6c6f00 776f726c 64000000
      8500000c 00016e00 00000007 87000009 00016200 01000000`,
    message: {
      type: 'INVOKE',
      seq: 1,
      peer: 1,
      attributes: {
        objid: 1,
        method: 'send',
        data: encodeTable({ id: 'lab.event', data: { hello: 'world', n: 7, b: true } }),
      },
    },
  },
  {
    name: 'V5 ADD_OBJECT',
    hex: `00060001 00000000 00000078 0200000c 6c61622e 6f626a00 06000068 82000058 00056865 6c6c6f00 85000010 00046e61
      6d650000 00000003 8500000c 00016e00 00000005 85000010 00026f6e 00000000 00000007 85000010 00046c69 73740000
      00000001 85000010 00037462 6c000000 00000002 8200000c 00046661 696c0000`,
    message: {
      type: 'ADD_OBJECT',
      seq: 1,
      peer: 0,
      attributes: {
        objpath: 'lab.obj',
        signature: encodeTable({ hello: { name: 3, n: 5, on: 7, list: 1, tbl: 2 }, fail: {} }),
      },
    },
  },
  {
    name: 'V5 its id and type',
    hex: '00020001 00000000 00000014 03000008 a183ce20 05000008 3d2e7074',
    message: {
      type: 'DATA',
      seq: 1,
      peer: 0,
      attributes: { objid: 0xa183ce20, objtype: 0x3d2e7074 },
    },
  },
  {
    name: 'V5 being invoked',
    hex: `00050002 16e3cfd7 00000084 03000008 a183ce20 0400000a 68656c6c 6f000000 0c000009 726f6f74 00000000
      0d000009 726f6f74 00000000 07000054 83000010 00046e61 6d650000 626f6200 8500000c 00016e00 fffffffb
      8700000d 00026f6e 00000000 01000000 81000018 00046c69 73740000 8300000a 00000000 61000000 8200000c 00037462 6c000000`,
    message: {
      type: 'INVOKE',
      seq: 2,
      peer: 0x16e3cfd7,
      attributes: {
        objid: 0xa183ce20,
        method: 'hello',
        user: 'root',
        group: 'root',
        data: encodeTable({ name: 'bob', n: -5, on: true, list: ['a'], tbl: {} }),
      },
    },
  },
  {
    name: 'V5 the answer',
    hex: `00020002 16e3cfd7 00000044 03000008 a183ce20 07000038 83000013 00036d73 67000000 68692062 6f620000
      8500000c 00016e00 fffffffb 83000011 00047573 65720000 726f6f74 00000000`,
    message: {
      type: 'DATA',
      seq: 2,
      peer: 0x16e3cfd7,
      attributes: {
        objid: 0xa183ce20,
        data: encodeTable({ msg: 'hi bob', n: -5, user: 'root' }),
      },
    },
  },
  {
    name: 'V6 the first subscriber',
    hex: '000a0001 00000000 00000014 03000008 a183ce20 09000005 01000000',
    message: { type: 'NOTIFY', seq: 1, peer: 0, attributes: { objid: 0xa183ce20, active: true } },
  },
  {
    name: 'V6 NOTIFY',
    hex: '000a0002 a183ce20 0000002c 03000008 a183ce20 04000009 7469636b 00000000 07000014 85000010 00037365 71000000 00000001',
    message: {
      type: 'NOTIFY',
      seq: 2,
      peer: 0xa183ce20,
      attributes: { objid: 0xa183ce20, method: 'tick', data: encodeTable({ seq: 1 }) },
    },
  },
  {
    name: 'V6 the subscribers',
    hex: '00010002 a183ce20 00000020 03000008 a183ce20 0b00000c 00000008 aad944da 01000008 00000000',
    message: status(2, 0xa183ce20, { objid: 0xa183ce20, subscribers: [0xaad944da], status: 0 }),
  },
  {
    name: "V6 a subscriber's STATUS",
    hex: '00010002 aad944da 00000014 01000008 00000000 03000008 aad944da',
    message: status(2, 0xaad944da, { status: 0, objid: 0xaad944da }),
  },
  {
    name: 'V7 notify_proto',
    hex: `00050002 6f584ac3 00000108 03000008 6f584ac3 04000011 6e6f7469 66795f70 726f746f 00000000 070000e8 85000014
      00066163 74696f6e 00000000 00000000 87000011 00076c69 6e6b2d75 70000000 01000000 83000015 00066966 6e616d65
      00000000 74756e56 00000000 8100005c 00066970 61646472 00000000 8200004c 00000000 8300001a 00066970 61646472
      00000000 31302e39 312e302e 32000000 8300000f 00046d61 736b0000 33320000 83000016 00037074 70000000 31302e39
      312e302e 31000000 81000048 0006726f 75746573 00000000 82000038 00000000 8300001a 00067461 72676574 00000000
      31302e39 322e302e 30000000 83000013 00076e65 746d6173 6b000000 31360000`,
    message: {
      type: 'INVOKE',
      seq: 2,
      peer: 0x6f584ac3,
      attributes: {
        objid: 0x6f584ac3,
        method: 'notify_proto',
        data: encodeTable({
          action: 0,
          'link-up': true,
          ifname: 'tunV',
          ipaddr: [{ ipaddr: '10.91.0.2', mask: '32', ptp: '10.91.0.1' }],
          routes: [{ target: '10.92.0.0', netmask: '16' }],
        }),
      },
    },
  },
];

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}
