/** One value for each attribute of RADIUS. */
import type { RadiusAttribute } from '../../src/wire/radius-attributes.ts';
import { radiusAttributes } from '../../src/wire/radius-attributes.ts';
import {
  chapPassword,
  identifiedText,
  ipv6Prefix,
  msChapCpw2,
  msChapEncryptedPassword,
  msChapMppeKeys,
  msChapResponse,
  msChapV2Cpw,
  msChapV2Response,
  someText,
  taggedInteger,
  taggedText,
} from '../../src/wire/radius-values.ts';
import { textOf } from '../../src/wire/text.ts';
import { ipv4, u32 } from '../../src/wire/codec.ts';

const octets = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1);

const samples = new Map<unknown, unknown>([
  [someText, textOf('Grüße')],
  [u32, 0xfedcba98],
  [ipv4, 0x0a010203],
  [taggedInteger, { tag: 3, value: 0x010203 }],
  [taggedText, { tag: 31, value: textOf('203.0.113.9') }],
  [ipv6Prefix, { address: octets(16), length: 64 }],
  [identifiedText, { identifier: 200, value: textOf('E=691 R=1') }],
  [chapPassword, { identifier: 5, response: octets(16) }],
  [msChapResponse, { identifier: 5, flags: 1, lmResponse: octets(24), ntResponse: octets(24) }],
  [
    msChapV2Response,
    { identifier: 5, flags: 0, peerChallenge: octets(16), ntResponse: octets(24) },
  ],
  [
    msChapCpw2,
    {
      code: 7,
      identifier: 5,
      oldNtHash: octets(16),
      oldLmHash: octets(16),
      lmResponse: octets(24),
      ntResponse: octets(24),
      flags: 1,
    },
  ],
  [
    msChapV2Cpw,
    {
      code: 7,
      identifier: 5,
      encryptedHash: octets(16),
      peerChallenge: octets(16),
      ntResponse: octets(24),
      flags: 0,
    },
  ],
  [msChapEncryptedPassword, { identifier: 5, encryptedPassword: octets(516) }],
  [msChapMppeKeys, { lmKey: octets(8), ntKey: octets(16) }],
  [radiusAttributes['Framed-Interface-Id'].value, octets(8)],
]);

export const radiusSamples: readonly RadiusAttribute[] = Object.entries(radiusAttributes).map(
  ([name, { value }]) =>
    ({ name, value: samples.get(value) ?? octets(value.minimum || 20) }) as RadiusAttribute,
);
