/**
 * PPP frames from the peers: control frames are kept for the protocol machines, IP goes to its device, decrypted if it is
 * MPPE. RFC 1661 §2, RFC 3078 §3.
 */
import type { MppeKeys } from '../../crypto/mppe-keys.ts';
import type { Slot } from '../../wire/brand.ts';
import { createPppHeader, PppProtocol, readPppHeader } from '../../wire/ppp-frame.ts';
import type { PendingControl } from '../control.ts';
import { Column, type CounterSlab } from '../counters.ts';
import { Drop, PASS } from '../drop.ts';
import type { Inbound } from '../inbound.ts';
import { packetLength } from '../ip/inner-packet.ts';
import type { MppeCipher } from '../mppe/cipher.ts';
import { type InnerPacket, WAITS } from '../mppe/inner.ts';
import { MppeReceiver, type SavedReceiver } from '../mppe/receiver.ts';
import type { SessionSlab } from '../session-slab.ts';

export interface PppReceiverParts {
  readonly octets: Uint8Array;
  readonly cipher: MppeCipher;
  readonly maxSessions: number;
  readonly sessions: SessionSlab;
  readonly inbound: Inbound;
  readonly control: PendingControl;
  readonly counters: CounterSlab;
}

export class PppReceiver {
  readonly #parts: PppReceiverParts;
  readonly #mppe: MppeReceiver;
  readonly #ppp = createPppHeader();

  constructor(parts: PppReceiverParts) {
    this.#parts = parts;
    this.#mppe = new MppeReceiver(parts.maxSessions, parts.cipher);
  }

  setMppe(slot: Slot, mppe: MppeKeys | undefined): void {
    this.#mppe.configure(slot, mppe);
    this.#parts.control.synchronized(slot);
  }

  /** Not carried: #parts and #ppp. */
  save(slot: Slot): SavedReceiver {
    return this.#mppe.save(slot);
  }

  restore(slot: Slot, saved: SavedReceiver): void {
    this.#mppe.restore(slot, saved);
  }

  /** Stateful MPPE: packets must come in order. */
  stateful(slot: Slot): boolean {
    return this.#mppe.stateful(slot);
  }

  /** Whether the peer changes its MPPE key when it flushes. */
  changesOnFlush(slot: Slot): boolean {
    return this.#mppe.changesOnFlush(slot);
  }

  /** The frame octets[at..at+length) of GRE packet `sequence`. */
  receive(slot: Slot, sequence: number, at: number, length: number, now: number): void {
    const { octets, sessions, inbound, control, counters } = this.#parts;
    if (length === 0) return;
    const ppp = this.#ppp;
    if (!readPppHeader(octets, at, length, ppp)) return counters.drop(slot, Drop.malformed);
    const { protocol } = ppp;
    const start = at + ppp.headerLength;
    const rest = length - ppp.headerLength;
    if (protocol === PppProtocol.Compressed) {
      this.#decrypt(slot, sequence, start, rest, now);
    } else if (protocol !== PppProtocol.Ip && protocol !== PppProtocol.Ipv6) {
      counters.add(slot, Column.RxControl, 1);
      if (!control.frame(slot, at, length)) counters.drop(slot, Drop.full);
    } else if (sessions.requireEncryption[slot] !== 0 || this.#mppe.active(slot)) {
      counters.drop(slot, Drop.notEncrypted);
    } else {
      const packet = packetLength(protocol, octets, start, rest);
      if (packet === -1) counters.drop(slot, Drop.malformed);
      else inbound.deliver(slot, protocol, start, packet, now);
    }
  }

  /** Delivers the packet that waits to be decrypted beside another one: none waits between two batches. */
  finish(now: number): void {
    this.#mppe.finish();
    this.#deliverWaited(now);
  }

  #decrypt(slot: Slot, sequence: number, at: number, length: number, now: number): void {
    const mppe = this.#mppe;
    if (!mppe.active(slot)) return this.#parts.counters.drop(slot, Drop.notNegotiated);
    const result = mppe.open(slot, at, length, sequence, now);
    this.#deliverWaited(now);
    if (result !== WAITS) this.#opened(slot, result, mppe.inner, now);
  }

  #deliverWaited(now: number): void {
    const { waited } = this.#mppe;
    if (waited.slot === -1) return;
    const { slot } = waited;
    waited.slot = -1;
    this.#opened(slot, waited.result, waited.inner, now);
  }

  #opened(slot: Slot, result: number, inner: InnerPacket, now: number): void {
    const { inbound, control, counters } = this.#parts;
    const { protocol, at, length } = inner;
    if (result === PASS) return inbound.deliver(slot, protocol, at, length, now);
    counters.drop(slot, result);
    if (result === Drop.desynchronized) control.desynchronized(slot);
  }
}
