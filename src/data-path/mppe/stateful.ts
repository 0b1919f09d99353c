/**
 * Stateful MPPE, receiving side: one key stream runs on from packet to packet. RFC 3078 §8.2.
 *
 * After a lost packet nothing decrypts until a flushed one (A bit), which the peer sends after a CCP Reset-Request. The key
 * changes before each "flag" packet (low octet of the count 0xff), lost ones included, whether it has A or not: peers differ.
 *
 * On the other flushed packets Linux changes the key as well, while the RFC only starts the key stream again with the same
 * key. Both are tried, first the way that was right the last time. Then further changes are: flushed packets may have been
 * lost too, and the count may have gone round while nothing could be decrypted. Linux never recovers from either.
 * Only a packet that decrypts moves the keys.
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../../crypto/rc4.ts';
import type { Slot } from '../../wire/brand.ts';
import { COHERENCY_MASK } from '../../wire/mppe-header.ts';
import { KEY_SIZE, KEYS_SIZE } from './key-memory.ts';
import { Drop, PASS } from '../drop.ts';
import { type InnerPacket, readInner } from './inner.ts';
import { KeySlab } from './keys.ts';
import { RateLimit } from '../queues/rate-limit.ts';

const COUNTS = COHERENCY_MASK + 1;
/** Key changes tried beyond those that the count tells of: 16 rounds of the count, 65536 packets. */
const MAX_SEARCH = 256;
/** Tries at once, and per second; 5 µs each. */
const SEARCH_BURST = 1024;
const SEARCHES_PER_SECOND = 512;
/** Octets that readInner looks at: protocol and IPv4 header with options. */
const HEAD = 62;

export class StatefulReceiver {
  readonly #keys: KeySlab;
  /** Coherency count expected next, with #keys as they are before it. */
  readonly #count: Uint16Array;
  readonly #synchronized: Uint8Array;
  readonly #changesOnFlush: Uint8Array;
  readonly #streams: (Uint8Array | undefined)[];
  readonly #ration: RateLimit;
  /** A key that is tried, and the one before it. */
  readonly #key = new Uint8Array(KEY_SIZE);
  readonly #keptKey = new Uint8Array(KEY_SIZE);

  constructor(maxSessions: number) {
    this.#keys = new KeySlab(new Uint8Array(maxSessions * KEYS_SIZE), 0);
    this.#count = new Uint16Array(maxSessions);
    this.#synchronized = new Uint8Array(maxSessions);
    this.#changesOnFlush = new Uint8Array(maxSessions).fill(1);
    this.#streams = new Array<Uint8Array | undefined>(maxSessions).fill(undefined);
    this.#ration = new RateLimit(maxSessions, SEARCHES_PER_SECOND, SEARCH_BURST);
  }

  start(slot: Slot, keys: MppeKeys): void {
    this.#keys.start(slot, keys);
    const stream = new Uint8Array(RC4_STATE_OCTETS);
    this.#schedule(slot, stream);
    this.#streams[slot] = stream;
    this.#count[slot] = 0;
    this.#synchronized[slot] = 1;
    this.#changesOnFlush[slot] = 1;
  }

  /** Not carried: #ration, which is full again; #key and #keptKey, which are a try's. */
  save(slot: Slot) {
    return {
      keys: this.#keys.save(slot),
      count: this.#count[slot]!,
      synchronized: this.#synchronized[slot]!,
      changesOnFlush: this.#changesOnFlush[slot]!,
      stream: this.#streams[slot]!,
    };
  }

  restore(slot: Slot, saved: ReturnType<StatefulReceiver['save']>): void {
    this.#keys.restore(slot, saved.keys);
    this.#count[slot] = saved.count;
    this.#synchronized[slot] = saved.synchronized;
    this.#changesOnFlush[slot] = saved.changesOnFlush;
    this.#streams[slot] = saved.stream.slice();
  }

  /** Leaves no key behind. */
  clear(slot: Slot): void {
    this.#keys.clear(slot);
    this.#streams[slot] = undefined;
  }

  /** Whether the peer changes the key when it flushes, as Linux does. */
  changesOnFlush(slot: Slot): boolean {
    return this.#changesOnFlush[slot] !== 0;
  }

