/**
 * Puts GRE, PPP and MPPE headers in front of what goes to the peer, in place: RFC 2637 §4.1, RFC 1661 §2, RFC 3078 §3.1.
 *
 * The order of GRE sequence numbers and of MPPE counts is the order of the calls. Nothing ever waits for acknowledgments:
 * several real peers send none.
 */
import type { Slot } from '../../wire/brand.ts';
import { createGreHeader, greHeaderLength, writeGre } from '../../wire/gre.ts';
import { MPPE_HEADER_LENGTH } from '../../wire/mppe-header.ts';
import { writeU16 } from '../../wire/octets.ts';
import { PppProtocol, writePppHeader } from '../../wire/ppp-frame.ts';
import type { Backlog } from '../queues/backlog.ts';
import { Column, type CounterSlab } from '../counters.ts';
import type { DeadlineList } from '../deadline-list.ts';
import { Drop, PASS } from '../drop.ts';
import type { MppeSender } from '../mppe/sender.ts';
import type { OutBatch } from '../queues/batch.ts';
import type { HeldPackets } from '../queues/held-packets.ts';
import { type Shaper, WAITS } from '../queues/shaper.ts';
import type { SequenceWindow } from './sequence-window.ts';
import { type SessionSlab, State } from '../session-slab.ts';

export interface TransmitterParts {
  readonly octets: Uint8Array;
  readonly sessions: SessionSlab;
  readonly window: SequenceWindow;
  readonly mppe: MppeSender;
  readonly acks: DeadlineList;
  readonly output: OutBatch;
  readonly backlog: Backlog;
  /** What goes to the peer by its rate, and where that waits. */
  readonly outwards: Shaper;
  readonly shaped: HeldPackets;
  readonly counters: CounterSlab;
}

/** The inner protocol field: always two octets, as Linux sends it. */
const INNER_PROTOCOL_LENGTH = 2;

export class Transmitter {
  readonly #parts: TransmitterParts;
  readonly #header = createGreHeader();

  constructor(parts: TransmitterParts) {
    this.#parts = parts;
  }

  /** Sends the IP packet octets[at..at+length), or lets it wait; there must be headroom before it. @returns false: dropped */
  packet(slot: Slot, protocol: number, at: number, length: number, now: number): boolean {
    const verdict = this.#parts.outwards.offer(slot, protocol, at, length, now);
    if (verdict === PASS) return this.send(slot, protocol, at, length);
    if (verdict === WAITS) return true;
    this.#parts.counters.drop(slot, verdict);
    return false;
  }

  /** Sends what has waited for its rate. */
  release(now: number): void {
    const { outwards, shaped } = this.#parts;
    for (let handle = outwards.take(now); handle !== -1; handle = outwards.take(now)) {
      this.send(outwards.slot, outwards.protocol, shaped.offset(handle), shaped.length(handle));
      shaped.release(handle);
    }
  }

