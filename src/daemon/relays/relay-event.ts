/** Facts about passthrough, for the log, the events and the history. */
import type { TrackedCall } from '../../router/conntrack.ts';
import type { CallId, Ipv4 } from '../../wire/brand.ts';
import type { Cause } from '../../wire/cause.ts';

/** A call that passes through. Received is what comes from the client, sent is what goes to it. */
export interface RelayCallStatus {
  /** Unique over sessions and calls while the daemon runs. */
  readonly id: number;
  readonly relay: string;
  readonly client: Ipv4;
  readonly server: Ipv4;
  /** The ids that the two ends chose. */
  readonly clientCallId: CallId;
  readonly serverCallId: CallId;
  /** Monotonic ms. */
  readonly since: number;
  /** Outer packets and their octets; undefined: the kernel does not tell. */
  readonly traffic: TrackedCall['traffic'];
  /** Octets of control messages about it; undefined with backend helper. */
  readonly control: { readonly rxOctets: number; readonly txOctets: number } | undefined;
}

export type RelayEvent =
  | { readonly what: 'relay-call-up'; readonly call: RelayCallStatus }
  | { readonly what: 'relay-call-down'; readonly call: RelayCallStatus; readonly cause: Cause }
  /** A control connection ended before it had a call, or was not let in. */
  | {
      readonly what: 'relay-refused';
      readonly relay: string;
      readonly client: Ipv4;
      readonly server: Ipv4 | undefined;
      readonly cause: Cause;
    };
