/**
 * The calls and what is settled for each: who the peer is, how frames look, keys, and what passes.
 *
 * No packet that is to be decrypted waits between two batches, nor while the daemon deals with a control frame, so a change
 * concerns those that come after it. Everything about a slot throws RangeError if there is no call in it.
 */
import type { MppeKeys } from '../crypto/mppe-keys.ts';
import type { CallId, Ipv4, Slot } from '../wire/brand.ts';
import { innerMtu } from '../wire/mppe-header.ts';
import { PppProtocol } from '../wire/ppp-frame.ts';
import type { Counters, CounterSlab } from './counters.ts';
import type { DeadlineList } from './deadline-list.ts';
import type { Devices } from './devices.ts';
import type { InformParameters } from './dhcp/answer.ts';
import type { DhcpInform } from './dhcp/inform.ts';
import { Drop } from './drop.ts';
import type { PppReceiver } from './gre/ppp-receiver.ts';
import type { Inbound } from './inbound.ts';
import type { GreReceiver } from './gre/receiver.ts';
import type { Resequencer } from './gre/resequencer.ts';
import type { SequenceWindow } from './gre/sequence-window.ts';
import type { Transmitter } from './gre/transmitter.ts';
import { readI32 } from './ip/inner-packet.ts';
import type { MppeSender } from './mppe/sender.ts';
import type { Shaper } from './queues/shaper.ts';
import { NO_DEVICE, type SessionSlab, State } from './session-slab.ts';
import type { SlotTable } from './slot-table.ts';
import type { TooLarge } from './too-large.ts';

/** How to send to a peer, from LCP. */
export interface Framing {
  /** The peer takes protocol fields of one octet. */
  readonly pfc: boolean;
  /** The peer takes frames without FF 03. */
  readonly acfc: boolean;
  /** Octets of a packet, of its MPPE too, that the peer takes. */
  readonly mtu: number;
}

/** What a call may receive and send. */
export interface CallRates {
  /** kbit/s of inner IP octets; 0: no limit. */
  readonly receive: number;
  readonly send: number;
  /** ms at the rate that may pass at once after a pause. */
  readonly burst: number;
}

/** Of IPV6CP; interface identifiers, 8 octets each. */
export interface Identifiers {
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
  /** Neighbour discovery and DHCPv6 of the peer come as frames (PPP protocol 0057), and go no further. */
  readonly hasMachine?: boolean;
}

export interface CallsParts {
  readonly sessions: SessionSlab;
  readonly callSlots: SlotTable;
  readonly devices: Devices;
  readonly window: SequenceWindow;
  readonly acks: DeadlineList;
  readonly mppe: MppeSender;
  readonly transmitter: Transmitter;
  readonly inbound: Inbound;
  readonly dhcp: DhcpInform;
  readonly inwards: Shaper;
  readonly outwards: Shaper;
  readonly tooLarge: TooLarge;
  readonly ppp: PppReceiver;
  readonly resequencer: Resequencer;
  readonly receiver: GreReceiver;
  readonly counters: CounterSlab;
}

/** RFC 791 §3.2: what every IPv4 link carries. */
const LEAST_MTU = 68;

export type SavedCallPath = ReturnType<Calls['save']>;

export class Calls {
  readonly #parts: CallsParts;

  constructor(parts: CallsParts) {
    this.#parts = parts;
  }

  /**
   * A call of `peer` to our address `local` (0: any) with our `callId`. Its GRE is held from now on.
   * @returns its slot, or -1: maxSessions are open, or the peer has a call with this id
   */
  open(peer: Ipv4, local: Ipv4, callId: CallId, now: number): Slot {
    const { sessions, callSlots, tooLarge, dhcp, inbound } = this.#parts;
    if (callSlots.find(peer, callId) !== -1) return -1;
    const slot = sessions.open(peer, local, callId);
    if (slot === -1) return -1;
    callSlots.set(peer, callId, slot);
    tooLarge.start(slot, now);
    dhcp.start(slot, now);
    inbound.start(slot, now);
    return slot;
  }

