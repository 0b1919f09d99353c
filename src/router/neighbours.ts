/**
 * Who has an address on a network of ours: the kernel asks by ARP, and remembers the answer (rtnetlink's neighbour table).
 *
 * Headers of messages and attributes are in the order of the CPU: all that we run on are little-endian.
 */
import type { Ipv4 } from '../wire/brand.ts';
import type { Neighbours } from '../session/ports.ts';
import { readU32, writeU32 } from '../wire/octets.ts';
import { networkOf, type OwnNetwork, type RouteNetlink } from './own-networks.ts';

// linux/netlink.h, linux/rtnetlink.h, linux/neighbour.h
const NLMSG_HEADER = 16;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_CREATE = 0x400;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const AF_INET = 2;
const NDMSG = 12;
const ATTRIBUTE_HEADER = 4;
const NDA_DST = 1;
const NDA_LLADDR = 2;
/** The kernel shall ask now, as if it had a packet for the address. */
const NTF_USE = 1;
const NUD_PERMANENT = 0x80;
/** REACHABLE, STALE, DELAY, PROBE: somebody has answered, now or earlier. */
const NUD_ANSWERED = 0x02 | 0x04 | 0x08 | 0x10 | NUD_PERMANENT;
const ETHERNET_ADDRESS = 6;

interface Entry {
  readonly state: number;
  /** Its hardware address, where the kernel has one. */
  readonly hardware: Uint8Array | undefined;
}

export class KernelNeighbours implements Neighbours {
  readonly #netlink: RouteNetlink;
  readonly #networks: () => readonly OwnNetwork[];
  readonly #failed: (error: unknown) => void;

  /** @param failed the kernel does not take it: nobody is known to have the address then */
  constructor(
    netlink: RouteNetlink,
    networks: () => readonly OwnNetwork[],
    failed: (error: unknown) => void,
  ) {
    this.#netlink = netlink;
    this.#networks = networks;
    this.#failed = failed;
  }

  /** What was answered before is forgotten, but for what the owner has entered himself. */
  ask(address: Ipv4): void {
    const network = this.#networkWith(address);
    if (network === undefined) return;
    try {
      const entry = this.#entry(address, network);
      if (entry !== undefined && (entry.state & NUD_PERMANENT) !== 0) return;
      if (entry !== undefined) this.#send(RTM_DELNEIGH, NLM_F_ACK, 0, address, network);
      this.#send(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, NTF_USE, address, network);
    } catch (error) {
      this.#failed(error);
    }
  }

  holder(address: Ipv4): string | undefined {
    const network = this.#networkWith(address);
    if (network === undefined) return undefined;
    try {
      const entry = this.#entry(address, network);
      if (entry?.hardware === undefined || (entry.state & NUD_ANSWERED) === 0) return undefined;
      return `${formatHardware(entry.hardware)} on ${network.device}`;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** None where there is nobody to ask: the other end of a tunnel is no neighbour. */
  #networkWith(address: Ipv4): OwnNetwork | undefined {
    const found = networkOf(address, this.#networks());
    return found === undefined || found.network.length > 30 ? undefined : found;
  }

  #entry(address: Ipv4, network: OwnNetwork): Entry | undefined {
    return parseNeighbour(this.#send(RTM_GETNEIGH, 0, 0, address, network), address);
  }

  #send(
    type: number,
    flags: number,
    neighbourFlags: number,
    address: Ipv4,
    { index }: OwnNetwork,
  ): Uint8Array {
    const request = new Uint8Array(NLMSG_HEADER + NDMSG + ATTRIBUTE_HEADER + 4);
    const view = new DataView(request.buffer);
    view.setUint32(0, request.length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, NLM_F_REQUEST | flags, true);
    request[NLMSG_HEADER] = AF_INET;
    view.setUint32(NLMSG_HEADER + 4, index, true);
    request[NLMSG_HEADER + 10] = neighbourFlags;
    view.setUint16(NLMSG_HEADER + NDMSG, ATTRIBUTE_HEADER + 4, true);
    view.setUint16(NLMSG_HEADER + NDMSG + 2, NDA_DST, true);
    writeU32(request, NLMSG_HEADER + NDMSG + ATTRIBUTE_HEADER, address);
    return this.#netlink(request);
  }
}

/** undefined: there is no entry. Refusals of the kernel are no entries either. */
export function parseNeighbour(answer: Uint8Array, address: Ipv4): Entry | undefined {
  if (answer.length < NLMSG_HEADER + NDMSG) return undefined;
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  if (view.getUint16(4, true) !== RTM_NEWNEIGH || answer[NLMSG_HEADER] !== AF_INET)
    return undefined;
  const end = Math.min(view.getUint32(0, true), answer.length);
  let hardware: Uint8Array | undefined;
  let isAsked = false;
  for (let at = NLMSG_HEADER + NDMSG; at + ATTRIBUTE_HEADER <= end;) {
    const size = view.getUint16(at, true);
    if (size < ATTRIBUTE_HEADER || at + size > end) break;
    const value = answer.slice(at + ATTRIBUTE_HEADER, at + size);
    const type = view.getUint16(at + 2, true);
    if (type === NDA_DST && value.length === 4) isAsked = readU32(value, 0) === address;
    if (type === NDA_LLADDR && value.length === ETHERNET_ADDRESS) hardware = value;
    at += (size + 3) & ~3;
  }
  return isAsked ? { state: view.getUint16(NLMSG_HEADER + 8, true), hardware } : undefined;
}

function formatHardware(octets: Uint8Array): string {
  return [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
