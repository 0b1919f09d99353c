/** libubox blob and blobmsg, ubusmsg: what is read can be written, and reads the same; a stream is cut alike however it comes. */
import assert from 'node:assert/strict';
import {
  decodeTable,
  encodeTable,
  MAX_DEPTH,
  type Table,
  type Value,
} from '../../../src/ubus-js/blobmsg.ts';
import { Framer } from '../../../src/ubus-js/framer.ts';
import {
  decodeMessage,
  decodeMonitored,
  encodeMessage,
  encodeMonitored,
  MalformedMessage,
} from '../../../src/ubus-js/message.ts';
import { decodeSignature } from '../../../src/ubus-js/signature.ts';
import { UbusError } from '../../../src/ubus-js/status.ts';
import { harness } from '../harness.ts';
import { blobmsg, ubusMessage } from '../ubus-messages.ts';

export const blobs = harness({
  name: 'blobs',
  generate(random) {
    const table = blobmsg(random);
    const message = ubusMessage(random);
    return {
      table: random.chance(3) ? table : random.damaged(table),
      message: random.chance(3) ? message : random.damaged(message),
      cut: random.below(100),
    };
  },
  run({ table: octets, message: stream, cut }) {
    const table = decodeTable(octets);
    if (!(table instanceof UbusError)) {
      assert.ok(depthOf(table) <= MAX_DEPTH);
      assert.deepEqual(decodeTable(encodeTable(table)), table);
      assert.equal(Object.getPrototypeOf(table), Object.prototype);
    }
    const signature = decodeSignature(octets);
    assert.equal(signature instanceof UbusError, table instanceof UbusError);

    const whole = new Framer().push(stream);
    const framer = new Framer();
    const [first, second] = [
      framer.push(stream.subarray(0, cut)),
      framer.push(stream.subarray(cut)),
    ];
    if (whole instanceof UbusError) {
      assert.ok(first instanceof UbusError || second instanceof UbusError);
      return;
    }
    assert.ok(!(first instanceof UbusError) && !(second instanceof UbusError));
    assert.deepEqual([...first, ...second], whole);
    for (const one of whole) {
      const message = decodeMessage(one);
      if (message instanceof MalformedMessage) continue;
      assert.deepEqual(decodeMessage(encodeMessage(message)), message);
      if (message.type === 'MONITOR') decodeMonitored(message);
      else assert.deepEqual(decodeMonitored(encodeMonitored(7, 'to', message, 1)), message);
    }
  },
});

function depthOf(value: Value | Table): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((each: Value) => depthOf(each)));
}
