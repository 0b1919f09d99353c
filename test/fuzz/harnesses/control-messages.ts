/** RFC 2637 §2: what is read can be written, and reads the same again; a stream is cut alike however it arrives. */
import assert from 'node:assert/strict';
import { Framer } from '../../../src/pptp/framer.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import {
  decodeControlMessage,
  encodeControlMessage,
  MAX_MESSAGE_LENGTH,
} from '../../../src/wire/control-message.ts';
import { harness } from '../harness.ts';
import { controlOctets } from '../messages.ts';
import { same } from '../same.ts';

export const controlMessages = harness({
  name: 'control-messages',
  generate: (random) => ({ octets: controlOctets(random), cut: random.below(MAX_MESSAGE_LENGTH) }),
  run({ octets, cut }) {
    const message = decodeControlMessage(octets);
    if (!isMalformed(message)) {
      const again = encodeControlMessage(message);
      assert.equal(again.length, octets.length);
      const reread = decodeControlMessage(again);
      assert.ok(same(again, isMalformed(reread) ? new Uint8Array() : encodeControlMessage(reread)));
    }
    const whole = new Framer().push(octets);
    const inTwo = new Framer();
    const parts = [...inTwo.push(octets.subarray(0, cut)), ...inTwo.push(octets.subarray(cut))];
    assert.equal(parts.length, whole.length);
    let length = 0;
    whole.forEach((one, i) => {
      const other = parts[i]!;
      if (isMalformed(one)) {
        assert.equal(i, whole.length - 1, 'something after the end of the stream');
        assert.ok(isMalformed(other));
      } else {
        assert.ok(!isMalformed(other) && same(one, other));
        assert.ok(one.length <= MAX_MESSAGE_LENGTH);
        length += one.length;
      }
    });
    assert.ok(length <= octets.length);
  },
});
