/**
 * The calls, one slot each, as columns of typed arrays: no object per call on the packet path.
 *
 * IPv4 addresses and sequence numbers are int32 here: small integers, which u32 above 2^31 are not.
 */
import type { CallId, Ipv4, Slot } from '../wire/brand.ts';

export const State = {
  Free: 0,
  /** The peer's call id is not known yet. */
  Open: 1,
  Connected: 2,
} as const;

export const NO_DEVICE = -1;

/** What goes along with a call: the columns but for what reopening it settles. */
export type SavedSlot = Readonly<
  Record<
    Exclude<
      keyof SessionSlab,
      'state' | 'device' | 'open' | 'close' | 'check' | 'save' | 'restore'
    >,
    number
  >
>;

export class SessionSlab {
  readonly state: Uint8Array;
  /** Outer addresses. local 0: any. */
  readonly peer: Int32Array;
  readonly local: Int32Array;
  readonly callId: Uint16Array;
  readonly peerCallId: Uint16Array;

  /** LCP options of the peer: 1 or 0. */
  readonly pfc: Uint8Array;
  readonly acfc: Uint8Array;
  readonly mtu: Int32Array;
  /** Largest inner packet that is sent whole, with encryption as it is. TCP is kept to it by its MSS. */
  readonly innerMtu: Int32Array;
  readonly requireEncryption: Uint8Array;

  /** GRE sequence number of the next packet to the peer. */
  readonly sendSequence: Int32Array;
  /** Packets received that no acknowledgment covers. */
  readonly unacknowledged: Int32Array;

  /** File descriptor of the TUN device, or NO_DEVICE. */
  readonly device: Int32Array;
  readonly localAddress: Int32Array;
  readonly peerAddress: Int32Array;
  readonly ipv6: Uint8Array;
  /** Neighbour discovery and DHCPv6 of the peer are for a machine of ours: 1 or 0. */
  readonly ipv6Machine: Uint8Array;
  /** Interface identifier of the peer, its two halves. */
  readonly identifierHigh: Int32Array;
  readonly identifierLow: Int32Array;
  /** And ours. */
  readonly ownIdentifierHigh: Int32Array;
  readonly ownIdentifierLow: Int32Array;

  /** An acknowledgment has come alone: 1 or 0. */
  readonly acknowledged: Uint8Array;

  readonly #free: Int32Array;
  #freeCount: number;

  constructor(maxSessions: number) {
    const size = maxSessions;
    this.state = new Uint8Array(size);
    this.peer = new Int32Array(size);
    this.local = new Int32Array(size);
    this.callId = new Uint16Array(size);
    this.peerCallId = new Uint16Array(size);
    this.pfc = new Uint8Array(size);
    this.acfc = new Uint8Array(size);
    this.mtu = new Int32Array(size);
    this.innerMtu = new Int32Array(size);
    this.requireEncryption = new Uint8Array(size);
    this.sendSequence = new Int32Array(size);
    this.unacknowledged = new Int32Array(size);
    this.device = new Int32Array(size).fill(NO_DEVICE);
    this.localAddress = new Int32Array(size);
    this.peerAddress = new Int32Array(size);
    this.ipv6 = new Uint8Array(size);
    this.ipv6Machine = new Uint8Array(size);
    this.identifierHigh = new Int32Array(size);
    this.identifierLow = new Int32Array(size);
    this.ownIdentifierHigh = new Int32Array(size);
    this.ownIdentifierLow = new Int32Array(size);
    this.acknowledged = new Uint8Array(size);
    this.#free = Int32Array.from({ length: size }, (_, index) => size - 1 - index);
    this.#freeCount = size;
  }

  /** Of a call that is connected. Not carried: #free, #freeCount, which follow from the calls there are. */
  save(slot: Slot): SavedSlot {
    return {
      peer: this.peer[slot]!,
      local: this.local[slot]!,
      callId: this.callId[slot]!,
      peerCallId: this.peerCallId[slot]!,
      pfc: this.pfc[slot]!,
      acfc: this.acfc[slot]!,
      mtu: this.mtu[slot]!,
      innerMtu: this.innerMtu[slot]!,
      requireEncryption: this.requireEncryption[slot]!,
      sendSequence: this.sendSequence[slot]!,
      unacknowledged: this.unacknowledged[slot]!,
      localAddress: this.localAddress[slot]!,
      peerAddress: this.peerAddress[slot]!,
      ipv6: this.ipv6[slot]!,
      ipv6Machine: this.ipv6Machine[slot]!,
      identifierHigh: this.identifierHigh[slot]!,
      identifierLow: this.identifierLow[slot]!,
      ownIdentifierHigh: this.ownIdentifierHigh[slot]!,
      ownIdentifierLow: this.ownIdentifierLow[slot]!,
      acknowledged: this.acknowledged[slot]!,
    };
  }

  restore(slot: Slot, saved: SavedSlot): void {
    this.state[slot] = State.Connected;
    for (const [column, value] of Object.entries(saved))
      this[column as keyof SavedSlot][slot] = value;
  }

  /** A slot in its initial state, or -1: none is free. @param wanted one that is given if it is free */
  open(peer: Ipv4, local: Ipv4, callId: CallId, wanted: Slot = -1): Slot {
    if (this.#freeCount === 0) return -1;
    const last = this.#freeCount - 1;
    const at = wanted === -1 ? last : this.#free.lastIndexOf(wanted, last);
    if (at !== -1) [this.#free[at], this.#free[last]] = [this.#free[last]!, this.#free[at]!];
    const slot = this.#free[--this.#freeCount]!;
    this.state[slot] = State.Open;
    this.peer[slot] = peer;
    this.local[slot] = local;
    this.callId[slot] = callId;
    this.pfc[slot] = 0;
    this.acfc[slot] = 0;
    this.mtu[slot] = DEFAULT_MTU;
    this.innerMtu[slot] = DEFAULT_MTU;
    this.requireEncryption[slot] = 0;
    this.sendSequence[slot] = 0;
    this.unacknowledged[slot] = 0;
    this.device[slot] = NO_DEVICE;
    this.ipv6[slot] = 0;
    this.ipv6Machine[slot] = 0;
    this.acknowledged[slot] = 0;
    return slot;
  }

  close(slot: Slot): void {
    this.state[slot] = State.Free;
    this.#free[this.#freeCount++] = slot;
  }

  /** @throws RangeError: our mistake, there is no such call */
  check(slot: Slot): void {
    const state = this.state[slot];
    if (state === undefined || state === State.Free)
      throw new RangeError(`no call in slot ${slot}`);
  }
}

const DEFAULT_MTU = 1400;
