/** RFC 2637 §4.1 and RFC 3078 §3.1: headers that are read lie in their packet, and are written as they were. */
import assert from 'node:assert/strict';
import {
  createGreHeader,
  GRE_MAX_HEADER_LENGTH,
  readGre,
  writeGre,
} from '../../../src/wire/gre.ts';
import {
  COHERENCY_MASK,
  MppeFlag,
  readMppeHeader,
  writeMppeHeader,
} from '../../../src/wire/mppe-header.ts';
import { harness } from '../harness.ts';
import { grePacket } from '../messages.ts';

const written = new Uint8Array(GRE_MAX_HEADER_LENGTH);

export const gre = harness({
  name: 'gre',
  generate(random) {
    const packet = grePacket(random, random.edgy(0x10000), random.u32(), random.anyOctets(60));
    return { packet: random.chance(3) ? random.damaged(packet) : packet, before: random.below(20) };
  },
  run({ packet, before }) {
    const octets = new Uint8Array(before + packet.length).fill(0xee);
    octets.set(packet, before);
    const header = createGreHeader();
    const fault = readGre(octets, before, packet.length, header);
    if (fault !== 0) {
      assert.deepEqual(header, createGreHeader());
      return;
    }
    const { headerLength, payloadLength } = header;
    assert.ok(headerLength + payloadLength <= packet.length);
    assert.equal(writeGre(written, 0, header), headerLength);
    for (let i = 0; i < headerLength; i++) assert.equal(written[i], packet[i]);
    const mppe = readMppeHeader(packet, headerLength, payloadLength);
    if (mppe === -1) return;
    writeMppeHeader(written, 0, (mppe & MppeFlag.Flushed) !== 0, mppe & COHERENCY_MASK);
    const again = readMppeHeader(written, 0, 2);
    assert.equal(
      again | MppeFlag.B | MppeFlag.Compressed,
      mppe | MppeFlag.B | MppeFlag.Compressed | MppeFlag.Encrypted,
    );
  },
});
