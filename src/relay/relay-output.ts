/** What a relayed control connection asks of the daemon, and what it tells: the closed union of its `poll`. */
import type { Cause } from '../wire/cause.ts';
import type { PassingCall, RelayedCall, Side } from './relayed-call.ts';

export type RelayOutput =
  /** The client has sent a message: open the connection to the server. Answer: handleConnected or end. */
  | { readonly kind: 'connect' }
  /** Exactly one message: write it at once and by itself. */
  | { readonly kind: 'write'; readonly side: Side; readonly octets: Uint8Array }
  /**
   * Let packets towards one end through, now: those to the end that asks for a call before its request is passed on, since
   * the other end may send as soon as it has agreed. Those to the end that agreed: answer handleOpened.
   */
  | { readonly kind: 'open'; readonly call: RelayedCall; readonly towards: Side }
  /** The call is over: no packet of it may pass any more. Exactly once for each call. */
  | { readonly kind: 'remove'; readonly call: RelayedCall }
  | { readonly kind: 'call-up'; readonly call: PassingCall }
  | { readonly kind: 'call-down'; readonly call: PassingCall; readonly cause: Cause }
  /** Final, exactly once, after every call-down: close both TCP connections when what was written has left. */
  | { readonly kind: 'done'; readonly cause: Cause };
