/**
 * Which IPv6 packets of a caller are for the machine of its session: neighbour discovery (RFC 4861 §4) and DHCPv6 (RFC 9915
 * §7). What hides behind extension headers or in fragments is neither read there nor passed on: RFC 6980 §5, RFC 7113 §2.
 */
import { readU16 } from '../../wire/octets.ts';
import { Drop, PASS } from '../drop.ts';
import { IPV6_HEADER_LENGTH, isLinkLocal, isMulticastIpv6 } from './inner-packet.ts';
import { UDP } from './udp.ts';

/** It is for the machine: neither PASS nor a reason to drop it. */
export const FOR_MACHINE = -1;

const ICMPV6 = 58;
const ROUTER_SOLICITATION = 133;
const REDIRECT = 137;
const DHCPV6_CLIENT = 546;
const DHCPV6_SERVER = 547;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const FRAGMENT_OFFSET = 0xfff8;
/** RFC 8200 §4.1: each once, destination options twice. */
const MOST_EXTENSIONS = 6;

/** @returns FOR_MACHINE, PASS or Drop, of the packet octets[at..at+length) whose header was checked (ipv6Length) */
export function judgeControl(octets: Uint8Array, at: number, length: number): number {
  const end = at + length;
  let next = octets[at + 6]!;
  let header = at + IPV6_HEADER_LENGTH;
  let extensions = 0;
  while (isExtension(next)) {
    if (++extensions > MOST_EXTENSIONS || header + 8 > end) return Drop.ipv6Hidden;
    // What follows in a later fragment never becomes whole: the first one is dropped.
    if (next === FRAGMENT && (readU16(octets, header + 2) & FRAGMENT_OFFSET) !== 0) return PASS;
    const units = octets[header + 1]!;
    const octetsOfHeader =
      next === FRAGMENT ? 8 : next === AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
    next = octets[header]!;
    header += octetsOfHeader;
  }
  if (!isControl(octets, at, next, header, end)) return PASS;
  return extensions === 0 ? FOR_MACHINE : Drop.ipv6Hidden;
}

function isExtension(next: number): boolean {
  return (
    next === HOP_BY_HOP ||
    next === ROUTING ||
    next === FRAGMENT ||
    next === AUTHENTICATION ||
    next === DESTINATION_OPTIONS
  );
}

/** @param next what the header at `header` is */
function isControl(
  octets: Uint8Array,
  at: number,
  next: number,
  header: number,
  end: number,
): boolean {
  if (header + 4 > end) return false;
  if (next === ICMPV6) {
    const type = octets[header]!;
    return type >= ROUTER_SOLICITATION && type <= REDIRECT;
  }
  if (next !== UDP) return false;
  const port = readU16(octets, header + 2);
  const destination = at + 24;
  return (
    (port === DHCPV6_SERVER || port === DHCPV6_CLIENT) &&
    (isLinkLocal(octets, destination) || isMulticastIpv6(octets, destination))
  );
}
