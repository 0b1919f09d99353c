/**
 * Packets that wait because the socket is full: the line is slower than what is to be sent.
 *
 * Each session has a queue of its IP packets, served fairly (fair-queues.ts). They get their headers, numbers and keys only
 * when their turn comes, so what is sent meanwhile (LCP echoes, hang-ups) does not stand behind them. No session may hold
 * more slots than are free (dynamic thresholds, Choudhury and Hahne 1998): one alone gets half of them, and there is always
 * room for the next.
 *
 * What had its headers when the socket refused it comes first, whatever session it is of: its numbers are given.
 */
import type { Slot } from '../../wire/brand.ts';
import { FairQueues } from './fair-queues.ts';
import type { HeldPackets } from './held-packets.ts';

/** Slots that are left to packets with headers: control frames, and what is on its way when the socket fills. */
export const RESERVED = 64;

/** All sessions are one group, each a queue of it. */
const ALL = 0;

export class Backlog {
  readonly #held: HeldPackets;
  readonly #queues: FairQueues;

  constructor(maxSessions: number, slots: number, held: HeldPackets) {
    this.#held = held;
    this.#queues = new FairQueues(1, maxSessions, slots, held);
  }

  /** Packets in all queues. */
  get waiting(): number {
    return this.#queues.waiting(ALL);
  }

  /** Session and protocol of the packet that the last take() gave. */
  get slot(): Slot {
    return this.#queues.queue;
  }

  get protocol(): number {
    return this.#queues.protocol;
  }

  /** Queues the IP packet octets[at..at+length) of the arena; copied. @returns false: the session has its share, or no room */
  add(slot: Slot, protocol: number, at: number, length: number): boolean {
    if (this.#queues.count(slot) >= this.#held.free - RESERVED) return false;
    return this.#queues.add(slot, protocol, at, length) !== -1;
  }

  /** The packet whose turn it is, as its handle (the caller releases it; see `slot` and `protocol`), or -1. */
  take(): number {
    return this.#queues.take(ALL);
  }

  /** Drops what the session has queued; returns how many that was. */
  clear(slot: Slot): number {
    return this.#queues.clear(slot);
  }
}
