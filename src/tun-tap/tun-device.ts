/**
 * A Linux TUN device: IP packets without any header, in batches.
 */
import type { IoContext, IoCounters, Slots, Watcher } from '../native/io-context.ts';
import { loadAddon, type Addon } from '../native/addon.ts';
import { IoError } from '../native/io-error.ts';

export {
  tunReceiveWords,
  tunSendWords,
  type IoCounters,
  type Slots,
  type Watcher,
} from '../native/io-context.ts';

/** An open TUN device. It exists as long as it is open; its address, MTU and state are set with rtnetlink or `ip`. */
export class TunDevice {
  /** The device's name; where the name asked for had `%d` in it, the one the kernel made. */
  readonly name: string;
  /** For the packets of sendTun. */
  readonly fd: number;
  /** The kernel hands over and takes large packets, and leaves checksums to us; packets here are small either way. */
  readonly offload: boolean;
  readonly #io: IoContext;

  /**
   * Makes the device.
   * @param name 1 to 15 octets; `%d` in it becomes the first free number
   * @param offload false: one packet for each system call, as on kernels that know no better
   * @param inherited the descriptor of the device, which the program before has made
   * @throws {IoError} EBUSY: there is such a device; EPERM: no CAP_NET_ADMIN; ENOENT or ENODEV: no /dev/net/tun
   */
  constructor(
    io: IoContext,
    name: string,
    { offload = true, inherited }: { offload?: boolean; inherited?: number | undefined } = {},
  ) {
    const device = inherited === undefined ? open(name, offload) : loadAddon().adoptTun(inherited);
    this.#io = io;
    this.name = device.name;
    this.fd = device.fd;
    this.offload = device.offload;
  }

  /** Receives into `slots`; `meta` needs `slots.count * tunReceiveWords` numbers. See IoContext.watch. */
  watch(slots: Slots, meta: Int32Array, watcher: Watcher): void {
    this.#io.watch(this.fd, slots, meta, watcher);
  }

  /** @public */
  counters(): IoCounters {
    return this.#io.counters(this.fd);
  }

  /** Deletes the device. Its descriptor must not be in the meta of any later sendTun. */
  close(): void {
    this.#io.close(this.fd);
  }
}

function open(name: string, offload: boolean): ReturnType<Addon['openTun']> {
  try {
    return loadAddon().openTun(name, offload);
  } catch (error) {
    if (error instanceof IoError && error.code === 'EBUSY')
      error.message += ': another program uses a device of this name';
    throw error;
  }
}

/**
 * Writes packets to TUN devices, several devices in one call.
 * @param meta `tunSendWords` numbers each: the device's fd, offset and length of the IP packet
 * @returns how many the kernel took; the others are counted by their error (EIO: the device is down)
 */
export function sendTun(io: IoContext, meta: Int32Array, count: number): number {
  return io.sendTun(meta, count);
}
