/** The states of a client link: each has what it needs, and the moment when something must have happened. */
import type { Ipv4 } from '../../wire/brand.ts';
import type { Cause } from '../../wire/cause.ts';
import { parseAddress } from '../../wire/ip.ts';
import { earliest } from '../deadlines.ts';
import type { IdleWatch } from '../idle-watch.ts';
import type { ClientLinkOptions } from '../options.ts';
import type { ClientLinkOutput, LinkState, SessionStatus } from '../ports.ts';
import type { ClientConnection } from './client-connection.ts';

/** Gives back the place of a session. */
export type Place = () => void;

/** An address of the server, and the others of its name that were not tried yet. */
export interface Target {
  readonly address: Ipv4;
  readonly rest: readonly Ipv4[];
}

export type ClientLinkState =
  | Idle
  /** The name is asked for. `place` undefined, as below: nobody wants the session yet. */
  | { readonly name: 'resolving'; readonly place: Place | undefined; readonly by: number }
  /** The way to the address is being kept outside the tunnel. */
  | (Target & {
      readonly name: 'host-route';
      readonly place: Place | undefined;
      readonly by: number;
    })
  /** The way is there; the device that waits for a packet is made. */
  | (Target & { readonly name: 'standby'; readonly by: number })
  /** The device dials with the first packet that goes in. */
  | (Target & { readonly name: 'demand' })
  /** TCP. */
  | (Target & { readonly name: 'connecting'; readonly place: Place; readonly by: number })
  /** TCP is up: control connection, call, PPP (its states are those of ClientConnection). */
  | (Connected & {
      readonly name: 'connected';
      readonly rest: readonly Ipv4[];
      /** The tunnel must be up by then. */
      readonly tunnelBy: number | undefined;
    })
  | (Connected & {
      readonly name: 'up';
      readonly since: number;
      readonly tunnelBy: number | undefined;
      /** undefined: it stays, however quiet it is. */
      readonly idle: { readonly watch: IdleWatch; readonly look: number } | undefined;
    })
  | (Connected & {
      readonly name: 'stopping';
      readonly cause: Cause | undefined;
      readonly then: Then;
    });

/** Nothing is under way. `cause`: why. */
export type Idle = { readonly cause: Cause | undefined } & (
  | { readonly name: 'down' }
  /** The next attempt begins then. */
  | { readonly name: 'waiting'; readonly until: number }
  /** It begins with release(), but not before. */
  | { readonly name: 'held'; readonly until: number }
  /** Given up until somebody dials or the settings change. */
  | { readonly name: 'blocked' }
  /** Down for good. */
  | { readonly name: 'done' }
);

interface Connected {
  readonly place: Place;
  readonly connection: ClientConnection;
}

/** What follows when the connection is closed. */
export type Then =
  | { readonly to: 'down' | 'done'; readonly cause: Cause | undefined }
  | { readonly to: 'dial' }
  /** It was idle: the next packet dials. */
  | { readonly to: 'demand'; readonly address: Ipv4 }
  /** It failed: at the rest of the addresses, or after a pause. */
  | { readonly to: 'again'; readonly cause: Cause; readonly rest: readonly Ipv4[] };

export type StateNamed<Name extends ClientLinkState['name']> = Extract<
  ClientLinkState,
  { name: Name }
>;

const idle: ReadonlySet<ClientLinkState['name']> = new Set<Idle['name']>([
  'down',
  'waiting',
  'held',
  'blocked',
  'done',
]);

export function isIdle(state: ClientLinkState): state is Idle {
  return idle.has(state.name);
}

/** When time must be told to it next. */
export function deadline(state: ClientLinkState): number | undefined {
  switch (state.name) {
    case 'down':
    case 'held':
    case 'blocked':
    case 'demand':
    case 'done':
      return undefined;
    case 'waiting':
      return state.until;
    case 'resolving':
    case 'host-route':
    case 'standby':
    case 'connecting':
      return state.by;
    case 'connected':
      return earliest(state.tunnelBy, state.connection.nextTimeout());
    case 'up':
      return earliest(state.tunnelBy, state.idle?.look, state.connection.nextTimeout());
    case 'stopping':
      return state.connection.nextTimeout();
  }
}

/** What goes on in another program; what is under way begins again. */
export function saveState(state: ClientLinkState) {
  switch (state.name) {
    case 'up': {
      const connection = state.tunnelBy === undefined ? state.connection.save() : undefined;
      if (connection === undefined) return { name: 'again' } as const;
      const { since, idle } = state;
      const watched = idle && { watch: idle.watch.save(), look: idle.look };
      return { name: 'up', connection, since, idle: watched } as const;
    }
    case 'down':
    case 'waiting':
    case 'held':
    case 'blocked':
    case 'demand':
      return state;
    case 'stopping':
      return state.then.to === 'down'
        ? ({ name: 'down', cause: state.then.cause } as const)
        : ({ name: 'again' } as const);
    case 'resolving':
    case 'host-route':
    case 'standby':
    case 'connecting':
    case 'connected':
    case 'done':
      return { name: 'again' } as const;
  }
}

/** What the daemon is asked when it begins. */
export function request(
  state: ClientLinkState,
  { server, port, bindDevice }: ClientLinkOptions,
): ClientLinkOutput | undefined {
  switch (state.name) {
    case 'resolving':
      return parseAddress(server) === undefined ? { kind: 'resolve', server } : undefined;
    case 'host-route':
      return { kind: 'host-route', address: state.address, bindDevice };
    case 'connecting':
      return { kind: 'connect', address: state.address, port, bindDevice };
    case 'done':
      return { kind: 'done' };
    case 'down':
    case 'waiting':
    case 'held':
    case 'blocked':
    case 'standby':
    case 'demand':
    case 'connected':
    case 'up':
    case 'stopping':
      return undefined;
  }
}

/** What others see of a state. */
export const shown: Readonly<Record<ClientLinkState['name'], LinkState>> = {
  down: 'down',
  waiting: 'waiting',
  held: 'down',
  blocked: 'blocked',
  resolving: 'connecting',
  'host-route': 'connecting',
  standby: 'connecting',
  demand: 'demand',
  connecting: 'connecting',
  connected: 'connecting',
  up: 'up',
  stopping: 'stopping',
  done: 'down',
};

/** As others see the link. */
export interface ClientLinkStatus {
  readonly state: LinkState;
  /** Why it is not up; undefined while it is, and before the first attempt. */
  readonly cause: Cause | undefined;
  /** Monotonic ms of the next attempt, in state 'waiting'. */
  readonly retryAt: number | undefined;
  readonly session: SessionStatus | undefined;
}
