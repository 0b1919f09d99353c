/** Which state of a client link comes next: an attempt begins, takes the next address, comes to TCP, fails and is waited out. */
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import type { Allowance } from '../allowance.ts';
import type { ClientLinkOptions } from '../options.ts';
import type { ClientLinkState, Place, StateNamed, Target } from './client-link-state.ts';
import type { Redial } from './redial.ts';

/** How long the daemon may take to answer an output, ms; TCP: five SYNs. */
const RESOLVE_TIME = 30_000;
const HOST_ROUTE_TIME = 30_000;
const CONNECT_TIME = 20_000;
export const TUNNEL_TIME = 30_000;

/** What stays from state to state. */
export interface Memory {
  readonly options: ClientLinkOptions;
  /** It goes as far as addresses, once, and the routes stay as they are. */
  readonly probe: boolean;
  /** Nothing is dialled until release(). */
  readonly held: boolean;
  /** Of a link that dials on demand: the next attempt does not wait for a packet. */
  readonly wanted: boolean;
  /** Why it is not up. */
  readonly cause: Cause | undefined;
  readonly redial: Redial;
  readonly allowance: Allowance;
  readonly random: (length: number) => Uint8Array;
  /** undefined: all are taken. */
  takePlace(): Place | undefined;
}

/** An attempt. @param place that the one before had */
export function begin(memory: Memory, place: Place | undefined, now: number): ClientLinkState {
  if (memory.held) return { name: 'held', until: now, cause: memory.cause };
  if (memory.allowance === 0) return failForQuota(memory, now);
  const waits = memory.options.demand > 0 && !memory.wanted && !memory.probe;
  const taken = waits ? undefined : (place ?? memory.takePlace());
  if (taken === undefined && !waits) return failForPlace(memory, now);
  return { name: 'resolving', place: taken, by: now + RESOLVE_TIME };
}

/** @param cause why the one before does not do */
export function tryNext(
  memory: Memory,
  place: Place | undefined,
  addresses: readonly Ipv4[],
  cause: Cause,
  now: number,
): ClientLinkState {
  const [address, ...rest] = addresses;
  if (address === undefined) return fail(memory, cause, now);
  if (memory.probe || !memory.options.hostRoute) return connect(place, { address, rest }, now);
  return { name: 'host-route', place, address, rest, by: now + HOST_ROUTE_TIME };
}

/** The way to the address is there; without a place the link waits with it for a packet. */
export function connect(
  place: Place | undefined,
  { address, rest }: Target,
  now: number,
): ClientLinkState {
  return place === undefined
    ? { name: 'standby', address, rest, by: now + TUNNEL_TIME }
    : { name: 'connecting', place, address, rest, by: now + CONNECT_TIME };
}

/** Somebody or something wants the session that a link waits to dial. */
export function wake(memory: Memory, state: ClientLinkState, now: number): ClientLinkState {
  const waits =
    state.name === 'standby' ||
    state.name === 'demand' ||
    ((state.name === 'resolving' || state.name === 'host-route') && state.place === undefined);
  if (!waits) return state;
  const place = memory.takePlace();
  if (place === undefined) return failForPlace(memory, now);
  return state.name === 'standby' || state.name === 'demand'
    ? connect(place, state, now)
    : { ...state, place };
}

/** The daemon did not do its part in time. */
export function missAnswer(
  memory: Memory,
  state: Extract<ClientLinkState, { by: number }>,
  now: number,
): ClientLinkState {
  switch (state.name) {
    case 'resolving':
      return fail(memory, cause('RESOLVE_FAILED', 'no answer'), now);
    case 'host-route': {
      const why = cause('NO_ROUTE', 'the route to the server was not set');
      return tryNext(memory, state.place, state.rest, why, now);
    }
    case 'standby':
      return fail(memory, cause('DEVICE_FAILED', 'no answer'), now);
    case 'connecting':
      return tryNext(memory, state.place, state.rest, cause('CONNECT_TIMEOUT'), now);
  }
}

/** The connection is closed. */
export function afterwards(
  memory: Memory,
  { place, connection, then }: StateNamed<'stopping'>,
  now: number,
): ClientLinkState {
  switch (then.to) {
    case 'down':
    case 'done':
      return { name: then.to, cause: then.cause };
    case 'dial':
      return begin(memory, place, now);
    case 'demand':
      if (memory.allowance === 0) return failForQuota(memory, now);
      return { name: 'demand', address: then.address, rest: [] };
    case 'again':
      if (memory.allowance === 0) return failForQuota(memory, now);
      // What went wrong in PPP would go wrong at the other addresses, too.
      return tryNext(memory, place, connection.reachedPpp ? [] : then.rest, then.cause, now);
  }
}

/** No address is left to try, or the attempt cannot go on. */
export function fail(memory: Memory, cause: Cause, now: number): ClientLinkState {
  const { redial, options } = memory;
  if (memory.probe) return { name: 'done', cause };
  redial.failed(cause);
  if (redial.givesUp(cause, options)) return { name: 'blocked', cause };
  const until = now + redial.pause(options, memory.random);
  return { name: memory.held ? 'held' : 'waiting', until, cause };
}

function failForQuota(memory: Memory, now: number): ClientLinkState {
  return fail(memory, cause('QUOTA_USED_UP'), now);
}

function failForPlace(memory: Memory, now: number): ClientLinkState {
  return fail(memory, cause('TOO_MANY_SESSIONS', 'all servers and links together'), now);
}
