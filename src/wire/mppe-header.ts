/**
 * The MPPE header, the first two octets of a Compressed (0x00fd) frame's payload: RFC 3078 §3.1. Hot path.
 *
 *     |A|B|C|D|   Coherency Count     |  encrypted protocol and data ...
 */
import { readU16, writeU16 } from './octets.ts';

export const MPPE_HEADER_LENGTH = 2;
/** Octets: the header and the inner protocol. */
const OVERHEAD = MPPE_HEADER_LENGTH + 2;

/** The largest packet in a frame of `mtu` octets: what MPPE adds counts against the peer's MRU. */
export function innerMtu(mtu: number, encrypted: boolean): number {
  return encrypted ? mtu - OVERHEAD : mtu;
}

export const MppeFlag = {
  /** A: the state was flushed before this packet; on every packet in stateless mode. */
  Flushed: 0x8000,
  /** B: MPPC only. */
  B: 0x4000,
  /** C: compressed by MPPC. */
  Compressed: 0x2000,
  /** D: encrypted; clear means plaintext, which we refuse. */
  Encrypted: 0x1000,
} as const;

/** The coherency count in a header, 0..4095. */
export const COHERENCY_MASK = 0x0fff;

/** The header as a u16 (MppeFlag and COHERENCY_MASK take it apart), or -1 if `length` is less than its two octets. */
export function readMppeHeader(octets: Uint8Array, at: number, length: number): number {
  return length < MPPE_HEADER_LENGTH ? -1 : readU16(octets, at);
}

/** Writes the header of an encrypted packet; `count` is taken modulo 4096. */
export function writeMppeHeader(
  octets: Uint8Array,
  at: number,
  flushed: boolean,
  count: number,
): void {
  const flags = flushed ? MppeFlag.Flushed | MppeFlag.Encrypted : MppeFlag.Encrypted;
  writeU16(octets, at, flags | (count & COHERENCY_MASK));
}
