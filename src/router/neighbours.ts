/** Who has an address on a network of ours: the kernel asks by ARP, and remembers the answer (rtnetlink's neighbour table). */
import type { Ipv4 } from '../wire/brand.ts';
import type { Neighbours } from '../session/ports.ts';
import { readU32 } from '../wire/octets.ts';
import {
  attribute,
  find,
  message,
  messagesIn,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  octets32,
  view,
  type Netlink,
} from './netlink-message.ts';
import { networkOf, type OwnNetwork } from './own-networks.ts';

// linux/rtnetlink.h, linux/neighbour.h
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;
const AF_INET = 2;
const NDMSG = 12;
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
  readonly #netlink: Netlink;
  readonly #networks: () => readonly OwnNetwork[];
  readonly #failed: (error: unknown) => void;

  /** @param failed the kernel does not take it: nobody is known to have the address then */
  constructor(
    netlink: Netlink,
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
    const header = new Uint8Array(NDMSG);
    header[0] = AF_INET;
    view(header).setUint32(4, index, true);
    header[10] = neighbourFlags;
    const asked = attribute(NDA_DST, octets32(address));
    return this.#netlink(message(type, NLM_F_REQUEST | flags, header, [asked]));
  }
}

/** undefined: there is no entry. Refusals of the kernel are no entries either. */
export function parseNeighbour(answer: Uint8Array, address: Ipv4): Entry | undefined {
  const [found] = messagesIn(answer);
  if (found?.type !== RTM_NEWNEIGH || found.body.length < NDMSG || found.body[0] !== AF_INET)
    return undefined;
  const attributes = found.body.subarray(NDMSG);
  const asked = find(attributes, NDA_DST);
  if (asked?.length !== 4 || readU32(asked, 0) !== address) return undefined;
  const hardware = find(attributes, NDA_LLADDR);
  return {
    state: view(found.body).getUint16(8, true),
    hardware: hardware?.length === ETHERNET_ADDRESS ? hardware : undefined,
  };
}

function formatHardware(octets: Uint8Array): string {
  return [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}
