/**
 * TUN devices and which session owns what on them.
 */
import type { Prefix } from '../wire/ip.ts';
import { Ipv6Networks } from './ip/ipv6-networks.ts';
import type { ParkedPackets } from './queues/parked-packets.ts';
import { Routes } from './ip/routes.ts';
import { NO_DEVICE, type SessionSlab } from './session-slab.ts';

const NO_SLOT = -1;

export interface DeviceOptions {
  /** Packets from caller to caller are dropped; otherwise the kernel may forward them. */
  readonly isolate: boolean;
  /** Everything goes to the one session that is attached, and comes from any source. Absent: routed by inner address. */
  readonly isLink?: boolean;
}

export interface Attachment {
  /** Inner addresses, u32. */
  readonly localAddress: number;
  readonly peerAddress: number;
  /** Networks behind the caller; peerAddress itself is always its own. Without meaning on a link's device. */
  readonly prefixes: readonly Prefix[];
}

/** What the peer of a link gave us in IPv6: see ipv6-rules.ts. */
export interface GivenIpv6 {
  readonly given: Ipv6Networks;
  /** Nothing but that passes. */
  readonly exclusive: boolean;
}

export interface Device {
  readonly isolate: boolean;
  readonly isLink: boolean;
  /** Of a link's device: the session that is attached, or -1. */
  single: number;
  /** What goes in waits here for a session; undefined: it does not wait. */
  parked: ParkedPackets | undefined;
  readonly routes: Routes;
  /** Without meaning where callers are. */
  ipv6: GivenIpv6;
}

const NOTHING: GivenIpv6 = { given: new Ipv6Networks([]), exclusive: false };

export class Devices {
  readonly #sessions: SessionSlab;
  /** By file descriptor. */
  readonly #devices: (Device | undefined)[] = [];
  readonly #prefixes: (readonly Prefix[])[] = [];

  constructor(sessions: SessionSlab) {
    this.#sessions = sessions;
  }

  open(device: number, { isolate, isLink = false }: DeviceOptions): void {
    if (this.#devices[device] !== undefined) throw new Error(`device ${device} is open already`);
    this.#devices[device] = {
      isolate,
      isLink,
      single: NO_SLOT,
      parked: undefined,
      routes: new Routes(),
      ipv6: NOTHING,
    };
  }

  close(device: number): void {
    for (const [slot, own] of this.#sessions.device.entries())
      if (own === device) this.detach(slot);
    this.#devices[device] = undefined;
  }

  find(device: number): Device | undefined {
    return this.#devices[device];
  }

  attach(slot: number, device: number, attachment: Attachment): void {
    const { localAddress, peerAddress, prefixes } = attachment;
    const found = this.#devices[device];
    if (found === undefined) throw new Error(`device ${device} is not open`);
    if (found.single !== NO_SLOT && found.single !== slot) {
      throw new Error(`device ${device} belongs to slot ${found.single}, not ${slot}`);
    }
    this.detach(slot);
    if (found.isLink) found.single = slot;
    const owned = !found.isLink ? [{ address: peerAddress, length: 32 }, ...prefixes] : [];
    for (const prefix of owned) found.routes.add(prefix, slot);
    this.#prefixes[slot] = owned;
    this.#sessions.device[slot] = device;
    this.#sessions.localAddress[slot] = localAddress;
    this.#sessions.peerAddress[slot] = peerAddress;
  }

  detach(slot: number): void {
    const device = this.#sessions.device[slot]!;
    if (device === NO_DEVICE) return;
    const found = this.#devices[device]!;
    for (const prefix of this.#prefixes[slot]!) found.routes.remove(prefix, slot);
    found.single = NO_SLOT;
    this.#prefixes[slot] = [];
    this.#sessions.device[slot] = NO_DEVICE;
  }
}
