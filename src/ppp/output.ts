/**
 * What a PPP link asks of its owner. The owner acts on each output before it polls the next one.
 */
import type { MppeKeys } from '../crypto/mppe-keys.ts';
import type { Ipv4 } from '../wire/brand.ts';
import type { Cause } from '../wire/cause.ts';
import type { LoginAttempt } from './authentication/login-attempt.ts';
import type { AuthMethod } from './options.ts';

export type LinkOutput =
  /** A PPP control frame with FF 03. */
  | { readonly kind: 'transmit'; readonly frame: Uint8Array }
  /** Somebody wants to log in: `attempt.verify`, then `admit` or `refuse`, now or later; EAP in pass-through: also `challenge`. */
  | { readonly kind: 'login'; readonly attempt: LoginAttempt }
  /** The peer accepted our login and, with mschap-v2 and eap, proved that it knows the password. */
  | { readonly kind: 'authenticated'; readonly method: AuthMethod }
  /**
   * Set (count 0, start key) or clear encryption of one direction. `receive` comes before the frame leaves that
   * lets the peer use it.
   */
  | {
      readonly kind: 'mppe';
      readonly direction: 'send' | 'receive';
      readonly mppe: MppeKeys | undefined;
    }
  /** The peer lost synchronization: the next packet is sent flushed. */
  | { readonly kind: 'flush' }
  /** LCP is open: how data may be sent. `peerMru` is the smaller of the peer's and our own bound. */
  | {
      readonly kind: 'lcp-up';
      readonly peerPfc: boolean;
      readonly peerAcfc: boolean;
      readonly peerMru: number;
    }
  /** IP may flow. `peerAddress` 0: the peer told none. */
  | {
      readonly kind: 'ip-up';
      readonly localAddress: Ipv4;
      readonly peerAddress: Ipv4;
      /** DNS servers the peer gave us. */
      readonly dns: readonly Ipv4[];
    }
  | { readonly kind: 'ip-down' }
  | {
      readonly kind: 'ipv6-up';
      readonly localIdentifier: Uint8Array;
      readonly peerIdentifier: Uint8Array;
    }
  | { readonly kind: 'ipv6-down' }
  /** The peer answered the echo with this identifier: see sendEcho. */
  | { readonly kind: 'echo-reply'; readonly identifier: number }
  /** It ends and says goodbye; `down` follows with this cause. */
  | { readonly kind: 'closing'; readonly cause: Cause }
  /** The link is finished. Exactly once, and last. */
  | { readonly kind: 'down'; readonly cause: Cause };
