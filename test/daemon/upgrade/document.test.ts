import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeDocument,
  encodeDocument,
  STATE_VERSION,
} from '../../../src/daemon/upgrade/document.ts';

const state = {
  sessions: [{ id: 7, username: 'änna', keys: Uint8Array.of(0, 255, 128), since: 1.5 }],
  idle: false,
};
const document = () => encodeDocument(state, 'linux-x64');

test('what is written is read, octets too', () => {
  assert.deepEqual(decodeDocument(document(), 'linux-x64'), state);
});

test('of another CPU, of another version, of another kind it is refused in words', () => {
  assert.throws(
    () => decodeDocument(document(), 'linux-arm64'),
    /another architecture \(linux-x64/,
  );
  const text = new TextDecoder('latin1').decode(document());
  const other = text.replace(` ${STATE_VERSION} `, ` ${STATE_VERSION + 1} `);
  assert.throws(
    () => decodeDocument(octets(other), 'linux-x64'),
    /it has version \d+, this program knows/,
  );
  for (const none of ['', '\n', 'something else\n{}', text.slice(0, 9)])
    assert.throws(() => decodeDocument(octets(none), 'linux-x64'), /it is no state document/);
});

test('cut anywhere, or with any octet altered, it is refused as a whole', () => {
  const whole = document();
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => decodeDocument(whole.subarray(0, length), 'linux-x64'), Error);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = whole.slice();
      altered[at]! ^= change;
      assert.throws(() => decodeDocument(altered, 'linux-x64'), Error);
    }),
    { numRuns: 2_000 },
  );
});

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
