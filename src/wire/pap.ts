/** PAP packets: RFC 1334 §2.2. */
import { isMalformed, malformed, type Malformed } from './codec.ts';
import { decodeControlPacket, encodeControlPacket } from './control-packet.ts';
import { copyOctets } from './octets.ts';
import { textFromOctets, type Text } from './text.ts';

export type PapPacket =
  | {
      readonly kind: 'authenticate-request';
      readonly identifier: number;
      readonly peerId: Text;
      /** A secret: never in a log or an error. */
      readonly password: Uint8Array;
    }
  | {
      readonly kind: 'authenticate-ack' | 'authenticate-nak';
      readonly identifier: number;
      readonly message: Text;
    };

const CODE = {
  'authenticate-request': 1,
  'authenticate-ack': 2,
  'authenticate-nak': 3,
} as const;

/** Decodes the payload of a frame of protocol 0xc023. Octets behind the last field are ignored. */
export function decodePap(payload: Uint8Array): PapPacket | Malformed {
  const packet = decodeControlPacket(payload);
  if (isMalformed(packet)) return packet;
  const { code, identifier, data } = packet;
  switch (code) {
    case CODE['authenticate-request']:
      return decodeRequest(identifier, data);
    case CODE['authenticate-ack']:
      return decodeAnswer('authenticate-ack', identifier, data);
    case CODE['authenticate-nak']:
      return decodeAnswer('authenticate-nak', identifier, data);
    default:
      return malformed('unknown-type', `PAP code ${code}`);
  }
}

/** The payload of a frame of protocol 0xc023. Throws RangeError for a field of more than 255 octets. */
export function encodePap(packet: PapPacket): Uint8Array {
  const { kind, identifier } = packet;
  const data =
    kind === 'authenticate-request'
      ? counted(packet.peerId.octets, packet.password)
      : counted(packet.message.octets);
  return encodeControlPacket({ code: CODE[kind], identifier, data });
}

/** RFC 1334 §2.2.1: Peer-ID Length, Peer-ID, Passwd-Length, Password. */
function decodeRequest(identifier: number, data: Uint8Array): PapPacket | Malformed {
  const peerId = field(data, 0);
  const password = peerId && field(data, 1 + peerId.length);
  if (password === undefined) return malformed('too-short', 'PAP authenticate-request');
  return {
    kind: 'authenticate-request',
    identifier,
    peerId: textFromOctets(peerId!),
    password: copyOctets(password),
  };
}

/** RFC 1334 §2.2.2: Msg-Length, Message. Some peers leave out both. */
function decodeAnswer(
  kind: 'authenticate-ack' | 'authenticate-nak',
  identifier: number,
  data: Uint8Array,
): PapPacket | Malformed {
  const message = data.length === 0 ? data : field(data, 0);
  if (message === undefined) return malformed('too-short', `PAP ${kind}`);
  return { kind, identifier, message: textFromOctets(message) };
}

/** The octets counted by the length octet at `at`, or undefined if they are not all there. */
function field(data: Uint8Array, at: number): Uint8Array | undefined {
  const length = data[at];
  if (length === undefined || at + 1 + length > data.length) return undefined;
  return data.subarray(at + 1, at + 1 + length);
}

function counted(...fields: readonly Uint8Array[]): Uint8Array {
  const octets: number[] = [];
  for (const part of fields) {
    if (part.length > 255) throw new RangeError(`PAP field: ${part.length} octets`);
    octets.push(part.length, ...part);
  }
  return Uint8Array.from(octets);
}
