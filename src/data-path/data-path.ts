/**
 * The fast path: GRE packets in, IP packets out, and back. RFC 2637 §4.
 *
 *     raw GRE ─► call ─► sequence ─┬─► control frame ─► (protocol machines)
 *                                  └─► MPPE ─► source check ─► TUN queue
 *     GRE queue ◄─ GRE ◄─ PPP ◄─ MPPE ◄─ too large? ◄─ route by destination ◄─ TUN
 *
 * A packet machine: it is told where in the arena a packet lies and answers with a small integer (Verdict). Packets are
 * changed in place, queued by position, and valid until the daemon has sent the queues and called resetOutput(). Nothing
 * is allocated per packet. Stateful MPPE alone holds packets back; all else is delivered in order of arrival.
 *
 * The daemon, for each batch: receiveGre or receiveTun for every packet, dealing with each Control at once; pollControl()
 * until None; send greOut, unless blocked, and tell sent(); send tunOut; resetOutput(). After connectCall, transmitFrame
 * and handleTimeout likewise. When a socket that was full has room: resume(), and so on, while there is something waiting.
 * Reading greOutCount or tunOutCount ends a batch: until then an encrypted packet may wait for another one, to be en- or
 * decrypted beside it (mppe/cipher.ts). Whatever changes a session, or looks at it, comes after the packets before it.
 */
import type { MppeKeys } from '../crypto/mppe-keys.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';
import { innerMtu } from '../wire/mppe-header.ts';
import type { Arena } from './queues/arena.ts';
import { Backlog } from './queues/backlog.ts';
import { type Counters, CounterSlab, Drop } from './counters.ts';
import { DeadlineList } from './deadline-list.ts';
import { type Attachment, type DeviceOptions, Devices } from './devices.ts';
import { GreReceiver } from './gre/receiver.ts';
import { HeldPackets } from './queues/held-packets.ts';
import { Inbound } from './inbound.ts';
import { readI32 } from './ip/inner-packet.ts';
import { Ipv6Networks } from './ip/ipv6-networks.ts';
import { Ipv6Rules } from './ip/ipv6-rules.ts';
import { MppeSender } from './mppe/sender.ts';
import { TypeScriptCipher } from './mppe/typescript.ts';
import { WasmCipher } from './mppe/wasm/wasm-cipher.ts';
import { Outbound } from './outbound.ts';
import { OutBatch } from './queues/batch.ts';
import { ParkedPackets } from './queues/parked-packets.ts';
import { SequenceWindow } from './gre/sequence-window.ts';
import { SessionSlab, State } from './session-slab.ts';
import { SlotTable } from './slot-table.ts';
import { Transmitter } from './gre/transmitter.ts';
import { Unsent } from './queues/unsent.ts';
import { Verdict } from './verdict.ts';

export interface DataPathOptions {
  readonly arena: Arena;
  /** Calls at the same time. */
  readonly maxSessions: number;
  /** ms that an acknowledgment waits for a packet to ride on; 100 by default. */
  readonly ackDelay?: number;
  /** Packets after which an acknowledgment waits no longer; 32 by default. Less than the window that we offer. */
  readonly ackEvery?: number;
}

/** How to send to a peer, from LCP. */
export interface Framing {
  /** The peer takes protocol fields of one octet. */
  readonly pfc: boolean;
  /** The peer takes frames without FF 03. */
  readonly acfc: boolean;
  /** Octets of a packet, of its MPPE too, that the peer takes. */
  readonly mtu: number;
}

/** Interface identifiers of IPV6CP, 8 octets each. */
export interface Identifiers {
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
}

/** Packets for the socket after it was full: few, for it may soon be full again. */
const RESUMED = 32;
/** RFC 791 §3.2: what every IPv4 link carries. */
const LEAST_MTU = 68;

export class DataPath {
  /** offset, length, destination, source of each packet. */
  readonly greOut: Int32Array;
  /** device, offset, length of each packet. */
  readonly tunOut: Int32Array;

  readonly #sessions: SessionSlab;
  readonly #calls: SlotTable;
  readonly #counters: CounterSlab;
  readonly #devices: Devices;
  readonly #output: OutBatch;
  readonly #held: HeldPackets;
  readonly #toSend: HeldPackets;
  readonly #backlog: Backlog;
  readonly #unsent: Unsent;
  readonly #acks: DeadlineList;
  readonly #sender: MppeSender;
  readonly #transmitter: Transmitter;
  readonly #receiver: GreReceiver;
  readonly #outbound: Outbound;

