/** Who has proved its password and is let in: a place, an address, and which older sessions give way for it. */
import type { Grant } from '../../ppp/options.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import {
  addressFault,
  formatAddress,
  formatPrefix,
  prefixContains,
  rangeContains,
  type AddressRange,
  type Prefix,
} from '../../wire/ip.ts';
import type { SavedClaims } from '../../ipv6/prefix-pool.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import { BoundedMap } from './bounded-map.ts';
import type { ServerOptions } from '../options.ts';
import type { Neighbours, SessionEvent } from '../ports.ts';
import type { Identity } from '../session.ts';
import type { Ipv6Source } from '../session-ipv6.ts';
import type { Access, LiveSession } from './access.ts';
import { accountOf, type Account } from './account.ts';
import { grantOf, informOf } from './grant.ts';
import { Ipv6Prefixes, networksOf } from './ipv6-prefixes.ts';
import { LanAddresses, type Found } from './lan-addresses.ts';
import { AddressPool, type PoolOptions } from './pool.ts';

/** Addresses of a pool in the LAN that are asked for with the one that is needed. */
const AHEAD = 8;
/** A device answered for the very address that was about to be given, ms. */
const AGAIN = 100;
/** Networks behind one caller that an authority may name. */
const MOST_ROUTES = 64;
/** Addresses whose holder was told. */
const TOLD = 256;

export interface Admission {
  readonly account: Account;
  readonly identity: Omit<Identity, 'account'>;
  readonly grant: Grant;
  /** undefined: the server has no IPv6. */
  readonly ipv6: Ipv6Source | undefined;
  /** What another program readmits it with. */
  save(): SavedAdmission;
  /** Gives address, prefixes and place back. Once. */
  release(): void;
}

export interface SavedAdmission extends Pick<Admission, 'identity' | 'grant'> {
  readonly claims: SavedClaims;
}

export interface Wait {
  /** ms */
  readonly wait: number;
}

export interface AdmissionPorts {
  readonly neighbours: Neighbours;
  readonly report: (event: SessionEvent) => void;
}

export class Admissions {
  readonly #access: Access;
  readonly #report: AdmissionPorts['report'];
  readonly #sessions = new Set<LiveSession>();
  readonly #pool: AddressPool;
  readonly #lan: LanAddresses;
  readonly #ipv6: Ipv6Prefixes;
  #options: ServerOptions;
  /** IPv6 networks that the router assigns. */
  #assigned: readonly Ipv6Prefix[] = [];
  /** Addresses that lead elsewhere. */
  #kept: readonly AddressRange[];
  /** Who has addresses of the pool on the LAN, as far as it was told. */
  readonly #told = new BoundedMap<Ipv4, string>(TOLD);

  constructor(
    options: ServerOptions,
    access: Access,
    { neighbours, report }: AdmissionPorts,
    kept: readonly AddressRange[],
  ) {
    this.#options = options;
    this.#access = access;
    this.#report = report;
    this.#kept = kept;
    this.#lan = new LanAddresses(neighbours);
    this.#pool = new AddressPool(poolOptions(options, access, kept));
    this.#ipv6 = new Ipv6Prefixes(options, access.gateway.random);
    this.#ipv6.reconfigure(options, access.users, this.#assigned);
  }

