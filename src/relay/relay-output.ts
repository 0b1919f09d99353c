/** What a relayed control connection asks of the daemon, and what it tells: the closed union of its `poll`. */
import type { Cause } from '../wire/cause.ts';
import type { RelayedCall } from './relayed-call.ts';

/** The two ends: the client opened the control connection, the server takes it. Either may be PNS or PAC. */
export type Side = 'client' | 'server';

/** Input that was tolerated, for counters. */
export type RelayOddity =
  | 'malformed'
  | 'unknown-type'
  | 'unknown-call-id'
  /** The call id was told to somebody else: the message is not passed on. */
  | 'foreign-call-id'
  | 'call-limit'
  | 'flood';

export type RelayOutput =
  /** The client has sent a message: open the connection to the server. Answer: handleConnected or end. */
  | { readonly kind: 'connect' }
  /** Exactly one message: write it at once and by itself. */
  | { readonly kind: 'write'; readonly side: Side; readonly octets: Uint8Array }
  /** Both call ids are known: let its packets through. Answer: handleInstalled. */
  | { readonly kind: 'install'; readonly call: RelayedCall }
  /** The call is over: no packet of it may pass any more. Exactly once for each installed call. */
  | { readonly kind: 'remove'; readonly call: RelayedCall }
  | { readonly kind: 'established' }
  | { readonly kind: 'call-up'; readonly call: RelayedCall }
  | { readonly kind: 'call-down'; readonly call: RelayedCall; readonly cause: Cause }
  | { readonly kind: 'counted'; readonly what: RelayOddity }
  /** Final, exactly once, after every call-down: close both TCP connections when what was written has left. */
  | { readonly kind: 'done'; readonly cause: Cause };
