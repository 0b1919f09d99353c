/**
 * One server: whom it lets in, its addresses, its callers.
 */
import { cause as because, type Cause } from '../../wire/cause.ts';
import { formatAddress, prefixContains, rangeContains, type AddressRange } from '../../wire/ip.ts';
import { accountFault } from './accounts.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { CallerCall } from './caller-call.ts';
import { Caller } from './caller.ts';
import type { Gateway, LiveSession } from '../gateway.ts';
import type { ServerOptions, User } from '../options.ts';
import { AddressPool, type PoolOptions } from './pool.ts';
import { LanAddresses, type Found } from './lan-addresses.ts';
import type { CallPaths, Neighbours, SessionEvent, SessionStatus } from '../ports.ts';
import type { Admission, Reception, Wait } from './reception.ts';

/** Addresses of a pool in the LAN that are asked for with the one that is needed. */
const AHEAD = 8;
/** A device answered for the very address that was about to be given, ms. */
const AGAIN = 100;
/** Addresses whose holder was told. */
const TOLD = 256;

export interface ServerPorts {
  readonly paths: CallPaths;
  /**
   * Something is done to a caller outside its own handle… calls (replaced, disconnected, reloaded): call `act` at once, then
   * drain the caller and note its deadline anew. What `act` throws is this caller's end: it is abandoned when feed returns.
   * Called while another machine is being fed.
   */
  readonly feed: (caller: Caller, act: () => void) => void;
  readonly neighbours: Neighbours;
  readonly report: (event: SessionEvent) => void;
}

export class Server {
  readonly #gateway: Gateway;
  readonly #ports: ServerPorts;
  readonly #reception: Reception;
  readonly #callers = new Set<Caller>();
  readonly #sessions = new Set<LiveSession>();
  #options: ServerOptions;
  readonly #pool: AddressPool;
  #closed: Cause | undefined;
  readonly #lan: LanAddresses;
  /** Addresses that lead elsewhere. */
  #kept: readonly AddressRange[];
  /** Who has addresses of the pool on the LAN, as far as it was told. */
  readonly #told = new BoundedMap<number, string>(TOLD);

