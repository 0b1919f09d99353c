/**
 * The program that relays GRE of calls: what the nftables maps do (relay-table.ts), before the firewall and connection tracking have
 * seen the packet. What it does not know, or what is out of the ordinary in any way (fragments, options, a header that is
 * damaged, the last hop, too long for the way), is left as it is: it goes the ordinary way, through the tables.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { Assembler, Helper, type Register } from './assembler.ts';

/** Octets before the IP header: of Ethernet, and of devices that have none (PPP, TUN). */
export type LinkHeader = 14 | 0;

export interface Key {
  /** Index of the device that it comes in by. */
  readonly device: number;
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly callId: number;
}

export interface Target {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly callId: number;
  /** Index of the device that it leaves by. */
  readonly device: number;
  /** Octets of a packet that this way carries. */
  readonly mtu: number;
}

export const KEY_SIZE = 16;
export const VALUE_SIZE = 32;
const MAX_MTU = 0xffff;

/** In a value. */
const TO_DESTINATION = 0;
const TO_SOURCE = 4;
const TO_CALL_ID = 8;
const TO_MTU = 10;
const TO_DEVICE = 12;
const PACKETS = 16;
const OCTETS = 24;

export function encodeKey({ device, source, destination, callId }: Key): Uint8Array {
  const octets = new Uint8Array(KEY_SIZE);
  const view = new DataView(octets.buffer);
  view.setUint32(0, device, true);
  view.setUint32(4, source);
  view.setUint32(8, destination);
  view.setUint16(12, callId);
  return octets;
}

export function encodeTarget({ source, destination, callId, device, mtu }: Target): Uint8Array {
  const octets = new Uint8Array(VALUE_SIZE);
  const view = new DataView(octets.buffer);
  view.setUint32(TO_DESTINATION, destination);
  view.setUint32(TO_SOURCE, source);
  view.setUint16(TO_CALL_ID, callId);
  view.setUint16(TO_MTU, Math.min(mtu, MAX_MTU), true);
  view.setUint32(TO_DEVICE, device, true);
  return octets;
}

export function decodeCount(value: Uint8Array): { packets: number; octets: number } {
  const view = new DataView(value.buffer, value.byteOffset);
  return {
    packets: Number(view.getBigUint64(PACKETS, true)),
    octets: Number(view.getBigUint64(OCTETS, true)),
  };
}

/** struct __sk_buff */
const CONTEXT_PROTOCOL = 16;
const CONTEXT_DEVICE = 40;
const CONTEXT_DATA = 76;
const CONTEXT_END = 80;

const IPV4 = 0x0800;
const GRE = 47;
const HEADERS = 28; // IP without options, GRE with a key
const ETHERNET = 14;

/** TCX_NEXT, TCX_DROP */
const NEXT = -1;
const DROP = 2;

const result: Register = 0;
const context: Register = 6;
const packet: Register = 7;
const entry: Register = 9;
const stack: Register = 10;
/** Where the key is built. */
const KEY = -KEY_SIZE;

/** As network order lies in a register. */
function swapped16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

function swapped32(value: number): number {
  return (swapped16(value & 0xffff) << 16) | swapped16(value >>> 16);
}

