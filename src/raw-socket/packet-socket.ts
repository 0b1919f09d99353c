/**
 * IPv4 packets that come in by one device and go to given addresses and UDP ports; and a way to send some out of it, whatever their
 * source address: packet(7). What the machine itself sends by the device does not come.
 */
import { loadAddon } from '../native/addon.ts';
import { IoContext } from '../native/io-context.ts';
import {
  assemble,
  everything,
  JUMP_IF_EQUAL,
  JUMP_IF_SET,
  LD_HALF,
  LD_HALF_AT_X,
  LD_OCTET,
  LD_WORD,
  LDX_IP_HEADER_LENGTH,
  nothing,
  RETURN,
  statement,
  type Instruction,
} from './bpf.ts';

/** A UDP port, and the address that it is asked at. */
export interface Target {
  readonly address: number;
  readonly port: number;
}

const SLOT_SIZE = 2048;
const SLOT_COUNT = 16;
const WORDS = 2;

export class PacketSocket {
  readonly #io = new IoContext(new ArrayBuffer(SLOT_COUNT * SLOT_SIZE));
  readonly #fd: number;
  readonly #index: number;
  #open = true;

  /**
   * @param index the kernel's number of the device
   * @param group an Ethernet address whose frames are wanted besides, 6 octets
   * @param heard a packet, valid until it returns
   * @throws {IoError}
   */
  constructor(
    index: number,
    targets: readonly Target[],
    group: Uint8Array,
    heard: (packet: Uint8Array) => void,
  ) {
    this.#index = index;
    this.#fd = loadAddon().openPacket(index, udpFilter(targets), group);
    const octets = new Uint8Array(this.#io.arena);
    const meta = new Int32Array(SLOT_COUNT * WORDS);
    const slots = { base: 0, size: SLOT_SIZE, count: SLOT_COUNT, headroom: 0 };
    this.#io.watch(this.#fd, slots, meta, {
      onBatch: (count) => {
        for (let at = 0; at < count * WORDS && this.#open; at += WORDS) {
          const [offset, length] = [meta[at]!, meta[at + 1]!];
          // None: some were lost, or the device is down.
          if (length > 0) heard(octets.subarray(offset, offset + length));
        }
      },
      onLost: (error) => {
        throw error; // a packet socket does not go away
      },
    });
  }

  /** Sends a whole IPv4 packet to an Ethernet address; what the kernel refuses is lost. */
  send(packet: Uint8Array, to: Uint8Array): void {
    if (this.#open) loadAddon().sendPacket(this.#fd, this.#index, packet, to);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#io.close(this.#fd);
  }
}

/** Lets UDP to one of the targets through that is no fragment; it sees the packet from the IPv4 header on. */
export function udpFilter(targets: readonly Target[]): Uint8Array {
  const drop = statement(RETURN, nothing);
  const unless = (code: number, k: number): readonly Instruction[] => [
    { code, jt: 1, jf: 0, k },
    drop,
  ];
  const alternatives = targets.flatMap(({ address, port }) => [
    statement(LD_WORD, 16),
    { code: JUMP_IF_EQUAL, jt: 0, jf: 3, k: address },
    statement(LD_HALF_AT_X, 2),
    { code: JUMP_IF_EQUAL, jt: 0, jf: 1, k: port },
    statement(RETURN, everything),
  ]);
  return assemble([
    statement(LD_OCTET, 9),
    ...unless(JUMP_IF_EQUAL, 17),
    statement(LD_HALF, 6),
    { code: JUMP_IF_SET, jt: 0, jf: 1, k: 0x3fff },
    drop,
    statement(LDX_IP_HEADER_LENGTH, 0),
    ...alternatives,
    drop,
  ]);
}
