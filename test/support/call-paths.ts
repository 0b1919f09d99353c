/**
 * The in-memory twin of the daemon's call paths: hosts joined by a network that may be slow, lossy or shut for GRE. It
 * moves control frames, keeps what arrives before a call is connected, and lets IP pass only as the real path would:
 * attached at both ends, with the same keys.
 */
import type { MppeKeys } from '../../src/crypto/mppe-keys.ts';
import type { CallCounters, CallPath, CallPaths, FrameReceiver } from '../../src/session/ports.ts';
import type { VirtualClock } from './clock.ts';

export interface GreConditions {
  /** ms */
  latency: number;
  /** Drop this frame? Asked once for each. */
  drop: (from: number, to: number) => boolean;
}

/** The network between the hosts. */
export class GreNetwork {
  readonly conditions: GreConditions = { latency: 5, drop: () => false };
  readonly #hosts = new Map<number, HostPaths>();
  readonly clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  /** The host with this address. @param capacity calls at the same time */
  host(address: number, capacity = 64): HostPaths {
    const host = this.#hosts.get(address) ?? new HostPaths(this, address, capacity);
    this.#hosts.set(address, host);
    return host;
  }

  send(from: number, to: number, callId: number, frame: Uint8Array): void {
    if (this.conditions.drop(from, to)) return;
    this.clock.after(this.conditions.latency, () => {
      this.#hosts.get(to)?.receive(from, callId, frame);
    });
  }

  find(to: number, from: number, callId: number): TwinPath | undefined {
    return this.#hosts.get(to)?.find(from, callId);
  }
}

export class HostPaths implements CallPaths {
  readonly address: number;
  readonly network: GreNetwork;
  readonly calls = new Map<number, TwinPath>();
  readonly #capacity: number;
  #nextSlot = 0;
  #nextCallId = 0x1000;

  constructor(network: GreNetwork, address: number, capacity: number) {
    this.network = network;
    this.address = address;
    this.#capacity = capacity;
  }

  open(_machine: object, peer: number, local: number): TwinPath | undefined {
    if (this.calls.size >= this.#capacity) return undefined;
    const slot = this.#nextSlot++ % 1024;
    const path = new TwinPath(this, { peer, local, slot, callId: this.#nextCallId++ });
    this.calls.set(slot, path);
    return path;
  }

  reopen(_machine: object, callId: number): TwinPath {
    const path = [...this.calls.values()].find((call) => call.callId === callId);
    if (path === undefined) throw new Error(`no call ${callId} was left`);
    return path;
  }

  find(peer: number, callId: number): TwinPath | undefined {
    return [...this.calls.values()].find((path) => path.peer === peer && path.callId === callId);
  }

  receive(from: number, callId: number, frame: Uint8Array): void {
    this.find(from, callId)?.receive(frame);
  }
}

export class TwinPath implements CallPath {
  readonly slot: number;
  readonly callId: number;
  readonly peer: number;
  readonly local: number;
  peerCallId: number | undefined;
  framing: { pfc: boolean; acfc: boolean; mtu: number } | undefined;
  readonly mppe: { send: MppeKeys | undefined; receive: MppeKeys | undefined } = {
    send: undefined,
    receive: undefined,
  };
  encryptionRequired = false;
  rates = { receive: 0, send: 0, burst: 0 };
  attached = false;
  /** What the session itself has sent in IPv6. */
  ipv6Packets: Uint8Array[] = [];
  flushes = 0;
  closed = false;
  readonly #host: HostPaths;
  #receiver: FrameReceiver | undefined;
  #held: Uint8Array[] = [];
  #heard = false;
  #counters = { rxOctets: 0, txOctets: 0, rxPackets: 0, txPackets: 0 };

  constructor(host: HostPaths, ids: { peer: number; local: number; slot: number; callId: number }) {
    this.#host = host;
    this.peer = ids.peer;
    this.local = ids.local;
    this.slot = ids.slot;
    this.callId = ids.callId;
  }

  connect(peerCallId: number, receiver: FrameReceiver): void {
    this.#check();
    this.#receiver = receiver;
    this.peerCallId = peerCallId;
    const held = this.#held;
    this.#held = [];
    for (const frame of held) this.#host.network.clock.after(0, () => this.receive(frame));
  }

  transmit(frame: Uint8Array): void {
    this.#check();
    if (this.peerCallId === undefined) throw new Error('a frame before the call was connected');
    this.#host.network.send(this.local, this.peer, this.peerCallId, frame.slice());
  }

  transmitIpv6(packet: Uint8Array): void {
    this.#check();
    if (this.attached) this.ipv6Packets.push(packet);
  }

  receive(frame: Uint8Array): void {
    if (this.closed) return;
    if (this.peerCallId === undefined) {
      this.#held.push(frame);
      return;
    }
    this.#heard = true;
    this.#receiver?.handleFrame(frame, this.#host.network.clock.now);
  }

  /** The peer's packets cannot be decrypted any more. */
  desynchronize(): void {
    this.#receiver?.handleDesynchronized(this.#host.network.clock.now);
  }

  /** A bare acknowledgment of the peer comes. */
  receiveAcknowledgment(): void {
    this.#heard = true;
  }

  /** Sends one IP packet to the peer. Whether it arrived. */
  sendIp(octets = 100): boolean {
    this.#check();
    const { network } = this.#host;
    if (this.peerCallId === undefined) return false;
    const peer = network.find(this.peer, this.local, this.peerCallId);
    if (peer === undefined || !this.attached || !peer.attached) return false;
    if (network.conditions.drop(this.local, this.peer)) return false;
    const { send } = this.mppe;
    const { receive } = peer.mppe;
    if (send === undefined && (this.encryptionRequired || peer.encryptionRequired)) return false;
    if (!sameKeys(send, receive)) return false;
    this.#counters.txPackets += 1;
    this.#counters.txOctets += octets;
    peer.#heard = true;
    peer.#counters.rxPackets += 1;
    peer.#counters.rxOctets += octets;
    return true;
  }

  setFraming(framing: { pfc: boolean; acfc: boolean; mtu: number }): void {
    this.#check();
    this.framing = framing;
  }

  setMppe(direction: 'send' | 'receive', mppe: MppeKeys | undefined): void {
    this.#check();
    this.mppe[direction] = mppe;
  }

  requireEncryption(required: boolean): void {
    this.#check();
    this.encryptionRequired = required;
  }

  setRates(rates: { receive: number; send: number; burst: number }): void {
    this.#check();
    this.rates = rates;
  }

  flush(): void {
    this.#check();
    this.flushes += 1;
  }

  counters(): CallCounters {
    this.#check();
    return { ...this.#counters, lost: 0, reordered: 0, duplicates: 0, drops: {} };
  }

  heard(): boolean {
    this.#check();
    return this.#heard;
  }

  obstacle(): string | undefined {
    return undefined;
  }

  close(): void {
    this.#check();
    this.closed = true;
    this.#host.calls.delete(this.slot);
  }

  #check(): void {
    if (this.closed) throw new Error(`call path ${this.slot} was used after its end`);
  }
}

function sameKeys(a: MppeKeys | undefined, b: MppeKeys | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.strength === b.strength &&
    a.stateful === b.stateful &&
    a.startKey.length === b.startKey.length &&
    a.startKey.every((octet, at) => octet === b.startKey[at])
  );
}
