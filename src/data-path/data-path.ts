/**
 * The fast path: GRE packets in, IP packets out, and back. RFC 2637 §4.
 *
 *     raw GRE ─► call ─► sequence ─┬─► control frame ─► (protocol machines)
 *                                  └─► MPPE ─► source check ─► rate ─► TUN batch
 *     GRE batch ◄─ GRE ◄─ PPP ◄─ MPPE ◄─ rate ◄─ too large? ◄─ route by destination ◄─ TUN
 *
 * A packet machine: batches in, batches out. A packet is a position in the arena, changed in place and valid until the
 * batch that it is in has been sent. Nothing is allocated per packet. A packet that is dropped is counted, and nothing is
 * said of it. Stateful MPPE holds packets back, and the rate of a session; all else is delivered in order of arrival.
 *
 * The daemon, for each batch: receiveGre or receiveTun; deal with what nextControl() gives, until None; seal(); send what is
 * in `output`, GRE unless it is blocked; sent(). After connect, transmit, unpark and handleTimeout likewise. When a socket that was
 * full has room: resume(), and so on, while there is something waiting.
 */
import type { Slot } from '../wire/brand.ts';
import { Calls } from './calls.ts';
import { type Control, PendingControl } from './control.ts';
import { type Counters, CounterSlab } from './counters.ts';
import { DeadlineList } from './deadline-list.ts';
import { Devices } from './devices.ts';
import { DhcpInform } from './dhcp/inform.ts';
import { Drop } from './drop.ts';
import { PppReceiver } from './gre/ppp-receiver.ts';
import { GreReceiver } from './gre/receiver.ts';
import { Resequencer } from './gre/resequencer.ts';
import { SequenceWindow } from './gre/sequence-window.ts';
import { Transmitter } from './gre/transmitter.ts';
import { Inbound } from './inbound.ts';
import { Ipv6Rules } from './ip/ipv6-rules.ts';
import type { MppeCipher } from './mppe/cipher.ts';
import { MppeSender } from './mppe/sender.ts';
import { TypeScriptCipher } from './mppe/typescript.ts';
import { WasmCipher } from './mppe/wasm/wasm-cipher.ts';
import { Outbound } from './outbound.ts';
import type { Arena } from './queues/arena.ts';
import { Backlog } from './queues/backlog.ts';
import { OutBatch } from './queues/batch.ts';
import { HeldPackets } from './queues/held-packets.ts';
import { Shaper } from './queues/shaper.ts';
import { Unsent } from './queues/unsent.ts';
import { SessionSlab } from './session-slab.ts';
import { SlotTable } from './slot-table.ts';
import { TooLarge } from './too-large.ts';

export interface DataPathOptions {
  readonly arena: Arena;
  /** The addon's, at work in the arena; else WebAssembly's, or one in TypeScript where that is off. */
  readonly cipher?: MppeCipher | undefined;
  /** ms that an acknowledgment waits for a packet to ride on; 100 by default. */
  readonly ackDelay?: number;
  /** Packets after which an acknowledgment waits no longer; 32 by default. Less than the window that we offer. */
  readonly ackEvery?: number;
}

/** Packets for the socket after it was full: few, for it may soon be full again. */
const RESUMED = 32;

export class DataPath {
  readonly calls: Calls;
  readonly devices: Devices;
  /** What nextControl() gave. */
  readonly control: PendingControl;
  /** The batch that goes out, as queues/batch.ts has it; whole after seal(). */
  readonly output: OutBatch;

  readonly #counters: CounterSlab;
  /** Packets that were received and wait, and those that wait for room in the socket. */
  readonly #held: HeldPackets;
  readonly #toSend: HeldPackets;
  /** Those that wait because their session has a rate. */
  readonly #shaped: HeldPackets;
  readonly #inwards: Shaper;
  readonly #outwards: Shaper;
  readonly #backlog: Backlog;
  readonly #unsent: Unsent;
  readonly #acks: DeadlineList;
  readonly #mppe: MppeSender;
  readonly #transmitter: Transmitter;
  readonly #resequencer: Resequencer;
  readonly #receiver: GreReceiver;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;

  constructor({ arena, cipher: given, ackDelay = 100, ackEvery = 32 }: DataPathOptions) {
    const { octets, memory, maxSessions, heldSlots, backlogSlots, shapedSlots } = arena;
    const cipher =
      given ?? (memory === undefined ? new TypeScriptCipher(octets) : new WasmCipher(memory));
    const toSend = new HeldPackets(octets, backlogSlots);
    const shaped = new HeldPackets(octets, shapedSlots);
    const counters = new CounterSlab(maxSessions);
    const shaper = () =>
      new Shaper({ octets, maxSessions, shaped, shapedSlots: shapedSlots.count, counters });
    const state = {
      arena,
      octets,
      cipher,
      maxSessions,
      ackEvery,
      sessions: new SessionSlab(maxSessions),
      callSlots: new SlotTable(maxSessions),
      window: new SequenceWindow(maxSessions),
      counters,
      output: new OutBatch(arena),
      held: new HeldPackets(octets, heldSlots),
      backlog: new Backlog(maxSessions, backlogSlots.count, toSend),
      shaped,
      inwards: shaper(),
      outwards: shaper(),
      acks: new DeadlineList(maxSessions, Math.max(1, ackDelay)),
      mppe: new MppeSender(arena, cipher),
      control: new PendingControl(maxSessions),
    };
    const { sessions, output } = state;
    const devices = new Devices(state);
    const ipv6Rules = new Ipv6Rules(octets, sessions);
    const transmitter = new Transmitter(state);
    const tooLarge = new TooLarge({ ...state, transmitter });
    const dhcp = new DhcpInform({ ...state, transmitter });
    const inbound = new Inbound({ ...state, devices, ipv6Rules, dhcp });
    const ppp = new PppReceiver({ ...state, inbound });
    const resequencer = new Resequencer({ ...state, ppp });
    const receiver = new GreReceiver({ ...state, transmitter, ppp, resequencer });

    this.calls = new Calls({
      ...state,
      devices,
      transmitter,
      inbound,
      dhcp,
      tooLarge,
      ppp,
      resequencer,
      receiver,
    });
    this.devices = devices;
    this.control = state.control;
    this.output = output;
    this.#counters = counters;
    this.#held = state.held;
    this.#toSend = toSend;
    this.#shaped = shaped;
    this.#inwards = state.inwards;
    this.#outwards = state.outwards;
    this.#backlog = state.backlog;
    this.#unsent = new Unsent(backlogSlots.count, toSend, output);
    this.#acks = state.acks;
    this.#mppe = state.mppe;
    this.#transmitter = transmitter;
    this.#resequencer = resequencer;
    this.#receiver = receiver;
    this.#inbound = inbound;
    this.#outbound = new Outbound({ ...state, devices, ipv6Rules, tooLarge, transmitter });
  }

