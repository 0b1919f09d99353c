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
 */
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../crypto/rc4.ts';
import { serialDifference } from '../wire/gre.ts';
import { COHERENCY_MASK } from '../wire/mppe-header.ts';
import { type InnerPacket, Mppe, readInner } from './mppe-inner.ts';
import { KEY_SIZE, type MppeKeys, KeySlab } from './mppe-keys.ts';
import { RateLimit } from './rate-limit.ts';

/** Keys kept for late packets; as many as GRE's window (sequence-window.ts) has numbers. */
const KEPT = 128;
const COUNTS = COHERENCY_MASK + 1;
/** Key changes for lost packets, about 2 µs each: at once, and per second. */
const REKEY_BURST = 8192;
const REKEYS_PER_SECOND = 4096;

export class StatelessReceiver {
  /** Session keys: that of the packet before #next. */
  readonly #keys: KeySlab;
  /** Index expected next. */
  readonly #next: Int32Array;
  /** The register for changes that no packet has confirmed yet: the key of #aheadIndex. */
  readonly #ahead: Uint8Array;
  readonly #aheadIndex: Int32Array;
  readonly #aheadValid: Uint8Array;
  /** Ring of keys passed over, by index modulo KEPT. */
  readonly #kept: Uint8Array;
  readonly #keptIndex: Int32Array;
  readonly #keptValid: Uint8Array;
  /** GRE sequence number of the packet before #next, once there was one. */
  readonly #sequence: Int32Array;
  readonly #hasSequence: Uint8Array;
  readonly #ration: RateLimit;
  readonly #stream = new Uint8Array(RC4_STATE_OCTETS);

  constructor(maxSessions: number) {
    this.#keys = new KeySlab(maxSessions);
    this.#next = new Int32Array(maxSessions);
    this.#ahead = new Uint8Array(maxSessions * KEY_SIZE);
    this.#aheadIndex = new Int32Array(maxSessions);
    this.#aheadValid = new Uint8Array(maxSessions);
    this.#kept = new Uint8Array(maxSessions * KEPT * KEY_SIZE);
    this.#keptIndex = new Int32Array(maxSessions * KEPT);
    this.#keptValid = new Uint8Array(maxSessions * KEPT);
    this.#sequence = new Int32Array(maxSessions);
    this.#hasSequence = new Uint8Array(maxSessions);
    this.#ration = new RateLimit(maxSessions, REKEYS_PER_SECOND, REKEY_BURST);
  }

  start(slot: number, keys: MppeKeys): void {
    this.clear(slot);
    this.#keys.start(slot, keys);
    this.#next[slot] = 0;
    this.#hasSequence[slot] = 0;
  }

  /** Leaves no key behind. */
  clear(slot: number): void {
    this.#keys.clear(slot);
    this.#ahead.fill(0, slot * KEY_SIZE, (slot + 1) * KEY_SIZE);
    this.#aheadValid[slot] = 0;
    this.#kept.fill(0, slot * KEPT * KEY_SIZE, (slot + 1) * KEPT * KEY_SIZE);
    this.#keptValid.fill(0, slot * KEPT, (slot + 1) * KEPT);
  }

  /** Decrypts octets[at..at+length) in place. `sequence`: of the GRE packet. @returns Mppe */
  open(
    slot: number,
    octets: Uint8Array,
    at: number,
    length: number,
    count: number,
    sequence: number,
    now: number,
    inner: InnerPacket,
  ): number {
    const next = this.#next[slot]!;
    const skipped = this.#skipped(slot, (count - next) & COHERENCY_MASK, sequence);
    if (skipped < 0) return this.#openLate(slot, octets, at, length, next + skipped, inner);
    const index = (next + skipped) | 0;
    if (!this.#advance(slot, index, now)) return Mppe.RekeyLimit;
    this.#apply(slot, this.#ahead, slot * KEY_SIZE, octets, at, length);
    if (!readInner(octets, at, length, inner)) return Mppe.Undecryptable;

    this.#copyKey(slot, this.#ahead, this.#keys.keys);
    this.#aheadValid[slot] = 0;
    this.#next[slot] = index + 1;
    this.#sequence[slot] = sequence;
    this.#hasSequence[slot] = 1;
    return Mppe.Ok;
  }

  /** Packets lost before this one; negative: how far it lies behind the next. `forward`: how far its count is ahead, 0..4095. */
  #skipped(slot: number, forward: number, sequence: number): number {
    const gap =
      this.#hasSequence[slot] === 0 ? 0 : serialDifference(sequence, this.#sequence[slot]!);
    if (gap <= COUNTS / 2) return forward < COUNTS / 2 ? forward : forward - COUNTS;
    // Not more packets can be lost than GRE lost; control frames among them are fewer than COUNTS.
    if (forward >= gap) return forward - COUNTS;
    return forward + COUNTS * Math.floor((gap - 1 - forward) / COUNTS);
  }

  #openLate(
    slot: number,
    octets: Uint8Array,
    at: number,
    length: number,
    index: number,
    inner: InnerPacket,
  ): number {
    const place = slot * KEPT + (index & (KEPT - 1));
    if (this.#keptValid[place] === 0 || this.#keptIndex[place] !== (index | 0)) return Mppe.Late;
    this.#apply(slot, this.#kept, place * KEY_SIZE, octets, at, length);
    if (!readInner(octets, at, length, inner)) return Mppe.Undecryptable;
    this.#keptValid[place] = 0;
    return Mppe.Ok;
  }

  /** Brings the register to the key of `index`, or as far as the ration goes. @returns whether it is there */
  #advance(slot: number, index: number, now: number): boolean {
    const next = this.#next[slot]!;
    let ahead = this.#aheadIndex[slot]!;
    const usable =
      this.#aheadValid[slot] !== 0 &&
      serialDifference(ahead, next) >= 0 &&
      serialDifference(index, ahead) >= 0;
    if (!usable) {
      this.#copyKey(slot, this.#keys.keys, this.#ahead);
      this.#aheadValid[slot] = 1;
      ahead = (next - 1) | 0;
    }
    const steps = serialDifference(index, ahead);
    const granted = steps > 1 ? 1 + this.#ration.take(slot, steps - 1, now) : steps;
    for (let n = 0; n < granted; n++) {
      if (serialDifference(ahead, next) >= 0 && serialDifference(index, ahead) <= KEPT) {
        this.#keep(slot, ahead);
      }
      this.#keys.change(slot, this.#ahead, slot * KEY_SIZE);
      ahead = (ahead + 1) | 0;
    }
    this.#aheadIndex[slot] = ahead;
    return granted === steps;
  }

  #keep(slot: number, index: number): void {
    const place = slot * KEPT + (index & (KEPT - 1));
    const from = slot * KEY_SIZE;
    for (let n = 0; n < KEY_SIZE; n++) {
      this.#kept[place * KEY_SIZE + n] = this.#ahead[from + n]!;
    }
    this.#keptIndex[place] = index;
    this.#keptValid[place] = 1;
  }

  #copyKey(slot: number, from: Uint8Array, to: Uint8Array): void {
    const end = (slot + 1) * KEY_SIZE;
    for (let n = slot * KEY_SIZE; n < end; n++) to[n] = from[n]!;
  }

  #apply(
    slot: number,
    keys: Uint8Array,
    keyAt: number,
    octets: Uint8Array,
    at: number,
    length: number,
  ): void {
    rc4KeySchedule(this.#stream, keys, keyAt, this.#keys.length(slot));
    rc4Apply(this.#stream, octets, at, length, at);
  }
}