  /**
   * A connected call, as another program goes on with it; nothing of it may wait: see hasten().
   * Not carried: #parts, its rates, which are full again, and its rations; its device, to which it is attached anew.
   */
  save(slot: Slot) {
    const { sessions, window, mppe, ppp, resequencer, counters } = this.#parts;
    return {
      slot,
      session: sessions.save(slot),
      window: window.save(slot),
      send: mppe.save(slot),
      receive: ppp.save(slot),
      next: resequencer.save(slot),
      counters: counters.save(slot),
    };
  }

  /** @returns its slot, the same as before if it is free; -1: none is */
  restore(saved: SavedCallPath, now: number): Slot {
    const { sessions, callSlots, window, mppe, ppp, resequencer, counters } = this.#parts;
    const { peer, local, callId } = saved.session;
    if (callSlots.find(peer, callId) !== -1) return -1;
    const slot = sessions.open(peer, local, callId, saved.slot);
    if (slot === -1) return -1;
    callSlots.set(peer, callId, slot);
    sessions.restore(slot, saved.session);
    window.restore(slot, saved.window);
    mppe.restore(slot, saved.send);
    ppp.restore(slot, saved.receive);
    resequencer.restart(slot, saved.next);
    counters.restore(slot, saved.counters);
    this.#parts.tooLarge.start(slot, now);
    if (sessions.unacknowledged[slot] !== 0) this.#parts.acks.arm(slot, now);
    return slot;
  }

  /** Nothing of the call waits any more: what has waited for its rate or its turn goes now. */
  hasten(slot: Slot, now: number): void {
    const { inwards, outwards, resequencer } = this.#parts;
    const { kilobits: send, burst } = outwards.rate(slot);
    const { kilobits: receive } = inwards.rate(slot);
    this.setRates(slot, { receive: 0, send: 0, burst: 0 }, now);
    this.setRates(slot, { receive, send, burst }, now);
    resequencer.release(slot, now);
  }

  /** What the call's packets are told by, those of the peer and ours. */
  addressing(slot: Slot): { peer: Ipv4; local: Ipv4; callId: CallId; peerCallId: CallId } {
    const { peer, local, callId, peerCallId } = this.#parts.sessions;
    return {
      peer: peer[slot]! >>> 0,
      local: local[slot]! >>> 0,
      callId: callId[slot]!,
      peerCallId: peerCallId[slot]!,
    };
  }

  /** The peer's call id is known: packets can be sent. DataPath.nextControl() goes on with what was held. */
  connect(slot: Slot, peerCallId: CallId): void {
    const { sessions, receiver } = this.#parts;
    sessions.check(slot);
    sessions.peerCallId[slot] = peerCallId;
    sessions.state[slot] = State.Connected;
    receiver.connected(slot);
  }

  /** Forgets the call, its keys and what it held. Its packets in the batch are still sent; its counters go to the totals. */
  close(slot: Slot): void {
    const { sessions, callSlots, devices, window, acks, mppe, ppp, ...rest } = this.#parts;
    sessions.check(slot);
    callSlots.delete(sessions.peer[slot]!, sessions.callId[slot]!);
    devices.detach(slot);
    ppp.setMppe(slot, undefined);
    rest.resequencer.restart(slot, undefined);
    rest.receiver.close(slot);
    window.reset(slot);
    mppe.configure(slot, undefined);
    acks.disarm(slot);
    rest.inwards.setRate(slot, 0, 0, 0);
    rest.outwards.setRate(slot, 0, 0, 0);
    rest.counters.retire(slot);
    sessions.close(slot);
  }

  setFraming(slot: Slot, { pfc, acfc, mtu }: Framing): void {
    const { sessions } = this.#parts;
    sessions.check(slot);
    sessions.pfc[slot] = pfc ? 1 : 0;
    sessions.acfc[slot] = acfc ? 1 : 0;
    sessions.mtu[slot] = mtu;
    this.#updateMtu(slot);
  }

  /** Starts MPPE in one direction with count 0, or stops it. @throws RangeError: the start key does not fit the strength */
  setMppe(slot: Slot, direction: 'send' | 'receive', keys: MppeKeys | undefined): void {
    const { sessions, window, mppe, ppp, resequencer } = this.#parts;
    sessions.check(slot);
    if (direction === 'receive') {
      ppp.setMppe(slot, keys);
      resequencer.restart(slot, window.started(slot) ? window.highest(slot) + 1 : undefined);
    } else {
      mppe.configure(slot, keys);
      this.#updateMtu(slot);
    }
  }

