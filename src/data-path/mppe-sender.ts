/**
 * MPPE, sending side: RFC 3078 §3 (packets), §7 (keys), §8 (stateless and stateful). In TypeScript.
 *
 * Stateless: the key changes before every packet, and every packet has A. Stateful: one key stream runs on from packet to
 * packet; the key changes before "flag" packets (low octet of the count 0xff), and before the packet that follows a CCP
 * Reset-Request, both with A.
 *
 * The RFC only starts the key stream again after a Reset-Request. Linux (ppp_mppe.c) changes the key as well, and so
 * do we, unless the peer was seen to do otherwise (mppe-receiver.ts).
 */
import { RC4_STATE_OCTETS, rc4Apply, rc4KeySchedule } from '../crypto/rc4.ts';
import { MPPE_HEADER_LENGTH, writeMppeHeader } from '../wire/mppe-header.ts';
import { KEY_SIZE, type MppeKeys, KeySlab } from './mppe-keys.ts';

const Mode = { Off: 0, Stateless: 1, Stateful: 2 } as const;

export class MppeSender {
  readonly #keys: KeySlab;
  readonly #mode: Uint8Array;
  /** Coherency count of the next packet. */
  readonly #count: Uint16Array;
  /** Whether the next packet must have A, and whether the key changes with it. */
  readonly #flush: Uint8Array;
  readonly #changeOnFlush: Uint8Array;
  /** Key streams that run on; stateful slots only. */
  readonly #streams: (Uint8Array | undefined)[];
  readonly #stream = new Uint8Array(RC4_STATE_OCTETS);

  constructor(maxSessions: number) {
    this.#keys = new KeySlab(maxSessions);
    this.#mode = new Uint8Array(maxSessions);
    this.#count = new Uint16Array(maxSessions);
    this.#flush = new Uint8Array(maxSessions);
    this.#changeOnFlush = new Uint8Array(maxSessions);
    this.#streams = new Array<Uint8Array | undefined>(maxSessions).fill(undefined);
  }

  /** Starts with count 0, or stops. */
  configure(slot: number, mppe: MppeKeys | undefined): void {
    this.#keys.clear(slot);
    this.#streams[slot] = undefined;
    this.#mode[slot] = Mode.Off;
    if (mppe === undefined) return;
    this.#keys.start(slot, mppe);
    this.#mode[slot] = mppe.stateful ? Mode.Stateful : Mode.Stateless;
    this.#count[slot] = 0;
    this.#flush[slot] = 0;
    if (!mppe.stateful) return;
    const stream = new Uint8Array(RC4_STATE_OCTETS);
    rc4KeySchedule(stream, this.#keys.keys, slot * KEY_SIZE, this.#keys.length(slot));
    this.#streams[slot] = stream;
  }

  active(slot: number): boolean {
    return this.#mode[slot] !== Mode.Off;
  }

  /**
   * A CCP Reset-Request came: the next packet has A. However many come before it, the key changes once at most.
   * @param changeKey with a new key, as Linux expects; otherwise with the same, as the RFC has it
   */
  flush(slot: number, changeKey: boolean): void {
    this.#flush[slot] = 1;
    this.#changeOnFlush[slot] = changeKey ? 1 : 0;
  }

  /** Encrypts octets[at..at+length), inner protocol and packet, in place, and writes the two octets of header before it. */
  encrypt(slot: number, octets: Uint8Array, at: number, length: number): void {
    const count = this.#count[slot]!;
    this.#count[slot] = (count + 1) & 0xfff;
    const flushed = this.#step(slot, count);
    writeMppeHeader(octets, at - MPPE_HEADER_LENGTH, flushed, count);
    rc4Apply(this.#streams[slot] ?? this.#stream, octets, at, length, at);
  }

  /** Readies the key stream for the packet and answers whether it has A. */
  #step(slot: number, count: number): boolean {
    const stream = this.#streams[slot];
    const isFlag = (count & 0xff) === 0xff;
    const flush = this.#flush[slot] !== 0;
    if (stream !== undefined && !isFlag && !flush) return false;
    const { keys } = this.#keys;
    if (stream === undefined || isFlag || this.#changeOnFlush[slot] !== 0) {
      this.#keys.change(slot, keys, slot * KEY_SIZE);
    }
    rc4KeySchedule(stream ?? this.#stream, keys, slot * KEY_SIZE, this.#keys.length(slot));
    this.#flush[slot] = 0;
    return true;
  }
}