  /** As packet(), whatever the rate. */
  send(slot: Slot, protocol: number, at: number, length: number): boolean {
    const { output, backlog, counters } = this.#parts;
    if (output.blocked) {
      if (backlog.add(slot, protocol, at, length)) return true;
      counters.drop(slot, Drop.full);
      return false;
    }
    if (output.greFull) {
      counters.drop(slot, Drop.full);
      return false;
    }
    if (!this.#wrap(slot, protocol, at, length)) return false;
    counters.add(slot, Column.TxPackets, 1);
    counters.add(slot, Column.TxOctets, length);
    return true;
  }

  /**
   * Sends a packet of our own ahead of those that wait, as a control frame, but encrypted as theirs are; copied. A full queue
   * drops it.
   */
  own(slot: Slot, protocol: number, packet: Uint8Array): void {
    const { octets, sessions, output, counters } = this.#parts;
    if (packet.length > sessions.innerMtu[slot]!) return counters.drop(slot, Drop.tooBig);
    const at = output.greFull ? -1 : output.takeSlot();
    if (at === -1) return counters.drop(slot, Drop.full);
    octets.set(packet, at);
    if (this.#wrap(slot, protocol, at, packet.length)) counters.add(slot, Column.TxControl, 1);
  }

  /** @returns false: it was dropped */
  #wrap(slot: Slot, protocol: number, at: number, length: number): boolean {
    const { octets, sessions, mppe, counters } = this.#parts;
    let start = at;
    let outerProtocol = protocol;
    if (mppe.active(slot)) {
      start = at - INNER_PROTOCOL_LENGTH;
      writeU16(octets, start, protocol);
      mppe.encrypt(slot, start, length + INNER_PROTOCOL_LENGTH);
      start -= MPPE_HEADER_LENGTH;
      outerProtocol = PppProtocol.Compressed;
    } else if (sessions.requireEncryption[slot] !== 0) {
      counters.drop(slot, Drop.notEncrypted);
      return false;
    }
    const pfc = sessions.pfc[slot] !== 0;
    const acfc = sessions.acfc[slot] !== 0;
    const end = at + length;
    start -= (acfc ? 0 : 2) + (pfc ? 1 : 2);
    writePppHeader(octets, start, outerProtocol, pfc, acfc);
    this.#send(slot, start, end - start);
    return true;
  }

  /** Sends a control frame, never encrypted; copied. A call that is not connected yet or a full queue drops it. */
  frame(slot: Slot, frame: Uint8Array): void {
    const { octets, sessions, output, counters } = this.#parts;
    if (frame.length > output.slotCapacity) {
      throw new RangeError(`control frame of ${frame.length} octets`);
    }
    if (sessions.state[slot] !== State.Connected) {
      return counters.drop(slot, Drop.notConnected);
    }
    const at = output.greFull ? -1 : output.takeSlot();
    if (at === -1) {
      return counters.drop(slot, Drop.full);
    }
    octets.set(frame, at);
    this.#send(slot, at, frame.length);
    counters.add(slot, Column.TxControl, 1);
  }

  /** Sends an acknowledgment alone. @returns false: no room, try again later */
  acknowledgment(slot: Slot): boolean {
    const { octets, sessions, output } = this.#parts;
    if (sessions.state[slot] !== State.Connected) return true;
    const at = output.blocked || output.greFull ? -1 : output.takeSlot();
    if (at === -1) return false;
    const header = this.#header;
    header.callId = sessions.peerCallId[slot]!;
    header.payloadLength = 0;
    header.hasSequence = false;
    this.#acknowledge(slot);
    this.#push(slot, at, writeGre(octets, at, header));
    return true;
  }

  /** Sends the PPP frame octets[at..at+length). */
  #send(slot: Slot, at: number, length: number): void {
    const { octets, sessions } = this.#parts;
    const header = this.#header;
    header.callId = sessions.peerCallId[slot]!;
    header.payloadLength = length;
    header.hasSequence = true;
    header.sequence = sessions.sendSequence[slot]!;
    sessions.sendSequence[slot] = header.sequence + 1;
    this.#acknowledge(slot);
    const headerLength = greHeaderLength(true, header.hasAcknowledgment);
    writeGre(octets, at - headerLength, header);
    this.#push(slot, at - headerLength, headerLength + length);
  }

  /** Lets the header carry the acknowledgment that is due, if one is. */
  #acknowledge(slot: Slot): void {
    const { sessions, window, acks } = this.#parts;
    const header = this.#header;
    header.hasAcknowledgment = sessions.unacknowledged[slot] !== 0;
    if (!header.hasAcknowledgment) return;
    header.acknowledgment = window.highest(slot);
    sessions.unacknowledged[slot] = 0;
    acks.disarm(slot);
  }

  #push(slot: Slot, at: number, length: number): void {
    const { sessions, output } = this.#parts;
    output.pushGre(at, length, sessions.peer[slot]!, sessions.local[slot]!);
  }
}
