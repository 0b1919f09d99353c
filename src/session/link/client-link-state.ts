/** The states of a client link, with what belongs to each. */
import type { Cause } from '../../wire/cause.ts';
import type { ClientConnection } from './client-connection.ts';
import type { IdleWatch } from '../idle-watch.ts';
import type { LinkState, SessionStatus } from '../ports.ts';

export type ClientLinkState =
  | { readonly name: 'down' }
  | { readonly name: 'waiting'; readonly until: number }
  /** Given up until somebody dials or the settings change. */
  | { readonly name: 'blocked' }
  /** The device is there, and dials with the first packet that goes in; `address` of the server. */
  | { readonly name: 'demand'; readonly address: number }
  /** From the name to TCP (its states are those of Approach). */
  | { readonly name: 'approaching' }
  /** TCP is up: control connection, call, PPP (its states are those of ClientConnection). */
  | { readonly name: 'connected'; readonly connection: ClientConnection }
  | {
      readonly name: 'up';
      readonly connection: ClientConnection;
      readonly since: number;
      /** undefined: it stays, however quiet it is. */
      readonly idle: IdleWatch | undefined;
    }
  | { readonly name: 'stopping'; readonly connection: ClientConnection; readonly then: Then };

/** What follows when the connection is closed. */
export type Then =
  | { readonly to: 'down'; readonly cause: Cause | undefined }
  | { readonly to: 'dial' }
  /** It was idle: the next packet dials. */
  | { readonly to: 'demand'; readonly address: number }
  | { readonly to: 'again'; readonly cause: Cause };

/** Nothing is under way. */
export function isIdle({ name }: ClientLinkState): boolean {
  return name === 'down' || name === 'waiting' || name === 'blocked';
}

/** As others see it. */
export interface ClientLinkStatus {
  readonly state: LinkState;
  /** Why it is not up; undefined while it is, and before the first attempt. */
  readonly cause: Cause | undefined;
  /** Monotonic ms of the next attempt, in state 'waiting'. */
  readonly retryAt: number | undefined;
  readonly session: SessionStatus | undefined;
}
