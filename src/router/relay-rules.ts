/** The nftables rules of relays, as text. What they do is told in relay-table.ts. */
import { formatPrefix, type Prefix } from '../wire/ip.ts';
import { deviceSet } from './nft-command.ts';

export const RELAY_TABLE = 'pptp_gateway_relay';

/** Bits of the packet mark that are ours, and their value: also in the static fw4 includes. */
export const MARK_VALUE = 0x17000000;
export const MARK = `meta mark set meta mark & 0x00ffffff | 0x17000000`;
const MARKED = 'meta mark & 0xff000000 == 0x17000000';
/**
 * GRE version 1 with a key for PPP (RFC 2637 §4.1): S and A may be set or not, everything else is fixed. As a number: a
 * small system may have no /etc/protocols.
 */
export const PPTP_GRE = 'ip protocol 47 @th,0,32 & 0xef7fffff == 0x2001880b';
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
  /** Its packets may pass the firewall by: relay-shortcut/. */
  readonly hasShortcut: boolean;
}

export function mapNames(key: number): [toServer: string, toClient: string] {
  return [`to_server_${key}`, `to_client_${key}`];
}

/** The maps of one relay. */
export function mapsOf({ key }: RelayRules): string {
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

/** All that stands in the table. */
export function tableBody(relays: readonly RelayRules[]): string {
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

export const CHAINS: readonly string[] = ['redirect_control', 'prerouting', 'postrouting'];

export function chains(relays: readonly RelayRules[]): string {
  return `chain redirect_control {
    type nat hook prerouting priority ${REDIRECT_PRIORITY}
    ${relays.map(redirect).join('\n    ')}
  }
  chain prerouting {
    type filter hook prerouting priority raw
    ${relays.flatMap(rewriteDestination).join('\n    ')}
  }
  chain postrouting {
    type filter hook postrouting priority srcnat + 10
    ip protocol != gre accept
    ${MARKED} ip saddr set ${CALL_ID} map @source_of ${CALL_ID} set ${CALL_ID} map @id_of accept
    ${MARKED} drop
    ${PPTP_GRE} ip saddr . ip daddr . ${CALL_ID} @guarded counter drop
  }
`;
}

/** Our own addresses are left to our own server; other networks than `dest` to whoever routes them. */
function redirect({ direction, src, dest, clients, port }: RelayRules): string {
  const where =
    direction === 'inbound'
      ? 'fib daddr . iif type local'
      : `fib daddr type unicast fib daddr oifname ${deviceSet(dest)}`;
  return `iifname ${deviceSet(src)} ${fromClients(clients)}tcp dport 1723 ${where} ${MARK} redirect to :${port}`;
}

function rewriteDestination({ key, src, dest }: RelayRules): string[] {
  const [toServer, toClient] = mapNames(key);
  const rule = (ingress: readonly string[], map: string) =>
    `iifname ${deviceSet(ingress)} ${PPTP_GRE} ip daddr set ip saddr . ip daddr . ${CALL_ID} map @${map} notrack ${MARK} accept`;
  return [rule(src, toServer), rule(dest, toClient)];
}

/** As a condition on packets; none: all. */
export function fromClients(clients: readonly Prefix[]): string {
  return clients.length === 0 ? '' : `ip saddr { ${clients.map(formatPrefix).join(', ')} } `;
}
