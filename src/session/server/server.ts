/**
 * One server: its callers, and how they change with its configuration.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { prefixContains, type AddressRange, type Prefix } from '../../wire/ip.ts';
import { toHex } from '../../wire/octets.ts';
import type { Ipv6Prefix } from '../../wire/ipv6.ts';
import type { Terms } from '../authorization.ts';
import type { ServerOptions } from '../options.ts';
import type { CallPaths, SessionStatus } from '../ports.ts';
import type { Access } from './access.ts';
import { accountOf } from './account.ts';
import { Admissions, type AdmissionPorts } from './admissions.ts';
import type { CallerCall } from './caller-call.ts';
import { Caller, type CallerPorts, type SavedCaller } from './caller.ts';

export interface ServerPorts extends AdmissionPorts {
  readonly paths: CallPaths;
  /**
   * Something is done to a caller outside its own handle… calls (replaced, disconnected, reloaded): call `act` at once, then
   * drain the caller and note its deadline anew. What `act` throws is this caller's end: it is abandoned when feed returns.
   * Called while another machine is being fed.
   */
  readonly feed: (caller: Caller, act: () => void) => void;
}

export class Server {
  readonly #access: Access;
  readonly #ports: ServerPorts;
  readonly #callerPorts: CallerPorts;
  readonly #admissions: Admissions;
  readonly #callers = new Set<Caller>();
  #options: ServerOptions;
  #closed: Cause | undefined;

