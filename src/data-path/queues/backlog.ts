/**
 * Packets that wait because the socket is full: the line is slower than what is to be sent.
 *
 * Each session has a queue of its IP packets, and they are served by deficit round robin (Shreedhar and Varghese 1995):
 * equal octets for all that have something to send. They get their headers, numbers and keys only when their turn comes, so
 * what is sent meanwhile (LCP echoes, hang-ups) does not stand behind them. No session may hold more slots than are free
 * (dynamic thresholds, Choudhury and Hahne 1998): one alone gets half of them, and there is always room for the next.
 *
 * What had its headers when the socket refused it comes first, whatever session it is of: its numbers are given.
 */
import type { Slot } from '../../wire/brand.ts';
import type { HeldPackets } from './held-packets.ts';

/** Octets of a session in each round. */
const QUANTUM = 1500;
/** Slots that are left to packets with headers: control frames, and what is on its way when the socket fills. */
export const RESERVED = 64;

const NONE = -1;

export class Backlog {
  readonly #held: HeldPackets;
  /** By handle. */
  readonly #next: Int32Array;
  readonly #protocol: Uint16Array;
  /** By session; a queue is in the round while it is not empty. */
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #count: Uint16Array;
  readonly #deficit: Int32Array;
  readonly #nextActive: Int32Array;
  #firstActive = NONE;
  #lastActive = NONE;
  /** Packets in all queues. */
  #waiting = 0;
  /** Session and protocol of the packet that the last take() gave. */
  slot: Slot = NONE;
  protocol = 0;

  constructor(maxSessions: number, slots: number, held: HeldPackets) {
    this.#held = held;
    this.#next = new Int32Array(slots);
    this.#protocol = new Uint16Array(slots);
    this.#head = new Int32Array(maxSessions);
    this.#tail = new Int32Array(maxSessions);
    this.#count = new Uint16Array(maxSessions);
    this.#deficit = new Int32Array(maxSessions);
    this.#nextActive = new Int32Array(maxSessions);
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Queues the IP packet octets[at..at+length) of the arena; copied. @returns false: the session has its share, or no room */
  add(slot: Slot, protocol: number, at: number, length: number): boolean {
    const count = this.#count[slot]!;
    if (count >= this.#held.free - RESERVED) return false;
    const handle = this.#held.keep(at, length);
    if (handle === NONE) return false;
    this.#protocol[handle] = protocol;
    this.#next[handle] = NONE;
    if (count === 0) {
      this.#head[slot] = handle;
      this.#deficit[slot] = QUANTUM;
      this.#activate(slot);
    } else {
      this.#next[this.#tail[slot]!] = handle;
    }
    this.#tail[slot] = handle;
    this.#count[slot] = count + 1;
    this.#waiting++;
    return true;
  }

  /** The packet whose turn it is, as its handle (the caller releases it; see `slot` and `protocol`), or -1. */
  take(): number {
    for (let slot = this.#firstActive; slot !== NONE; slot = this.#firstActive) {
      const handle = this.#head[slot]!;
      const length = this.#held.length(handle);
      if (length > this.#deficit[slot]!) {
        this.#deficit[slot] = this.#deficit[slot]! + QUANTUM;
        this.#firstActive = this.#nextActive[slot]!;
        this.#activate(slot);
        continue;
      }
      this.#deficit[slot] = this.#deficit[slot]! - length;
      this.#head[slot] = this.#next[handle]!;
      this.#count[slot] = this.#count[slot]! - 1;
      this.#waiting--;
      if (this.#count[slot] === 0) this.#firstActive = this.#nextActive[slot]!;
      this.slot = slot;
      this.protocol = this.#protocol[handle]!;
      return handle;
    }
    return NONE;
  }

  /** Drops what the session has queued; returns how many that was. */
  clear(slot: Slot): number {
    const dropped = this.#count[slot]!;
    if (dropped === 0) return 0;
    for (let handle = this.#head[slot]!; handle !== NONE; handle = this.#next[handle]!)
      this.#held.release(handle);
    this.#count[slot] = 0;
    this.#waiting -= dropped;
    this.#deactivate(slot);
    return dropped;
  }

  /** To the end of the round. */
  #activate(slot: Slot): void {
    this.#nextActive[slot] = NONE;
    if (this.#firstActive === NONE) this.#firstActive = slot;
    else this.#nextActive[this.#lastActive] = slot;
    this.#lastActive = slot;
  }

  #deactivate(slot: Slot): void {
    let before = NONE;
    for (let at = this.#firstActive; at !== slot; at = this.#nextActive[at]!) before = at;
    const after = this.#nextActive[slot]!;
    if (before === NONE) this.#firstActive = after;
    else this.#nextActive[before] = after;
    if (this.#lastActive === slot) this.#lastActive = before;
  }
}
