/**
 * The one memory all packets live in: an ArrayBuffer of fixed size, cut into rows of equal slots, and the keys of MPPE, so
 * that its ciphers find both in place. It belongs to a WebAssembly.Memory; where there is no WebAssembly, to nobody.
 *
 * The daemon makes it once and the addon pins it. Received packets come to lie in `greSlots` and `tunSlots`; the data path
 * makes packets of its own (acknowledgments, control frames, fragments, ICMP) in `outSlots` and keeps what must wait in
 * `heldSlots` (received), `backlogSlots` (to be sent) and `shapedSlots` (by the rate of its session; both directions). A packet position is always an octet offset into `octets`.
 */

import { KEY_SIZE, KEYS_SIZE } from '../mppe/key-memory.ts';
import { createWasmMemory, WASM_RESERVED, type WasmMemory } from '../mppe/wasm/web-assembly.ts';

/** A row of equal slots. All in octets but `count`. */
export interface SlotRange {
  readonly base: number;
  readonly size: number;
  readonly count: number;
  /** Octets free in front of a packet, for the headers it gets when it is sent on. */
  readonly headroom: number;
}

/** Where keys of MPPE lie (mppe/key-memory.ts). */
export interface KeyPlaces {
  /** Those of each session, by direction. */
  readonly send: number;
  readonly receive: number;
  /** Those that one packet is tried with. */
  readonly tried: number;
  /** The keys that the packets of a batch were decrypted with. */
  readonly used: number;
}

export interface Arena {
  /** Calls at the same time. */
  readonly maxSessions: number;
  /** Whose buffer it is; undefined without WebAssembly. */
  readonly memory: WasmMemory | undefined;
  readonly buffer: ArrayBuffer;
  readonly octets: Uint8Array;
  readonly greSlots: SlotRange;
  readonly tunSlots: SlotRange;
  readonly outSlots: SlotRange;
  readonly heldSlots: SlotRange;
  readonly backlogSlots: SlotRange;
  readonly shapedSlots: SlotRange;
  readonly keys: KeyPlaces;
}

export interface ArenaOptions {
  /** 16 by default. */
  readonly maxSessions?: number;
  /** GRE packets per batch. */
  readonly greSlots?: number;
  /** IP packets per batch and device. */
  readonly tunSlots?: number;
  /** Packets the data path makes between two flushes of its queues. */
  readonly outSlots?: number;
  /** Packets of all sessions together that wait for their predecessors or for their call. */
  readonly heldSlots?: number;
  /** Packets of all sessions together that wait for room in the socket. */
  readonly backlogSlots?: number;
  /** Packets of all sessions together that wait because their session has a rate. */
  readonly shapedSlots?: number;
  /** Whether to use WebAssembly if it is there; true by default. */
  readonly webAssembly?: boolean;
}

/** Octets of a slot: headroom, and a packet a little larger than Ethernet's. */
export const SLOT_SIZE = 2048;
/** GRE with both numbers 16, FF 03, protocol 2, MPPE 2, inner protocol 2: 24 octets; the rest keeps packets aligned. */
export const HEADROOM = 64;

/** Packets that MPPE takes together. */
export const MPPE_BATCH = 128;

export function createArena(options: ArenaOptions = {}): Arena {
  const { maxSessions = 16 } = options;
  let base = WASM_RESERVED;
  const octets = (count: number): number => {
    const at = base;
    base += count;
    return at;
  };
  const row = (count: number): SlotRange => {
    return { base: octets(SLOT_SIZE * count), size: SLOT_SIZE, count, headroom: HEADROOM };
  };
  const greSlots = row(options.greSlots ?? 128);
  const tunSlots = row(options.tunSlots ?? 128);
  const outSlots = row(options.outSlots ?? 256);
  const heldSlots = row(options.heldSlots ?? 256);
  const backlogSlots = row(options.backlogSlots ?? 512);
  const shapedSlots = row(options.shapedSlots ?? 2048); // which cost no memory until they are used
  const keys = {
    send: octets(maxSessions * KEYS_SIZE),
    receive: octets(maxSessions * KEYS_SIZE),
    tried: octets(KEYS_SIZE),
    used: octets(MPPE_BATCH * KEY_SIZE),
  };
  const memory = (options.webAssembly ?? true) ? createWasmMemory(base) : undefined;
  const buffer = memory?.buffer ?? new ArrayBuffer(base);
  return {
    maxSessions,
    memory,
    buffer,
    octets: new Uint8Array(buffer),
    greSlots,
    tunSlots,
    outSlots,
    heldSlots,
    backlogSlots,
    shapedSlots,
    keys,
  };
}
