/**
 * What a control connection tells and asks the floor above: the closed union that `ControlConnection.poll` returns.
 */
import type { CallId } from '../wire/brand.ts';
import type { Cause } from '../wire/cause.ts';

/** RFC 2637 §3.2: 'outgoing' calls are asked for by the PNS (Outgoing-Call-Request), 'incoming' ones by the PAC. */
export type CallDirection = 'outgoing' | 'incoming';

/** What the peer said of itself in Start-Control-Connection-Request or -Reply. */
export interface ControlPeer {
  readonly hostName: string;
  readonly vendorName: string;
  readonly firmwareRevision: number;
  readonly protocolVersion: number;
}

export type ControlOutput =
  /** Exactly one message: write it at once and by itself (some peers and NAT helpers parse one message per segment). */
  | { readonly kind: 'transmit'; readonly octets: Uint8Array }
  | { readonly kind: 'established'; readonly peer: ControlPeer }
  /**
   * The peer wants a call: answer with acceptCall or refuseCall. `phoneNumber`: outgoing, the number to dial; incoming, the
   * caller's number.
   */
  | {
      readonly kind: 'call-requested';
      readonly request: number;
      readonly direction: CallDirection;
      readonly peerCallId: CallId;
      readonly phoneNumber: string;
    }
  /** The peer took back a request that was not yet answered, or it was not answered in time. */
  | { readonly kind: 'request-withdrawn'; readonly request: number; readonly cause: Cause }
  | {
      readonly kind: 'call-up';
      readonly callId: CallId;
      readonly peerCallId: CallId;
      readonly direction: CallDirection;
    }
  /** The call is over and its id free again. Exactly once for each call placed, offered or accepted. */
  | { readonly kind: 'call-down'; readonly callId: CallId; readonly cause: Cause }
  /** Final, exactly once, after every call-down: close TCP when what was transmitted has left. */
  | { readonly kind: 'down'; readonly cause: Cause };
