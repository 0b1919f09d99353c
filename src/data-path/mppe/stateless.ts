/**
 * Stateless MPPE, receiving side: every packet has a key of its own. RFC 3078 §8.1.
 *
 * Packets are numbered by an index of 32 bits, whose low 12 bits are the coherency count on the wire. Keys that were passed
 * over are kept, 128 a session, so that late packets still decrypt. A count 1 to 2047 ahead means lost packets, others
 * late ones (as Linux has it); after a gap of more GRE packets than that, their number tells how many times the
 * count went round, where Linux would never decrypt again.
 *
 * MPPE proves nothing about who sent a packet. So no packet moves the keys for good unless an IP packet comes out of it:
 * otherwise one forged packet with a count far ahead would end the session. Its key changes are not thrown away but
 * wait in a second register for a packet that needs them; and they are rationed.
 *
 * Two packets are decrypted together if the cipher gains by it and each is the next of its session (the second one perhaps
 * the next but one): the first waits for the second, or for finish(). What becomes of them is the same as one by one.
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import type { Slot } from '../../wire/brand.ts';
import { serialDifference } from '../../wire/gre.ts';
import { COHERENCY_MASK } from '../../wire/mppe-header.ts';
import { copyKey, KEY_WORDS } from './key-words.ts';
import { Lane, type MppeCipher } from './cipher.ts';
import { Drop, PASS } from '../drop.ts';
import { type InnerPacket, readInner, WAITS } from './inner.ts';
import { KeySlab } from './keys.ts';
import { RateLimit } from '../queues/rate-limit.ts';

/** Keys kept for late packets; as many as GRE's window (sequence-window.ts) has numbers. */
const KEPT = 128;
const COUNTS = COHERENCY_MASK + 1;
/** Key changes for lost packets, about 1 µs each: at once, and per second. */
const REKEY_BURST = 8192;
const REKEYS_PER_SECOND = 4096;

/** A packet that had waited, and what became of it. */
export interface WaitedPacket {
  /** -1: none, or it was taken. */
  slot: Slot;
  /** Drop, or PASS. */
  result: number;
  /** With PASS. */
  readonly inner: InnerPacket;
}

export class StatelessReceiver {
  readonly waited: WaitedPacket = {
    slot: -1,
    result: PASS,
    inner: { protocol: 0, at: 0, length: 0 },
  };
  readonly #cipher: MppeCipher;
  readonly #inner: InnerPacket;
  /** Session keys: that of #next. */
  readonly #keys: KeySlab;
  /** Index expected next. */
  readonly #next: Int32Array;
  /** The register for changes that no packet has confirmed yet: the key of #aheadIndex, which is not before #next. */
  readonly #ahead: Int32Array;
  readonly #aheadIndex: Int32Array;
  readonly #aheadValid: Uint8Array;
  /** Ring of keys passed over, by index modulo KEPT. */
  readonly #kept: Int32Array;
  readonly #keptIndex: Int32Array;
  readonly #keptValid: Uint8Array;
  /** Whether a key of the session was ever kept: rows that were never written cost no memory, unless they are cleared. */
  readonly #keeps: Uint8Array;
  /** GRE sequence number of the packet before #next, once there was one. */
  readonly #sequence: Int32Array;
  readonly #hasSequence: Uint8Array;
  readonly #ration: RateLimit;

  /** The keys after those of the packets in the two lanes. */
  readonly #after = new Int32Array(2 * KEY_WORDS);
  /** The packet that waits, whose key is its session's. -1: none does. */
  #waitingSlot = -1;
  #waitingAt = 0;
  #waitingLength = 0;
  #waitingSequence = 0;

  /** `inner` takes each packet that comes out at once. */
  constructor(maxSessions: number, cipher: MppeCipher, inner: InnerPacket) {
    this.#cipher = cipher;
    this.#inner = inner;
    this.#keys = new KeySlab(maxSessions);
    this.#next = new Int32Array(maxSessions);
    this.#ahead = new Int32Array(maxSessions * KEY_WORDS);
    this.#aheadIndex = new Int32Array(maxSessions);
    this.#aheadValid = new Uint8Array(maxSessions);
    this.#kept = new Int32Array(maxSessions * KEPT * KEY_WORDS);
    this.#keptIndex = new Int32Array(maxSessions * KEPT);
    this.#keptValid = new Uint8Array(maxSessions * KEPT);
    this.#keeps = new Uint8Array(maxSessions);
    this.#sequence = new Int32Array(maxSessions);
    this.#hasSequence = new Uint8Array(maxSessions);
    this.#ration = new RateLimit(maxSessions, REKEYS_PER_SECOND, REKEY_BURST);
  }

  start(slot: Slot, keys: MppeKeys): void {
    this.clear(slot);
    this.#keys.start(slot, keys);
    this.#keys.changeWith(this.#cipher, slot, this.#keys.words, slot * KEY_WORDS);
    this.#next[slot] = 0;
    this.#hasSequence[slot] = 0;
  }

