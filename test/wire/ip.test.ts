import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addressFault,
  formatAddress,
  formatPrefix,
  formatRange,
  netmask,
  parseAddress,
  parsePrefix,
  parseRange,
  prefixContains,
  prefixOf,
  prefixRange,
  rangeContains,
  rangeSize,
} from '../../src/wire/ip.ts';

const anyAddress = fc.integer({ min: 0, max: 0xffffffff });

describe('an address', () => {
  it('is read from four decimal numbers', () => {
    assert.equal(parseAddress('0.0.0.0'), 0);
    assert.equal(parseAddress('192.168.99.1'), 0xc0a86301);
    assert.equal(parseAddress('255.255.255.255'), 0xffffffff);
    assert.equal(parseAddress('10.0.0.9'), 0x0a000009);
  });

  it('is refused in every other form', () => {
    // prettier-ignore
    const wrong = [
      '', '.', '1', '1.2', '1.2.3', '1.2.3.', '.1.2.3', '1..2.3', '1.2.3.4.', '1.2.3.4.5',
      '256.1.1.1', '1.1.1.256', '1.1.1.999', '1.1.1.1000', '01.2.3.4', '1.2.3.04', '1.2.3.00', '0x1.2.3.4',
      ' 1.2.3.4', '1.2.3.4 ', '1.2.3.4\n', '1. 2.3.4', '-1.2.3.4', '+1.2.3.4', '1.2.3.4e1', '1,2,3,4',
      '1.2.3.a', '::1', '::ffff:1.2.3.4', '١.2.3.4', '1.2.3.4/32',
    ];
    for (const text of wrong) assert.equal(parseAddress(text), undefined, JSON.stringify(text));
  });

  it('is written as it is read', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        assert.equal(parseAddress(formatAddress(address)), address);
      }),
    );
    assert.equal(formatAddress(0xc0a86301), '192.168.99.1');
    assert.equal(formatAddress(0xffffffff), '255.255.255.255');
  });

  it('has one text only', () => {
    const digits = fc.stringMatching(/^[0-9]{1,4}$/);
    const text = fc.oneof(
      fc.string(),
      fc.tuple(digits, digits, digits, digits).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(text, (input) => {
        const address = parseAddress(input);
        if (address !== undefined) assert.equal(formatAddress(address), input);
      }),
    );
  });
});

describe('a prefix', () => {
  it('is read with its length, or as /32', () => {
    assert.deepEqual(parsePrefix('10.20.0.0/16'), { address: 0x0a140000, length: 16 });
    assert.deepEqual(parsePrefix('0.0.0.0/0'), { address: 0, length: 0 });
    assert.deepEqual(parsePrefix('1.2.3.4/32'), { address: 0x01020304, length: 32 });
    assert.deepEqual(parsePrefix('1.2.3.4'), { address: 0x01020304, length: 32 });
  });

  it('has no host bits', () => {
    assert.deepEqual(parsePrefix('192.168.99.1/24'), { address: 0xc0a86300, length: 24 });
    assert.deepEqual(parsePrefix('255.255.255.255/1'), { address: 0x80000000, length: 1 });
    assert.deepEqual(parsePrefix('9.9.9.9/0'), { address: 0, length: 0 });
    assert.deepEqual(prefixOf(0xc0a863ff, 31), { address: 0xc0a863fe, length: 31 });
  });

  it('is refused in every other form', () => {
    // prettier-ignore
    const wrong = [
      '', '/', '/8', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/100', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8/8',
      '10.0.0.0/255.0.0.0', '10.0.0.0 /8', '10.0.0.0/ 8', '10.0.0.0/8\n', '10.0.0/8', '10/8', '10.0.0.0/1e1', '10.0.0.0/8.0',
    ];
    for (const text of wrong) assert.equal(parsePrefix(text), undefined, JSON.stringify(text));
  });

  it('cannot be made with another length', () => {
    for (const length of [-1, 33, 1.5, NaN]) assert.throws(() => prefixOf(0, length), RangeError);
  });

  it('is written as it is read', () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(32), (address, length) => {
        const prefix = prefixOf(address, length);
        assert.deepEqual(parsePrefix(formatPrefix(prefix)), prefix);
      }),
    );
  });

  it('contains its own addresses and no others', () => {
    const prefix = prefixOf(0xc0a86300, 24);
    for (const inside of [0xc0a86300, 0xc0a86301, 0xc0a863ff])
      assert.equal(prefixContains(prefix, inside), true);
    for (const outside of [0xc0a862ff, 0xc0a86400, 0, 0xffffffff])
      assert.equal(prefixContains(prefix, outside), false);
    assert.equal(prefixContains(prefixOf(0, 0), 0xffffffff), true);
    assert.equal(prefixContains(prefixOf(0xffffffff, 32), 0xfffffffe), false);
  });

  it('contains exactly what its range contains', () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(32), anyAddress, (network, length, far) => {
        const prefix = prefixOf(network, length);
        const range = prefixRange(prefix);
        assert.equal(rangeSize(range), 2 ** (32 - length));
        const near = [range.first, range.last, range.first - 1, range.last + 1, network];
        for (const address of [...near, far]) {
          if (address < 0 || address > 0xffffffff) continue;
          assert.equal(prefixContains(prefix, address), rangeContains(range, address));
        }
      }),
    );
  });
});

