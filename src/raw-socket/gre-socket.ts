/**
 * A raw IPv4 socket for GRE (protocol 47), in batches: one unconnected socket for all peers.
 */
import { loadAddon } from '../native/addon.ts';
import type { IoContext, IoCounters, Slots, Watcher } from '../native/io-context.ts';
import { IoError } from '../native/io-error.ts';
import { greFilter } from './gre-filter.ts';

export {
  greReceiveWords,
  greSendWords,
  type IoCounters,
  type Slots,
  type Watcher,
} from '../native/io-context.ts';

/** An open GRE socket. Packets leave without DF; the kernel makes the IPv4 header, and fragments what is too large. */
export class GreSocket {
  readonly fd: number;
  readonly #io: IoContext;

  /**
   * Opens the socket for the enhanced GRE of PPTP (RFC 2637 §4.1) with any call id; setCallIds narrows it.
   * @param inherited one that the program before has opened, which stays as it is
   * @throws {IoError} EPERM: no CAP_NET_RAW
   */
  constructor(io: IoContext, inherited?: number) {
    this.#io = io;
    this.fd = inherited === undefined ? loadAddon().openGre() : loadAddon().adoptGre(inherited);
    if (inherited === undefined) this.setCallIds(null);
  }

  /**
   * Lets only GRE with these call ids through (our own ids: the low half of the Key field); `null`: any.
   * @returns false when there are so many that the kernel cannot hold them: then any call id comes through
   */
  setCallIds(callIds: Uint16Array | null): boolean {
    const addon = loadAddon();
    const program = callIds === null ? null : greFilter(callIds);
    if (program !== null) {
      try {
        addon.attachFilter(this.fd, program);
        return true;
      } catch (error) {
        // net.core.optmem_max is 20 KB before Linux 6.8 and holds the old filter as well as the new one.
        if (!(error instanceof IoError && error.code === 'ENOMEM')) throw error;
      }
    }
    addon.attachFilter(this.fd, greFilter(null)!);
    return callIds === null;
  }

  /**
   * Receives into `slots`; `meta` needs `slots.count * greReceiveWords` numbers. See IoContext.watch.
   * A packet is offset and length of the GRE packet (the IPv4 header lies before it), its source and its destination.
   */
  watch(slots: Slots, meta: Int32Array, watcher: Watcher): void {
    this.#io.watch(this.fd, slots, meta, watcher);
  }

  /**
   * Sends packets, to any peers.
   * @param meta `greSendWords` numbers each: offset and length of the GRE packet, destination, source (0: kernel chooses)
   * @returns how many are dealt with: sent, or refused and counted by their error. The others found the socket full; the
   * watcher's onWritable says when it has room
   */
  send(meta: Int32Array, count: number): number {
    return this.#io.sendGre(this.fd, meta, count);
  }

  counters(): IoCounters {
    return this.#io.counters(this.fd);
  }

  close(): void {
    this.#io.close(this.fd);
  }
}
