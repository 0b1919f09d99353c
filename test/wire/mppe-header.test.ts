import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  COHERENCY_MASK,
  MppeFlag,
  readMppeHeader,
  writeMppeHeader,
} from '../../src/wire/mppe-header.ts';
import { embed, hex } from './sample.ts';

describe('the MPPE header', () => {
  it('is read at its place', () => {
    // 0x9001: flushed, encrypted, count 1: the second packet of a stateless sender.
    const value = readMppeHeader(embed(hex('9001'), 3, 0xee), 3, 2);
    assert.equal(value & MppeFlag.Flushed, MppeFlag.Flushed);
    assert.equal(value & MppeFlag.B, 0);
    assert.equal(value & MppeFlag.Compressed, 0);
    assert.equal(value & MppeFlag.Encrypted, MppeFlag.Encrypted);
    assert.equal(value & COHERENCY_MASK, 1);
    assert.equal(readMppeHeader(hex('6fff'), 0, 2), MppeFlag.B | MppeFlag.Compressed | 0xfff);
  });

  it('is refused if it is cut, whatever follows', () => {
    assert.equal(readMppeHeader(hex('9001'), 0, 0), -1);
    assert.equal(readMppeHeader(hex('9001'), 0, 1), -1);
  });

  it('is written with D set and the count modulo 4096', () => {
    const octets = new Uint8Array(6).fill(0xee);
    writeMppeHeader(octets, 2, true, 0);
    assert.deepEqual(octets, hex('eeee 9000 eeee'));
    writeMppeHeader(octets, 2, false, 0x10fff);
    assert.deepEqual(octets, hex('eeee 1fff eeee'));
  });

  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.nat(0xfff), (flushed, count) => {
        const octets = new Uint8Array(2);
        writeMppeHeader(octets, 0, flushed, count);
        const flags = flushed ? 0x9000 : 0x1000;
        assert.equal(readMppeHeader(octets, 0, 2), flags | count);
      }),
    );
  });

  it('has flags and count that together are the 16 bits', () => {
    assert.deepEqual(Object.values(MppeFlag), [0x8000, 0x4000, 0x2000, 0x1000]);
    assert.equal(COHERENCY_MASK, 0x0fff);
  });
});
