import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callIdFields } from '../../src/relay/call-id-fields.ts';
import {
  controlMessageNames,
  encodeControlMessage,
  type ControlMessage,
} from '../../src/wire/control-message.ts';
import { readU16 } from '../../src/wire/octets.ts';

test('the offsets of call ids are those of the messages', () => {
  const CALL_ID = 0xabcd;
  const PEER_CALL_ID = 0x6789;
  for (const name of controlMessageNames) {
    const type = controlMessageNames.indexOf(name) + 1;
    // Every field is given; those that the message does not have are not written.
    const given: Record<string, unknown> = { name, callId: CALL_ID, peerCallId: PEER_CALL_ID };
    const values = new Proxy(given, {
      get: (target, field) =>
        Object.hasOwn(target, field)
          ? target[String(field)]
          : /[nN]ame$|Number$|subaddress|Statistics/.test(String(field)) &&
              field !== 'callSerialNumber'
            ? ''
            : 0,
    });
    const octets = encodeControlMessage(values as unknown as ControlMessage);
    const at = (id: number) => {
      for (let i = 12; i + 1 < octets.length; i++) if (readU16(octets, i) === id) return i;
      return undefined;
    };
    const fields = callIdFields(type);
    assert.equal(at(CALL_ID), fields?.own, name);
    assert.equal(at(PEER_CALL_ID), fields?.peer, name);
  }
});