  constructor({ arena, maxSessions, ackDelay = 100, ackEvery = 32 }: DataPathOptions) {
    const sessions = new SessionSlab(maxSessions);
    const { octets, memory, heldSlots, backlogSlots } = arena;
    const toSend = new HeldPackets(octets, backlogSlots);
    const cipher = memory === undefined ? new TypeScriptCipher(octets) : new WasmCipher(memory);
    const parts = {
      octets,
      cipher,
      maxSessions,
      ackEvery,
      sessions,
      calls: new SlotTable(maxSessions),
      window: new SequenceWindow(maxSessions),
      counters: new CounterSlab(maxSessions),
      devices: new Devices(sessions),
      ipv6Rules: new Ipv6Rules(octets, sessions),
      output: new OutBatch(arena),
      held: new HeldPackets(octets, heldSlots),
      backlog: new Backlog(maxSessions, backlogSlots.count, toSend),
      acks: new DeadlineList(maxSessions, Math.max(1, ackDelay)),
      mppe: new MppeSender(maxSessions, cipher),
    };
    const transmitter = new Transmitter(parts);
    const inbound = new Inbound(parts);
    this.#receiver = new GreReceiver({ ...parts, transmitter, inbound });
    this.#outbound = new Outbound({ ...parts, transmitter });
    this.#transmitter = transmitter;
    this.#sessions = sessions;
    this.#calls = parts.calls;
    this.#counters = parts.counters;
    this.#devices = parts.devices;
    this.#output = parts.output;
    this.#held = parts.held;
    this.#toSend = toSend;
    this.#backlog = parts.backlog;
    this.#unsent = new Unsent(backlogSlots.count, toSend, parts.output);
    this.#acks = parts.acks;
    this.#sender = parts.mppe;
    this.greOut = parts.output.gre;
    this.tunOut = parts.output.tun;
  }

  // Calls. Everything about a slot throws RangeError if there is no call in it.