  /** CCP Reset-Request came: the next packet carries A. (A Reset-Ack needs nothing: the flushed packet synchronizes us.) */
  flush(slot: Slot): void {
    const { sessions, mppe, ppp } = this.#parts;
    sessions.check(slot);
    mppe.flush(slot, ppp.changesOnFlush(slot));
  }

  /** How much passes from the peer and to it, from now on; no limit at first. */
  setRates(slot: Slot, { receive, send, burst }: CallRates, now: number): void {
    const { sessions, inbound, inwards, outwards, transmitter } = this.#parts;
    sessions.check(slot);
    inwards.setRate(slot, receive, burst, now);
    outwards.setRate(slot, send, burst, now);
    // Without a rate nothing may overtake what waits.
    inbound.release(now);
    transmitter.release(now);
  }

  /** IP passes only encrypted, in both directions. */
  requireEncryption(slot: Slot, required: boolean): void {
    const { sessions } = this.#parts;
    sessions.check(slot);
    sessions.requireEncryption[slot] = required ? 1 : 0;
  }

  /** What the peer is told when it asks by DHCPINFORM; undefined: its DHCP is as any packet. */
  setInform(slot: Slot, parameters: InformParameters | undefined): void {
    const { sessions, dhcp } = this.#parts;
    sessions.check(slot);
    dhcp.tell(slot, parameters);
  }

  /** IPV6CP is up: IPv6 passes (ipv6-rules.ts) while the session is attached. undefined: down. */
  setIpv6(slot: Slot, identifiers: Identifiers | undefined): void {
    const { sessions } = this.#parts;
    sessions.check(slot);
    sessions.ipv6[slot] = 0;
    sessions.ipv6Machine[slot] = 0;
    if (identifiers === undefined) return;
    const { local, peer, hasMachine = false } = identifiers;
    for (const { length } of [local, peer])
      if (length !== 8) throw new RangeError(`interface identifier of ${length} octets`);
    sessions.ipv6[slot] = 1;
    sessions.ipv6Machine[slot] = hasMachine ? 1 : 0;
    sessions.identifierHigh[slot] = readI32(peer, 0);
    sessions.identifierLow[slot] = readI32(peer, 4);
    sessions.ownIdentifierHigh[slot] = readI32(local, 0);
    sessions.ownIdentifierLow[slot] = readI32(local, 4);
  }

  /** Sends a PPP control frame (with FF 03), never encrypted; it is copied. Before connect() it is dropped and counted. */
  transmit(slot: Slot, frame: Uint8Array): void {
    const { sessions, transmitter } = this.#parts;
    sessions.check(slot);
    transmitter.frame(slot, frame);
  }

  /**
   * Sends an IPv6 packet of our own, encrypted as any, ahead of what waits; it is copied. Before IPV6CP is up, or while the call
   * is not attached, it is dropped and counted.
   */
  transmitIpv6(slot: Slot, packet: Uint8Array): void {
    const { sessions, transmitter, counters } = this.#parts;
    sessions.check(slot);
    if (sessions.device[slot] === NO_DEVICE) counters.drop(slot, Drop.notAttached);
    else if (sessions.ipv6[slot] === 0) counters.drop(slot, Drop.ipv6);
    else transmitter.own(slot, PppProtocol.Ipv6, packet);
  }

  counters(slot: Slot): Counters {
    const { sessions, counters } = this.#parts;
    sessions.check(slot);
    return counters.read(slot);
  }

  /** A packet of the peer was accepted, if only an acknowledgment. */
  heard(slot: Slot): boolean {
    const { sessions, window } = this.#parts;
    sessions.check(slot);
    return window.started(slot) || sessions.acknowledged[slot] !== 0;
  }

  #updateMtu(slot: Slot): void {
    const { sessions, mppe } = this.#parts;
    const room = innerMtu(sessions.mtu[slot]!, mppe.active(slot));
    sessions.innerMtu[slot] = Math.max(LEAST_MTU, room);
  }
}