describe('netmask', () => {
  it('has as many ones as the length says', () => {
    assert.equal(netmask(0), 0);
    assert.equal(netmask(1), 0x80000000);
    assert.equal(netmask(24), 0xffffff00);
    assert.equal(netmask(32), 0xffffffff);
  });
});

describe('a range', () => {
  it('is read from its ends, or as one address', () => {
    assert.deepEqual(parseRange('192.168.99.10-192.168.99.60'), {
      first: 0xc0a8630a,
      last: 0xc0a8633c,
    });
    assert.deepEqual(parseRange('10.0.0.1'), { first: 0x0a000001, last: 0x0a000001 });
    assert.deepEqual(parseRange('10.0.0.1-10.0.0.1'), { first: 0x0a000001, last: 0x0a000001 });
    // Above 2^31 numbers must not turn negative.
    assert.deepEqual(parseRange('0.0.0.0-255.255.255.255'), { first: 0, last: 0xffffffff });
  });

  it('is refused in every other form', () => {
    // prettier-ignore
    const wrong = [
      '', '-', '10.0.0.1-', '-10.0.0.1', '10.0.0.2-10.0.0.1', '10.0.0.1-9', '10.0.0.1 - 10.0.0.2',
      '10.0.0.1-10.0.0.2-10.0.0.3', '10.0.0.0/8', '10.0.0.1-10.0.0.256',
    ];
    for (const text of wrong) assert.equal(parseRange(text), undefined, JSON.stringify(text));
  });

  it('is written as it is read and knows its size', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (a, b) => {
        const range = { first: Math.min(a, b), last: Math.max(a, b) };
        assert.deepEqual(parseRange(formatRange(range)), range);
        assert.equal(rangeSize(range), Math.abs(a - b) + 1);
        assert.equal(rangeContains(range, a) && rangeContains(range, b), true);
      }),
    );
  });

  it('contains its ends and nothing beyond them', () => {
    const range = { first: 10, last: 12 };
    assert.deepEqual(
      [9, 10, 11, 12, 13].map((address) => rangeContains(range, address)),
      [false, true, true, true, false],
    );
  });
});

describe('an address that no host can have', () => {
  it('is told with what it is', () => {
    const faults = {
      '0.0.0.0': 'means "this network"',
      '0.255.255.255': 'means "this network"',
      '127.0.0.1': 'is a loopback address',
      '127.255.255.255': 'is a loopback address',
      '224.0.0.1': 'is a multicast address',
      '239.255.255.255': 'is a multicast address',
      '240.0.0.1': 'is a reserved address',
      '255.255.255.254': 'is a reserved address',
      '255.255.255.255': 'is the broadcast address',
    };
    for (const [text, fault] of Object.entries(faults))
      assert.equal(addressFault(parseAddress(text)!), fault, text);
    for (const text of ['1.0.0.0', '10.0.0.0', '126.255.255.255', '128.0.0.1', '223.255.255.255'])
      assert.equal(addressFault(parseAddress(text)!), undefined, text);
  });
});