  /**
   * A call of `peer` to our address `local` (u32; 0: any) with our `callId`. Its GRE is held from now on.
   * @returns its slot, or -1: maxSessions are open, or the peer has a call with this id
   */
  openCall(peer: number, local: number, callId: number, now: number): number {
    if (this.#calls.find(peer, callId) !== -1) return -1;
    const slot = this.#sessions.open(peer, local, callId);
    if (slot === -1) return -1;
    this.#calls.set(peer, callId, slot);
    this.#outbound.start(slot, now);
    return slot;
  }

  /** What the call's packets are told by, those of the peer and ours. */
  addressing(slot: number): { peer: number; local: number; callId: number; peerCallId: number } {
    const { peer, local, callId, peerCallId } = this.#sessions;
    return {
      peer: peer[slot]! >>> 0,
      local: local[slot]! >>> 0,
      callId: callId[slot]!,
      peerCallId: peerCallId[slot]!,
    };
  }

  /** The peer's call id is known: packets can be sent. pollControl() gives the control frames that were held. */
  connectCall(slot: number, peerCallId: number, now: number): void {
    this.#sessions.check(slot);
    this.#sessions.peerCallId[slot] = peerCallId;
    this.#sessions.state[slot] = State.Connected;
    this.#receiver.connected(slot, now);
  }

  /** Forgets the call, its keys and what it held. Its packets in greOut are still sent; its counters go to the totals. */
  closeCall(slot: number): void {
    const sessions = this.#sessions;
    this.#settle(slot);
    this.#calls.delete(sessions.peer[slot]!, sessions.callId[slot]!);
    this.detach(slot);
    this.#receiver.close(slot);
    this.#sender.configure(slot, undefined);
    this.#acks.disarm(slot);
    this.#counters.retire(slot);
    sessions.close(slot);
  }

  setFraming(slot: number, { pfc, acfc, mtu }: Framing): void {
    this.#settle(slot);
    this.#sessions.pfc[slot] = pfc ? 1 : 0;
    this.#sessions.acfc[slot] = acfc ? 1 : 0;
    this.#sessions.mtu[slot] = mtu;
    this.#updateMtu(slot);
  }

  /** Starts MPPE in one direction with count 0, or stops it. @throws RangeError: the start key does not fit the strength */
  setMppe(slot: number, direction: 'send' | 'receive', mppe: MppeKeys | undefined): void {
    this.#settle(slot);
    if (direction === 'receive') {
      this.#receiver.setMppe(slot, mppe);
    } else {
      this.#sender.configure(slot, mppe);
      this.#updateMtu(slot);
    }
  }

  /** CCP Reset-Request came: the next packet carries A. (A Reset-Ack needs nothing: the flushed packet synchronizes us.) */
  flush(slot: number): void {
    this.#sessions.check(slot);
    this.#sender.flush(slot, this.#receiver.changesOnFlush(slot));
  }

  /** IP passes only encrypted, in both directions. */
  requireEncryption(slot: number, required: boolean): void {
    this.#settle(slot);
    this.#sessions.requireEncryption[slot] = required ? 1 : 0;
  }

  // Devices.

  /** @param device file descriptor of the TUN device @throws Error: it is open already */
  openDevice(device: number, options: DeviceOptions): void {
    this.#devices.open(device, options);
  }

  /** Detaches its sessions and takes its packets out of tunOut: the descriptor may be closed now. */
  closeDevice(device: number): void {
    this.#receiver.finish();
    this.#counters.add(-1, Drop.notAttached, this.#devices.find(device)?.parked?.count ?? 0);
    this.#devices.close(device);
    this.#output.dropDevice(device);
  }

  /** From now on what goes into this device of a link waits (Parked), as far as there is room. @throws Error: no such device */
  park(device: number): void {
    const found = this.#devices.find(device);
    if (found === undefined) throw new Error(`device ${device} is not open`);
    found.parked ??= new ParkedPackets();
  }

  /** Sends what has waited, with the source address `to` where it has `from` (u32), to the session that is attached. */
  unpark(device: number, from: number, to: number, now: number): void {
    const found = this.#devices.find(device);
    const parked = found?.parked;
    if (found === undefined || parked === undefined) return;
    found.parked = undefined;
    this.#receiver.finish();
    this.#outbound.unpark(device, parked, from, to, now);
  }

  /** IP is up. Attached before: moved. A prefix that another session has goes over to this one. @throws Error: no such device */
  attach(slot: number, device: number, attachment: Attachment): void {
    this.#settle(slot);
    this.#devices.attach(slot, device, attachment);
  }

  /** IP is down. */
  detach(slot: number): void {
    this.#settle(slot);
    this.#counters.add(slot, Drop.notAttached, this.#backlog.clear(slot));
    this.#devices.detach(slot);
  }

  /** IPV6CP is up: IPv6 passes (ipv6-rules.ts) while the session is attached. undefined: down. */
  setIpv6(slot: number, identifiers: Identifiers | undefined): void {
    this.#settle(slot);
    const sessions = this.#sessions;
    sessions.ipv6[slot] = 0;
    if (identifiers === undefined) return;
    const { local, peer } = identifiers;
    for (const { length } of [local, peer])
      if (length !== 8) throw new RangeError(`interface identifier of ${length} octets`);
    sessions.ipv6[slot] = 1;
    sessions.identifierHigh[slot] = readI32(peer, 0);
    sessions.identifierLow[slot] = readI32(peer, 4);
    sessions.ownIdentifierHigh[slot] = readI32(local, 0);
    sessions.ownIdentifierLow[slot] = readI32(local, 4);
  }

  /** What the peer of a link gave us in IPv6. @param exclusive nothing else passes @throws Error: no such device */
  setGivenIpv6(device: number, prefixes: readonly Ipv6Prefix[], exclusive: boolean): void {
    this.#receiver.finish();
    const found = this.#devices.find(device);
    if (found === undefined) throw new Error(`device ${device} is not open`);
    found.ipv6 = { given: new Ipv6Networks(prefixes), exclusive };
  }

  // Packets.

  /**
   * A GRE packet lies in the arena. @returns Verdict
   * @param peer where it comes from (u32 or int32)
   * @param local which of our addresses it was sent to (u32 or int32)
   */
  receiveGre(offset: number, length: number, peer: number, local: number, now: number): number {
    return this.#receiver.receive(offset, length, peer, local, now);
  }

  /** An IP packet from the device lies in the arena, with headroom before it. @returns Verdict */
  receiveTun(device: number, offset: number, length: number, now: number): number {
    return this.#outbound.receive(device, offset, length, now);
  }

  /** Sends a PPP control frame (with FF 03), never encrypted; it is copied. Before connectCall it is dropped and counted. */
  transmitFrame(slot: number, frame: Uint8Array): void {
    this.#sessions.check(slot);
    this.#transmitter.frame(slot, frame);
  }

  /** What else there is for the protocol machines: Control or Desynchronized, or None. @returns Verdict */
  pollControl(now: number): number {
    return this.#receiver.poll(now);
  }

  /** With Control or Desynchronized: the call. */
  get controlSlot(): number {
    return this.#receiver.controlSlot;
  }

  /** With Control: where the PPP frame lies. Valid until resetOutput() and the end of the batch. */
  get controlOffset(): number {
    return this.#receiver.controlOffset;
  }

  get controlLength(): number {
    return this.#receiver.controlLength;
  }

  get greOutCount(): number {
    this.#sender.finish();
    return this.#output.greCount;
  }

  get tunOutCount(): number {
    this.#receiver.finish();
    return this.#output.tunCount;
  }

  /** The socket is full: greOut must not be sent before resume(). */
  get blocked(): boolean {
    return this.#output.blocked;
  }

  /**
   * The socket took the first `taken` packets of greOut (0 while blocked). If there are others they wait, and all IP packets
   * with them.
   */
  sent(taken: number): void {
    if (taken === this.#output.greCount && !this.#output.blocked) return;
    const lost = this.#unsent.settle(taken);
    this.#output.blocked = this.#unsent.waiting > 0 || this.#backlog.waiting > 0;
    if (lost > 0) this.#counters.add(-1, Drop.full, lost);
  }

  /** The socket has room: puts into greOut, which must be empty, what comes next. sent() says how far that got. */
  resume(): void {
    const { greOutCount: before } = this;
    if (before !== 0) throw new Error(`resume() with ${before} packets to be sent`);
    this.#unsent.offer(RESUMED);
    const backlog = this.#backlog;
    this.#output.blocked = false;
    while (this.#output.greCount < RESUMED) {
      const handle = backlog.take();
      if (handle === -1) break;
      const at = this.#toSend.offset(handle);
      const { slot, protocol } = backlog;
      const length = this.#toSend.length(handle);
      if (this.#transmitter.packet(slot, protocol, at, length) !== Verdict.Sent)
        this.#toSend.release(handle);
    }
    this.#output.blocked = true;
  }

  /** The queues were sent. Everything in them, and every control frame, is void. */
  resetOutput(): void {
    this.#sender.finish();
    this.#receiver.finish();
    this.#output.reset();
    this.#held.recycle();
    this.#toSend.recycle();
  }

  // Time: ms of one monotonic clock.

  nextTimeout(): number | undefined {
    const earliest = Math.min(this.#acks.earliest(), this.#receiver.nextTimeout());
    return earliest === Infinity ? undefined : earliest;
  }

  handleTimeout(now: number): void {
    for (let slot = this.#acks.take(now); slot !== -1; slot = this.#acks.take(now)) {
      if (!this.#transmitter.acknowledgment(slot)) this.#acks.arm(slot, now);
    }
    this.#receiver.handleTimeout(now);
  }

  // Accounting.

  counters(slot: number): Counters {
    this.#settle(slot);
    return this.#counters.read(slot);
  }

  /** Sums over all calls there ever were, and the drops that belong to none. */
  totals(): Counters {
    this.#receiver.finish();
    return this.#counters.totals();
  }

  /** A packet of the peer was accepted, if only an acknowledgment. */
  heard(slot: number): boolean {
    this.#sessions.check(slot);
    return this.#receiver.heard(slot);
  }

  /** Before anything about the session changes or is told: the packets that came before are dealt with. */
  #settle(slot: number): void {
    this.#sessions.check(slot);
    this.#receiver.finish();
  }

  #updateMtu(slot: number): void {
    const sessions = this.#sessions;
    const room = innerMtu(sessions.mtu[slot]!, this.#sender.active(slot));
    sessions.innerMtu[slot] = Math.max(LEAST_MTU, room);
  }
}
