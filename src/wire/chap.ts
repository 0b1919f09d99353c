/** CHAP packets: RFC 1994 §4. What MS-CHAP puts into value and message is in ms-chap.ts. */
import { isMalformed, malformed, type Malformed } from './codec.ts';
import { decodeControlPacket, encodeControlPacket } from './control-packet.ts';
import { copyOctets } from './octets.ts';
import { textFromOctets, type Text } from './text.ts';

/** The Algorithm octet of LCP's Authentication-Protocol option: RFC 1994 §3, RFC 2433 §2, RFC 2759 §2. */
export const ChapAlgorithm = { Md5: 0x05, MsChap: 0x80, MsChapV2: 0x81 } as const;

export type ChapPacket =
  | {
      readonly kind: 'challenge' | 'response';
      readonly identifier: number;
      /** Value: 0..255 octets. */
      readonly value: Uint8Array;
      /** May be empty: Microsoft's servers send no name. */
      readonly name: Text;
    }
  | {
      readonly kind: 'success' | 'failure';
      readonly identifier: number;
      readonly message: Text;
    }
  /** RFC 2759 §7; what is in it: decodeMsChapV2Change. */
  | {
      readonly kind: 'change-password';
      readonly identifier: number;
      readonly data: Uint8Array;
    };

const CODE = { challenge: 1, response: 2, success: 3, failure: 4, 'change-password': 7 } as const;

/** Decodes the payload of a frame of protocol 0xc223. */
export function decodeChap(payload: Uint8Array): ChapPacket | Malformed {
  const packet = decodeControlPacket(payload);
  if (isMalformed(packet)) return packet;
  const { code, identifier, data } = packet;
  switch (code) {
    case CODE.challenge:
      return decodeValue('challenge', identifier, data);
    case CODE.response:
      return decodeValue('response', identifier, data);
    case CODE.success:
      return { kind: 'success', identifier, message: textFromOctets(data) };
    case CODE.failure:
      return { kind: 'failure', identifier, message: textFromOctets(data) };
    case CODE['change-password']:
      return { kind: 'change-password', identifier, data };
    default:
      return malformed('unknown-type', `CHAP code ${code}`);
  }
}

/** The payload of a frame of protocol 0xc223. Throws RangeError for a value of more than 255 octets. */
export function encodeChap(packet: ChapPacket): Uint8Array {
  const { kind, identifier } = packet;
  switch (kind) {
    case 'challenge':
    case 'response': {
      const { value, name } = packet;
      if (value.length > 255) throw new RangeError(`CHAP value: ${value.length} octets`);
      const data = new Uint8Array(1 + value.length + name.octets.length);
      data[0] = value.length;
      data.set(value, 1);
      data.set(name.octets, 1 + value.length);
      return encodeControlPacket({ code: CODE[kind], identifier, data });
    }
    case 'success':
    case 'failure':
      return encodeControlPacket({ code: CODE[kind], identifier, data: packet.message.octets });
    case 'change-password':
      return encodeControlPacket({ code: CODE[kind], identifier, data: packet.data });
  }
}

/** RFC 1994 §4.1: Value-Size, Value, Name. */
function decodeValue(
  kind: 'challenge' | 'response',
  identifier: number,
  data: Uint8Array,
): ChapPacket | Malformed {
  const size = data[0];
  if (size === undefined) return malformed('too-short', `CHAP ${kind}: no value size`);
  if (1 + size > data.length)
    return malformed('too-short', `CHAP ${kind}: value of ${size}, ${data.length - 1} octets came`);
  return {
    kind,
    identifier,
    value: copyOctets(data, 1, 1 + size),
    name: textFromOctets(data.subarray(1 + size)),
  };
}