  /** Decrypts octets[at..at+length) in place. Packets come in the order of GRE (order-queue.ts). @returns Drop, or PASS */
  open(
    slot: Slot,
    octets: Uint8Array,
    at: number,
    length: number,
    count: number,
    flushed: boolean,
    now: number,
    inner: InnerPacket,
  ): number {
    const forward = (count - this.#count[slot]!) & COHERENCY_MASK;
    if (this.#synchronized[slot] !== 0) {
      if (forward >= COUNTS / 2) return Drop.late;
      if (forward === 0 && !flushed) return this.#openNext(slot, octets, at, length, inner);
      this.#synchronized[slot] = 0;
    }
    if (flushed && this.#openFlushed(slot, octets, at, length, count, now, inner)) {
      this.#count[slot] = (count + 1) & COHERENCY_MASK;
      this.#synchronized[slot] = 1;
      return PASS;
    }
    return Drop.desynchronized;
  }

  /** Starts the key stream of the session key. */
  #schedule(slot: Slot, stream: Uint8Array): void {
    const { octets } = this.#keys;
    rc4KeySchedule(stream, octets, this.#keys.sessionAt(slot), this.#keys.length(slot));
  }

  #openNext(
    slot: Slot,
    octets: Uint8Array,
    at: number,
    length: number,
    inner: InnerPacket,
  ): number {
    const count = this.#count[slot]!;
    const stream = this.#streams[slot]!;
    if (isFlag(count)) {
      this.#keys.change(slot, this.#keys.octets, this.#keys.sessionAt(slot));
      this.#schedule(slot, stream);
    }
    this.#count[slot] = (count + 1) & COHERENCY_MASK;
    rc4Apply(stream, octets, at, length, at);
    if (readInner(octets, at, length, inner)) return PASS;
    this.#synchronized[slot] = 0;
    return Drop.desynchronized;
  }

  #openFlushed(
    slot: Slot,
    octets: Uint8Array,
    at: number,
    length: number,
    count: number,
    now: number,
    inner: InnerPacket,
  ): boolean {
    const key = this.#key;
    const kept = this.#keys.sessionAt(slot);
    for (let n = 0; n < KEY_SIZE; n++) key[n] = this.#keys.octets[kept + n]!;
    const expected = this.#count[slot]!;
    const lostFlags = ((count < expected ? count + COUNTS : count) >> 8) - (expected >> 8);
    for (let n = 0; n < lostFlags; n++) this.#keys.change(slot, key, 0);
    this.#keptKey.set(key);
    this.#keys.change(slot, key, 0);

    const changes = isFlag(count) || this.#changesOnFlush[slot] !== 0;
    if (this.#try(slot, octets, at, length, changes ? key : this.#keptKey, inner)) return true;
    if (
      !isFlag(count) &&
      this.#try(slot, octets, at, length, changes ? this.#keptKey : key, inner)
    ) {
      this.#changesOnFlush[slot] = changes ? 0 : 1;
      return true;
    }
    const tries = this.#ration.take(slot, MAX_SEARCH, now);
    for (let n = 0; n < tries; n++) {
      this.#keys.change(slot, key, 0);
      if (this.#try(slot, octets, at, length, key, inner)) return true;
    }
    return false;
  }

  /** Decrypts with this key and makes it the session's. Unless a packet comes out, everything is as it was. */
  #try(
    slot: Slot,
    octets: Uint8Array,
    at: number,
    length: number,
    key: Uint8Array,
    inner: InnerPacket,
  ): boolean {
    const stream = this.#streams[slot]!;
    const head = Math.min(length, HEAD);
    rc4KeySchedule(stream, key, 0, this.#keys.length(slot));
    rc4Apply(stream, octets, at, head, at);
    if (!readInner(octets, at, length, inner)) {
      rc4KeySchedule(stream, key, 0, this.#keys.length(slot));
      rc4Apply(stream, octets, at, head, at);
      return false;
    }
    rc4Apply(stream, octets, at + head, length - head, at + head);
    this.#keys.octets.set(key, this.#keys.sessionAt(slot));
    return true;
  }
}

/** RFC 3078 §7.2: the packets before which the key changes. */
function isFlag(count: number): boolean {
  return (count & 0xff) === 0xff;
}
