/**
 * TUN devices and which session owns what on them.
 */
import type { Prefix } from '../wire/ip.ts';
import { Routes } from './routes.ts';
import { NO_DEVICE, type SessionSlab } from './session-slab.ts';

export interface DeviceOptions {
  /** Packets from caller to caller are dropped; otherwise the kernel may forward them. */
  readonly isolate: boolean;
  /** A link's device: everything goes to this slot, and comes from any source. Absent: routed by inner address. */
  readonly single?: number;
}

export interface Attachment {
  /** Inner addresses, u32. */
  readonly localAddress: number;
  readonly peerAddress: number;
  /** Networks behind the caller; peerAddress itself is always its own. Without meaning on a link's device. */
  readonly prefixes: readonly Prefix[];
}

export interface Device {
  readonly isolate: boolean;
  /** -1: not a link's device. */
  readonly single: number;
  readonly routes: Routes;
}

export class Devices {
  readonly #sessions: SessionSlab;
  /** By file descriptor. */
  readonly #devices: (Device | undefined)[] = [];
  readonly #prefixes: (readonly Prefix[])[] = [];

  constructor(sessions: SessionSlab) {
    this.#sessions = sessions;
  }

  open(device: number, { isolate, single }: DeviceOptions): void {
    if (this.#devices[device] !== undefined) throw new Error(`device ${device} is open already`);
    this.#devices[device] = { isolate, single: single ?? -1, routes: new Routes() };
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
    if (found.single !== -1 && found.single !== slot) {
      throw new Error(`device ${device} belongs to slot ${found.single}, not ${slot}`);
    }
    this.detach(slot);
    const owned = found.single === -1 ? [{ address: peerAddress, length: 32 }, ...prefixes] : [];
    for (const prefix of owned) found.routes.add(prefix, slot);
    this.#prefixes[slot] = owned;
    this.#sessions.device[slot] = device;
    this.#sessions.localAddress[slot] = localAddress;
    this.#sessions.peerAddress[slot] = peerAddress;
  }

  detach(slot: number): void {
    const device = this.#sessions.device[slot]!;
    if (device === NO_DEVICE) return;
    const routes = this.#devices[device]!.routes;
    for (const prefix of this.#prefixes[slot]!) routes.remove(prefix, slot);
    this.#prefixes[slot] = [];
    this.#sessions.device[slot] = NO_DEVICE;
  }
}
