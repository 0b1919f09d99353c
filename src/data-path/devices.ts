/**
 * TUN devices, and which session owns what on them.
 */
import type { Ipv4, Slot } from '../wire/brand.ts';
import type { Prefix } from '../wire/ip.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';
import type { CounterSlab } from './counters.ts';
import { Drop } from './drop.ts';
import { Ipv6Networks } from './ip/ipv6-networks.ts';
import { Ipv6Routes } from './ip/ipv6-routes.ts';
import { Routes } from './ip/routes.ts';
import type { Backlog } from './queues/backlog.ts';
import type { OutBatch } from './queues/batch.ts';
import { ParkedPackets } from './queues/parked-packets.ts';
import type { Shaper } from './queues/shaper.ts';
import { NO_DEVICE, type SessionSlab } from './session-slab.ts';

const NO_SLOT = -1;

export interface DeviceOptions {
  /** Packets from caller to caller are dropped; otherwise the kernel may forward them. */
  readonly isolate: boolean;
  /** Everything goes to the one session that is attached, and comes from any source. Absent: routed by inner address. */
  readonly isLink?: boolean;
}

export interface Attachment {
  /** Inner addresses. */
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
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
  readonly fd: number;
  readonly isolate: boolean;
  readonly isLink: boolean;
  /** Of a link's device: the session that is attached, or -1. */
  single: Slot;
  /** What goes in waits here for a session; undefined: it does not wait. */
  parked: ParkedPackets | undefined;
  readonly routes: Routes;
  readonly ipv6Routes: Ipv6Routes;
  /** Without meaning where callers are. */
  ipv6: GivenIpv6;
}

export interface DevicesParts {
  readonly sessions: SessionSlab;
  readonly backlog: Backlog;
  readonly inwards: Shaper;
  readonly outwards: Shaper;
  readonly output: OutBatch;
  readonly counters: CounterSlab;
}

const NOTHING: GivenIpv6 = { given: new Ipv6Networks([]), exclusive: false };

export class Devices {
  readonly #parts: DevicesParts;
  /** By file descriptor. */
  readonly #devices: (Device | undefined)[] = [];
  /** By slot. */
  readonly #prefixes: (readonly Prefix[])[] = [];
  readonly #ipv6Prefixes: (readonly Ipv6Prefix[])[] = [];

  constructor(parts: DevicesParts) {
    this.#parts = parts;
  }

  /** @throws Error: it is open already */
  open(fd: number, { isolate, isLink = false }: DeviceOptions): void {
    if (this.#devices[fd] !== undefined) throw new Error(`device ${fd} is open already`);
    this.#devices[fd] = {
      fd,
      isolate,
      isLink,
      single: NO_SLOT,
      parked: undefined,
      routes: new Routes(),
      ipv6Routes: new Ipv6Routes(),
      ipv6: NOTHING,
    };
  }

  /** Detaches its sessions and takes its packets out of the batch: the descriptor may be closed now. */
  close(fd: number): void {
    const { sessions, output, counters } = this.#parts;
    counters.drop(-1, Drop.notAttached, this.find(fd)?.parked?.count ?? 0);
    for (const [slot, own] of sessions.device.entries()) if (own === fd) this.#leave(slot);
    this.#devices[fd] = undefined;
    output.dropDevice(fd);
  }

  find(fd: number): Device | undefined {
    return this.#devices[fd];
  }

  /** IP is up. Attached before: moved. A prefix that another session has goes over to this one. @throws Error: no such device */
  attach(slot: Slot, fd: number, { localAddress, peerAddress, prefixes }: Attachment): void {
    const { sessions } = this.#parts;
    sessions.check(slot);
    const device = this.#opened(fd);
    if (device.single !== NO_SLOT && device.single !== slot)
      throw new Error(`device ${fd} belongs to slot ${device.single}, not ${slot}`);
    this.#leave(slot);
    if (device.isLink) device.single = slot;
    const owned = device.isLink ? [] : [{ address: peerAddress, length: 32 }, ...prefixes];
    for (const prefix of owned) device.routes.add(prefix, slot);
    this.#prefixes[slot] = owned;
    sessions.device[slot] = fd;
    sessions.localAddress[slot] = localAddress;
    sessions.peerAddress[slot] = peerAddress;
  }

  isAttached(slot: Slot): boolean {
    return this.#parts.sessions.device[slot] !== NO_DEVICE;
  }

  /** What an attached session owns in IPv6 from now on, in place of what it had. Without meaning on a link's device. */
  setIpv6Prefixes(slot: Slot, prefixes: readonly Ipv6Prefix[]): void {
    const { sessions } = this.#parts;
    sessions.check(slot);
    const { ipv6Routes } = this.#opened(sessions.device[slot]!);
    for (const prefix of this.#ipv6Prefixes[slot] ?? []) ipv6Routes.remove(prefix, slot);
    for (const prefix of prefixes) ipv6Routes.add(prefix, slot);
    this.#ipv6Prefixes[slot] = prefixes;
  }

  /** IP is down. */
  detach(slot: Slot): void {
    const { sessions, backlog, outwards, counters } = this.#parts;
    sessions.check(slot);
    counters.drop(slot, Drop.notAttached, backlog.clear(slot) + outwards.clear(slot));
    this.#leave(slot);
  }

  /** From now on what goes into this device of a link waits, as far as there is room. @throws Error: no such device */
  park(fd: number): void {
    this.#opened(fd).parked ??= new ParkedPackets();
  }

  /** What the peer of a link gave us in IPv6. @param exclusive nothing else passes @throws Error: no such device */
  setGivenIpv6(fd: number, prefixes: readonly Ipv6Prefix[], exclusive: boolean): void {
    this.#opened(fd).ipv6 = { given: new Ipv6Networks(prefixes), exclusive };
  }

  /** What waits to go in was allowed by what the session owned here. */
  #leave(slot: Slot): void {
    const { sessions, inwards, counters } = this.#parts;
    const fd = sessions.device[slot]!;
    if (fd === NO_DEVICE) return;
    counters.drop(slot, Drop.notAttached, inwards.clear(slot));
    const device = this.#opened(fd);
    for (const prefix of this.#prefixes[slot]!) device.routes.remove(prefix, slot);
    this.setIpv6Prefixes(slot, []);
    device.single = NO_SLOT;
    this.#prefixes[slot] = [];
    sessions.device[slot] = NO_DEVICE;
  }

  #opened(fd: number): Device {
    const device = this.#devices[fd];
    if (device === undefined) throw new Error(`device ${fd} is not open`);
    return device;
  }
}
