/**
 * Which IPv6 packets pass, once IPV6CP is open (RFC 5072).
 *
 * Callers: link-local to and from the interface identifier that IPV6CP agreed; and where the server has a prefix, from the
 * prefixes that the session owns to whatever the kernel has a route to, but not to other callers where they are isolated.
 *
 * Links: whatever the kernel routes into the device goes to the peer, and whatever comes from the peer goes to the kernel,
 * whose routes and firewall decide, as with IPv4; but nothing that bears a source of ours, or one that cannot be. Where the
 * peer has given addresses and prefixes that alone are to be used (a DHCPv6 client with `sourcefilter`), only they pass, as
 * sources outward (RFC 2827) and as destinations inward. Until they are known the kernel's routes, which are
 * bound to these sources too, decide alone: to drop what netifd has announced a moment ago would be a black hole.
 * Groups beyond ff02::/16 have no routing here.
 */
import type { Slot } from '../../wire/brand.ts';
import type { Device } from '../devices.ts';
import { Drop, PASS } from '../drop.ts';
import {
  isImpossibleIpv6Source,
  isLinkLocal,
  isLinkLocalMulticast,
  isMulticastIpv6,
  isUnspecified,
  readI32,
} from './inner-packet.ts';
import type { SessionSlab } from '../session-slab.ts';

const SOURCE = 8;
const DESTINATION = 24;
/** Octets of an address before its interface identifier. */
const PREFIX = 8;

export class Ipv6Rules {
  readonly #octets: Uint8Array;
  readonly #sessions: SessionSlab;

  constructor(octets: Uint8Array, sessions: SessionSlab) {
    this.#octets = octets;
    this.#sessions = sessions;
  }

  /** The packet at `at`, whose header was checked, comes from the peer of `slot`. @returns Drop, or PASS */
  inward(slot: Slot, device: Device, at: number): number {
    if (this.#sessions.ipv6[slot] === 0) return Drop.ipv6;
    return device.isLink ? this.#fromLink(slot, device, at) : this.#fromCaller(slot, device, at);
  }

  /** It comes from the device of a link, for the peer of `slot`. @returns Drop, or PASS */
  outward(slot: Slot, { ipv6 }: Device, at: number): number {
    const octets = this.#octets;
    const source = at + SOURCE;
    const destination = at + DESTINATION;
    if (this.#sessions.ipv6[slot] === 0) return Drop.ipv6;
    const toGroup = isMulticastIpv6(octets, destination);
    if (toGroup && !isLinkLocalMulticast(octets, destination)) return Drop.ipv6;
    if (isLinkLocal(octets, source) || (toGroup && isUnspecified(octets, source))) return PASS;
    if (isImpossibleIpv6Source(octets, source)) return Drop.badSource;
    const { given, exclusive } = ipv6;
    if (exclusive && !given.isEmpty && !given.has(octets, source)) return Drop.badSource;
    return PASS;
  }

  #fromLink(slot: Slot, { ipv6: { given, exclusive } }: Device, at: number): number {
    const octets = this.#octets;
    const source = at + SOURCE;
    const destination = at + DESTINATION;
    const toGroup = isMulticastIpv6(octets, destination);
    if (toGroup && !isLinkLocalMulticast(octets, destination)) return Drop.ipv6;
    if (isLinkLocal(octets, source)) {
      if (this.#isOwnIdentifier(slot, source + PREFIX)) return Drop.badSource;
    } else if (isUnspecified(octets, source)) {
      return toGroup ? PASS : Drop.badSource;
    } else if (isImpossibleIpv6Source(octets, source) || given.has(octets, source)) {
      return Drop.badSource;
    }
    if (toGroup || isLinkLocal(octets, destination) || !exclusive || given.isEmpty) return PASS;
    return given.has(octets, destination) ? PASS : Drop.noRoute;
  }

  #fromCaller(slot: Slot, { ipv6Routes, isolate }: Device, at: number): number {
    const octets = this.#octets;
    const source = at + SOURCE;
    const destination = at + DESTINATION;
    const toGroup = isLinkLocalMulticast(octets, destination);
    const isNear = toGroup || isLinkLocal(octets, destination);
    if (isUnspecified(octets, source)) return toGroup ? PASS : Drop.ipv6;
    if (isLinkLocal(octets, source))
      return isNear && this.#isPeerIdentifier(slot, source + PREFIX) ? PASS : Drop.ipv6;
    if (ipv6Routes.isEmpty) return Drop.ipv6;
    if (ipv6Routes.find(octets, source) !== slot) return Drop.badSource;
    if (isNear) return PASS;
    if (isImpossibleIpv6Source(octets, destination)) return Drop.ipv6;
    const owner = ipv6Routes.find(octets, destination);
    return owner === slot || (owner !== -1 && isolate) ? Drop.isolated : PASS;
  }

  #isPeerIdentifier(slot: Slot, at: number): boolean {
    const { identifierHigh, identifierLow } = this.#sessions;
    return this.#isIdentifier(at, identifierHigh[slot]!, identifierLow[slot]!);
  }

  #isOwnIdentifier(slot: Slot, at: number): boolean {
    const { ownIdentifierHigh, ownIdentifierLow } = this.#sessions;
    return this.#isIdentifier(at, ownIdentifierHigh[slot]!, ownIdentifierLow[slot]!);
  }

  #isIdentifier(at: number, high: number, low: number): boolean {
    return readI32(this.#octets, at) === high && readI32(this.#octets, at + 4) === low;
  }
}
