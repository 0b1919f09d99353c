/**
 * One server: whom it lets in, its addresses, its callers.
 */
import { cause as because, type Cause } from '../wire/cause.ts';
import { prefixContains } from '../wire/ip.ts';
import { accountFault } from './accounts.ts';
import type { CallerCall } from './caller-call.ts';
import { Caller } from './caller.ts';
import type { Gateway, LiveSession } from './gateway.ts';
import type { ServerOptions, User } from './options.ts';
import { AddressPool } from './pool.ts';
import type { CallPaths, SessionStatus } from './ports.ts';
import type { Admission, Reception } from './reception.ts';
import { sameRights, settingsFault } from './reload.ts';

export interface ServerPorts {
  readonly paths: CallPaths;
  /**
   * Something is done to a caller outside its own handle… calls (replaced, disconnected, reloaded): call `act` at once, then
   * drain the caller and note its deadline anew. What `act` throws is this caller's end: it is abandoned when feed returns.
   * Called while another machine is being fed.
   */
  readonly feed: (caller: Caller, act: () => void) => void;
}

export class Server {
  readonly #gateway: Gateway;
  readonly #ports: ServerPorts;
  readonly #reception: Reception;
  readonly #callers = new Set<Caller>();
  readonly #sessions = new Set<LiveSession>();
  #options: ServerOptions;
  #pool: AddressPool;
  #poolKey: string;
  #closed: Cause | undefined;

  constructor(options: ServerOptions, gateway: Gateway, ports: ServerPorts) {
    this.#options = options;
    this.#gateway = gateway;
    this.#ports = ports;
    this.#pool = makePool(options, gateway.users);
    this.#poolKey = poolKey(options, gateway.users);
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
    const caller: Caller = new Caller(
      this.#reception,
      {
        feed: (act) => this.#ports.feed(caller, act),
        done: () => this.#callers.delete(caller),
      },
      { peer, local },
      place,
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
   * New options, and whatever `gateway.reconfigure` has brought before. Sessions whose own settings did not change stay; the
   * others end with CONFIG_CHANGED, SOURCE_NOT_ALLOWED, ACCOUNT_DISABLED or ACCOUNT_EXPIRED.
   */
  reconfigure(options: ServerOptions, now: number): void {
    const before = this.#options;
    this.#options = options;
    const key = poolKey(options, this.#gateway.users);
    const pool = key === this.#poolKey ? this.#pool : makePool(options, this.#gateway.users);
    for (const caller of this.callers()) {
      if (this.#allows(caller.peer)) continue;
      this.#ports.feed(caller, () => caller.close(because('SOURCE_NOT_ALLOWED'), now));
    }
    this.#endCalls((call) => this.#reloadFault(call, before, pool, now), now);
    if (pool === this.#pool) return;
    for (const { address } of this.#sessions) pool.take(address);
    this.#pool = pool;
    this.#poolKey = key;
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

  /** Why a call cannot go on under the new settings. */
  #reloadFault(
    call: CallerCall,
    before: ServerOptions,
    pool: AddressPool,
    now: number,
  ): Cause | undefined {
    const fault = settingsFault(call.auth, before, this.#options);
    const { user, address } = call;
    if (fault !== undefined || user === undefined || address === undefined) return fault;
    const { accounts, wallClock } = this.#gateway;
    const { name } = this.#options;
    const account = accounts.find(user.username, user.username, name);
    if (account === undefined || !sameRights(user, account)) return because('CONFIG_CHANGED');
    if (account.address !== address && !pool.covers(address)) return because('CONFIG_CHANGED');
    call.renew(account, now);
    return accountFault(account, name, wallClock());
  }

  #admit(proved: User, end: LiveSession['end'], now: number): Admission | Cause {
    const gateway = this.#gateway;
    const { name } = this.#options;
    const user = gateway.accounts.find(proved.username, proved.username, name);
    // Changed while the answer was held back: what was proved is no longer what counts.
    if (user === undefined || !sameRights(proved, user)) return because('PEER_AUTH_FAILED');
    const fault = accountFault(user, name, gateway.wallClock());
    if (fault !== undefined) return fault;
    const replaced = this.#replaced(user);
    if ('code' in replaced) return replaced;
    const noRoom = this.#noRoom(user, replaced);
    if (noRoom !== undefined) return noRoom;
    for (const session of replaced) session.end(because('REPLACED'), now);
    const address = this.#takeAddress(user);
    return address === undefined ? because('POOL_EMPTY') : this.#enter(user, address, end);
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
      const freed = here.some(({ address }) => address === user.address);
      return this.#pool.isHeld(user.address) && !freed ? because('ADDRESS_IN_USE') : undefined;
    }
    const freed = here.some(({ address }) => this.#pool.covers(address));
    return freed || this.#pool.hasFree() ? undefined : because('POOL_EMPTY');
  }

  #takeAddress(user: User): number | undefined {
    if (user.address === undefined) return this.#pool.allocate(user.username);
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

function makePool(options: ServerOptions, users: readonly User[]): AddressPool {
  const { pool: ranges, network, localAddress } = options;
  return new AddressPool({ ranges, network, reserved: [localAddress, ...fixedAddresses(users)] });
}

/** Two pools with the same key are the same. */
function poolKey({ pool, network, localAddress }: ServerOptions, users: readonly User[]): string {
  return JSON.stringify([pool, network, localAddress, fixedAddresses(users)]);
}

function fixedAddresses(users: readonly User[]): number[] {
  return users.flatMap(({ address }) => address ?? []);
}
