/**
 * Passthrough in the kernel: the nftables table `ip pptp_gateway_relay`.
 *
 * Control connections (TCP 1723) of clients are redirected to the daemon. GRE of their calls is rewritten without
 * connection tracking, so any number of clients reach one server. What one end of a call knows as the other's call id is
 * unique on this router; by it, with the addresses and the ingress device, a packet is told:
 *
 *     client ──► client's view of the server, told id      =►  server, its own id, from our address there
 *     server ──► our address there, told id                =►  client, its own id, from the client's view of the server
 *
 * The destination is set before routing. Source and call id are set after it: the kernel takes a packet from outside with
 * one of our addresses as its source for a forgery. Between the two a mark says that the packet is ours; an fw4 include
 * lets it pass. Packets with ids that were not told to their sender are left as they are, but one that would reach a
 * server as part of a relayed call (an id guessed by a client behind the same masquerading) is dropped.
 *
 * Where the kernel can, most packets take a shortcut past all that: relay-shortcut/.
 */
import type { CallId } from '../wire/brand.ts';
import { formatAddress } from '../wire/ip.ts';
import { Serial } from './jobs.ts';
import { concat, octets16, octets32, type Netlink } from './netlink-message.ts';
import { nft, nftCheck } from './nft-command.ts';
import {
  areThere,
  changeElements,
  readCounters,
  type Count,
  type Element,
  type ElementChange,
} from './nft-elements.ts';
import { tableState } from './nft-state.ts';
import {
  CHAINS,
  chains,
  mapNames,
  mapsOf,
  RELAY_TABLE,
  tableBody,
  type RelayRules,
} from './relay-rules.ts';
import { sum, type RelayShortcut } from './relay-shortcut/shortcut.ts';
import type { RelayWay } from './relay-way.ts';
import { isShortage } from './run-program.ts';

/** Changes in one message to the kernel, which has room for some 200 kB. */
const BATCH = 256;

export class RelayTable {
  readonly #netfilter: Netlink;
  readonly #shortcut: RelayShortcut;
  #relays: readonly RelayRules[] = [];
  /** As the kernel had it when we had made it; undefined: it is not there. */
  #state: string | undefined;
  readonly #ways = new Set<RelayWay>();
  /** How many calls need a guard: a server may give two calls the same id. */
  readonly #guards = new Map<string, number>();
  readonly #serial = new Serial();
  /** Of ways that were removed; they leave the kernel together, since it takes some 15 ms for each transaction. */
  readonly #removals: ElementChange[] = [];
  #removing: Promise<void> | undefined;
  /** It could not be made anew: calls that have ended may still pass. */
  #isStale = false;

  constructor(netfilter: Netlink, shortcut: RelayShortcut) {
    this.#netfilter = netfilter;
    this.#shortcut = shortcut;
  }

