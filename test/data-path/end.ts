/** One end of a tunnel in memory: a data path, its arena, and what its daemon would do with it. */
import { createArena, type Arena, type ArenaOptions } from '../../src/data-path/queues/arena.ts';
import { DataPath, type DataPathOptions } from '../../src/data-path/data-path.ts';
import { Verdict } from '../../src/data-path/verdict.ts';
import { createGreHeader, readGre, writeGre } from '../../src/wire/gre.ts';
import { address } from './packets.ts';

/** A GRE packet between outer addresses. */
export interface Datagram {
  readonly octets: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export class End {
  readonly path: DataPath;
  readonly arena: Arena;
  /** GRE to send, IP packets written to devices, control frames, and slots that lost synchronization. */
  wire: Datagram[] = [];
  delivered: { device: number; packet: Uint8Array }[] = [];
  frames: { slot: number; frame: Uint8Array }[] = [];
  desynchronized: number[] = [];
  /** Packets that the socket still takes. */
  room = Infinity;

  constructor(options: Partial<DataPathOptions> = {}, arena: ArenaOptions = {}) {
    this.arena = options.arena ?? createArena(arena);
    this.path = new DataPath({ maxSessions: 4, ...options, arena: this.arena });
  }

  /** A GRE packet comes in. @returns Verdict */
  gre({ octets, from, to }: Datagram, now: number): number {
    const { base, size, headroom } = this.arena.greSlots;
    this.arena.octets.fill(0xee, base, base + size); // what lay there before must not matter
    const at = base + headroom + 20;
    this.arena.octets.set(octets, at);
    const verdict = this.path.receiveGre(at, octets.length, from, to, now);
    this.#collect(verdict);
    this.drain(now);
    return verdict;
  }

  /** An IP packet comes from the device. @returns Verdict */
  tun(device: number, packet: Uint8Array, now: number): number {
    const { base, size, headroom } = this.arena.tunSlots;
    this.arena.octets.fill(0xee, base, base + size);
    this.arena.octets.set(packet, base + headroom);
    const verdict = this.path.receiveTun(device, base + headroom, packet.length, now);
    this.drain(now);
    return verdict;
  }

  /** Does what follows each batch. */
  drain(now: number): void {
    const { path, arena } = this;
    for (;;) {
      const verdict = path.pollControl(now);
      if (verdict === Verdict.None) break;
      this.#collect(verdict);
    }
    const taken = Math.min(this.room, path.greOutCount);
    this.room -= taken;
    for (let n = 0; n < taken; n++) {
      const [offset, length, to, from] = path.greOut.subarray(4 * n);
      const octets = arena.octets.slice(offset, offset! + length!);
      this.wire.push({ octets, from: from! >>> 0, to: to! >>> 0 });
    }
    path.sent(taken);
    for (let n = 0; n < path.tunOutCount; n++) {
      const [device, offset, length] = path.tunOut.subarray(3 * n);
      const packet = arena.octets.slice(offset, offset! + length!);
      this.delivered.push({ device: device!, packet });
    }
    path.resetOutput();
  }

  /** The socket, which was full, takes so many packets. */
  writable(room: number, now: number): void {
    this.room = room;
    do {
      this.path.resume();
      this.drain(now);
    } while (this.path.blocked && this.room > 0);
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

  #collect(verdict: number): void {
    const { controlSlot, controlOffset, controlLength } = this.path;
    if (verdict === Verdict.Control) {
      const frame = this.arena.octets.slice(controlOffset, controlOffset + controlLength);
      this.frames.push({ slot: controlSlot, frame });
    }
    if (verdict === Verdict.Desynchronized) this.desynchronized.push(controlSlot);
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
  const serverSlot = server.path.openCall(CLIENT, SERVER, SERVER_CALL, now);
  const clientSlot = client.path.openCall(SERVER, CLIENT, CLIENT_CALL, now);
  server.path.connectCall(serverSlot, CLIENT_CALL, now);
  client.path.connectCall(clientSlot, SERVER_CALL, now);
  server.path.openDevice(SERVER_TUN, { isolate: true });
  client.path.openDevice(CLIENT_TUN, { isolate: false, isLink: true });
  server.path.attach(serverSlot, SERVER_TUN, {
    localAddress: address(GATEWAY),
    peerAddress: address(CALLER),
    prefixes: [],
  });
  client.path.attach(clientSlot, CLIENT_TUN, {
    localAddress: address(CALLER),
    peerAddress: address(GATEWAY),
    prefixes: [],
  });
  return { server, client, serverSlot, clientSlot };
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
