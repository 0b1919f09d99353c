/**
 * Why a packet is dropped: the one list. A drop is counted (counters.ts), and nothing else comes of it; a function that
 * judges a packet answers with one of these numbers, or PASS.
 */
const reasons = [
  /** GRE, PPP, MPPE or IP that contradicts itself. */
  'malformed',
  /** No such call of this peer, or sent to another of our addresses. */
  'unknownCall',
  'duplicate',
  /** Behind the window, or its key is gone. */
  'late',
  /** Implausibly far ahead of the window. */
  'farFuture',
  /** IP before the session is attached, or after. */
  'notAttached',
  /** IP in the clear where encryption is on or required; MPPE without its D bit. */
  'notEncrypted',
  /** MPPE that was not negotiated. */
  'notNegotiated',
  /** Stateful MPPE lost a packet: useless until a flushed one comes. */
  'desynchronized',
  /** No IP packet comes out of it. */
  'undecryptable',
  /** Too many key changes away for now. */
  'rekeyLimit',
  /** The inner source does not belong to the session. */
  'badSource',
  /** Caller to caller where that is not allowed. */
  'isolated',
  /** IPv6 that does not pass: before IPV6CP, and beyond link-local where callers have no prefix (ip/ipv6-rules.ts). */
  'ipv6',
  /** Neighbour discovery or DHCPv6 of a caller behind extension headers or in fragments, or too many such headers. */
  'ipv6Hidden',
  /** More neighbour discovery and DHCPv6 of a caller than is answered. */
  'ipv6Flood',
  /** Multicast or broadcast to callers. */
  'multicast',
  /** No session owns the destination. */
  'noRoute',
  /** Our own GRE, led back into a tunnel by a route. */
  'loop',
  /** DF set: an ICMP message to its sender goes to the device, or its rate limit holds that back. */
  'tooBig',
  /** A control frame of ours before the peer's call id is known. */
  'notConnected',
  /** Held for a call that was not connected in time. */
  'holdExpired',
  /** A queue or the slots behind it are full. */
  'full',
  /** More than the rate of the session lets through. */
  'overRate',
  /** DHCP of a caller that contradicts itself, is another machine's, or has no answer. */
  'dhcpMalformed',
  /** DHCP of a caller for a lease: it has its address. */
  'dhcpLease',
  /** More DHCPINFORM than is answered. */
  'dhcpFlood',
] as const;

export type DropReason = (typeof reasons)[number];

/** Every reason and its number, in order; numbers begin with 1. */
export const dropReasons = reasons.map((reason, index) => [reason, index + 1] as const);
export const Drop = Object.fromEntries(dropReasons) as Readonly<Record<DropReason, number>>;

/** Not dropped. */
export const PASS = 0;
