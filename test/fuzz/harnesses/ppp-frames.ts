/** RFC 1661 §2, §5, §6.5, §6.6: frames and the packets in them. */
import assert from 'node:assert/strict';
import { isMalformed } from '../../../src/wire/codec.ts';
import { decodeControlPacket, encodeControlPacket } from '../../../src/wire/control-packet.ts';
import {
  decodePppFrame,
  PPP_MAX_HEADER_LENGTH,
  writePppHeader,
} from '../../../src/wire/ppp-frame.ts';
import { joined } from '../random.ts';
import { harness } from '../harness.ts';
import { pppFrame } from '../messages.ts';
import { same } from '../same.ts';

export const pppFrames = harness({
  name: 'ppp-frames',
  generate(random) {
    const frame = pppFrame(random);
    return {
      frame: random.chance(4) ? frame.subarray(2) : frame,
      pfc: random.chance(2),
      acfc: random.chance(2),
    };
  },
  run({ frame, pfc, acfc }) {
    const read = decodePppFrame(frame);
    if (isMalformed(read)) return;
    assert.ok(read.payload.length < frame.length);
    const head = new Uint8Array(PPP_MAX_HEADER_LENGTH);
    const length = writePppHeader(head, 0, read.protocol, pfc && (read.protocol & 1) === 1, acfc);
    const again = decodePppFrame(joined(head.subarray(0, length), read.payload));
    // A protocol with an odd first octet is no protocol (§2): it is read as the field of one octet that it begins with.
    // 0x00ff is not assigned, because in one octet it could begin FF 03.
    if ((read.protocol & 0x0100) === 0 && read.protocol !== 0xff) {
      assert.ok(!isMalformed(again));
      assert.equal(again.protocol, read.protocol);
      assert.ok(same(again.payload, read.payload));
    }
    const packet = decodeControlPacket(read.payload);
    if (isMalformed(packet)) return;
    const octets = encodeControlPacket(packet);
    assert.ok(same(octets, read.payload.subarray(0, octets.length)));
  },
});
