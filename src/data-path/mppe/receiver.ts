/**
 * MPPE, receiving side: reads the header and hands the packet to stateless or stateful decryption. RFC 3078 §3.1.
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import type { Slot } from '../../wire/brand.ts';
import {
  COHERENCY_MASK,
  MPPE_HEADER_LENGTH,
  MppeFlag,
  readMppeHeader,
} from '../../wire/mppe-header.ts';
import type { MppeCipher } from './cipher.ts';
import { Drop } from '../drop.ts';
import type { Arena } from '../queues/arena.ts';
import { type InnerPacket } from './inner.ts';
import { StatefulReceiver } from './stateful.ts';
import { StatelessReceiver, type WaitedPacket } from './stateless.ts';

const Mode = { Off: 0, Stateless: 1, Stateful: 2 } as const;

export type SavedReceiver = ReturnType<MppeReceiver['save']>;

export class MppeReceiver {
  /** The packet of the last PASS of open(). */
  readonly inner: InnerPacket = { protocol: 0, at: 0, length: 0 };
  /** The packet of the last take(). */
  readonly waited: WaitedPacket;
  readonly #octets: Uint8Array;
  readonly #mode: Uint8Array;
  readonly #stateless: StatelessReceiver;
  readonly #stateful: StatefulReceiver;

  constructor(arena: Arena, cipher: MppeCipher) {
    const { octets, maxSessions } = arena;
    this.#octets = octets;
    this.#mode = new Uint8Array(maxSessions);
    this.#stateless = new StatelessReceiver(arena, cipher, this.inner);
    this.waited = this.#stateless.waited;
    this.#stateful = new StatefulReceiver(maxSessions);
  }

  /** Starts with count 0, or stops. No packet of the slot may wait: see finish(). */
  configure(slot: Slot, mppe: MppeKeys | undefined): void {
    if (this.#mode[slot] === Mode.Stateless) this.#stateless.clear(slot);
    if (this.#mode[slot] === Mode.Stateful) this.#stateful.clear(slot);
    this.#mode[slot] = Mode.Off;
    if (mppe === undefined) return;
    (mppe.stateful ? this.#stateful : this.#stateless).start(slot, mppe);
    this.#mode[slot] = mppe.stateful ? Mode.Stateful : Mode.Stateless;
  }

  /** Not carried: inner, waited and #octets. */
  save(slot: Slot) {
    const mode = this.#mode[slot]!;
    const stateless = mode === Mode.Stateless ? this.#stateless.save(slot) : undefined;
    const stateful = mode === Mode.Stateful ? this.#stateful.save(slot) : undefined;
    return { mode, stateless, stateful };
  }

  restore(slot: Slot, { mode, stateless, stateful }: SavedReceiver): void {
    this.#mode[slot] = mode;
    if (stateless !== undefined) this.#stateless.restore(slot, stateless);
    if (stateful !== undefined) this.#stateful.restore(slot, stateful);
  }

  active(slot: Slot): boolean {
    return this.#mode[slot] !== Mode.Off;
  }

  /** Packets must come in order. */
  stateful(slot: Slot): boolean {
    return this.#mode[slot] === Mode.Stateful;
  }

  /** Whether the peer changes its key when it flushes; unless we have seen otherwise it does, as Linux. */
  changesOnFlush(slot: Slot): boolean {
    return this.#mode[slot] !== Mode.Stateful || this.#stateful.changesOnFlush(slot);
  }

  /** Decrypts the packets that wait, in one go. take() has them. */
  finish(): void {
    this.#stateless.finish();
  }

  /** The next of them, in `waited`; in the order in which they came. @returns false: there is none */
  take(now: number): boolean {
    return this.#stateless.take(now);
  }

  /**
   * Decrypts the MPPE packet octets[at..at+length) of the arena in place; it is there in `inner` then.
   * @param sequence GRE sequence number
   * @returns Drop, PASS, WAITS, or LATER: first those that wait must be dealt with, then it comes again
   */
  open(slot: Slot, at: number, length: number, sequence: number, now: number): number {
    const octets = this.#octets;
    const header = readMppeHeader(octets, at, length);
    if (header === -1) return Drop.malformed;
    if ((header & MppeFlag.Encrypted) === 0) return Drop.notEncrypted;
    if ((header & (MppeFlag.B | MppeFlag.Compressed)) !== 0) return Drop.malformed;
    const flushed = (header & MppeFlag.Flushed) !== 0;
    const count = header & COHERENCY_MASK;
    const start = at + MPPE_HEADER_LENGTH;
    const rest = length - MPPE_HEADER_LENGTH;
    if (this.#mode[slot] === Mode.Stateful) {
      return this.#stateful.open(slot, octets, start, rest, count, flushed, now, this.inner);
    }
    // RFC 3078 §8.1: A is set on every packet; Linux closes the link over such packets.
    if (!flushed) return Drop.malformed;
    return this.#stateless.open(slot, start, rest, count, sequence, now);
  }
}
