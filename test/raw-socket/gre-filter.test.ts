import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import { greFilter } from '../../src/raw-socket/gre-filter.ts';
import { grePacket } from './gre-packet.ts';

test('lets exactly the given call ids through', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 400 }), (ids) => {
      const program = greFilter(Uint16Array.from(ids))!;
      const wanted = new Set(ids);
      for (const id of ids.flatMap((id) => [id - 1, id, id + 1]).concat(0, 0xffff)) {
        const callId = id & 0xffff;
        assert.equal(accepts(program, ipPacket(grePacket(callId, 4))), wanted.has(callId));
      }
    }),
    { numRuns: 50 },
  );
});

test('lets every one of 3000 scattered call ids through and none beside them', () => {
  const ids = Uint16Array.from({ length: 3000 }, (_, i) => (i * 7919 + 3) & 0xffff);
  const program = greFilter(ids)!;
  assert.ok(program.length / 8 <= 4096);
  const wanted = new Set(ids);
  assert.equal(wanted.size, 3000);
  for (let id = 0; id <= 0xffff; id++) {
    assert.equal(accepts(program, ipPacket(grePacket(id, 0))), wanted.has(id), String(id));
  }
});

test('no call ids let nothing through, and any call id is any', () => {
  const packet = ipPacket(grePacket(9, 4));
  assert.equal(accepts(greFilter(new Uint16Array())!, packet), false);
  assert.equal(accepts(greFilter(null)!, packet), true);
});

test('so many call ids that the kernel would refuse the program give none', () => {
  assert.equal(greFilter(Uint16Array.from({ length: 4000 }, (_, i) => i)), null);
});

test('refuses GRE that is not that of PPTP', () => {
  const any = greFilter(null)!;
  const changed = (at: number, value: number): Uint8Array => {
    const gre = grePacket(5, 4);
    gre[at] = value;
    return ipPacket(gre);
  };
  assert.equal(accepts(any, changed(0, 0xb0)), false, 'C set');
  assert.equal(accepts(any, changed(0, 0x70)), false, 'R set');
  assert.equal(accepts(any, changed(0, 0x10)), false, 'K clear');
  assert.equal(accepts(any, changed(1, 0x00)), false, 'version 0');
  assert.equal(accepts(any, changed(2, 0x08)), false, 'protocol type');
  assert.equal(accepts(any, changed(1, 0x81)), true, 'A set');
  assert.equal(accepts(any, changed(0, 0x20)), true, 'S clear');
});

test('finds the GRE header behind IPv4 options, and refuses packets cut short', () => {
  const any = greFilter(null)!;
  assert.equal(accepts(any, ipPacket(grePacket(5, 0), 60)), true);
  const whole = ipPacket(grePacket(5, 0));
  for (let length = 1; length < 28; length++) {
    assert.equal(accepts(any, whole.subarray(0, length)), false, String(length));
  }
});

function ipPacket(payload: Uint8Array, headerLength = 20): Uint8Array {
  const packet = new Uint8Array(headerLength + payload.length);
  packet[0] = 0x40 | (headerLength / 4);
  packet.set(payload, headerLength);
  return packet;
}

/** The classic BPF machine, as far as it is needed (linux/bpf_common.h). */
function accepts(program: Uint8Array, packet: Uint8Array): boolean {
  const code = new DataView(program.buffer);
  const data = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const little = endianness() === 'LE';
  let a = 0;
  let x = 0;
  for (let pc = 0; ; pc++) {
    const k = code.getUint32(pc * 8 + 4, little);
    const branch = (taken: boolean): number => code.getUint8(pc * 8 + (taken ? 2 : 3));
    switch (code.getUint16(pc * 8, little)) {
      case 0xb1:
        if (k >= packet.length) return false;
        x = (data.getUint8(k) & 0xf) * 4;
        break;
      case 0x40:
        if (x + k + 4 > packet.length) return false;
        a = data.getUint32(x + k);
        break;
      case 0x48:
        if (x + k + 2 > packet.length) return false;
        a = data.getUint16(x + k);
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        pc += branch(a === k);
        break;
      case 0x35:
        pc += branch(a >= k);
        break;
      case 0x06:
        return k !== 0;
      default:
        assert.fail(`instruction ${pc}`);
    }
  }
}
