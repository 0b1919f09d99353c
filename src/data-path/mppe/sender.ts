/**
 * MPPE, sending side: RFC 3078 §3 (packets), §7 (keys), §8 (stateless and stateful).
 *
 * Stateless: the key changes before every packet, and every packet has A. Packets wait for finish(), which encrypts them
 * together. Stateful: one key stream runs on from packet to packet; the key changes before "flag" packets (low octet of the
 * count 0xff), and before the packet that follows a CCP Reset-Request, both with A.
 *
 * The RFC only starts the key stream again after a Reset-Request. Linux (ppp_mppe.c) changes the key as well, and so
 * do we, unless the peer was seen to do otherwise (receiver.ts).
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../../crypto/rc4.ts';
import type { Slot } from '../../wire/brand.ts';
import { MPPE_HEADER_LENGTH, writeMppeHeader } from '../../wire/mppe-header.ts';
import { MPPE_BATCH, type Arena } from '../queues/arena.ts';
import { type MppeCipher, PACKET_WORDS, putPacket } from './cipher.ts';
import { KeySlab } from './keys.ts';

const Mode = { Off: 0, Stateless: 1, Stateful: 2 } as const;

export class MppeSender {
  readonly #octets: Uint8Array;
  readonly #cipher: MppeCipher;
  /** Session keys: of the next packet (stateless), of the packet before it (stateful). */
  readonly #keys: KeySlab;
  readonly #mode: Uint8Array;
  /** Coherency count of the next packet. */
  readonly #count: Uint16Array;
  /** Whether the next packet must have A, and whether the key changes with it. */
  readonly #flush: Uint8Array;
  readonly #changeOnFlush: Uint8Array;
  /** Key streams that run on; stateful slots only. */
  readonly #streams: (Uint8Array | undefined)[];
  /** The packets that wait (cipher.ts), and how many do. */
  readonly #packets = new Int32Array(MPPE_BATCH * PACKET_WORDS);
  #waiting = 0;

  constructor({ octets, maxSessions, keys }: Arena, cipher: MppeCipher) {
    this.#octets = octets;
    this.#cipher = cipher;
    this.#keys = new KeySlab(octets, keys.send);
    this.#mode = new Uint8Array(maxSessions);
    this.#count = new Uint16Array(maxSessions);
    this.#flush = new Uint8Array(maxSessions);
    this.#changeOnFlush = new Uint8Array(maxSessions);
    this.#streams = new Array<Uint8Array | undefined>(maxSessions).fill(undefined);
  }

  /** Starts with count 0, or stops. */
  configure(slot: Slot, mppe: MppeKeys | undefined): void {
    this.finish();
    this.#keys.clear(slot);
    this.#streams[slot] = undefined;
    this.#mode[slot] = Mode.Off;
    if (mppe === undefined) return;
    this.#keys.start(slot, mppe);
    this.#mode[slot] = mppe.stateful ? Mode.Stateful : Mode.Stateless;
    this.#count[slot] = 0;
    this.#flush[slot] = 0;
    if (!mppe.stateful) {
      this.#cipher.change(this.#keys.at(slot));
      return;
    }
    const stream = new Uint8Array(RC4_STATE_OCTETS);
    rc4KeySchedule(stream, this.#octets, this.#keys.sessionAt(slot), this.#keys.length(slot));
    this.#streams[slot] = stream;
  }

  /** Not carried: #octets and #cipher; #packets and #waiting, for no packet may wait: see finish(). */
  save(slot: Slot) {
    return {
      keys: this.#keys.save(slot),
      mode: this.#mode[slot]!,
      count: this.#count[slot]!,
      flush: this.#flush[slot]!,
      changeOnFlush: this.#changeOnFlush[slot]!,
      stream: this.#streams[slot],
    };
  }

  restore(slot: Slot, saved: ReturnType<MppeSender['save']>): void {
    this.#keys.restore(slot, saved.keys);
    this.#mode[slot] = saved.mode;
    this.#count[slot] = saved.count;
    this.#flush[slot] = saved.flush;
    this.#changeOnFlush[slot] = saved.changeOnFlush;
    this.#streams[slot] = saved.stream?.slice();
  }

  active(slot: Slot): boolean {
    return this.#mode[slot] !== Mode.Off;
  }

  /**
   * A CCP Reset-Request came: the next packet has A. However many come before it, the key changes once at most.
   * @param changeKey with a new key, as Linux expects; otherwise with the same, as the RFC has it
   */
  flush(slot: Slot, changeKey: boolean): void {
    this.#flush[slot] = 1;
    this.#changeOnFlush[slot] = changeKey ? 1 : 0;
  }

  /**
   * Encrypts the octets [at..at+length) of the arena, inner protocol and packet, in place, and writes the two octets of
   * header before them. They may be encrypted only by finish().
   */
  encrypt(slot: Slot, at: number, length: number): void {
    const octets = this.#octets;
    const count = this.#count[slot]!;
    this.#count[slot] = (count + 1) & 0xfff;
    const stream = this.#streams[slot];
    if (stream === undefined) {
      writeMppeHeader(octets, at - MPPE_HEADER_LENGTH, true, count);
      putPacket(this.#packets, this.#waiting++, at, length, this.#keys.at(slot));
      if (this.#waiting === MPPE_BATCH) this.finish();
      return;
    }
    const flushed = this.#step(slot, stream, count);
    writeMppeHeader(octets, at - MPPE_HEADER_LENGTH, flushed, count);
    rc4Apply(stream, octets, at, length, at);
  }

  /** Encrypts the packets that wait. To be called before any is sent. */
  finish(): void {
    if (this.#waiting === 0) return;
    this.#cipher.crypt(this.#packets, this.#waiting, -1);
    this.#waiting = 0;
  }

  /** Readies a key stream that runs on for the packet and answers whether it has A. */
  #step(slot: Slot, stream: Uint8Array, count: number): boolean {
    const isFlag = (count & 0xff) === 0xff;
    if (!isFlag && this.#flush[slot] === 0) return false;
    const key = this.#keys.sessionAt(slot);
    if (isFlag || this.#changeOnFlush[slot] !== 0) this.#keys.change(slot, this.#octets, key);
    rc4KeySchedule(stream, this.#octets, key, this.#keys.length(slot));
    this.#flush[slot] = 0;
    return true;
  }
}
