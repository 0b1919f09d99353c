/** How often a TCP connection's retransmission time-out has run out, by the kernel: sock_diag(7), struct tcp_info. */
import type { Socket } from 'node:net';
import { netlinkRequest } from '../../src/native/netlink.ts';

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const INET_DIAG_INFO = 2;
const [AF_INET, IPPROTO_TCP] = [2, 6];
const HEADER = 16;
const REQUEST = HEADER + 56;
/** Octets of struct inet_diag_msg. */
const ANSWER = 72;
/** In struct tcp_info, from Linux 6.7 on. */
const TOTAL_RTO = 240;

/** undefined: this kernel does not count them. @throws IoError there is no such connection any more */
export function timeoutsOf({
  localAddress,
  localPort,
  remoteAddress,
  remotePort,
}: Socket): number | undefined {
  const request = new Uint8Array(REQUEST);
  const view = new DataView(request.buffer);
  view.setUint32(0, REQUEST, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  request.set([AF_INET, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1)], HEADER);
  view.setUint32(HEADER + 4, 0xffffffff, true); // any state
  view.setUint16(HEADER + 8, localPort!);
  view.setUint16(HEADER + 10, remotePort!);
  request.set(octetsOf(localAddress!), HEADER + 12);
  request.set(octetsOf(remoteAddress!), HEADER + 28);
  request.fill(0xff, HEADER + 48, HEADER + 56); // any cookie
  const answer = netlinkRequest(NETLINK_SOCK_DIAG, request);
  const read = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  for (let at = HEADER + ANSWER; at + 4 <= answer.length;) {
    const length = read.getUint16(at, true);
    if (read.getUint16(at + 2, true) === INET_DIAG_INFO)
      return length >= 4 + TOTAL_RTO + 2 ? read.getUint16(at + 4 + TOTAL_RTO, true) : undefined;
    at += Math.max(4, (length + 3) & ~3);
  }
  return undefined;
}

const octetsOf = (address: string) => address.replace('::ffff:', '').split('.').map(Number);
