/** One end of a tunnel in memory: a data path, its arena, and what its daemon would do with it. */
import assert from 'node:assert/strict';
import { decodeDocument, encodeDocument } from '../../src/daemon/upgrade/document.ts';
import {
  createArena,
  type Arena,
  type ArenaOptions,
  type SlotRange,
} from '../../src/data-path/queues/arena.ts';
import { DataPath, type DataPathOptions } from '../../src/data-path/data-path.ts';
import { Control } from '../../src/data-path/control.ts';
import type { DropReason } from '../../src/data-path/drop.ts';
import type { Counters } from '../../src/data-path/counters.ts';
import { createGreHeader, readGre, writeGre } from '../../src/wire/gre.ts';
import { address } from './packets.ts';

/** A GRE packet between outer addresses. */
export interface Datagram {
  readonly octets: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export class End {
  path: DataPath;
  readonly arena: Arena;
  /** GRE to send, IP packets written to devices, control frames, and slots that lost synchronization. */
  wire: Datagram[] = [];
  delivered: { device: number; packet: Uint8Array }[] = [];
  frames: { slot: number; frame: Uint8Array }[] = [];
  desynchronized: number[] = [];
  /** Packets that the socket still takes. */
  room = Infinity;

  constructor(options: Partial<DataPathOptions> = {}, arena: ArenaOptions = {}) {
    this.arena = options.arena ?? createArena({ maxSessions: 4, ...arena });
    this.path = new DataPath({ ...options, arena: this.arena });
  }

  /** Another program takes the place of this one, with what that has saved of its call in slot 0. */
  succeed(attach: (path: DataPath) => void, now: number): void {
    this.path.calls.hasten(0, now);
    this.drain(now);
    const state = { ended: this.path.save(), call: this.path.calls.save(0) };
    const document = encodeDocument(state, 'here');
    const saved = decodeDocument(document, 'here') as typeof state;
    this.path = new DataPath({ arena: this.arena });
    this.path.restore(saved.ended);
    assert.equal(this.path.calls.restore(saved.call, now), 0);
    attach(this.path);
  }

  /** A GRE packet comes in. @returns why it was dropped, or what came of it: 'control', 'delivered', 'nothing' (yet) */
  gre(datagram: Datagram, now: number): string {
    const { drops } = this.path.totals();
    const frames = this.frames.length;
    this.path.receiveGre(this.greBatch([datagram]), 1, now);
    this.#collect(now);
    const made = this.path.output.tunCount > 0 ? 'delivered' : 'nothing';
    const outcome = this.#dropped(drops) ?? (this.frames.length > frames ? 'control' : made);
    this.drain(now);
    return outcome;
  }

  /** An IP packet comes from the device. @returns why it was dropped, or what came of it: 'sent', 'parked', 'nothing' (yet) */
  tun(device: number, packet: Uint8Array, now: number): string {
    const { drops } = this.path.totals();
    const isParked = this.path.receiveTun(device, this.tunBatch([packet]), 1, now);
    const made = this.path.output.greCount > 0 ? 'sent' : 'nothing';
    const outcome = this.#dropped(drops) ?? (isParked ? 'parked' : made);
    this.drain(now);
    return outcome;
  }

  /** Lays packets into the arena, as the addon does. */
  greBatch(datagrams: readonly Datagram[]): Int32Array {
    const { greSlots } = this.arena;
    const meta = datagrams.map(({ octets, from, to }, n) => [
      this.#lay(octets, greSlots, n, 20),
      octets.length,
      from,
      to,
    ]);
    return Int32Array.from(meta.flat());
  }

  tunBatch(packets: readonly Uint8Array[]): Int32Array {
    const { tunSlots } = this.arena;
    const meta = packets.map((packet, n) => [this.#lay(packet, tunSlots, n, 0), packet.length]);
    return Int32Array.from(meta.flat());
  }

  /** Does what follows each batch. */
  drain(now: number): void {
    const { path, arena } = this;
    const { output } = path;
    this.#collect(now);
    path.seal();
    const taken = Math.min(this.room, output.greCount);
    this.room -= taken;
    for (let n = 0; n < taken; n++) {
      const [offset, length, to, from] = output.gre.subarray(4 * n);
      const octets = arena.octets.slice(offset, offset! + length!);
      this.wire.push({ octets, from: from! >>> 0, to: to! >>> 0 });
    }
    for (let n = 0; n < output.tunCount; n++) {
      const [device, offset, length] = output.tun.subarray(3 * n);
      const packet = arena.octets.slice(offset, offset! + length!);
      this.delivered.push({ device: device!, packet });
    }
    path.sent(taken);
  }

  /** The socket, which was full, takes so many packets. */
  writable(room: number, now: number): void {
    this.room = room;
    do {
      this.path.resume();
      this.drain(now);
    } while (this.path.output.blocked && this.room > 0);
  }

  /** Everything put on the wire since the last call. */
  takeWire(): Datagram[] {
    const wire = this.wire;
    this.wire = [];
    return wire;
  }

  takeDelivered(): Uint8Array[] {
    const delivered = this.delivered;
    this.delivered = [];
    return delivered.map(({ packet }) => packet);
  }

  #lay(packet: Uint8Array, { base, size, headroom }: SlotRange, n: number, behind: number): number {
    const slot = base + n * size;
    this.arena.octets.fill(0xee, slot, slot + size); // what lay there before must not matter
    this.arena.octets.set(packet, slot + headroom + behind);
    return slot + headroom + behind;
  }

  #collect(now: number): void {
    const { path, arena } = this;
    for (let what; (what = path.nextControl(now)) !== Control.None;) {
      const { slot, offset, length } = path.control;
      if (what === Control.Desynchronized) this.desynchronized.push(slot);
      else this.frames.push({ slot, frame: arena.octets.slice(offset, offset + length) });
    }
  }

  /** The reasons that were counted since, or undefined. */
  #dropped(before: Counters['drops']): string | undefined {
    const drops = Object.entries(this.path.totals().drops);
    const reasons = drops.filter(([reason, count]) => count > (before[reason as DropReason] ?? 0));
    return reasons.length > 0 ? reasons.map(([reason]) => reason).join() : undefined;
  }
}

