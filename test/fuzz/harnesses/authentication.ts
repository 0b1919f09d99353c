/** RFC 1334, 1994, 2433, 2759: logins and their answers. */
import assert from 'node:assert/strict';
import { decodeChap, encodeChap } from '../../../src/wire/chap.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import {
  decodeMsChapResponse,
  decodeMsChapV2Change,
  decodeMsChapV2Response,
  encodeMsChapResponse,
  encodeMsChapV2Change,
  encodeMsChapV2Response,
  formatMsChapFailure,
  formatMsChapV2Success,
  parseMsChapFailure,
  parseMsChapV2Success,
} from '../../../src/wire/ms-chap.ts';
import { decodePap, encodePap } from '../../../src/wire/pap.ts';
import { textOf } from '../../../src/wire/text.ts';
import { harness } from '../harness.ts';
import { controlPacket } from '../messages.ts';
import type { Random } from '../random.ts';

const words = [
  'E=',
  'R=',
  'C=',
  'V=',
  'M=',
  'S=',
  ' ',
  '691',
  '0',
  '1',
  '3',
  'ab',
  'DEADBEEF',
  '\0',
  '=',
  '  ',
  '99999999999',
];
const texts = [
  'E=691 R=1 C=0123456789ABCDEF0123456789ABCDEF V=3 M=Authentication failure',
  'E=648 R=0 V=2',
  `S=${'0123456789'.repeat(4)} M=welcome`,
  `S=${'AB'.repeat(20)}`,
];

function text(random: Random): string {
  return random.chance(3)
    ? random.list(12, () => random.word(words)).join('')
    : random.damagedText(random.pick(texts), words);
}

export const authentication = harness({
  name: 'authentication',
  generate: (random) => ({ packet: controlPacket(random), text: text(random) }),
  run({ packet, text: message }) {
    const chap = decodeChap(packet);
    if (!isMalformed(chap)) {
      assert.deepEqual(decodeChap(encodeChap(chap)), chap);
      if ('value' in chap) {
        const v1 = decodeMsChapResponse(chap.value);
        if (!isMalformed(v1)) assert.deepEqual(encodeMsChapResponse(v1), chap.value);
        const v2 = decodeMsChapV2Response(chap.value);
        if (!isMalformed(v2))
          assert.deepEqual(decodeMsChapV2Response(encodeMsChapV2Response(v2)), v2);
      } else if (chap.kind === 'change-password') {
        const change = decodeMsChapV2Change(chap.data);
        if (!isMalformed(change))
          assert.deepEqual(decodeMsChapV2Change(encodeMsChapV2Change(change)), change);
      } else assert.ok(chap.message.octets.length < packet.length);
    }
    const pap = decodePap(packet);
    if (!isMalformed(pap)) assert.deepEqual(decodePap(encodePap(pap)), pap);
    if (isLone(message)) assert.throws(() => textOf(message), RangeError);
    else assert.equal(textOf(message).text, message);

    const failure = parseMsChapFailure(message);
    if (!isMalformed(failure)) {
      assert.ok(Number.isSafeInteger(failure.errorCode) && failure.errorCode >= 0);
      assert.deepEqual(parseMsChapFailure(formatMsChapFailure(failure)), failure);
    }
    const success = parseMsChapV2Success(message);
    if (!isMalformed(success)) {
      assert.equal(success.authenticatorResponse.length, 20);
      assert.deepEqual(parseMsChapV2Success(formatMsChapV2Success(success)), success);
    }
  },
});

function isLone(message: string): boolean {
  return /\p{Surrogate}/u.test(message);
}
