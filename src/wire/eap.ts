/**
 * EAP packets (RFC 3748 §4), and what EAP-MSCHAPv2 puts into them (draft-kamath-pppext-eap-mschapv2 §2): MS-CHAPv2's
 * packets with an OpCode in the place of CHAP's code.
 */
import { bytes, decode, encode, isMalformed, malformed, rest, struct, u16, u8 } from './codec.ts';
import type { Codec, Malformed } from './codec.ts';
import { decodeControlPacket, encodeControlPacket } from './control-packet.ts';
import { writeU16 } from './octets.ts';
import { MS_CHAP_V2_CHALLENGE_LENGTH } from './ms-chap.ts';
import { textFromOctets, type Text } from './text.ts';

/** RFC 3748 §5, and IANA's "Method Types". */
export const EapType = {
  Identity: 1,
  Notification: 2,
  Nak: 3,
  Md5Challenge: 4,
  Tls: 13,
  Peap: 25,
  MsChapV2: 26,
} as const;

/** RFC 3748 §4.1 */
export interface EapExchange {
  readonly kind: 'request' | 'response';
  readonly identifier: number;
  /** An EapType, or another. */
  readonly type: number;
  readonly data: Uint8Array;
}

export type EapPacket =
  | EapExchange
  /** RFC 3748 §4.2 */
  | { readonly kind: 'success' | 'failure'; readonly identifier: number };

const CODE = { request: 1, response: 2, success: 3, failure: 4 } as const;

const typed = struct({ type: u8, data: rest });

/** Decodes the payload of a frame of protocol 0xc227. */
export function decodeEap(payload: Uint8Array): EapPacket | Malformed {
  const packet = decodeControlPacket(payload);
  if (isMalformed(packet)) return packet;
  const { code, identifier, data } = packet;
  switch (code) {
    case CODE.request:
      return decodeTyped('request', identifier, data);
    case CODE.response:
      return decodeTyped('response', identifier, data);
    case CODE.success:
      return { kind: 'success', identifier };
    case CODE.failure:
      return { kind: 'failure', identifier };
    default: // RFC 3748 §4
      return malformed('unknown-type', `EAP code ${code}`);
  }
}

/** The payload of a frame of protocol 0xc227. */
export function encodeEap(packet: EapPacket): Uint8Array {
  const { kind, identifier } = packet;
  const data = 'type' in packet ? encode(typed, packet, `EAP ${kind}`) : new Uint8Array(0);
  return encodeControlPacket({ code: CODE[kind], identifier, data });
}

function decodeTyped(
  kind: EapExchange['kind'],
  identifier: number,
  data: Uint8Array,
): EapExchange | Malformed {
  const fields = decode(typed, data, `EAP ${kind}`);
  return isMalformed(fields) ? fields : { kind, identifier, ...fields };
}

/** What an authenticator asks by EAP-MSCHAPv2. */
export type EapMsChapV2Request =
  | {
      readonly kind: 'challenge';
      readonly msChapV2Id: number;
      readonly challenge: Uint8Array;
      /** May be empty. */
      readonly name: Text;
    }
  /** Message: as in MS-CHAPv2's Success and Failure (RFC 2759 §5, §6). */
  | {
      readonly kind: 'success' | 'failure';
      readonly msChapV2Id: number;
      readonly message: Text;
    };

/** What a peer answers. */
export type EapMsChapV2Response =
  | {
      readonly kind: 'response';
      readonly msChapV2Id: number;
      /** The 49 octets of MS-CHAPv2's Response. */
      readonly value: Uint8Array;
      readonly name: Text;
    }
  /** It has read the Success or Failure Request, and agrees: the OpCode alone. */
  | { readonly kind: 'success' | 'failure' };

const OP_CODE = { challenge: 1, response: 2, success: 3, failure: 4 } as const;

/**
 * MS-CHAPv2-ID: that of the Challenge, also in what follows. pppd 2.5 compares it when it has called, and sends another one in its
 * own Success; since EAP's Identifier tells what belongs together, whoever reads it here need not.
 */
const header = { opCode: u8, msChapV2Id: u8, msLength: u16 } as const;
const VALUE_LENGTH = 49;

const challengeRequest = struct({
  ...header,
  valueSize: u8,
  challenge: bytes(MS_CHAP_V2_CHALLENGE_LENGTH),
  name: rest,
});
const challengeResponse = struct({
  ...header,
  valueSize: u8,
  value: bytes(VALUE_LENGTH),
  name: rest,
});
const messageRequest = struct({ ...header, message: rest });