/** @param map by Key */
export function relayProgram(link: LinkHeader, map: number): Uint8Array {
  const ip = link;
  const gre = link + 20;
  const program = new Assembler();

  program.calculate('move', context, { register: 1 });
  program.load(4, 1, context, CONTEXT_PROTOCOL).jumpIf('different', 1, swapped16(IPV4), 'leave');
  // Of a packet in several pieces the first may be too short.
  locate(program, link + HEADERS, 'scattered').label('located');

  program.load(1, 1, packet, ip).jumpIf('different', 1, 0x45, 'leave');
  program.load(1, 1, packet, ip + 9).jumpIf('different', 1, GRE, 'leave');
  program.load(1, 1, packet, ip + 8).jumpIf('lessOrEqual', 1, 1, 'leave');
  program.load(2, 1, packet, ip + 6); // nothing but Don't Fragment
  program.calculate('and', 1, swapped16(0xbfff)).jumpIf('different', 1, 0, 'leave');
  program.load(4, 1, packet, gre); // PPTP_GRE of relay-rules.ts
  program.calculate('and', 1, swapped32(0xef7fffff));
  program.jumpIf('different', 1, swapped32(0x2001880b), 'leave');

  program.load(4, 1, context, CONTEXT_DEVICE).store(4, stack, KEY, 1);
  program.load(4, 1, packet, ip + 12).store(4, stack, KEY + 4, 1);
  program.load(4, 1, packet, ip + 16).store(4, stack, KEY + 8, 1);
  program.load(2, 1, packet, gre + 6).store(4, stack, KEY + 12, 1);
  program.loadMap(1, map);
  program.calculate('move', 2, { register: stack }).calculate('add', 2, KEY);
  program.call(Helper.LookUp).jumpIf('equal', result, 0, 'leave');
  program.calculate('move', entry, { register: result });

  // Its length, which the kernel's counters have too.
  program.load(2, 8, packet, ip + 2).swap16(8);
  program.load(2, 1, entry, TO_MTU).jumpIf('greater', 8, { register: 1 }, 'leave');

  // A header that is damaged must not come out as a good one: RFC 1812 §5.2.2.
  sumOfHeader(program, ip).jumpIf('different', 2, 0xffff, 'leave');

  // From here on it is ours.
  program.calculate('move', 1, 1).addAtomically(entry, PACKETS, 1).addAtomically(entry, OCTETS, 8);
  program
    .load(1, 1, packet, ip + 8)
    .calculate('add', 1, -1)
    .store(1, packet, ip + 8, 1);
  program.load(4, 1, entry, TO_SOURCE).store(4, packet, ip + 12, 1);
  program.load(4, 1, entry, TO_DESTINATION).store(4, packet, ip + 16, 1);
  program.calculate('move', 1, 0).store(2, packet, ip + 10, 1);
  sumOfHeader(program, ip);
  program.calculate('xor', 2, 0xffff).store(2, packet, ip + 10, 2);

  // Of what a device has summed up, the header makes no difference before and after, the call id does.
  program.load(2, 3, packet, gre + 6).calculate('xor', 3, 0xffff);
  program.load(2, 1, entry, TO_CALL_ID).store(2, packet, gre + 6, 1);
  program.calculate('move', 2, { register: 3 }).calculate('add', 2, { register: 1 });
  program.calculate('move', 1, { register: context }).call(Helper.UpdateChecksum);

  if (link === 0) {
    // The kernel sends on what has a header of Ethernet, and makes that anew.
    program.calculate('move', 1, { register: context });
    program.calculate('move', 2, ETHERNET).calculate('move', 3, 0);
    program.call(Helper.ChangeHead).jumpIf('different', result, 0, 'drop');
  }
  program.load(4, 1, entry, TO_DEVICE);
  for (const argument of [2, 3, 4] as const) program.calculate('move', argument, 0);
  program.call(Helper.RedirectToNeighbour).return();

  program.label('scattered').calculate('move', 1, { register: context });
  program.calculate('move', 2, link + HEADERS).call(Helper.PullData);
  locate(program, link + HEADERS, 'leave').jump('located');

  program.label('leave').calculate('move', result, NEXT).return();
  if (link === 0) program.label('drop').calculate('move', result, DROP).return();
  return program.assemble();
}

/** @param otherwise where there are not so many octets in one piece */
function locate(program: Assembler, octets: number, otherwise: string): Assembler {
  program.load(4, packet, context, CONTEXT_DATA).load(4, 2, context, CONTEXT_END);
  program.calculate('move', 1, { register: packet }).calculate('add', 1, octets);
  return program.jumpIf('greater', 1, { register: 2 }, otherwise);
}

/** r2 = the sum of RFC 1071 over the 20 octets at `ip`, in the packet's order. Uses r1. */
function sumOfHeader(program: Assembler, ip: number): Assembler {
  program.calculate('move', 2, 0);
  for (let at = 0; at < 20; at += 4)
    program.load(4, 1, packet, ip + at).calculate('add', 2, { register: 1 });
  // Five times 32 bits are 35: folded once they are 20, twice 16 and a carry.
  for (let fold = 0; fold < 3; fold++) {
    program.calculate('move', 1, { register: 2 }).calculate('shiftRight', 1, 16);
    program.calculate('and', 2, 0xffff).calculate('add', 2, { register: 1 });
  }
  return program;
}
