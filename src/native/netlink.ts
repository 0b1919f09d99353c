/** One exchange with the kernel over netlink. */
import { loadAddon } from './addon.ts';

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