  /** @param kept addresses that lead elsewhere, see keepOff */
  constructor(
    options: ServerOptions,
    gateway: Gateway,
    ports: ServerPorts,
    kept: readonly AddressRange[] = [],
  ) {
    this.#options = options;
    this.#gateway = gateway;
    this.#ports = ports;
    this.#lan = new LanAddresses(ports.neighbours);
    this.#kept = kept;
    this.#pool = new AddressPool(poolOptions(options, gateway.users, kept));
    const current = () => this.#options;
    this.#reception = {
      get options() {
        return current();
      },
      gateway,
      paths: ports.paths,
      admit: (user, end, now) => this.#admit(user, end, now),
    };
  }

  get options(): ServerOptions {
    return this.#options;
  }

  /**
   * A TCP connection came in from `peer` to our address `local`. A Cause: close it at once, without a word; there is no
   * caller (log it as a caller-refused event). A Caller: drain poll(), then feed it.
   */
  accept(peer: number, local: number, now: number): Caller | Cause {
    if (this.#closed !== undefined) return this.#closed;
    if (!this.#allows(peer)) return because('SOURCE_NOT_ALLOWED');
    if (this.#gateway.lockout.isBanned(peer, now)) return because('SOURCE_BANNED');
    const { halfOpen, limits } = this.#gateway;
    const place = halfOpen.enter(
      peer,
      limits,
      (at) => this.#ports.feed(caller, () => caller.giveWay(at)),
      now,
    );
    if (place === undefined) return because('TOO_MANY_HALF_OPEN');
    const hooks = {
      feed: (act: () => void) => this.#ports.feed(caller, act),
      done: () => this.#callers.delete(caller),
    };
    const caller: Caller = place.occupy(
      () => new Caller(this.#reception, hooks, { peer, local }, place, now),
      now,
    );
    this.#callers.add(caller);
    return caller;
  }

  /** Callers that are not finished, logged in or not. */
  callers(): Caller[] {
    return [...this.#callers];
  }

  sessions(): SessionStatus[] {
    return this.callers().flatMap((caller) => caller.sessions());
  }

  /** Ends the session with this id, or all sessions of this user. Returns how many. */
  disconnect(which: number | string, cause: Cause, now: number): number {
    const wanted = (call: CallerCall): boolean => {
      if (typeof which === 'string') return call.user?.username === which;
      return call.id === which;
    };
    return this.#endCalls((call) => (wanted(call) ? cause : undefined), now);
  }

  /**
   * New options, and whatever `gateway.reconfigure` has brought before. Sessions stay whose keys are the same, their own and
   * their user's, as far as all they have is still allowed; the others end with CONFIG_CHANGED, SOURCE_NOT_ALLOWED,
   * ACCOUNT_DISABLED or ACCOUNT_EXPIRED.
   */
  reconfigure(options: ServerOptions, now: number): void {
    const isOther = options.keys.session !== this.#options.keys.session;
    this.#options = options;
    this.#pool.reconfigure(poolOptions(options, this.#gateway.users, this.#kept));
    for (const caller of this.callers()) {
      if (this.#allows(caller.peer)) continue;
      this.#ports.feed(caller, () => caller.close(because('SOURCE_NOT_ALLOWED'), now));
    }
    this.#endCalls(
      (call) => (isOther ? because('CONFIG_CHANGED') : this.#reloadFault(call, now)),
      now,
    );
  }

  /**
   * Addresses that lead elsewhere from now on: nobody gets one, and who has one is ended (NETWORK_CONFLICT), since nothing
   * reaches him any more.
   */
  keepOff(kept: readonly AddressRange[], now: number): void {
    this.#kept = kept;
    this.reconfigure(this.#options, now);
  }

  /** Looks whether a device of the LAN has the address of a caller; call it every few seconds. */
  watch(now: number): void {
    if (!this.#options.proxyArp) return;
    const usernames = new Map(
      [...this.#sessions].map((session) => [session.address, session.username]),
    );
    for (const { address, holder } of this.#lan.watch([...usernames.keys()], now))
      this.#tell(address, holder, usernames.get(address));
  }

  /** Ends all callers properly, each 'done' within 3 s; accepts no more. */
  shutdown(cause: Cause, now: number): void {
    this.#closed = cause;
    for (const caller of this.callers()) this.#ports.feed(caller, () => caller.close(cause, now));
  }

  #allows(peer: number): boolean {
    const { allowFrom } = this.#options;
    return allowFrom.length === 0 || allowFrom.some((prefix) => prefixContains(prefix, peer));
  }

  #endCalls(fault: (call: CallerCall) => Cause | undefined, now: number): number {
    return this.callers().reduce((ended, caller) => {
      let own = 1; // whoever throws has ended, too
      this.#ports.feed(caller, () => {
        own = caller.endCalls(fault, now);
      });
      return ended + own;
    }, 0);
  }

  /** Why a call cannot go on: what is no longer allowed to it. */
  #reloadFault(call: CallerCall, now: number): Cause | undefined {
    const { name } = this.#options;
    const allowed: readonly string[] = this.#options.auth;
    if (!call.methods.every((method) => allowed.includes(method))) return because('CONFIG_CHANGED');
    const { user, address } = call;
    if (user === undefined || address === undefined) return undefined;
    const { accounts, wallClock } = this.#gateway;
    const account = accounts.find(user.username, user.username, name);
    if (account?.keys.session !== user.keys.session) return because('CONFIG_CHANGED');
    if (this.#isKept(address)) return because('NETWORK_CONFLICT', formatAddress(address));
    if (account.address !== address && !this.#pool.covers(address))
      return because('CONFIG_CHANGED');
    call.renew(account, now);
    return accountFault(account, name, wallClock());
  }

  #admit(proved: User, end: LiveSession['end'], now: number): Admission | Cause | Wait {
    const gateway = this.#gateway;
    const { name } = this.#options;
    const user = gateway.accounts.find(proved.username, proved.username, name);
    // Changed while the answer was held back: what was proved is no longer what counts.
    if (user?.keys.session !== proved.keys.session) return because('PEER_AUTH_FAILED');
    const fault = accountFault(user, name, gateway.wallClock());
    if (fault !== undefined) return fault;
    const replaced = this.#replaced(user);
    if ('code' in replaced) return replaced;
    const noRoom = this.#noRoom(user, replaced);
    if (noRoom !== undefined) return noRoom;
    const own = replaced.flatMap(({ server, address }) => (server === this ? [address] : []));
    const unclear = this.#options.proxyArp ? this.#askLan(user, own, now) : undefined;
    if (unclear !== undefined) return unclear;
    for (const session of replaced) session.end(because('REPLACED'), now);
    const address = this.#takeAddress(user, own, now);
    if (address !== undefined) return this.#enter(user, address, end);
    return this.#options.proxyArp ? { wait: AGAIN } : because('POOL_EMPTY');
  }

  /** Until it is known whether the address that the user would get is somebody's on the LAN. Those after it are asked for, too. */
  #askLan(user: User, own: readonly number[], now: number): Cause | Wait | undefined {
    const { address } = user;
    if (address === undefined) {
      if (own.some((each) => this.#pool.covers(each))) return undefined;
      let next: Found | undefined; // of the first that may be free: looked at once, an answer may come any time
      this.#pool.candidates(user.username, AHEAD, (each) => {
        const found = this.#look(each, now);
        const mayBeFree = found === 'free' || 'wait' in found;
        if (mayBeFree) next ??= found;
        return mayBeFree;
      });
      if (next === undefined)
        return because('POOL_EMPTY', 'devices of the LAN have the addresses that are left');
      return next !== 'free' && 'wait' in next ? next : undefined;
    }
    if (own.includes(address)) return undefined;
    const found = this.#look(address, now);
    if (found === 'free') return undefined;
    return 'wait' in found
      ? found
      : because('ADDRESS_TAKEN', `${formatAddress(address)}: ${found.holder}`);
  }

  #look(address: number, now: number): Found {
    const found = this.#lan.look(address, now);
    if (found !== 'free' && 'holder' in found) this.#tell(address, found.holder, undefined);
    return found;
  }

  /** Once, until it is another device, or a caller has the address. */
  #tell(address: number, holder: string, username: string | undefined): void {
    const text = JSON.stringify([holder, username]);
    if (this.#told.get(address) === text) return;
    this.#told.set(address, text);
    const what = username === undefined ? 'no caller gets it' : 'a caller has it, too';
    const detail = `${formatAddress(address)}: ${holder}; ${what}`;
    this.#ports.report({
      what: 'server-trouble',
      server: this.#options.name,
      username,
      cause: because('ADDRESS_TAKEN', detail),
    });
  }

  #isKept(address: number): boolean {
    return this.#kept.some((range) => rangeContains(range, address));
  }

  /** Which sessions of the user must give way to one more (on_duplicate). */
  #replaced(user: User): readonly LiveSession[] | Cause {
    const sessions = this.#gateway.sessionsOf(user.username);
    const single = user.address !== undefined || user.routes.length > 0;
    // An address or a network leads to one session only.
    const most = single ? 1 : (user.maxSessions ?? this.#options.maxPerUser);
    const excess = Math.max(0, sessions.length + 1 - most);
    if (excess === 0) return [];
    if (this.#options.onDuplicate === 'deny') return because('USER_LIMIT');
    return sessions.slice(0, excess);
  }

  #noRoom(user: User, replaced: readonly LiveSession[]): Cause | undefined {
    const here = replaced.filter((session) => session.server === this);
    const { maxSessions } = this.#options;
    if (this.#sessions.size - here.length >= maxSessions) return because('TOO_MANY_SESSIONS');
    const { occupied, limits } = this.#gateway;
    if (occupied - replaced.length >= limits.maxSessions) {
      return because('TOO_MANY_SESSIONS', 'all servers and links together');
    }
    if (user.address !== undefined) {
      if (this.#isKept(user.address)) return because('ADDRESS_IN_USE');
      const freed = here.some(({ address }) => address === user.address);
      return this.#pool.isHeld(user.address) && !freed ? because('ADDRESS_IN_USE') : undefined;
    }
    const freed = here.some(({ address }) => this.#pool.covers(address));
    return freed || this.#pool.hasFree() ? undefined : because('POOL_EMPTY');
  }

  /** @param own addresses of sessions that were ended for this one */
  #takeAddress(user: User, own: readonly number[], now: number): number | undefined {
    if (user.address === undefined)
      return this.#pool.allocate(
        user.username,
        (address) =>
          !this.#options.proxyArp || own.includes(address) || this.#look(address, now) === 'free',
      );
    return this.#pool.take(user.address) ? user.address : undefined;
  }

  #enter(user: User, address: number, end: LiveSession['end']): Admission {
    const { localAddress, dns, nbns } = this.#options;
    const { username, routes } = user;
    const id = this.#gateway.nextId();
    const session: LiveSession = { id, username, address, server: this, end };
    this.#sessions.add(session);
    this.#gateway.enter(session);
    return {
      identity: { id, username, routes },
      grant: { localAddress, peerAddress: address, dns, nbns },
      release: () => {
        this.#sessions.delete(session);
        this.#gateway.leave(session);
        this.#pool.release(address);
      },
    };
  }
}

function poolOptions(
  { pool: ranges, network, localAddress }: ServerOptions,
  users: readonly User[],
  kept: readonly AddressRange[],
): PoolOptions {
  const fixed = users.flatMap(({ address }) => address ?? []);
  return { ranges, network, reserved: [localAddress, ...fixed], kept };
}