  /**
   * Not carried: #cipher, #inner, #after and waited; #waitingSlot, #waitingAt, #waitingLength and #waitingSequence, for no packet may
   * wait; #ration, which is full again; #keeps, which #kept tells.
   */
  save(slot: Slot) {
    const kept = Array.from({ length: KEPT }, (_, place) => slot * KEPT + place)
      .filter((place) => this.#keptValid[place] !== 0)
      .map((place) => ({
        index: this.#keptIndex[place]!,
        key: [...this.#kept.subarray(place * KEY_WORDS, (place + 1) * KEY_WORDS)],
      }));
    return {
      keys: this.#keys.save(slot),
      next: this.#next[slot]!,
      ahead: [...this.#ahead.subarray(slot * KEY_WORDS, (slot + 1) * KEY_WORDS)],
      aheadIndex: this.#aheadIndex[slot]!,
      aheadValid: this.#aheadValid[slot]!,
      kept,
      sequence: this.#sequence[slot]!,
      hasSequence: this.#hasSequence[slot]!,
    };
  }

  restore(slot: Slot, saved: ReturnType<StatelessReceiver['save']>): void {
    this.#keys.restore(slot, saved.keys);
    this.#next[slot] = saved.next;
    this.#ahead.set(saved.ahead, slot * KEY_WORDS);
    this.#aheadIndex[slot] = saved.aheadIndex;
    this.#aheadValid[slot] = saved.aheadValid;
    for (const { index, key } of saved.kept) {
      const place = slot * KEPT + (index & (KEPT - 1));
      this.#keeps[slot] = 1;
      this.#kept.set(key, place * KEY_WORDS);
      this.#keptIndex[place] = index;
      this.#keptValid[place] = 1;
    }
    this.#sequence[slot] = saved.sequence;
    this.#hasSequence[slot] = saved.hasSequence;
  }

  /** Leaves no key behind. No packet of the slot may wait: see finish(). */
  clear(slot: Slot): void {
    this.#keys.clear(slot);
    this.#ahead.fill(0, slot * KEY_WORDS, (slot + 1) * KEY_WORDS);
    this.#aheadValid[slot] = 0;
    if (this.#keeps[slot] === 0) return;
    this.#keeps[slot] = 0;
    this.#kept.fill(0, slot * KEPT * KEY_WORDS, (slot + 1) * KEPT * KEY_WORDS);
    this.#keptValid.fill(0, slot * KEPT, (slot + 1) * KEPT);
  }

  /** Decrypts octets[at..at+length) in place. `sequence`: of the GRE packet. @returns Drop, PASS or WAITS */
  open(
    slot: Slot,
    at: number,
    length: number,
    count: number,
    sequence: number,
    now: number,
  ): number {
    if (!this.#cipher.worthPairing) return this.#open(slot, at, length, count, sequence, now);
    if (this.#waitingSlot === slot) {
      const forward = (count - this.#next[slot]! - 1) & COHERENCY_MASK;
      const gap = serialDifference(sequence, this.#waitingSequence);
      if (forward === 0 && gap <= COUNTS / 2) {
        return this.#openFollowing(slot, at, length, count, sequence, now);
      }
      this.finish();
    }
    const forward = (count - this.#next[slot]!) & COHERENCY_MASK;
    if (forward !== 0 || this.#skipped(slot, forward, sequence) !== 0) {
      this.finish();
      return this.#open(slot, at, length, count, sequence, now);
    }
    if (this.#waitingSlot !== -1) {
      this.#prepareWaiting();
      this.#prepare(slot, Lane.Second, this.#keys.words, slot * KEY_WORDS);
      this.#cipher.applyBoth(this.#waitingAt, this.#waitingLength, at, length);
      this.#confirmWaiting();
      return this.#confirm(slot, Lane.Second, at, length, this.#next[slot]!, sequence, this.#inner);
    }
    this.#waitingSlot = slot;
    this.#waitingAt = at;
    this.#waitingLength = length;
    this.#waitingSequence = sequence;
    return WAITS;
  }

  /** Decrypts the packet that waits: it is in `waited` then. */
  finish(): void {
    if (this.#waitingSlot === -1) return;
    this.#prepareWaiting();
    this.#cipher.apply(this.#waitingAt, this.#waitingLength);
    this.#confirmWaiting();
  }

  /** The packet after the one of the same session that waits. */
  #openFollowing(
    slot: Slot,
    at: number,
    length: number,
    count: number,
    sequence: number,
    now: number,
  ): number {
    const cipher = this.#cipher;
    this.#prepareWaiting();
    this.#prepare(slot, Lane.Second, this.#after, 0);
    cipher.applyBoth(this.#waitingAt, this.#waitingLength, at, length);
    if (this.#confirmWaiting()) {
      return this.#confirm(slot, Lane.Second, at, length, this.#next[slot]!, sequence, this.#inner);
    }
    // The first was not what it seemed to be, and so perhaps its key not the one before this packet's: as if nothing was.
    this.#prepare(slot, Lane.First, this.#after, 0);
    cipher.apply(at, length);
    return this.#open(slot, at, length, count, sequence, now);
  }

  #prepareWaiting(): void {
    const slot = this.#waitingSlot;
    this.#prepare(slot, Lane.First, this.#keys.words, slot * KEY_WORDS);
  }

  /** The packet that waits is decrypted. @returns whether it was right */
  #confirmWaiting(): boolean {
    const { waited } = this;
    const slot = this.#waitingSlot;
    this.#waitingSlot = -1;
    waited.slot = slot;
    waited.result = this.#confirm(
      slot,
      Lane.First,
      this.#waitingAt,
      this.#waitingLength,
      this.#next[slot]!,
      this.#waitingSequence,
      waited.inner,
    );
    return waited.result === PASS;
  }

  /** Decrypts a packet by itself. @returns Drop, or PASS */
  #open(
    slot: Slot,
    at: number,
    length: number,
    count: number,
    sequence: number,
    now: number,
  ): number {
    const next = this.#next[slot]!;
    const skipped = this.#skipped(slot, (count - next) & COHERENCY_MASK, sequence);
    if (skipped < 0) return this.#openLate(slot, at, length, next + skipped);
    const index = (next + skipped) | 0;
    if (skipped === 0) {
      this.#prepare(slot, Lane.First, this.#keys.words, slot * KEY_WORDS);
    } else {
      if (!this.#advance(slot, index, now)) return Drop.rekeyLimit;
      this.#prepare(slot, Lane.First, this.#ahead, slot * KEY_WORDS);
    }
    this.#cipher.apply(at, length);
    return this.#confirm(slot, Lane.First, at, length, index, sequence, this.#inner);
  }

  /** If an IP packet came out, the session goes on behind it: with the key in row `lane` of #after. @returns Drop, or PASS */
  #confirm(
    slot: Slot,
    lane: Lane,
    at: number,
    length: number,
    index: number,
    sequence: number,
    inner: InnerPacket,
  ): number {
    if (!readInner(this.#cipher.octets, at, length, inner)) return Drop.undecryptable;
    copyKey(this.#after, lane * KEY_WORDS, this.#keys.words, slot * KEY_WORDS);
    this.#aheadValid[slot] = 0;
    this.#next[slot] = index + 1;
    this.#sequence[slot] = sequence;
    this.#hasSequence[slot] = 1;
    return PASS;
  }

  /** Starts the key stream of the key in the lane; the key after it goes to that row of #after. */
  #prepare(slot: Slot, lane: Lane, keys: Int32Array, keyAt: number): void {
    const row = lane * KEY_WORDS;
    this.#keys.prepare(this.#cipher, lane, slot, keys, keyAt, this.#after, row);
  }

  /** Packets lost before this one; negative: how far it lies behind the next. `forward`: how far its count is ahead, 0..4095. */
  #skipped(slot: Slot, forward: number, sequence: number): number {
    const gap =
      this.#hasSequence[slot] === 0 ? 0 : serialDifference(sequence, this.#sequence[slot]!);
    if (gap <= COUNTS / 2) return forward < COUNTS / 2 ? forward : forward - COUNTS;
    // Not more packets can be lost than GRE lost; control frames among them are fewer than COUNTS.
    if (forward >= gap) return forward - COUNTS;
    return forward + COUNTS * Math.floor((gap - 1 - forward) / COUNTS);
  }

  #openLate(slot: Slot, at: number, length: number, index: number): number {
    const place = slot * KEPT + (index & (KEPT - 1));
    if (this.#keptValid[place] === 0 || this.#keptIndex[place] !== (index | 0)) return Drop.late;
    this.#prepare(slot, Lane.First, this.#kept, place * KEY_WORDS);
    this.#cipher.apply(at, length);
    if (!readInner(this.#cipher.octets, at, length, this.#inner)) return Drop.undecryptable;
    this.#keptValid[place] = 0;
    return PASS;
  }

  /** Brings the register to the key of `index`, or as far as the ration goes. @returns whether it is there */
  #advance(slot: Slot, index: number, now: number): boolean {
    const next = this.#next[slot]!;
    const row = slot * KEY_WORDS;
    let ahead = this.#aheadIndex[slot]!;
    const usable =
      this.#aheadValid[slot] !== 0 &&
      serialDifference(ahead, next) >= 0 &&
      serialDifference(index, ahead) >= 0;
    if (!usable) {
      copyKey(this.#keys.words, row, this.#ahead, row);
      this.#aheadValid[slot] = 1;
      ahead = next;
    }
    const steps = serialDifference(index, ahead);
    const granted = this.#ration.take(slot, steps, now);
    for (let n = 0; n < granted; n++) {
      if (serialDifference(index, ahead) <= KEPT) this.#keep(slot, ahead);
      this.#keys.changeWith(this.#cipher, slot, this.#ahead, row);
      ahead = (ahead + 1) | 0;
    }
    this.#aheadIndex[slot] = ahead;
    return granted === steps;
  }

  #keep(slot: Slot, index: number): void {
    const place = slot * KEPT + (index & (KEPT - 1));
    this.#keeps[slot] = 1;
    copyKey(this.#ahead, slot * KEY_WORDS, this.#kept, place * KEY_WORDS);
    this.#keptIndex[place] = index;
    this.#keptValid[place] = 1;
  }
}
