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
 */
import { formatAddress, formatPrefix, type Prefix } from '../wire/ip.ts';
import { nft, nftCheck, nftJson } from './nft-command.ts';
import {
  changeElements,
  type Element,
  type ElementChange,
  type Netfilter,
} from './nft-elements.ts';

export const RELAY_TABLE = 'pptp_gateway_relay';

/** Bits of the packet mark that are ours, and their value: also in the static fw4 includes. */
export const MARK = `meta mark set meta mark & 0x00ffffff | 0x17000000`;
const MARKED = 'meta mark & 0xff000000 == 0x17000000';
/** GRE version 1 with a key for PPP (RFC 2637 §4.1): S and A may be set or not, everything else is fixed. */
const PPTP_GRE = 'ip protocol gre @th,0,32 & 0xef7fffff == 0x2001880b';
/** The call id: the lower half of the key. */
const CALL_ID = '@th,48,16';
/** For the chains that change addresses: before those of others. */
const REDIRECT_PRIORITY = 'dstnat - 5';

/** Where a relay takes control connections from, and where it leads them. */
export interface RelayRules {
  /** Names its maps: unique while the table exists. */
  readonly key: number;
  readonly direction: 'outbound' | 'inbound';
  /** Devices on which clients are, and on which servers are; `name*` stands for all that begin so. */
  readonly src: readonly string[];
  readonly dest: readonly string[];
  /** Networks of the clients; none: all. */
  readonly clients: readonly Prefix[];
  /** TCP port of the daemon. */
  readonly port: number;
}

/** One end of a call. */
interface End {
  readonly address: number;
  /** Our address as this end sees it: where it sends to. */
  readonly local: number;
  /** The call id that this end chose: what GRE to it carries. */
  readonly callId: number;
  /** What the other end was told instead. */
  readonly toldCallId: number;
}

/** A call that is relayed. */
export interface RelayPath {
  readonly relay: number;
  readonly client: End;
  readonly server: End;
}

export interface PathCounters {
  /** From the client. */
  readonly rxPackets: number;
  readonly rxOctets: number;
  /** To the client. */
  readonly txPackets: number;
  readonly txOctets: number;
}

export class RelayTable {
  readonly #netfilter: Netfilter;
  #relays: readonly RelayRules[] = [];
  #exists = false;
  readonly #paths = new Set<RelayPath>();
  /** How many calls need a guard: a server may give two calls the same id. */
  readonly #guards = new Map<string, number>();
  #changing: Promise<unknown> = Promise.resolve();

  constructor(netfilter: Netfilter) {
    this.#netfilter = netfilter;
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
    return this.#serial(async () => {
      await nft(this.#exists ? this.#change(relays) : this.#table(relays));
      this.#relays = relays;
      this.#exists = relays.length > 0;
    });
  }

  /** Lets packets of a call through. @throws RouterError */
  async add(path: RelayPath): Promise<void> {
    this.#paths.add(path);
    const changes = elements(path).map((element) => ({ what: 'add', element }) as const);
    try {
      this.#apply([...changes, ...this.#guard(path, 1)]);
    } catch {
      // Somebody has removed our table (`nft flush ruleset`), or what we think is in it is not: make it anew.
      try {
        await this.#serial(() => nft(this.#table(this.#relays)));
      } catch (error) {
        this.#forget(path);
        throw error;
      }
    }
  }

  /** @throws RouterError packets of the call may still pass */
  remove(path: RelayPath): void {
    if (!this.#paths.has(path)) return;
    const changes = elements(path).map((element) => ({ what: 'delete', element }) as const);
    const guards = this.#forget(path);
    this.#apply([...changes, ...guards]);
  }

  /** What each call has carried: outer packets and their octets. @throws RouterError */
  async counters(): Promise<ReadonlyMap<RelayPath, PathCounters>> {
    if (this.#paths.size === 0) return new Map();
    const counts = readCounters(await nftJson('list', 'table', 'ip', RELAY_TABLE));
    const none = { packets: 0, bytes: 0 };
    return new Map(
      [...this.#paths].map((path) => {
        const rx = counts.get(path.server.toldCallId) ?? none;
        const tx = counts.get(path.client.toldCallId) ?? none;
        return [
          path,
          {
            rxPackets: rx.packets,
            rxOctets: rx.bytes,
            txPackets: tx.packets,
            txOctets: tx.bytes,
          },
        ];
      }),
    );
  }

  #apply(changes: readonly ElementChange[]): void {
    changeElements(this.#netfilter, RELAY_TABLE, changes);
  }

  #forget(path: RelayPath): ElementChange[] {
    this.#paths.delete(path);
    return this.#guard(path, -1);
  }

  /** The change of the guards when a path comes (1) or goes (-1). */
  #guard(path: RelayPath, difference: 1 | -1): ElementChange[] {
    const element = guard(path);
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
    const keys = new Set(relays.map(({ key }) => key));
    const paths = [...this.#paths].filter(({ relay }) => keys.has(relay));
    const all = [...paths.flatMap(elements), ...unique(paths.map(guard))];
    const added = all.map(
      ({ set, key, data }) =>
        `add element ip ${RELAY_TABLE} ${set} { ${words(key)}${data === undefined ? '' : ` : ${words(data)}`} }\n`,
    );
    return `${clear}table ip ${RELAY_TABLE} {\n${tableBody(relays)}}\n${added.join('')}`;
  }

  /** A script that changes the rules and leaves the maps of relays that stay. */
  #change(relays: readonly RelayRules[]): string {
    if (relays.length === 0) return this.#table([]);
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

  #serial<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(job);
    this.#changing = done.catch(() => undefined); // the caller sees the failure
    return done;
  }
}

