/**
 * The IPv4 addresses of this machine and the networks they are in, as the kernel has them (rtnetlink's RTM_GETADDR): also of
 * devices without a carrier, which the platform's addresses leave out. A look at one moment; it costs one system call.
 *
 * Headers of messages and attributes are in the order of the CPU: all that we run on are little-endian.
 */
import type { Ipv4 } from '../wire/brand.ts';
import { prefixContains, prefixOf, type Prefix } from '../wire/ip.ts';
import { readU32 } from '../wire/octets.ts';

export interface OwnNetwork {
  readonly device: string;
  /** The kernel's number of the device. */
  readonly index: number;
  readonly address: Ipv4;
  /** What the kernel reaches through the device because of it: the network, or the other end of a point-to-point device. */
  readonly network: Prefix;
}

/** Sends octets over NETLINK_ROUTE and returns the answer. */
export type RouteNetlink = (request: Uint8Array) => Uint8Array;

// linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h
const NLMSG_HEADER = 16;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const AF_INET = 2;
const IFADDRMSG = 8;
const ATTRIBUTE_HEADER = 4;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;

/** @throws IoError */
export function readOwnNetworks(netlink: RouteNetlink): readonly OwnNetwork[] {
  const request = new Uint8Array(NLMSG_HEADER + IFADDRMSG);
  const view = new DataView(request.buffer);
  view.setUint32(0, request.length, true);
  view.setUint16(4, RTM_GETADDR, true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  request[NLMSG_HEADER] = AF_INET;
  return parseOwnNetworks(netlink(request));
}

export function parseOwnNetworks(answer: Uint8Array): readonly OwnNetwork[] {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const found: OwnNetwork[] = [];
  for (let at = 0; at + NLMSG_HEADER <= answer.length;) {
    const length = view.getUint32(at, true);
    if (length < NLMSG_HEADER || at + length > answer.length) break;
    if (view.getUint16(at + 4, true) === RTM_NEWADDR) {
      const own = parseAddressMessage(answer.subarray(at + NLMSG_HEADER, at + length));
      if (own !== undefined) found.push(own);
    }
    at += aligned(length);
  }
  return found;
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

function parseAddressMessage(message: Uint8Array): OwnNetwork | undefined {
  if (message.length < IFADDRMSG || message[0] !== AF_INET) return undefined;
  const length = message[1]!;
  const attributes = new Map<number, Uint8Array>();
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  for (let at = IFADDRMSG; at + ATTRIBUTE_HEADER <= message.length;) {
    const size = view.getUint16(at, true);
    if (size < ATTRIBUTE_HEADER || at + size > message.length) break;
    attributes.set(
      view.getUint16(at + 2, true),
      message.subarray(at + ATTRIBUTE_HEADER, at + size),
    );
    at += aligned(size);
  }
  // The address of the other end, or once more our own.
  const far = attributes.get(IFA_ADDRESS);
  const near = attributes.get(IFA_LOCAL) ?? far;
  // A label begins with the name of the device, which has no colon.
  const device = text(attributes.get(IFA_LABEL)).split(':')[0]!;
  if (near?.length !== 4 || far?.length !== 4 || length > 32 || device === '') return undefined;
  const index = view.getUint32(4, true);
  return { device, index, address: readU32(near, 0), network: prefixOf(readU32(far, 0), length) };
}

function text(octets: Uint8Array | undefined): string {
  return new TextDecoder().decode(octets).replace(/\0.*$/, '');
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
