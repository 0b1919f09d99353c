/**
 * RFC 2637 §3.1.3: both ends opened a control connection to each other at the same time.
 */
import type { Ipv4 } from '../wire/brand.ts';

/**
 * Whether our end loses the race: the peer with the higher address wins (compared as unsigned 32-bit numbers). The loser
 * closes the connection it opened, without another message (`ControlConnection.abandon`), and answers on the winner's.
 * The winner says nothing on the connection that the loser opened (`ControlConnectionOptions.wonCollision`). The same
 * address on both ends is no collision between two peers: nobody loses.
 */
export function losesCollision(ownAddress: Ipv4, peerAddress: Ipv4): boolean {
  return ownAddress >>> 0 < peerAddress >>> 0;
}
