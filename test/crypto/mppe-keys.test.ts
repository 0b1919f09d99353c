import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  KeyChanger,
  mppeKeyLength,
  type MppeBits,
  mppeStartKeys,
  mppeStartKeysMsChapV1,
  mppeStartKeysMsChapV1Lm,
} from '../../src/crypto/mppe-keys.ts';
import { lmPasswordHash } from '../../src/crypto/password.ts';
import {
  MPPE_MS_CHAP_V1,
  MPPE_MS_CHAP_V2,
  MPPE_SESSION_KEYS,
  MS_CHAP_V2,
} from '../vectors/ms-chap.ts';
import { hex, octets } from './hex.ts';
import { initialKeyTwin, nextKeyTwin } from './mppe-twin.ts';
import { rc4TwinApply } from './rc4-twin.ts';

const ntHashHash = octets(MS_CHAP_V2.ntHashHash);
const ntResponse = octets(MS_CHAP_V2.ntResponse);
const STRENGTHS = [40, 56, 128] as const;

function initialSessionKey(startKey: Uint8Array, bits: MppeBits): Uint8Array {
  const key = new Uint8Array(mppeKeyLength(bits));
  new KeyChanger().initialKey(startKey, 0, bits, key, 0);
  return key;
}

function nextSessionKey(startKey: Uint8Array, sessionKey: Uint8Array, bits: MppeBits): Uint8Array {
  const key = sessionKey.slice();
  new KeyChanger().nextKey(startKey, 0, bits, key, 0);
  return key;
}

for (const { bits, startKey, sessionKey, testMessage } of MPPE_MS_CHAP_V2) {
  test(`RFC 3079 §3.5: ${bits} bits after MS-CHAPv2`, () => {
    const { send } = mppeStartKeys(ntHashHash, ntResponse, true, bits);
    assert.equal(hex(send), startKey);
    const key = initialSessionKey(send, bits);
    assert.equal(hex(key), sessionKey);
    assert.equal(hex(rc4TwinApply(key, new TextEncoder().encode('test message'))), testMessage);
  });
}

test('the peer sends with a key of its own', () => {
  const { send } = mppeStartKeys(ntHashHash, ntResponse, false, 128);
  assert.equal(hex(send), MPPE_SESSION_KEYS.peerStartKey);
  assert.equal(hex(initialSessionKey(send, 128)), MPPE_SESSION_KEYS.peerSessionKey);
});

test('what one end sends with, the other receives with; the directions differ', () => {
  for (const bits of STRENGTHS) {
    const authenticator = mppeStartKeys(ntHashHash, ntResponse, true, bits);
    const peer = mppeStartKeys(ntHashHash, ntResponse, false, bits);
    assert.deepEqual(authenticator.send, peer.receive);
    assert.deepEqual(authenticator.receive, peer.send);
    assert.notDeepEqual(authenticator.send, authenticator.receive);
  }
});

test('keys of 128 bits have 16 octets, weaker ones 8', () => {
  assert.deepEqual(STRENGTHS.map(mppeKeyLength), [8, 8, 16]);
  for (const bits of STRENGTHS) {
    const { send, receive } = mppeStartKeys(ntHashHash, ntResponse, true, bits);
    assert.equal(send.length, mppeKeyLength(bits));
    assert.equal(receive.length, mppeKeyLength(bits));
  }
});

test('the keys of stateless packets follow from the initial one', () => {
  for (const [isAuthenticator, packets] of [
    [true, MPPE_SESSION_KEYS.authenticatorPackets],
    [false, MPPE_SESSION_KEYS.peerPackets],
  ] as const) {
    const { send } = mppeStartKeys(ntHashHash, ntResponse, isAuthenticator, 128);
    let key = initialSessionKey(send, 128);
    for (const expected of packets) {
      key = nextSessionKey(send, key, 128);
      assert.equal(hex(key), expected);
    }
  }
});

test('RFC 3079 §2.5.1, §2.5.2: 40 and 56 bits after MS-CHAPv1', () => {
  const { send, receive } = mppeStartKeysMsChapV1Lm(lmPasswordHash(MPPE_MS_CHAP_V1.password)!);
  assert.equal(hex(send), MPPE_MS_CHAP_V1.lmHash.slice(0, 16));
  assert.deepEqual(receive, send);
  assert.equal(hex(initialSessionKey(send, 40)), MPPE_MS_CHAP_V1.sessionKey40);
  assert.equal(hex(initialSessionKey(send, 56)), MPPE_MS_CHAP_V1.sessionKey56);
});

test('RFC 3079 §2.5.3: 128 bits after MS-CHAPv1', () => {
  const { send, receive } = mppeStartKeysMsChapV1(ntHashHash, octets(MPPE_MS_CHAP_V1.challenge));
  assert.equal(hex(send), MPPE_MS_CHAP_V1.startKey128);
  assert.deepEqual(receive, send);
  assert.equal(hex(initialSessionKey(send, 128)), MPPE_MS_CHAP_V1.sessionKey128);
});

const startKey = fc.constantFrom(...STRENGTHS).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    key: fc.uint8Array({ minLength: mppeKeyLength(bits), maxLength: mppeKeyLength(bits) }),
  }),
);

test('a run of key changes equals the twin, and leaves its inputs alone', () => {
  fc.assert(
    fc.property(startKey, fc.integer({ min: 1, max: 20 }), ({ bits, key: start }, changes) => {
      const before = start.slice();
      let key = initialSessionKey(start, bits);
      let twin = initialKeyTwin(start, bits);
      assert.deepEqual(key, twin);
      for (let n = 0; n < changes; n++) {
        const last = key.slice();
        const next = nextSessionKey(start, key, bits);
        assert.deepEqual(key, last);
        twin = nextKeyTwin(start, twin, bits);
        assert.deepEqual(next, twin);
        key = next;
      }
      assert.deepEqual(start, before);
    }),
  );
});

test('one KeyChanger serves many keys in a slab and touches nothing else there', () => {
  const changer = new KeyChanger();
  fc.assert(
    fc.property(startKey, fc.nat(20), fc.nat(20), ({ bits, key: start }, startAt, keyAt) => {
      const starts = new Uint8Array(40).fill(0x55);
      starts.set(start, startAt);
      const startsBefore = starts.slice();
      const keys = new Uint8Array(40).fill(0x66);
      const expected = keys.slice();

      changer.initialKey(starts, startAt, bits, keys, keyAt);
      expected.set(initialKeyTwin(start, bits), keyAt);
      assert.deepEqual(keys, expected);

      changer.nextKey(starts, startAt, bits, keys, keyAt);
      expected.set(nextKeyTwin(start, initialKeyTwin(start, bits), bits), keyAt);
      assert.deepEqual(keys, expected);
      assert.deepEqual(starts, startsBefore);
    }),
  );
});

test('weak keys keep their fixed octets through every change', () => {
  for (const [bits, fixed] of [
    [40, 'D1269E'],
    [56, 'D1'],
  ] as const) {
    const { send } = mppeStartKeys(ntHashHash, ntResponse, true, bits);
    let key = initialSessionKey(send, bits);
    const rest = new Set<string>();
    for (let n = 0; n < 20; n++) {
      assert.equal(hex(key).slice(0, fixed.length), fixed);
      rest.add(hex(key).slice(fixed.length));
      key = nextSessionKey(send, key, bits);
    }
    assert.equal(rest.size, 20);
  }
});