export const SERVER = address('198.51.100.1');
export const CLIENT = address('203.0.113.9');
export const SERVER_CALL = 0;
export const CLIENT_CALL = 0xee88;
export const SERVER_TUN = 11;
export const CLIENT_TUN = 12;
/** Inner addresses. */
export const GATEWAY = '192.168.99.1';
export const CALLER = '192.168.99.10';

/** A caller's end and the server's, connected and with IP up. */
export interface Pair {
  readonly server: End;
  readonly client: End;
  readonly serverSlot: number;
  readonly clientSlot: number;
}

export function connect(server = new End(), client = new End(), now = 0): Pair {
  const serverSlot = server.path.calls.open(CLIENT, SERVER, SERVER_CALL, now);
  const clientSlot = client.path.calls.open(SERVER, CLIENT, CLIENT_CALL, now);
  server.path.calls.connect(serverSlot, CLIENT_CALL);
  client.path.calls.connect(clientSlot, SERVER_CALL);
  attachServer(server.path, serverSlot);
  attachClient(client.path, clientSlot);
  return { server, client, serverSlot, clientSlot };
}

export function attachServer({ devices }: DataPath, slot = 0): void {
  devices.open(SERVER_TUN, { isolate: true });
  devices.attach(slot, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address(CALLER),
    prefixes: [],
  });
}

export function attachClient({ devices }: DataPath, slot = 0): void {
  devices.open(CLIENT_TUN, { isolate: false, isLink: true });
  devices.attach(slot, CLIENT_TUN, {
    localAddress: address(CALLER),
    peerAddress: address(GATEWAY),
    prefixes: [],
  });
}

/** A GRE packet with this payload from the client to the server. */
export function greToServer(
  sequence: number | undefined,
  payload: Uint8Array,
  acknowledgment?: number,
  callId = SERVER_CALL,
): Datagram {
  const octets = new Uint8Array(16 + payload.length);
  const header = createGreHeader();
  header.payloadLength = payload.length;
  header.callId = callId;
  header.hasSequence = sequence !== undefined;
  header.sequence = sequence ?? 0;
  header.hasAcknowledgment = acknowledgment !== undefined;
  header.acknowledgment = acknowledgment ?? 0;
  const length = writeGre(octets, 0, header);
  octets.set(payload, length);
  return { octets: octets.slice(0, length + payload.length), from: CLIENT, to: SERVER };
}

/** What a receiver reads in a GRE packet. */
export function readDatagram({ octets }: Datagram) {
  const header = createGreHeader();
  const fault = readGre(octets, 0, octets.length, header);
  if (fault !== 0) throw new Error(`GRE fault ${fault}`);
  return { ...header, payload: octets.slice(header.headerLength) };
}
