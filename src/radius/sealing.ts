/**
 * Authenticators of requests and answers: RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3, and the Message-Authenticator (RFC 3579 §3.2,
 * RFC 5997 §3). All that has to do with the shared secret is here and in hiding.ts.
 */
import { equalConstantTime } from '../crypto/equal-constant-time.ts';
import { hmacMd5 } from '../crypto/hmac-md5.ts';
import { md5 } from '../crypto/md5.ts';
import { isMalformed, malformed, type Malformed } from '../wire/codec.ts';
import { copyOctets } from '../wire/octets.ts';
import {
  decodeRadiusPacket,
  encodeRadiusPacket,
  messageAuthenticatorAt,
  RADIUS_AUTHENTICATOR_AT,
  RadiusCode,
  decodeRadiusHeader,
  type DecodedRadiusPacket,
} from '../wire/radius.ts';
import type { RadiusAttribute } from '../wire/radius-attributes.ts';
import { attributeCipher } from './hiding.ts';
import type { SharedSecret } from './shared-secret.ts';

const AUTHENTICATOR_OCTETS = 16;
const nothing = new Uint8Array(AUTHENTICATOR_OCTETS);
/** Filled in once the rest of the packet is known. */
const emptyMessageAuthenticator: RadiusAttribute = {
  name: 'Message-Authenticator',
  value: nothing,
};

/** `length` random octets. */
export type Random = (length: number) => Uint8Array;

/** What is said in a request or an answer; a Message-Authenticator is put in front here. */
export interface RadiusMessage {
  readonly code: number;
  readonly identifier: number;
  readonly attributes: readonly RadiusAttribute[];
}

export interface SealedRequest {
  readonly octets: Uint8Array;
  /** 16 octets: what answers are checked by. */
  readonly authenticator: Uint8Array;
}

/** Requests whose authenticator is random; that of the others is a digest. RFC 2865 §3, RFC 5997 §3 */
const withRandomAuthenticator: readonly number[] = [
  RadiusCode.AccessRequest,
  RadiusCode.StatusServer,
];

/**
 * Throws RangeError for attributes that do not fit. A Message-Authenticator comes first of them (CVE-2024-3596), but not where
 * RFC 2869 §5.19 has none: in accounting. An unsigned request has none either: for finding out about secrets alone.
 */
export function sealRequest(
  { code, identifier, attributes }: RadiusMessage,
  secret: SharedSecret,
  random: Random,
  isUnsigned = code === RadiusCode.AccountingRequest,
): SealedRequest {
  const isRandom = withRandomAuthenticator.includes(code);
  // A copy: who gives random octets may use their place again.
  const authenticator = isRandom ? random(AUTHENTICATOR_OCTETS).slice() : nothing;
  const all = isUnsigned ? attributes : [emptyMessageAuthenticator, ...attributes];
  const octets = encodeRadiusPacket(
    { code, identifier, authenticator, attributes: all },
    attributeCipher(secret, authenticator, random),
  );
  fillMessageAuthenticator(octets, authenticator, secret);
  if (isRandom) return { octets, authenticator };
  const digest = md5(octets, secret.octets);
  octets.set(digest, RADIUS_AUTHENTICATOR_AT);
  return { octets, authenticator: digest };
}

/** The octets of an answer to the request that had `requestAuthenticator`. Throws RangeError as sealRequest does. */
export function sealAnswer(
  { code, identifier, attributes }: RadiusMessage,
  requestAuthenticator: Uint8Array,
  secret: SharedSecret,
  random: Random,
): Uint8Array {
  const octets = encodeRadiusPacket(
    {
      code,
      identifier,
      authenticator: requestAuthenticator,
      attributes: [emptyMessageAuthenticator, ...attributes],
    },
    attributeCipher(secret, requestAuthenticator, random),
  );
  fillMessageAuthenticator(octets, requestAuthenticator, secret);
  octets.set(md5(octets, secret.octets), RADIUS_AUTHENTICATOR_AT);
  return octets;
}

/** Why a packet is not believed: the secret differs, or somebody else sent it. */
export type Distrust = 'bad-authenticator' | 'bad-message-authenticator';

export interface Opened {
  readonly packet: DecodedRadiusPacket;
  readonly hasMessageAuthenticator: boolean;
}

/** Checks and decodes an answer to the request that had `requestAuthenticator`. RFC 2865 §3, RFC 3579 §3.2 */
export function openAnswer(
  octets: Uint8Array,
  requestAuthenticator: Uint8Array,
  secret: SharedSecret,
): Opened | Distrust | Malformed {
  return open(octets, requestAuthenticator, requestAuthenticator, secret);
}

/** Checks and decodes an Accounting-, CoA- or Disconnect-Request. RFC 2866 §3, RFC 5176 §2.3, §3.3 */
export function openRequest(
  octets: Uint8Array,
  secret: SharedSecret,
): Opened | Distrust | Malformed {
  const head = decodeRadiusHeader(octets);
  if (isMalformed(head)) return head;
  if (withRandomAuthenticator.includes(head.code))
    return malformed('unknown-type', `RADIUS: code ${head.code} is no request for us`);
  return open(octets, nothing, head.authenticator, secret);
}

/**
 * @param signed stands in the place of the authenticator where the digests are made
 * @param hidden what hidden attributes are made with
 */
function open(
  octets: Uint8Array,
  signed: Uint8Array,
  hidden: Uint8Array,
  secret: SharedSecret,
): Opened | Distrust | Malformed {
  const head = decodeRadiusHeader(octets);
  if (isMalformed(head)) return head;
  const own = copyOctets(octets, 0, head.length);
  own.set(signed, RADIUS_AUTHENTICATOR_AT);
  if (!equalConstantTime(md5(own, secret.octets), head.authenticator)) return 'bad-authenticator';
  const at = messageAuthenticatorAt(octets);
  if (isMalformed(at)) return at;
  if (at !== undefined) {
    const claimed = own.slice(at, at + AUTHENTICATOR_OCTETS);
    fillMessageAuthenticator(own, signed, secret);
    if (!equalConstantTime(own.subarray(at, at + AUTHENTICATOR_OCTETS), claimed))
      return 'bad-message-authenticator';
  }
  const packet = decodeRadiusPacket(
    octets,
    attributeCipher(secret, hidden, () => nothing),
  );
  return isMalformed(packet) ? packet : { packet, hasMessageAuthenticator: at !== undefined };
}

/** RFC 3579 §3.2: over the packet with the request's authenticator and a Message-Authenticator of zeros. */
function fillMessageAuthenticator(
  octets: Uint8Array,
  requestAuthenticator: Uint8Array,
  { octets: secret }: SharedSecret,
): void {
  const at = messageAuthenticatorAt(octets);
  if (at === undefined || isMalformed(at)) return;
  octets.fill(0, at, at + AUTHENTICATOR_OCTETS);
  octets.set(requestAuthenticator, RADIUS_AUTHENTICATOR_AT);
  octets.set(hmacMd5(secret, octets), at);
}
