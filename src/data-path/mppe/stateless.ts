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
 * Packets that follow one another in their sessions wait for finish(), which decrypts them together: each as if those before
 * it were what they seem. Where one was not, its session's key is taken back, and what came behind it is encrypted again and
 * decrypted by itself. What becomes of them is the same as one by one.
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import type { Slot } from '../../wire/brand.ts';
import { serialDifference } from '../../wire/gre.ts';
import { COHERENCY_MASK } from '../../wire/mppe-header.ts';
import { type MppeCipher, PACKET_WORDS, putPacket } from './cipher.ts';
import { Drop, PASS } from '../drop.ts';
import { type Arena, type KeyPlaces, MPPE_BATCH } from '../queues/arena.ts';
import { type InnerPacket, LATER, readInner, WAITS } from './inner.ts';
import { copyKey, KEY_WORDS, KEYS_SIZE, SESSION_KEY } from './key-memory.ts';
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
  slot: Slot;
  /** Drop, or PASS. */
  result: number;
  /** With PASS. */
  readonly inner: InnerPacket;
}

export class StatelessReceiver {
  readonly waited: WaitedPacket = {
    slot: 0,
    result: PASS,
    inner: { protocol: 0, at: 0, length: 0 },
  };
  readonly #octets: Uint8Array;
  readonly #words: Int32Array;
  readonly #places: KeyPlaces;
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

  /** The packets that wait (cipher.ts), with slot, count and GRE number of each; how many do, and how many of them were taken. */
  readonly #packets = new Int32Array(MPPE_BATCH * PACKET_WORDS);
  readonly #slots = new Int32Array(MPPE_BATCH);
  readonly #counts = new Int32Array(MPPE_BATCH);
  readonly #sequences = new Int32Array(MPPE_BATCH);
  #waiting = 0;
  #taken = 0;
  /** Of each session: how many wait, the GRE number of the last of them, and whether one was not what it seemed. */
  readonly #waits: Uint8Array;
  readonly #lastSequence: Int32Array;
  readonly #broken: Uint8Array;
  /** A packet by itself. */
  readonly #single = new Int32Array(PACKET_WORDS);

  /** `inner` takes each packet that comes out at once. */
  constructor(arena: Arena, cipher: MppeCipher, inner: InnerPacket) {
    const { octets, buffer, maxSessions, keys } = arena;
    this.#octets = octets;
    this.#words = new Int32Array(buffer);
    this.#places = keys;
    this.#cipher = cipher;
    this.#inner = inner;
    this.#keys = new KeySlab(octets, keys.receive);
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
    this.#waits = new Uint8Array(maxSessions);
    this.#lastSequence = new Int32Array(maxSessions);
    this.#broken = new Uint8Array(maxSessions);
    this.#ration = new RateLimit(maxSessions, REKEYS_PER_SECOND, REKEY_BURST);
  }

  start(slot: Slot, keys: MppeKeys): void {
    this.clear(slot);
    this.#keys.start(slot, keys);
    this.#cipher.change(this.#keys.at(slot));
    this.#next[slot] = 0;
    this.#hasSequence[slot] = 0;
  }