  /** A batch from the socket (queues/batch.ts): as far as the first thing for the protocol machines. */
  receiveGre(meta: Int32Array, count: number, now: number): void {
    this.#receiver.begin(meta, count);
    this.#receiver.proceed(now);
  }

  /** The next thing for the protocol machines, in `control`; what came before it is dealt with. */
  nextControl(now: number): Control {
    if (!this.control.waits) this.#receiver.proceed(now);
    return this.control.take();
  }

  /** A batch from the device, with headroom before each packet. @returns whether some of it waits now: see Devices.park */
  receiveTun(device: number, meta: Int32Array, count: number, now: number): boolean {
    return this.#outbound.receive(device, meta, count, now);
  }

  /** As Outbound.spread: an IPv4 packet to all callers on a device. The batch must be empty, or have room. */
  spread(fd: number, packet: Uint8Array, from: Slot, now: number): Slot {
    return this.#outbound.spread(fd, packet, from, now);
  }

  /** Sends what has waited, with the source address `to` where it has `from` (u32), to the session that is attached. */
  unpark(fd: number, from: number, to: number, now: number): void {
    const device = this.devices.find(fd);
    if (device?.parked === undefined) return;
    const { parked } = device;
    device.parked = undefined;
    this.#outbound.unpark(device, parked, from, to, now);
  }

  /** Ends the batch that goes out: packets wait in it to be encrypted together (mppe/cipher.ts). */
  seal(): void {
    this.#mppe.finish();
  }

  /**
   * The batch has gone out, but the socket took only the first `taken` packets of it (0 while blocked): the others wait, and
   * all IP packets with them. What was in it, and what is in `control`, is void.
   */
  sent(taken: number): void {
    const { output } = this;
    if (taken < output.greCount || output.blocked) {
      this.#counters.drop(-1, Drop.full, this.#unsent.settle(taken));
      output.blocked = this.#unsent.waiting > 0 || this.#backlog.waiting > 0;
    }
    output.reset();
    this.#held.recycle();
    this.#toSend.recycle();
    this.#shaped.recycle();
  }

  /** The socket has room: puts into the batch, which must be empty, what comes next. sent() says how far that got. */
  resume(): void {
    const { output } = this;
    const { greCount: before } = output;
    if (before !== 0) throw new Error(`resume() with ${before} packets to be sent`);
    this.#unsent.offer(RESUMED);
    const backlog = this.#backlog;
    output.blocked = false;
    while (output.greCount < RESUMED) {
      const handle = backlog.take();
      if (handle === -1) break;
      const at = this.#toSend.offset(handle);
      const length = this.#toSend.length(handle);
      if (!this.#transmitter.send(backlog.slot, backlog.protocol, at, length))
        this.#toSend.release(handle);
    }
    output.blocked = true;
  }

  // Time: ms of one monotonic clock.

  nextTimeout(): number | undefined {
    const earliest = Math.min(
      this.#acks.earliest(),
      this.#resequencer.nextTimeout(),
      this.#receiver.nextTimeout(),
      this.#inwards.nextTimeout(),
      this.#outwards.nextTimeout(),
    );
    return earliest === Infinity ? undefined : earliest;
  }

  handleTimeout(now: number): void {
    for (let slot = this.#acks.take(now); slot !== -1; slot = this.#acks.take(now)) {
      if (!this.#transmitter.acknowledgment(slot)) this.#acks.arm(slot, now);
    }
    this.#resequencer.handleTimeout(now);
    this.#receiver.handleTimeout(now);
    this.#inbound.release(now);
    this.#transmitter.release(now);
  }

  /**
   * Of calls that have ended, and of none; Calls has the others.
   * Not carried: calls, devices, control, output; packets, of which none waits: #held, #toSend, #shaped, #inwards, #outwards, #backlog,
   * #unsent; #acks, which are armed again; what works on them: #mppe, #transmitter, #resequencer, #receiver, #inbound, #outbound.
   */
  save(): Counters {
    return this.#counters.save(-1);
  }

  restore(ended: Counters): void {
    this.#counters.restore(-1, ended);
  }

  /** What has waited for the rate of its session, by direction: how many packets, and how long in all, ms. */
  waits(): Readonly<Record<'received' | 'sent', ArrayLike<number>>> {
    return { received: this.#inwards.waits, sent: this.#outwards.waits };
  }

  /** Sums over all calls there ever were, and the drops that belong to none. */
  totals(): Counters {
    return this.#counters.totals();
  }
}
