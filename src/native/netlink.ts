/** Netlink: one exchange with the kernel, and what it tells by itself. */
import { loadAddon } from './addon.ts';
import { IoContext } from './io-context.ts';

/** linux/netlink.h */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

/** Octets of the longest answer: acknowledgments are short, and a dump of some hundred addresses fits. */
const MAX_ANSWER = 64 << 10;

let answer: Uint8Array | undefined;

/**
 * Sends a request and returns what the kernel answers, at once.
 *
 * @returns valid until the next call
 * @throws {IoError} EPERM without CAP_NET_ADMIN; EMSGSIZE: the answer is too long
 */
export function netlinkRequest(protocol: number, request: Uint8Array): Uint8Array {
  answer ??= new Uint8Array(MAX_ANSWER);
  return answer.subarray(0, loadAddon().netlinkRequest(protocol, request, answer));
}

/** A datagram of the kernel is at most a page or two. */
const SLOT_SIZE = 16 << 10;
const SLOT_COUNT = 8;
const WORDS = 2;

/** A socket that hears what the kernel tells of changes. */
export class NetlinkWatch {
  readonly #io = new IoContext(new ArrayBuffer(SLOT_COUNT * SLOT_SIZE));
  readonly #fd: number;
  #open = true;

  /**
   * @param groups multicast groups (RTNLGRP_…, NFNLGRP_…), 1 to 31
   * @param heard a datagram, valid until it returns; undefined: the kernel had more to tell than fits, so anything may have
   * changed
   * @throws {IoError}
   */
  constructor(
    protocol: number,
    groups: readonly number[],
    heard: (datagram: Uint8Array | undefined) => void,
  ) {
    const mask = groups.reduce((bits, group) => bits | (1 << (group - 1)), 0);
    this.#fd = loadAddon().openNetlink(protocol, mask);
    const octets = new Uint8Array(this.#io.arena);
    const meta = new Int32Array(SLOT_COUNT * WORDS);
    const slots = { base: 0, size: SLOT_SIZE, count: SLOT_COUNT, headroom: 0 };
    this.#io.watch(this.#fd, slots, meta, {
      onBatch: (count) => {
        for (let at = 0; at < count * WORDS && this.#open; at += WORDS) {
          const [offset, length] = [meta[at]!, meta[at + 1]!];
          heard(length === 0 ? undefined : octets.subarray(offset, offset + length));
        }
      },
      onLost: (error) => {
        throw error; // a netlink socket does not go away
      },
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#io.close(this.#fd);
  }
}