/** Decodes the data of a Request of type 26. */
export function decodeEapMsChapV2Request(data: Uint8Array): EapMsChapV2Request | Malformed {
  const [opCode = 0] = data;
  switch (opCode) {
    case OP_CODE.challenge: {
      const fields = decodeCounted(challengeRequest, data, 'challenge');
      if (isMalformed(fields)) return fields;
      const { msChapV2Id, challenge, valueSize, name } = fields;
      if (valueSize !== MS_CHAP_V2_CHALLENGE_LENGTH) return badValueSize('challenge', valueSize);
      return { kind: 'challenge', msChapV2Id, challenge, name: textFromOctets(name) };
    }
    case OP_CODE.success:
      return decodeMessage('success', data);
    case OP_CODE.failure:
      return decodeMessage('failure', data);
    default:
      return malformed('unknown-type', `EAP-MSCHAPv2: OpCode ${opCode}`);
  }
}

/** Decodes the data of a Response of type 26. */
export function decodeEapMsChapV2Response(data: Uint8Array): EapMsChapV2Response | Malformed {
  const [opCode = 0] = data;
  switch (opCode) {
    case OP_CODE.response: {
      const fields = decodeCounted(challengeResponse, data, 'response');
      if (isMalformed(fields)) return fields;
      const { msChapV2Id, value, valueSize, name } = fields;
      if (valueSize !== VALUE_LENGTH) return badValueSize('response', valueSize);
      return { kind: 'response', msChapV2Id, value, name: textFromOctets(name) };
    }
    case OP_CODE.success:
      return { kind: 'success' };
    case OP_CODE.failure:
      return { kind: 'failure' };
    default:
      return malformed('unknown-type', `EAP-MSCHAPv2: OpCode ${opCode}`);
  }
}

export function encodeEapMsChapV2Request(request: EapMsChapV2Request): Uint8Array {
  const { kind, msChapV2Id } = request;
  const fields = { opCode: OP_CODE[kind], msChapV2Id, msLength: 0 };
  if (request.kind !== 'challenge')
    return encodeCounted(messageRequest, { ...fields, message: request.message.octets }, kind);
  const { challenge, name } = request;
  const valueSize = challenge.length;
  return encodeCounted(
    challengeRequest,
    { ...fields, valueSize, challenge, name: name.octets },
    kind,
  );
}

export function encodeEapMsChapV2Response(response: EapMsChapV2Response): Uint8Array {
  const { kind } = response;
  const opCode = OP_CODE[kind];
  if (response.kind !== 'response') return Uint8Array.of(opCode);
  const { msChapV2Id, value, name } = response;
  const valueSize = value.length;
  return encodeCounted(
    challengeResponse,
    { opCode, msChapV2Id, msLength: 0, valueSize, value, name: name.octets },
    kind,
  );
}

function decodeMessage(
  kind: 'success' | 'failure',
  data: Uint8Array,
): EapMsChapV2Request | Malformed {
  const fields = decodeCounted(messageRequest, data, kind);
  if (isMalformed(fields)) return fields;
  return { kind, msChapV2Id: fields.msChapV2Id, message: textFromOctets(fields.message) };
}

/** MS-Length counts all from the OpCode on: EAP's Length less 5. */
function decodeCounted<T extends { readonly msLength: number }>(
  codec: Codec<T>,
  data: Uint8Array,
  kind: string,
): T | Malformed {
  const fields = decode(codec, data, `EAP-MSCHAPv2 ${kind}`);
  if (isMalformed(fields) || fields.msLength === data.length) return fields;
  return malformed(
    'bad-value',
    `EAP-MSCHAPv2 ${kind}: MS-Length ${fields.msLength}, ${data.length} octets came`,
  );
}

const MS_LENGTH_AT = 2;

function encodeCounted<T>(codec: Codec<T>, fields: T, kind: string): Uint8Array {
  const data = encode(codec, fields, `EAP-MSCHAPv2 ${kind}`);
  writeU16(data, MS_LENGTH_AT, data.length);
  return data;
}

function badValueSize(kind: string, size: number): Malformed {
  return malformed('bad-value', `EAP-MSCHAPv2 ${kind}: value of ${size} octets`);
}

/** RFC 3748 §5.3.1: the types that a peer would rather have. 0, or none: it has no other. */
export function nakTypes(data: Uint8Array): readonly number[] {
  return [...data].filter((type) => type !== 0);
}
