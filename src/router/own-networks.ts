/**
 * The IPv4 addresses of this machine and the networks they are in, as the kernel has them (rtnetlink's RTM_GETADDR): also of
 * devices without a carrier, which the platform's addresses leave out. A look at one moment; it costs one system call.
 */
import type { Ipv4 } from '../wire/brand.ts';
import { prefixContains, prefixOf, type Prefix } from '../wire/ip.ts';
import { readU32 } from '../wire/octets.ts';
import {
  find,
  message,
  messagesIn,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  view,
  type Netlink,
} from './netlink-message.ts';

export interface OwnNetwork {
  readonly device: string;
  /** The kernel's number of the device. */
  readonly index: number;
  readonly address: Ipv4;
  /** What the kernel reaches through the device because of it: the network, or the other end of a point-to-point device. */
  readonly network: Prefix;
}

// linux/rtnetlink.h, linux/if_addr.h
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const AF_INET = 2;
const IFADDRMSG = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;

/** @throws IoError */
export function readOwnNetworks(route: Netlink): readonly OwnNetwork[] {
  const header = new Uint8Array(IFADDRMSG);
  header[0] = AF_INET;
  return parseOwnNetworks(route(message(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, header, [])));
}

export function parseOwnNetworks(answer: Uint8Array): readonly OwnNetwork[] {
  return messagesIn(answer).flatMap(({ type, body }) =>
    type === RTM_NEWADDR ? (parseAddressMessage(body) ?? []) : [],
  );
}

/** undefined: the address is not one of ours. */
export function ownerOf(address: Ipv4, networks: readonly OwnNetwork[]): OwnNetwork | undefined {
  return networks.find((own) => own.address === address);
}

/** The most specific network of ours that the address is in; undefined: it is not a neighbour. */
export function networkOf(address: Ipv4, networks: readonly OwnNetwork[]): OwnNetwork | undefined {
  return networks
    .filter(({ network }) => prefixContains(network, address))
    .sort((a, b) => b.network.length - a.network.length)[0];
}

function parseAddressMessage(body: Uint8Array): OwnNetwork | undefined {
  if (body.length < IFADDRMSG || body[0] !== AF_INET) return undefined;
  const length = body[1]!;
  const attributes = body.subarray(IFADDRMSG);
  // The address of the other end, or once more our own.
  const far = find(attributes, IFA_ADDRESS);
  const near = find(attributes, IFA_LOCAL) ?? far;
  // A label begins with the name of the device, which has no colon.
  const [device] = new TextDecoder().decode(find(attributes, IFA_LABEL)).split(/[:\0]/);
  if (near?.length !== 4 || far?.length !== 4 || length > 32 || !device) return undefined;
  const index = view(body).getUint32(4, true);
  return { device, index, address: readU32(near, 0), network: prefixOf(readU32(far, 0), length) };
}
