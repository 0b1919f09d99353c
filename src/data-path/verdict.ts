/**
 * What became of a packet: the small integer that the packet machine answers with.
 */
import { Drop } from './counters.ts';

export const Verdict = {
  /** Nothing to report (pollControl only). */
  None: 0,
  /** An IP packet went to the TUN queue. */
  Delivered: 1,
  /** An IP packet went to the GRE queue, whole or in fragments. */
  Sent: 2,
  /** A PPP frame for the protocol machines: controlSlot, controlOffset, controlLength. */
  Control: 3,
  /** Only an acknowledgment, or no payload. */
  Ack: 4,
  /**
   * Kept until its predecessors came (stateful MPPE), its call is connected, another packet came beside which it is
   * decrypted, at the latest until the batch ends; or until the socket has room.
   */
  Held: 5,
  /** Stateful MPPE lost a packet: controlSlot needs a CCP Reset-Request. */
  Desynchronized: 6,
  /** Too large, DF set: an ICMP message to its sender went to the TUN queue, or the rate limit held that back. */
  TooBig: 7,
  /** Kept until its device has a session: see DataPath.park. */
  Parked: 8,

  // All from here on: dropped and counted.
  Malformed: 16,
  /** No such call of this peer, or sent to another of our addresses. */
  UnknownCall: 17,
  Duplicate: 18,
  /** Behind the window. */
  Late: 19,
  /** Implausibly far ahead of the window. */
  FarFuture: 20,
  /** IP before the session is attached, or after. */
  NotAttached: 21,
  /** IP in the clear where encryption is on or required; MPPE without its D bit. */
  NotEncrypted: 22,
  /** MPPE that was not negotiated. */
  NotNegotiated: 23,
  /** No key for it, or nothing sensible came out. */
  Undecryptable: 24,
  /** The inner source does not belong to the session. */
  BadSource: 25,
  /** Caller to caller where that is not allowed. */
  Isolated: 26,
  /** IPv6 that does not pass: before IPV6CP, and beyond link-local where callers are (ipv6-rules.ts). */
  Ipv6: 27,
  /** Multicast or broadcast to callers. */
  Multicast: 28,
  /** No session owns the destination. */
  NoRoute: 29,
  /** A queue or the slots behind it are full. */
  Full: 30,
  /** Our own GRE, led back into a tunnel by a route. */
  Loop: 31,
} as const;

export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Where a packet with one of the verdicts of ipv6-rules.ts is counted. */
export function dropOf(verdict: number): number {
  switch (verdict) {
    case Verdict.BadSource:
      return Drop.badSource;
    case Verdict.NoRoute:
      return Drop.noRoute;
    default:
      return Drop.ipv6;
  }
}