  /** @param kept addresses that lead elsewhere, see keepOff */
  constructor(
    options: ServerOptions,
    access: Access,
    ports: ServerPorts,
    kept: readonly AddressRange[] = [],
  ) {
    this.#options = options;
    this.#access = access;
    this.#ports = ports;
    this.#admissions = new Admissions(options, access, ports, kept);
    this.#callerPorts = {
      options: () => this.#options,
      access,
      paths: ports.paths,
      admit: (...asked) => this.#admissions.admit(...asked),
      readmit: (...asked) => this.#admissions.readmit(...asked),
      isIdentifierTaken: (identifier, own) =>
        this.callers().some((caller) =>
          caller
            .tunnels()
            .some(
              ({ path, tunnel: { ipv6 } }) =>
                path !== own && ipv6 !== undefined && isSameIdentifier(ipv6.peer, identifier),
            ),
        ),
      feed: ports.feed,
      done: (caller) => this.#callers.delete(caller),
    };
  }

  get options(): ServerOptions {
    return this.#options;
  }

  /**
   * A TCP connection came in from `peer` to our address `local`. A Cause: close it at once, without a word; there is no
   * caller (log it as a caller-refused event). A Caller: drain poll(), then feed it.
   */
  accept(peer: Ipv4, local: Ipv4, now: number): Caller | Cause {
    if (this.#closed !== undefined) return this.#closed;
    const fault = this.#sourceFault(peer);
    if (fault !== undefined) return fault;
    if (this.#access.lockout.isBanned(peer, now)) return cause('SOURCE_BANNED');
    const { halfOpen, gateway } = this.#access;
    const place = halfOpen.enter(
      peer,
      gateway.limits,
      (at) => this.#ports.feed(caller, () => caller.giveWay(at)),
      now,
    );
    if (place === undefined) return cause('TOO_MANY_HALF_OPEN');
    const caller: Caller = place.occupy(
      () => new Caller(this.#callerPorts, { peer, local }, place, now),
      now,
    );
    this.#callers.add(caller);
    return caller;
  }

  /**
   * Without the callers, which are saved each by itself.
   * Not carried: #access, #ports, #callerPorts, #callers, #options; #closed, for one that ends is not saved.
   */
  save() {
    return { keys: this.#options.keys, admissions: this.#admissions.save() };
  }

  restore({ admissions }: ReturnType<Server['save']>): void {
    this.#admissions.restore(admissions);
  }

  /** A caller of the program before goes on. Drain poll(), then feed it. @throws Error it does not fit what is configured now */
  resume(saved: SavedCaller, now: number): Caller {
    const caller = new Caller(this.#callerPorts, saved, saved, now);
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
  disconnect(which: number | string, why: Cause, now: number): number {
    const isWanted = ({ loggedIn }: CallerCall): boolean =>
      typeof which === 'string'
        ? loggedIn?.account.username === which
        : loggedIn?.admission.identity.id === which;
    return this.#endCalls((call) => (isWanted(call) ? why : undefined), now);
  }

  /** Something is to be otherwise of the session with this id. */
  changeTerms(id: number, change: Partial<Terms>, now: number): void {
    for (const caller of this.callers())
      if (caller.sessions().some((session) => session.id === id))
        this.#ports.feed(caller, () => caller.changeTerms(id, change, now));
  }

  /**
   * New options, and whatever `reconfigure` of gateway and access has brought before. Sessions stay whose keys are the same, their own and
   * their user's, as far as all they have is still allowed; the others end with CONFIG_CHANGED, SOURCE_NOT_ALLOWED,
   * SOURCE_DENIED, ACCOUNT_DISABLED, ACCOUNT_EXPIRED or QUOTA_USED_UP.
   */
  reconfigure(options: ServerOptions, now: number): void {
    this.#admissions.reconfigure(options);
    const isOther = options.keys.session !== this.#options.keys.session;
    this.#options = options;
    for (const caller of this.callers()) {
      const fault = this.#sourceFault(caller.peer);
      if (fault !== undefined) this.#ports.feed(caller, () => caller.close(fault, now));
    }
    this.#endCalls(
      (call) => (isOther ? cause('CONFIG_CHANGED') : this.#reloadFault(call, now)),
      now,
    );
  }

  /** Asks the peer of every session for a sign of life: its status tells how long that took. */
  askEchoes(now: number): void {
    for (const caller of this.callers()) this.#ports.feed(caller, () => caller.askEcho(now));
  }

  /** The allowance of a user is another one. */
  review(username: string, now: number): void {
    this.#endCalls(
      (call) =>
        call.loggedIn?.account.username === username ? this.#reloadFault(call, now) : undefined,
      now,
    );
  }

  /**
   * Addresses that lead elsewhere from now on: nobody gets one, and who has one is ended (NETWORK_CONFLICT), since nothing
   * reaches it any more.
   */
  keepOff(kept: readonly AddressRange[], now: number): void {
    this.#admissions.reconfigure(this.#options, kept);
    this.reconfigure(this.#options, now);
  }

  /** IPv6 networks that the router assigns to this server: sessions have prefixes of these from now on. */
  assign(networks: readonly Ipv6Prefix[], now: number): void {
    this.#admissions.assign(networks);
    this.reconfigure(this.#options, now);
  }

  /** Those that callers have prefixes of, with these options. */
  ipv6Networks(options: ServerOptions): readonly Ipv6Prefix[] {
    return this.#admissions.ipv6Networks(options);
  }

  /** Looks whether a device of the LAN has the address of a caller; call it every few seconds. */
  watch(now: number): void {
    this.#admissions.watch(now);
  }

  /** Ends all callers properly, each 'done' within 3 s; accepts no more. */
  shutdown(why: Cause, now: number): void {
    this.#closed = why;
    for (const caller of this.callers()) this.#ports.feed(caller, () => caller.close(why, now));
  }

  /** Why nobody may call from there. */
  #sourceFault(peer: Ipv4): Cause | undefined {
    const { allowFrom, denyFrom } = this.#options;
    const isIn = (prefix: Prefix) => prefixContains(prefix, peer);
    if (denyFrom.some(isIn)) return cause('SOURCE_DENIED');
    if (allowFrom.length > 0 && !allowFrom.some(isIn)) return cause('SOURCE_NOT_ALLOWED');
    return undefined;
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
    if (!call.methods.every((method) => allowed.includes(method))) return cause('CONFIG_CHANGED');
    if (call.loggedIn === undefined) return undefined;
    const { account, admission } = call.loggedIn;
    const { peerAddress } = admission.grant;
    if (account.user === undefined) {
      call.renew(account, now);
      const fault = this.#admissions.addressFault(account, peerAddress);
      return fault ?? this.#access.quotaFault(account);
    }
    const { accounts } = this.#access;
    const user = accounts.find(account.username, account.username, name);
    if (user?.keys.session !== account.user.keys.session) return cause('CONFIG_CHANGED');
    const renewed = accountOf(user);
    const fault = this.#admissions.addressFault(renewed, peerAddress);
    if (fault !== undefined) return fault;
    call.renew(renewed, now);
    return this.#access.fault(user, name, call.methods);
  }
}

function isSameIdentifier(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}