  /**
   * Not carried: #octets, #words, #places, #cipher, #inner, #single and waited; #packets, #slots, #counts, #sequences, #waiting, #taken,
   * #waits, #lastSequence and #broken, for no packet may wait; #ration, which is full again; #keeps, which #kept tells.
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

  /** Decrypts octets[at..at+length) in place. `sequence`: of the GRE packet. @returns Drop, PASS, WAITS or LATER */
  open(
    slot: Slot,
    at: number,
    length: number,
    count: number,
    sequence: number,
    now: number,
  ): number {
    if (length === 0) return Drop.undecryptable;
    const n = this.#waiting;
    if (n < MPPE_BATCH && this.#follows(slot, count, sequence)) {
      putPacket(this.#packets, n, at, length, this.#keys.at(slot));
      this.#slots[n] = slot;
      this.#counts[n] = count;
      this.#sequences[n] = sequence;
      this.#waiting = n + 1;
      this.#waits[slot] = this.#waits[slot]! + 1;
      this.#lastSequence[slot] = sequence;
      return WAITS;
    }
    return n > 0 ? LATER : this.#open(slot, at, length, count, sequence, now);
  }

  /** Decrypts the packets that wait, as if each were what it seems. */
  finish(): void {
    if (this.#waiting > 0) this.#cipher.crypt(this.#packets, this.#waiting, this.#places.used);
  }

  /** The next of them, in `waited`. @returns false: there is none */
  take(now: number): boolean {
    const n = this.#taken;
    if (n === this.#waiting) {
      if (n > 0) this.#words.fill(0, this.#usedBy(0), this.#usedBy(n));
      this.#taken = 0;
      this.#waiting = 0;
      return false;
    }
    this.#taken = n + 1;
    const { waited } = this;
    const slot = this.#slots[n]!;
    const waits = this.#waits[slot]! - 1;
    this.#waits[slot] = waits;
    waited.slot = slot;
    waited.result =
      this.#broken[slot] === 0
        ? this.#confirmWaiting(n, slot, waited.inner)
        : this.#openAgain(n, slot, waited.inner, now);
    if (waits === 0) this.#broken[slot] = 0;
    return true;
  }

  /** Whether the packet comes next in its session, if those that wait are what they seem. */
  #follows(slot: Slot, count: number, sequence: number): boolean {
    const waits = this.#waits[slot]!;
    if (((count - this.#next[slot]! - waits) & COHERENCY_MASK) !== 0) return false;
    if (waits === 0) return this.#skipped(slot, 0, sequence) === 0;
    return serialDifference(sequence, this.#lastSequence[slot]!) <= COUNTS / 2;
  }

  /** Where the key is that packet n was decrypted with, in words. */
  #usedBy(n: number): number {
    return (this.#places.used >> 2) + n * KEY_WORDS;
  }

  #confirmWaiting(n: number, slot: Slot, inner: InnerPacket): number {
    const at = this.#packets[n * PACKET_WORDS]!;
    const length = this.#packets[n * PACKET_WORDS + 1]!;
    const result = this.#confirm(slot, at, length, this.#next[slot]!, this.#sequences[n]!, inner);
    if (result === PASS) return PASS;
    this.#setKey(slot, this.#words, this.#usedBy(n));
    this.#broken[slot] = 1;
    return result;
  }

  /** The key of packet n was perhaps not the one that it was decrypted with: as if nothing had been done. */
  #openAgain(n: number, slot: Slot, inner: InnerPacket, now: number): number {
    const at = this.#packets[n * PACKET_WORDS]!;
    const length = this.#packets[n * PACKET_WORDS + 1]!;
    this.#cryptTried(slot, this.#words, this.#usedBy(n), at, length);
    return this.#open(slot, at, length, this.#counts[n]!, this.#sequences[n]!, now, inner);
  }

  /** Decrypts a packet by itself. @returns Drop, or PASS */
  #open(
    slot: Slot,
    at: number,
    length: number,
    count: number,
    sequence: number,
    now: number,
    inner = this.#inner,
  ): number {
    const next = this.#next[slot]!;
    const skipped = this.#skipped(slot, (count - next) & COHERENCY_MASK, sequence);
    if (skipped < 0) return this.#openLate(slot, at, length, next + skipped, inner);
    const index = (next + skipped) | 0;
    if (skipped === 0) {
      this.#cryptTried(slot, this.#words, this.#keys.sessionAt(slot) >> 2, at, length);
    } else {
      if (!this.#advance(slot, index, now)) return Drop.rekeyLimit;
      this.#cryptTried(slot, this.#ahead, slot * KEY_WORDS, at, length);
    }
    const result = this.#confirm(slot, at, length, index, sequence, inner);
    if (result === PASS) this.#setKey(slot, this.#words, this.#triedKey);
    return result;
  }

  /** If an IP packet came out, the session goes on behind it. @returns Drop, or PASS */
  #confirm(
    slot: Slot,
    at: number,
    length: number,
    index: number,
    sequence: number,
    inner: InnerPacket,
  ): number {
    if (!readInner(this.#octets, at, length, inner)) return Drop.undecryptable;
    this.#aheadValid[slot] = 0;
    this.#next[slot] = index + 1;
    this.#sequence[slot] = sequence;
    this.#hasSequence[slot] = 1;
    return PASS;
  }

  #setKey(slot: Slot, from: Int32Array, at: number): void {
    copyKey(from, at, this.#words, this.#keys.sessionAt(slot) >> 2);
  }

  /** Where the session key of those that are tried is, in words. */
  get #triedKey(): number {
    return (this.#places.tried + SESSION_KEY) >> 2;
  }

  /** Makes a key of the session the one that is tried. */
  #try(slot: Slot, from: Int32Array, at: number): void {
    const keys = this.#keys.at(slot);
    this.#octets.copyWithin(this.#places.tried, keys, keys + KEYS_SIZE);
    copyKey(from, at, this.#words, this.#triedKey);
  }

  /** Applies the key stream of a key of the session; the one after it is #triedKey then. */
  #cryptTried(slot: Slot, from: Int32Array, keyAt: number, at: number, length: number): void {
    this.#try(slot, from, keyAt);
    putPacket(this.#single, 0, at, length, this.#places.tried);
    this.#cipher.crypt(this.#single, 1, -1);
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

  #openLate(slot: Slot, at: number, length: number, index: number, inner: InnerPacket): number {
    const place = slot * KEPT + (index & (KEPT - 1));
    if (this.#keptValid[place] === 0 || this.#keptIndex[place] !== (index | 0)) return Drop.late;
    this.#cryptTried(slot, this.#kept, place * KEY_WORDS, at, length);
    if (!readInner(this.#octets, at, length, inner)) return Drop.undecryptable;
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
      copyKey(this.#words, this.#keys.sessionAt(slot) >> 2, this.#ahead, row);
      this.#aheadValid[slot] = 1;
      ahead = next;
    }
    const steps = serialDifference(index, ahead);
    const granted = this.#ration.take(slot, steps, now);
    this.#try(slot, this.#ahead, row);
    for (let n = 0; n < granted; n++) {
      if (serialDifference(index, ahead) <= KEPT) this.#keep(slot, ahead);
      this.#cipher.change(this.#places.tried);
      ahead = (ahead + 1) | 0;
    }
    copyKey(this.#words, this.#triedKey, this.#ahead, row);
    this.#aheadIndex[slot] = ahead;
    return granted === steps;
  }

  #keep(slot: Slot, index: number): void {
    const place = slot * KEPT + (index & (KEPT - 1));
    this.#keeps[slot] = 1;
    copyKey(this.#words, this.#triedKey, this.#kept, place * KEY_WORDS);
    this.#keptIndex[place] = index;
    this.#keptValid[place] = 1;
  }
}