function mapNames(key: number): [toServer: string, toClient: string] {
  return [`to_server_${key}`, `to_client_${key}`];
}

function mapsOf({ key }: RelayRules): string {
  return mapNames(key)
    .map(
      (map) => `map ${map} {
    typeof ip saddr . ip daddr . ${CALL_ID} : ip daddr
    counter
  }
`,
    )
    .join('');
}

function tableBody(relays: readonly RelayRules[]): string {
  return `map source_of {
    typeof ${CALL_ID} : ip saddr
  }
  map id_of {
    typeof ${CALL_ID} : ${CALL_ID}
  }
  set guarded {
    typeof ip saddr . ip daddr . ${CALL_ID}
  }
  ${relays.map(mapsOf).join('')}${chains(relays)}`;
}

function chains(relays: readonly RelayRules[]): string {
  return `chain redirect_control {
    type nat hook prerouting priority ${REDIRECT_PRIORITY}
    ${relays.map(redirect).join('\n    ')}
  }
  chain prerouting {
    type filter hook prerouting priority raw
    ${relays.flatMap(rewriteDestination).join('\n    ')}
  }
  chain postrouting {
    type filter hook postrouting priority mangle
    ${MARKED} ip protocol gre ip saddr set ${CALL_ID} map @source_of ${CALL_ID} set ${CALL_ID} map @id_of accept
    ${MARKED} ip protocol gre drop
  }
  chain guard {
    type filter hook postrouting priority srcnat + 10
    ${PPTP_GRE} meta mark & 0xff000000 != 0x17000000 ip saddr . ip daddr . ${CALL_ID} @guarded counter drop
  }
`;
}

/** Our own addresses are left to our own server; other networks than `dest` to whoever routes them. */
function redirect({ direction, src, dest, clients, port }: RelayRules): string {
  const where =
    direction === 'inbound'
      ? 'fib daddr . iif type local'
      : `fib daddr type unicast fib daddr oifname ${devices(dest)}`;
  const whose = clients.length === 0 ? '' : `ip saddr { ${clients.map(formatPrefix).join(', ')} } `;
  return `iifname ${devices(src)} ${whose}tcp dport 1723 ${where} ${MARK} redirect to :${port}`;
}

function rewriteDestination({ key, src, dest }: RelayRules): string[] {
  const [toServer, toClient] = mapNames(key);
  const rule = (ingress: readonly string[], map: string) =>
    `iifname ${devices(ingress)} ${PPTP_GRE} ip daddr set ip saddr . ip daddr . ${CALL_ID} map @${map} notrack ${MARK} accept`;
  return [rule(src, toServer), rule(dest, toClient)];
}

function devices(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(', ')} }`;
}

function elements({ relay, client, server }: RelayPath): Element[] {
  const [toServer, toClient] = mapNames(relay);
  const way = (set: string, from: End, to: End): Element[] => [
    {
      set,
      key: octets(from.address, from.local, id(to.toldCallId)),
      data: octets(to.address),
    },
    { set: 'source_of', key: id16(to.toldCallId), data: octets(to.local) },
    { set: 'id_of', key: id16(to.toldCallId), data: id16(to.callId) },
  ];
  return [...way(toServer, client, server), ...way(toClient, server, client)];
}

/** What a packet of this call is when it leaves for the server. */
function guard({ server }: RelayPath): Element {
  return { set: 'guarded', key: octets(server.local, server.address, id(server.callId)) };
}

function unique(list: readonly Element[]): Element[] {
  return [...new Map(list.map((element) => [element.key.join('.'), element])).values()];
}

/** A call id as the last field of a key, padded to four octets. */
function id(callId: number): number {
  return callId * 0x10000;
}

function id16(callId: number): Uint8Array {
  return Uint8Array.of(callId >>> 8, callId);
}

function octets(...fields: readonly number[]): Uint8Array {
  const all = new Uint8Array(4 * fields.length);
  const view = new DataView(all.buffer);
  fields.forEach((field, i) => view.setUint32(4 * i, field));
  return all;
}

/** A key or value as nft writes it: addresses, and at last or alone a call id. */
function words(value: Uint8Array): string {
  const view = new DataView(value.buffer);
  if (value.length === 2) return String(view.getUint16(0));
  const fields = Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i));
  if (fields.length === 3) fields[2]! >>>= 16;
  return fields.map((field, i) => (i === 2 ? String(field) : formatAddress(field))).join(' . ');
}

interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** Counters by told call id, from nft's JSON. */
function readCounters(listing: unknown): Map<number, Count> {
  const counts = new Map<number, Count>();
  const { nftables } = listing as {
    nftables: { map?: { name: string; elem?: readonly (readonly unknown[])[] } }[];
  };
  for (const { map } of nftables) {
    if (map === undefined || !/^to_(server|client)_/.test(map.name)) continue;
    for (const [key] of map.elem ?? []) {
      const { elem } = key as {
        elem?: { val: { concat: [string, string, number] }; counter: Count };
      };
      if (elem !== undefined) counts.set(elem.val.concat[2], elem.counter);
    }
  }
  return counts;
}