  /** Not carried: #netfilter, #serial; #ways and #guards, which adopt() is given; #removals, #removing and #isStale. */
  save() {
    return { relays: this.#relays, state: this.#state, shortcut: this.#shortcut.save() };
  }

  /** It stands there, with these ways. */
  adopt(saved: ReturnType<RelayTable['save']>, ways: readonly RelayWay[]): void {
    const { relays, state, shortcut } = saved;
    this.#relays = relays;
    this.#state = state;
    this.#shortcut.adopt(shortcut);
    for (const way of ways) {
      this.#ways.add(way);
      this.#shortcut.add(way);
      this.#guard(way, 1);
    }
  }

  /** Why packets have no shortcut; undefined: they have. */
  get lacksShortcut(): string | undefined {
    return this.#shortcut.lacks;
  }

  /** Devices, routes or rules may have changed. */
  lookForShortcuts(): void {
    this.#shortcut.look();
  }

  /**
   * Whether kernel and nft have what relays need.
   * @throws RouterError what they lack
   */
  async probe(): Promise<void> {
    const sample: RelayRules = {
      key: 0,
      direction: 'outbound',
      src: ['lo'],
      dest: ['lo'],
      clients: [],
      port: 1,
      hasShortcut: false,
    };
    await nftCheck(
      `${this.#table([sample])}\nadd table ip ${RELAY_TABLE}_probe {\n${tableBody([sample])}}\n`,
    );
  }

  /**
   * Makes the rules those of these relays, in one transaction; calls of relays that stay go on undisturbed. The first time
   * it clears what a daemon that was killed has left behind.
   * @throws RouterError everything is as it was
   */
  install(relays: readonly RelayRules[]): Promise<void> {
    return this.#serial.run('', async () => {
      await this.#install(relays);
      this.#shortcut.install(relays.filter(({ hasShortcut }) => hasShortcut));
    });
  }

  async #install(relays: readonly RelayRules[]): Promise<void> {
    if (this.#state === undefined || relays.length === 0) return this.#make(relays);
    try {
      this.#flush(); // while there are the maps
      await nft(this.#change(relays));
      this.#relays = relays;
      this.#state = this.#read();
    } catch {
      await this.#make(relays); // somebody has removed it
    }
  }

  /**
   * Puts back what somebody has removed, and makes good what failed before.
   * @returns whether something was missing
   * @throws RouterError it cannot be done yet
   */
  look(): Promise<boolean> {
    return this.#serial.run('', async () => {
      if (this.#isStale) await this.#make();
      if (this.#state === undefined || this.#isWhole()) return false;
      await this.#make();
      return true;
    });
  }

  /** Lets packets through: when this returns, not only when the promise is resolved, unless the table is broken. */
  async add(way: RelayWay): Promise<void> {
    this.#ways.add(way);
    const changes = elements(way).map((element) => ({ what: 'add', element }) as const);
    try {
      this.#flush();
      this.#apply([...changes, ...this.#guard(way, 1)]);
      this.#shortcut.add(way);
    } catch {
      try {
        await this.#renew();
        this.#shortcut.add(way);
      } catch (error) {
        this.#forget(way);
        throw error;
      }
    }
  }

  /**
   * Resolved when no packets pass any more.
   * @throws RouterError packets may still pass
   */
  remove(way: RelayWay): Promise<void> {
    if (!this.#ways.has(way)) return this.#removing ?? Promise.resolve();
    const changes = elements(way).map((element) => ({ what: 'delete', element }) as const);
    this.#removals.push(...changes, ...this.#forget(way));
    this.#removing ??= this.#flushSoon();
    return this.#removing;
  }

  /** What has passed: outer packets and their octets; undefined: the kernel cannot be asked now. */
  counters(ways: readonly RelayWay[]): readonly Count[] | undefined {
    const counted = ways.map((way) => elements(way)[0]!);
    try {
      const counts = readCounters(this.#netfilter, RELAY_TABLE, counted);
      return counts.map((count, i) => sum(count, this.#shortcut.count(ways[i]!)));
    } catch (error) {
      if (isShortage(error)) return undefined;
      throw error;
    }
  }

  /** Once all that ends at this moment has ended. */
  async #flushSoon(): Promise<void> {
    await Promise.resolve();
    this.#removing = undefined;
    try {
      this.#flush();
    } catch {
      await this.#renew();
    }
  }

  #flush(): void {
    while (this.#removals.length > 0) this.#apply(this.#removals.splice(0, BATCH));
  }

  /** Somebody has removed our table (`nft flush ruleset`), or what we think is in it is not: makes it anew. */
  #renew(): Promise<void> {
    return this.#serial.run('', () => this.#make());
  }

  /** With all calls. */
  async #make(relays = this.#relays): Promise<void> {
    this.#removals.length = 0;
    this.#isStale = this.#state !== undefined; // until it is done
    await nft(this.#table(relays));
    this.#isStale = false;
    this.#relays = relays;
    this.#state = this.#read();
  }

  #read(): string | undefined {
    return this.#relays.length === 0 ? undefined : tableState(this.#netfilter, RELAY_TABLE, CHAINS);
  }

  /** Elements are there or not when this returns: what is to be removed is removed first. */
  #isWhole(): boolean {
    try {
      this.#flush();
    } catch {
      return false;
    }
    const all = this.#elements(this.#relays);
    return this.#read() === this.#state && areThere(this.#netfilter, RELAY_TABLE, all);
  }

  /** Of all ways of these relays. */
  #elements(relays: readonly RelayRules[]): readonly Element[] {
    const keys = new Set(relays.map(({ key }) => key));
    const ways = [...this.#ways].filter(({ relay }) => keys.has(relay));
    const guarded = ways.flatMap(guards).map((element) => [element.key.join(), element] as const);
    return [...ways.flatMap(elements), ...new Map(guarded).values()];
  }

  #apply(changes: readonly ElementChange[]): void {
    changeElements(this.#netfilter, RELAY_TABLE, changes);
  }

  #forget(way: RelayWay): ElementChange[] {
    this.#ways.delete(way);
    this.#shortcut.remove(way);
    return this.#guard(way, -1);
  }

  /** The change of the guards when a way comes (1) or goes (-1). */
  #guard(way: RelayWay, difference: 1 | -1): ElementChange[] {
    const [element] = guards(way);
    if (element === undefined) return [];
    const name = element.key.join('.');
    const before = this.#guards.get(name) ?? 0;
    const now = before + difference;
    if (now > 0) this.#guards.set(name, now);
    else this.#guards.delete(name);
    if (before > 0 && now > 0) return [];
    return [{ what: difference === 1 ? 'add' : 'delete', element }];
  }

  /** A script that makes the table anew, with all calls. */
  #table(relays: readonly RelayRules[]): string {
    const clear = `add table ip ${RELAY_TABLE}\ndelete table ip ${RELAY_TABLE}\n`;
    if (relays.length === 0) return clear;
    const added = this.#elements(relays).map(
      ({ set, key, data }) =>
        `add element ip ${RELAY_TABLE} ${set} { ${words(key)}${data === undefined ? '' : ` : ${words(data)}`} }\n`,
    );
    return `${clear}table ip ${RELAY_TABLE} {\n${tableBody(relays)}}\n${added.join('')}`;
  }

  /** A script that changes the rules and leaves the maps of relays that stay. */
  #change(relays: readonly RelayRules[]): string {
    const has = (list: readonly RelayRules[], key: number) => list.some((one) => one.key === key);
    const gone = this.#relays.filter(({ key }) => !has(relays, key));
    const fresh = relays.filter(({ key }) => !has(this.#relays, key));
    return [
      `flush table ip ${RELAY_TABLE}`, // rules only
      ...gone.flatMap(({ key }) =>
        mapNames(key).map((map) => `delete map ip ${RELAY_TABLE} ${map}`),
      ),
      `table ip ${RELAY_TABLE} {\n${fresh.map(mapsOf).join('')}${chains(relays)}}\n`,
    ].join('\n');
  }
}

