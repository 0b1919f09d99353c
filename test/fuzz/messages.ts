/** What peers send, right or nearly so: control messages, PPP frames and packets. */
import {
  controlMessageNames,
  encodeControlMessage,
  MAGIC_COOKIE,
  messageLength,
  type ControlMessage,
} from '../../src/wire/control-message.ts';
import { encodeControlPacket } from '../../src/wire/control-packet.ts';
import { createGreHeader, writeGre, type GreHeader } from '../../src/wire/gre.ts';
import { writeU16, writeU32 } from '../../src/wire/octets.ts';
import { encodePppFrame, PppProtocol } from '../../src/wire/ppp-frame.ts';
import { joined, type Random } from './random.ts';

/** Ids that collide often, so that messages find calls. */
const callId = (random: Random): number =>
  random.chance(8) ? random.edgy(0x10000) : random.below(5);

/** A message of any type whose numbers are often right ones. */
export function controlMessage(random: Random): Uint8Array {
  const given: Record<string, unknown> = { name: random.pick(controlMessageNames) };
  // Every field there is; those that the message does not have are not written.
  const fields = new Proxy(given, {
    get: (target, field) =>
      Object.hasOwn(target, field) ? target[String(field)] : fieldOf(random, String(field)),
  });
  return encodeControlMessage(fields as unknown as ControlMessage);
}

function fieldOf(random: Random, name: string): unknown {
  if (/[nN]ame$|[nN]umber$|^subaddress$|^callStatistics$/.test(name) && name !== 'callSerialNumber')
    return 'x'.repeat(random.chance(8) ? 64 : random.below(9));
  switch (name) {
    case 'callId':
    case 'peerCallId':
      return callId(random);
    case 'protocolVersion':
      return random.chance(8) ? random.edgy(0x10000) : 0x0100;
    case 'resultCode':
      return random.chance(4) ? random.edgy(256) : 1;
    case 'errorCode':
      return random.chance(4) ? random.edgy(256) : 0;
    case 'reason':
      return random.below(5);
    case 'identifier':
    case 'connectSpeed':
    case 'minimumBps':
    case 'maximumBps':
    case 'bearerType':
    case 'framingType':
    case 'framingCapabilities':
    case 'bearerCapabilities':
    case 'physicalChannelId':
    case 'sendAccm':
    case 'receiveAccm':
    case 'crcErrors':
    case 'framingErrors':
    case 'hardwareOverruns':
    case 'bufferOverruns':
    case 'timeOutErrors':
    case 'alignmentErrors':
      return random.edgy(0x1_0000_0000);
    default:
      return random.edgy(0x10000);
  }
}

/** Like a control message, and of a type and length that may not exist. */
export function nearMessage(random: Random): Uint8Array {
  const type = random.below(18);
  const length = Math.min(
    300,
    Math.max(12, (messageLength(type) ?? 20) + random.pick([0, 0, 0, -4, -1, 1, 4])),
  );
  const octets = random.octets(length);
  writeU16(octets, 0, length);
  writeU16(octets, 2, random.chance(8) ? 2 : 1);
  writeU32(octets, 4, MAGIC_COOKIE);
  writeU16(octets, 8, type);
  return octets;
}

/** What comes over a control connection: whole messages mostly, in one piece or in several together. */
export function controlOctets(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return random.damaged(controlMessage(random));
    case 1:
      return nearMessage(random);
    case 2:
      return random.anyOctets(300);
    case 3:
      return joined(...random.list(6, () => controlMessage(random)));
    case 4:
      return controlMessage(random).subarray(0, random.below(160));
    default:
      return controlMessage(random);
  }
}

const protocols = [...Object.values(PppProtocol), 0x1234, 0x00c1, 0x8023];
const negotiated = [
  PppProtocol.Lcp,
  PppProtocol.Ipcp,
  PppProtocol.Ccp,
  PppProtocol.Ipv6cp,
  PppProtocol.Chap,
  PppProtocol.Pap,
  PppProtocol.Eap,
];

export function pppProtocol(random: Random): number {
  return random.chance(3) ? random.pick(protocols) : random.pick(negotiated);
}

const optionTypes = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 17, 18, 19, 23, 26, 128, 129, 130, 131, 132, 255,
];

/** An option: its type one that means something, its length mostly that of such a type. */
export function option(random: Random): Uint8Array {
  const data = random.octets(random.chance(4) ? random.below(20) : random.pick([0, 2, 3, 4, 8]));
  const length = random.chance(12) ? random.edgy(256) : data.length + 2;
  return joined(Uint8Array.of(random.pick(optionTypes), length), data);
}

export function options(random: Random): Uint8Array {
  return joined(...random.list(5, () => option(random)));
}

/** Code, identifier, length and data, as LCP, the NCPs, CHAP and PAP have them. */
export function controlPacket(random: Random): Uint8Array {
  const code = random.chance(10) ? random.below(256) : random.below(16);
  const identifier = random.chance(3) ? random.below(256) : random.below(5);
  const packet = encodeControlPacket({ code, identifier, data: packetData(random) });
  if (random.chance(12)) writeU16(packet, 2, random.edgy(0x10000));
  return packet;
}

function packetData(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return random.anyOctets(80);
    case 1: // Value-Size, Value, Name
      return joined(
        Uint8Array.of(random.pick([8, 16, 49, 49, 255])),
        random.octets(random.pick([8, 16, 49, 60])),
      );
    case 2: // Peer-ID and Password
      return joined(...[0, 1].map(() => counted(random.anyOctets(12))));
    default:
      return options(random);
  }
}

function counted(octets: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(octets.length), octets);
}

export function pppFrame(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return random.anyOctets(100);
    case 1:
      return encodePppFrame(pppProtocol(random), random.anyOctets(100));
    case 2:
      return random.damaged(encodePppFrame(pppProtocol(random), controlPacket(random)));
    default:
      return encodePppFrame(pppProtocol(random), controlPacket(random));
  }
}

/** A GRE packet of RFC 2637 around a payload, damaged now and then; its numbers are near `sequence`, or anywhere. */
export function grePacket(
  random: Random,
  callIdOf: number,
  sequence: number,
  payload: Uint8Array,
): Uint8Array {
  const octets = new Uint8Array(16 + payload.length);
  const header = createGreHeader();
  header.payloadLength = random.chance(20) ? random.edgy(0x10000) : payload.length;
  header.callId = callIdOf;
  header.hasSequence = payload.length > 0 && !random.chance(20);
  header.sequence = random.chance(8)
    ? random.edgy(0x1_0000_0000)
    : (sequence + random.pick([0, 0, 0, 1, 2, -1, 40])) >>> 0;
  header.hasAcknowledgment = random.chance(3);
  header.acknowledgment = random.edgy(0x1_0000_0000);
  const packet = written(octets, header, payload);
  return random.chance(16) ? random.damaged(packet) : packet;
}

/** One in which everything is right. */
export function wholeGrePacket(
  callIdOf: number,
  sequence: number,
  payload: Uint8Array,
): Uint8Array {
  const header = createGreHeader();
  header.payloadLength = payload.length;
  header.callId = callIdOf;
  header.hasSequence = true;
  header.sequence = sequence;
  return written(new Uint8Array(16 + payload.length), header, payload);
}

function written(octets: Uint8Array, header: GreHeader, payload: Uint8Array): Uint8Array {
  const length = writeGre(octets, 0, header);
  octets.set(payload, length);
  return octets.slice(0, length + payload.length);
}
