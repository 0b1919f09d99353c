/**
 * One arena and the calls that move packets between it and the kernel, in batches.
 *
 * All packets live in the arena, an ArrayBuffer of fixed size made by the caller; every position is an octet offset into
 * it, and the addon never allocates a packet. A batch is described by an Int32Array ("meta") that the caller makes once
 * and reuses. IPv4 addresses in it are 32-bit numbers, first octet highest; Int32Array reads them back signed, so `>>> 0`
 * makes them comparable with unsigned ones.
 */
import { type Addon, type ContextHandle, loadAddon } from './addon.ts';
import { errnoName, IoError } from './io-error.ts';

/** Numbers per packet in the meta of a watched GRE socket: offset and length of the GRE packet, source, destination. */
export const greReceiveWords = 4;
/** Numbers per packet in sendGre's meta: offset and length of the GRE packet, destination, source (0: kernel chooses). */
export const greSendWords = 4;
/** Numbers per packet in the meta of a watched TUN device: offset and length of the IP packet. */
export const tunReceiveWords = 2;
/** Numbers per packet in sendTun's meta: the device's descriptor, offset and length of the IP packet. */
export const tunSendWords = 3;

/** A row of equal slots in the arena that one descriptor receives into. All in octets but `count`. */
export interface Slots {
  readonly base: number;
  readonly size: number;
  /** Slots, and so packets per batch: 1 to 1024. */
  readonly count: number;
  /** Octets left free at the start of every slot. A GRE packet begins an IPv4 header (20 octets or more) later. */
  readonly headroom: number;
}

export interface Watcher {
  /** `count` packets are in the slots and described in the meta; both are valid until this returns. */
  onBatch(count: number): void;
  /** After a send that the socket had no room for: it has room again. Told once for each such send, or several. */
  onWritable?(): void;
  /** The device was deleted behind our back: it is no longer watched, and close() is all that is left to do. */
  onLost(error: IoError): void;
}

/** MPPE of packets and keys that lie in the arena, as data-path/mppe/cipher.ts has it. */
export interface IoCipher {
  crypt(packets: Int32Array, count: number, used: number): void;
  change(keys: number): void;
}

export interface IoCounters {
  /** Packets handed to the watcher. */
  readonly received: number;
  /** Packets the kernel took. */
  readonly sent: number;
  /** Received packets larger than a slot, dropped. */
  readonly truncated: number;
  /** Received packets whose IPv4 header contradicts itself, dropped. */
  readonly malformed: number;
  /** Packets the kernel dropped because the socket's receive buffer was full (always 0 for a TUN device). */
  readonly overflow: number;
  /** Packets that could not be sent, and errors while receiving, by error name. */
  readonly errors: Readonly<Record<string, number>>;
}

export class IoContext {
  readonly arena: ArrayBuffer;
  /** Undefined: the addon has none. */
  readonly cipher: IoCipher | undefined;
  readonly #addon: Addon;
  readonly #handle: ContextHandle;

  /**
   * @param arena at most 2^31 - 1 octets; pinned for as long as this context is in use, and must stay attached
   * @throws {IoError} when the addon is missing or does not load
   */
  constructor(arena: ArrayBuffer) {
    this.#addon = loadAddon();
    this.#handle = this.#addon.createContext(arena);
    this.arena = arena;
    this.cipher = cipherOf(this.#addon, this.#handle);
  }

  /**
   * Calls the watcher once for every batch that arrives on a GRE socket or TUN device, until close.
   * The meta needs `slots.count` times `greReceiveWords` or `tunReceiveWords` numbers. Keeps the process alive.
   * What the watcher throws becomes an uncaughtException.
   */
  watch(fd: number, slots: Slots, meta: Int32Array, watcher: Watcher): void {
    const { base, size, count, headroom } = slots;
    const onBatch = (batch: number): void => {
      if (batch > 0) watcher.onBatch(batch);
      else if (batch === 0) watcher.onWritable?.();
      else watcher.onLost(new IoError(-batch, 'read'));
    };
    this.#addon.watch(this.#handle, fd, base, size, count, headroom, meta, onBatch);
  }

  /**
   * Stops watching, from inside the watcher too, and closes; the number must not be used again. Closing a TUN's descriptor
   * deletes the device.
   */
  close(fd: number): void {
    this.#addon.close(fd);
  }

  /**
   * Sends `count` GRE packets described by `meta` (greSendWords each); the kernel adds the IPv4 header.
   * A packet the kernel refuses is dropped and counted by its error, and the next one is tried, until the socket is full.
   * @returns how many are dealt with. The others are still the caller's: a watched socket calls onWritable when it has room
   */
  sendGre(fd: number, meta: Int32Array, count: number): number {
    return this.#addon.sendGre(this.#handle, fd, meta, count);
  }

  /** Writes `count` IP packets described by `meta` (tunSendWords each) to their TUN devices; a refused one is dropped and counted. @returns how many the kernel took */
  sendTun(meta: Int32Array, count: number): number {
    return this.#addon.sendTun(this.#handle, meta, count);
  }

  /** What happened on a descriptor since it was opened. */
  counters(fd: number): IoCounters {
    const { errors: flat, ...counters } = this.#addon.counters(fd);
    const errors: Record<string, number> = {};
    for (let i = 0; i + 1 < flat.length; i += 2) errors[errnoName(flat[i]!)] = flat[i + 1]!;
    return { ...counters, errors };
  }
}

function cipherOf({ cryptPackets, changeKey }: Addon, handle: ContextHandle): IoCipher | undefined {
  if (cryptPackets === undefined || changeKey === undefined) return undefined;
  return {
    crypt: (packets, count, used) => cryptPackets(handle, packets, count, used),
    change: (keys) => changeKey(handle, keys),
  };
}
