/**
 * GRE packets from the peers: to which call, and in which order. RFC 2637 §4.
 *
 * Everything is delivered in order of arrival, but stateful MPPE (resequencer.ts); control frames never wait.
 */
import type { Slot } from '../../wire/brand.ts';
import { createGreHeader, readGre } from '../../wire/gre.ts';
import type { PendingControl } from '../control.ts';
import { Column, type CounterSlab } from '../counters.ts';
import { DeadlineList } from '../deadline-list.ts';
import { Drop } from '../drop.ts';
import { GRE_IN_WORDS } from '../queues/batch.ts';
import { EarlyQueue } from '../queues/early-queue.ts';
import type { HeldPackets } from '../queues/held-packets.ts';
import { type SessionSlab, State } from '../session-slab.ts';
import type { SlotTable } from '../slot-table.ts';
import type { PppReceiver } from './ppp-receiver.ts';
import type { Resequencer } from './resequencer.ts';
import { Sequence, type SequenceWindow } from './sequence-window.ts';
import type { Transmitter } from './transmitter.ts';

export interface GreReceiverParts {
  readonly octets: Uint8Array;
  readonly maxSessions: number;
  /** Packets after which an acknowledgment waits no longer. */
  readonly ackEvery: number;
  readonly sessions: SessionSlab;
  readonly callSlots: SlotTable;
  readonly window: SequenceWindow;
  readonly acks: DeadlineList;
  readonly held: HeldPackets;
  readonly transmitter: Transmitter;
  readonly ppp: PppReceiver;
  readonly resequencer: Resequencer;
  readonly control: PendingControl;
  readonly counters: CounterSlab;
}

/** ms that GRE waits for its call to be connected. */
export const EARLY_DELAY = 3000;

const NOTHING = new Int32Array(0);

export class GreReceiver {
  readonly #parts: GreReceiverParts;
  readonly #early: EarlyQueue;
  readonly #earlyDeadlines: DeadlineList;
  /** Calls that were connected: what was held for them comes now. */
  readonly #connected: DeadlineList;
  readonly #gre = createGreHeader();
  /** The batch, and how far it has got. */
  #meta: Int32Array = NOTHING;
  #next = 0;
  #end = 0;

  constructor(parts: GreReceiverParts) {
    const { maxSessions, held } = parts;
    this.#parts = parts;
    this.#early = new EarlyQueue(maxSessions, held);
    this.#earlyDeadlines = new DeadlineList(maxSessions, EARLY_DELAY);
    this.#connected = new DeadlineList(maxSessions, 0);
  }

  /** The call can send now: what was held comes with proceed(). */
  connected(slot: Slot): void {
    this.#earlyDeadlines.disarm(slot);
    if (this.#early.waiting(slot) > 0) this.#connected.arm(slot, 0);
  }

  /** Forgets what was held for the call. */
  close(slot: Slot): void {
    this.#early.clear(slot);
    this.#earlyDeadlines.disarm(slot);
    this.#connected.disarm(slot);
  }

  /** A batch (queues/batch.ts) begins. proceed() until nothing is left. */
  begin(meta: Int32Array, count: number): void {
    if (this.#next < this.#end) throw new Error('a batch begins before the last one has ended');
    this.#meta = meta;
    this.#next = 0;
    this.#end = count * GRE_IN_WORDS;
  }

  /** Goes on up to the next thing for the protocol machines, or to the end. */
  proceed(now: number): void {
    const { control, ppp } = this.#parts;
    while (!control.waits && this.#connected.first() !== -1) this.#takeEarly(now);
    const meta = this.#meta;
    while (!control.waits && this.#next < this.#end) {
      const n = this.#next;
      this.#next = n + GRE_IN_WORDS;
      this.#receive(meta[n]!, meta[n + 1]!, meta[n + 2]!, meta[n + 3]!, now);
    }
    ppp.finish(now);
  }

  /** Infinity: none. */
  nextTimeout(): number {
    return this.#earlyDeadlines.earliest();
  }

  handleTimeout(now: number): void {
    const deadlines = this.#earlyDeadlines;
    for (let slot = deadlines.take(now); slot !== -1; slot = deadlines.take(now))
      this.#parts.counters.drop(slot, Drop.holdExpired, this.#early.clear(slot));
  }

  #receive(offset: number, length: number, peer: number, local: number, now: number): void {
    const { octets, callSlots, sessions, counters } = this.#parts;
    if (readGre(octets, offset, length, this.#gre) !== 0) return counters.drop(-1, Drop.malformed);
    const slot = callSlots.find(peer, this.#gre.callId);
    if (slot === -1 || (sessions.local[slot] !== 0 && sessions.local[slot] !== local))
      return counters.drop(-1, Drop.unknownCall);
    if (sessions.state[slot] === State.Connected) return this.#accept(slot, offset, now);
    if (!this.#early.hold(slot, offset, length)) return counters.drop(slot, Drop.full);
    this.#earlyDeadlines.arm(slot, now);
  }

  #takeEarly(now: number): void {
    const { octets, held } = this.#parts;
    const slot = this.#connected.first();
    const handle = this.#early.take(slot);
    if (handle === -1) return this.#connected.disarm(slot);
    const offset = held.offset(handle);
    held.release(handle);
    readGre(octets, offset, held.length(handle), this.#gre); // it was well formed when it came
    this.#accept(slot, offset, now);
  }

  /** The packet of a connected call at `offset`, whose header is in #gre. */
  #accept(slot: Slot, offset: number, now: number): void {
    const { sessions, counters, ppp, resequencer } = this.#parts;
    const { headerLength, payloadLength, hasSequence } = this.#gre;
    if (!hasSequence) {
      // RFC 2637 §4.1: S is set if there is a payload.
      if (payloadLength !== 0) return counters.drop(slot, Drop.malformed);
      sessions.acknowledged[slot] = 1;
      return;
    }
    const sequence = this.#gre.sequence | 0;
    if (!this.#isNew(slot, sequence)) return;
    this.#owe(slot, now);
    const at = offset + headerLength;
    if (ppp.stateful(slot)) resequencer.receive(slot, sequence, at, payloadLength, now);
    else ppp.receive(slot, sequence, at, payloadLength, now);
  }

  /** By its number; false: it is dropped. */
  #isNew(slot: Slot, sequence: number): boolean {
    const { window, counters } = this.#parts;
    const judged = window.accept(slot, sequence);
    if (judged > 0) {
      counters.drop(slot, judged);
      return false;
    }
    if (judged === Sequence.Ahead) {
      counters.add(slot, Column.Lost, window.missing);
    } else if (judged === Sequence.Reordered) {
      counters.add(slot, Column.Reordered, 1);
      counters.found(slot);
    }
    return true;
  }

  /** One more packet to acknowledge: with the next one we send, alone after a while, at once if there are many. */
  #owe(slot: Slot, now: number): void {
    const { sessions, acks, ackEvery, transmitter } = this.#parts;
    sessions.unacknowledged[slot] = sessions.unacknowledged[slot]! + 1;
    if (sessions.unacknowledged[slot] >= ackEvery && transmitter.acknowledgment(slot)) return;
    acks.arm(slot, now);
  }
}