/** The first has the counter. */
function elements({ relay, towards, from, to }: RelayWay): Element[] {
  const [toServer, toClient] = mapNames(relay);
  const told = octets16(to.toldCallId);
  return [
    {
      set: towards === 'server' ? toServer : toClient,
      key: octets(from.address, from.local, id(to.toldCallId)),
      data: octets(to.address),
    },
    { set: 'source_of', key: told, data: octets(to.local) },
    { set: 'id_of', key: told, data: octets16(to.callId) },
  ];
}

/** What a packet of this call is when it leaves for the server. */
function guards({ towards, to }: RelayWay): Element[] {
  if (towards === 'client') return [];
  return [{ set: 'guarded', key: octets(to.local, to.address, id(to.callId)) }];
}

/** A call id as the last field of a key, padded to four octets. */
function id(callId: CallId): number {
  return callId * 0x10000;
}

function octets(...fields: readonly number[]): Uint8Array {
  return concat(fields.map(octets32));
}

/** A key or value as nft writes it: addresses, and at last or alone a call id. */
function words(value: Uint8Array): string {
  const view = new DataView(value.buffer);
  if (value.length === 2) return String(view.getUint16(0));
  const fields = Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i));
  if (fields.length === 3) fields[2]! >>>= 16;
  return fields.map((field, i) => (i === 2 ? String(field) : formatAddress(field))).join(' . ');
}