  /**
   * Not carried: #access, #report, #options and #kept, which are given; #sessions, which enter anew; #lan and #told, for the LAN is
   * asked again.
   */
  save() {
    return { pool: this.#pool.save(), ipv6: this.#ipv6.save(), assigned: this.#assigned };
  }

  restore({ pool, ipv6, assigned }: ReturnType<Admissions['save']>): void {
    this.#pool.restore(pool);
    this.#ipv6.restore(ipv6);
    this.assign(assigned);
  }

  /** IPv6 networks that the router assigns to this server. */
  assign(assigned: readonly Ipv6Prefix[]): void {
    this.#assigned = assigned;
    this.#ipv6.reconfigure(this.#options, this.#access.users, assigned);
  }

  /** Those that callers have prefixes of, with these options. */
  ipv6Networks(options: ServerOptions): readonly Ipv6Prefix[] {
    return networksOf(options, this.#assigned);
  }

  /** One whom the program before has let in. @throws Error somebody has its address */
  readmit(
    account: Account,
    { identity, grant, claims }: SavedAdmission,
    end: LiveSession['end'],
  ): Admission {
    const { peerAddress: address } = grant;
    if (!this.#pool.take(address)) throw new Error(`${formatAddress(address)} has two holders`);
    this.#ipv6.reclaim(identity.id, claims);
    return this.#hold(account, identity, grant, end);
  }

  /** New options, accounts or addresses that lead elsewhere. */
  reconfigure(options: ServerOptions, kept = this.#kept): void {
    this.#options = options;
    this.#kept = kept;
    this.#pool.reconfigure(poolOptions(options, this.#access, kept));
    this.#ipv6.reconfigure(options, this.#access.users, this.#assigned);
  }

  /** Why a user who is in may not keep its address. */
  addressFault(account: Account, address: Ipv4): Cause | undefined {
    if (this.#isKept(address)) return cause('NETWORK_CONFLICT', formatAddress(address));
    const isAllowed = account.address === address || this.#pool.covers(address);
    return isAllowed ? undefined : cause('CONFIG_CHANGED');
  }

  /** Looks whether a device of the LAN has the address of a caller. */
  watch(now: number): void {
    if (!this.#options.proxyArp) return;
    const usernames = new Map(
      [...this.#sessions].map((session) => [session.address, session.username]),
    );
    for (const { address, holder } of this.#lan.watch([...usernames.keys()], now))
      this.#tell(address, holder, usernames.get(address));
  }

  /** See CallPorts. */
  admit(
    proved: Account,
    method: string,
    end: LiveSession['end'],
    now: number,
  ): Admission | Cause | Wait {
    const user = this.#current(proved, method);
    if ('code' in user) return user;
    const grant = grantOf(this.#options, user);
    if ('code' in grant) return grant;
    const replaced = this.#replaced(user);
    if ('code' in replaced) return replaced;
    const noRoom = this.#noRoom(user, replaced);
    if (noRoom !== undefined) return noRoom;
    const own = this.#ofOwnPool(replaced).map(({ address }) => address);
    const unclear = this.#options.proxyArp ? this.#askLan(user, own, now) : undefined;
    if (unclear !== undefined) return unclear;
    for (const session of replaced) session.end(cause('REPLACED'), now);
    const address = this.#takeAddress(user, own, now);
    if (address !== undefined) return this.#enter(user, { ...grant, peerAddress: address }, end);
    return this.#options.proxyArp ? { wait: AGAIN } : cause('POOL_EMPTY');
  }

  /** As the configuration has it now, and what speaks against it. */
  #current(proved: Account, method: string): Account | Cause {
    if (proved.user === undefined)
      return this.#foreignFault(proved) ?? this.#access.quotaFault(proved) ?? proved;
    const { accounts } = this.#access;
    const { name } = this.#options;
    const user = accounts.find(proved.username, proved.username, name);
    // Changed while the answer was held back: what was proved is no longer what counts.
    if (user?.keys.session !== proved.user.keys.session) return cause('PEER_AUTH_FAILED');
    return this.#access.fault(user, name, [method]) ?? accountOf(user);
  }

  /** An authority does not know what is taken here. */
  #foreignFault({ address, pool, routes }: Account): Cause | undefined {
    const { name, localAddress, network } = this.#options;
    if (routes.length > MOST_ROUTES)
      return cause('RADIUS_UNUSABLE', `${routes.length} routes; ${MOST_ROUTES} are possible`);
    const overlapping = routes.find(
      (route) => prefixContains(network, route.address) || prefixContains(route, localAddress),
    );
    if (overlapping !== undefined)
      return cause('RADIUS_UNUSABLE', `route ${formatPrefix(overlapping)}: the tunnels are there`);
    if (pool !== undefined && pool !== name)
      return cause('POOL_EMPTY', `there is no pool '${pool}' (the server's own is '${name}')`);
    if (address === undefined) return undefined;
    const impossible = addressFault(address);
    if (impossible !== undefined)
      return cause('RADIUS_UNUSABLE', `${formatAddress(address)} ${impossible}`);
    const isFixed = this.#access.users.some((user) => user.address === address);
    if (address === localAddress || isFixed)
      return cause('ADDRESS_IN_USE', `${formatAddress(address)} is another's here`);
    return undefined;
  }

  /** Until it is known whether the address that the user would get is somebody's on the LAN. Those after it are asked for, too. */
  #askLan(user: Account, own: readonly number[], now: number): Cause | Wait | undefined {
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
        return cause('POOL_EMPTY', 'devices of the LAN have the addresses that are left');
      return next !== 'free' && 'wait' in next ? next : undefined;
    }
    if (own.includes(address)) return undefined;
    const found = this.#look(address, now);
    if (found === 'free') return undefined;
    return 'wait' in found
      ? found
      : cause('ADDRESS_TAKEN', `${formatAddress(address)}: ${found.holder}`);
  }

  #look(address: Ipv4, now: number): Found {
    const found = this.#lan.look(address, now);
    if (found !== 'free' && 'holder' in found) this.#tell(address, found.holder, undefined);
    return found;
  }

  /** Once, until it is another device, or a caller has the address. */
  #tell(address: Ipv4, holder: string, username: string | undefined): void {
    const text = JSON.stringify([holder, username]);
    if (this.#told.get(address) === text) return;
    this.#told.set(address, text);
    const what = username === undefined ? 'no caller gets it' : 'a caller has it, too';
    const detail = `${formatAddress(address)}: ${holder}; ${what}`;
    const { name: server } = this.#options;
    const why = cause('ADDRESS_TAKEN', detail);
    this.#report({ what: 'server-trouble', server, username, cause: why });
  }

  #isKept(address: Ipv4): boolean {
    return this.#kept.some((range) => rangeContains(range, address));
  }

  /** Which sessions of the user must give way to one more (on_duplicate). */
  #replaced(user: Account): readonly LiveSession[] | Cause {
    const { address, maxSessions, routes, ip6 } = user;
    const networks = routes.length + ip6.prefixes.length + ip6.routes.length;
    const sessions = this.#access.sessionsOf(user.username);
    // An address or a network leads to one session only. (RADIUS may give each session an address of its own.)
    const most = networks > 0 ? 1 : (maxSessions ?? this.#options.maxPerUser);
    const same = sessions.filter((session) => session.address === address);
    const others = sessions.filter((session) => session.address !== address);
    const excess = Math.max(0, others.length + 1 - most);
    if (same.length + excess === 0) return [];
    if (this.#options.onDuplicate === 'deny') return cause('USER_LIMIT');
    return [...same, ...others.slice(0, excess)];
  }

  #ofOwnPool(sessions: readonly LiveSession[]): readonly LiveSession[] {
    return sessions.filter(({ pool }) => pool === this.#pool);
  }

  #noRoom(user: Account, replaced: readonly LiveSession[]): Cause | undefined {
    const here = this.#ofOwnPool(replaced);
    const { maxSessions } = this.#options;
    if (this.#sessions.size - here.length >= maxSessions) return cause('TOO_MANY_SESSIONS');
    const { occupied, limits } = this.#access.gateway;
    if (occupied - replaced.length >= limits.maxSessions)
      return cause('TOO_MANY_SESSIONS', 'all servers and links together');
    if (user.address !== undefined) {
      if (this.#isKept(user.address)) return cause('ADDRESS_IN_USE');
      const freed = here.some(({ address }) => address === user.address);
      return this.#pool.isHeld(user.address) && !freed ? cause('ADDRESS_IN_USE') : undefined;
    }
    const freed = here.some(({ address }) => this.#pool.covers(address));
    return freed || this.#pool.hasFree() ? undefined : cause('POOL_EMPTY');
  }

  /** @param own addresses of sessions that were ended for this one */
  #takeAddress(user: Account, own: readonly number[], now: number): number | undefined {
    if (user.address === undefined)
      return this.#pool.allocate(
        user.username,
        (address) =>
          !this.#options.proxyArp || own.includes(address) || this.#look(address, now) === 'free',
      );
    return this.#pool.take(user.address) ? user.address : undefined;
  }

  /** An address outside the network of the device needs a route of its own. */
  #routes({ routes, user }: Account, address: Ipv4): readonly Prefix[] {
    const { network, proxyArp } = this.#options;
    const isAtHome = user !== undefined || proxyArp || prefixContains(network, address);
    return isAtHome ? routes : [{ address, length: 32 }, ...routes];
  }

  #enter(user: Account, grant: Grant, end: LiveSession['end']): Admission {
    const { username } = user;
    const id = this.#access.gateway.nextId();
    const routes = this.#routes(user, grant.peerAddress);
    const inform = informOf(this.#options, user.user, grant.dns);
    return this.#hold(user, { id, username, routes, inform }, grant, end);
  }

  #hold(
    account: Account,
    identity: Admission['identity'],
    grant: Grant,
    end: LiveSession['end'],
  ): Admission {
    const { peerAddress: address } = grant;
    const { id, username, inform } = identity;
    const session: LiveSession = { id, username, address, pool: this.#pool, end };
    this.#sessions.add(session);
    const leave = this.#access.enter(session);
    return {
      account,
      identity,
      grant,
      ipv6: this.#ipv6.source(id, account, inform?.domains ?? [], (what) => {
        const why = cause('POOL_EMPTY', what);
        this.#report({ what: 'server-trouble', server: this.#options.name, username, cause: why });
      }),
      save: () => ({ identity, grant, claims: this.#ipv6.claims(id) }),
      release: () => {
        this.#sessions.delete(session);
        leave();
        this.#pool.release(address);
        this.#ipv6.release(id);
      },
    };
  }
}

function poolOptions(
  { pool: ranges, network, localAddress }: ServerOptions,
  { users }: Access,
  kept: readonly AddressRange[],
): PoolOptions {
  const fixed = users.flatMap(({ address }) => address ?? []);
  return { ranges, network, reserved: [localAddress, ...fixed], kept };
}
