/**
 * Passthrough by the kernel's connection tracking helper for PPTP: the nftables table `ip pptp_gateway_helper`.
 *
 * The helper reads the control messages, changes call ids in them and expects the GRE of the call. It knows one call for
 * each control connection and only calls that the client asks for. It is assigned here, to nothing but what is configured;
 * for inbound relays the table turns the connections to the server, whose view keeps the caller's own address.
 */
import type { Ipv4 } from '../wire/brand.ts';
import { errorText } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { formatAddress, formatPrefix, type Prefix } from '../wire/ip.ts';
import type { Netlink } from './netlink-message.ts';
import { deviceSet, nft, nftCheck, nftJson } from './nft-command.ts';
import { tableState } from './nft-state.ts';
import { fromClients, MARK } from './relay-rules.ts';
import { RouterError } from './router.ts';

export const HELPER_TABLE = 'pptp_gateway_helper';
const CHAINS: readonly string[] = ['turn', 'assign'];

export interface HelperRules {
  readonly direction: 'outbound' | 'inbound';
  readonly src: readonly string[];
  readonly dest: readonly string[];
  /** none: all */
  readonly clients: readonly Prefix[];
  /** outbound; none: all */
  readonly servers: readonly Prefix[];
  /** inbound */
  readonly server: Ipv4 | undefined;
}

/**
 * Whether the kernel has the helper, for connections and for address translation.
 * @throws RouterError what is missing
 */
export async function probeHelper(): Promise<void> {
  try {
    await nftCheck(`table ip ${HELPER_TABLE}_probe {\n${helperObject}}\n`);
  } catch (error) {
    throw new RouterError(`no connection tracking helper for PPTP (${errorText(error)})`);
  }
  // Built in, neither is listed.
  if (files.exists('/sys/module/nf_conntrack_pptp') && !files.exists('/sys/module/nf_nat_pptp'))
    throw new RouterError('the kernel module nf_nat_pptp is not loaded');
}

/** Whether fw4's own rules assign the helper to some zone. */
export async function assignedByFirewall(): Promise<boolean> {
  try {
    const listing = await nftJson('list', 'table', 'inet', 'fw4');
    return JSON.stringify(listing).includes('{"ct helper":"pptp"}');
  } catch {
    return false; // there is no fw4
  }
}

/** Makes the table that of these rules, in one transaction; none: removes it. @throws RouterError */
export async function installHelper(rules: readonly HelperRules[]): Promise<void> {
  const clear = `add table ip ${HELPER_TABLE}\ndelete table ip ${HELPER_TABLE}\n`;
  await nft(rules.length === 0 ? clear : `${clear}table ip ${HELPER_TABLE} {\n${body(rules)}}\n`);
}

/** As tableState: whether the table is the one that installHelper made. */
export function helperState(netfilter: Netlink): string | undefined {
  return tableState(netfilter, HELPER_TABLE, CHAINS);
}

const helperObject = `ct helper pptp {
    type "pptp" protocol tcp
    l3proto ip
  }
`;

function body(rules: readonly HelperRules[]): string {
  return `${helperObject}
  chain turn {
    type nat hook prerouting priority dstnat - 5
    ${rules.flatMap(turn).join('\n    ')}
  }
  chain assign {
    type filter hook forward priority filter - 5
    ${rules.map(assign).join('\n    ')}
  }
`;
}

function turn({ direction, src, clients, server }: HelperRules): string[] {
  if (direction === 'outbound' || server === undefined) return [];
  return [
    `iifname ${deviceSet(src)} ${fromClients(clients)}fib daddr . iif type local tcp dport 1723 ${MARK} dnat to ${formatAddress(server)}`,
  ];
}

/** In forward both devices are known, and the connection is not yet confirmed: it can still be given a helper. */
function assign({ direction, src, dest, clients, servers, server }: HelperRules): string {
  const to =
    direction === 'inbound' && server !== undefined
      ? `ip daddr ${formatAddress(server)} ct status dnat `
      : servers.length === 0
        ? ''
        : `ip daddr { ${servers.map(formatPrefix).join(', ')} } `;
  return `iifname ${deviceSet(src)} oifname ${deviceSet(dest)} ${fromClients(clients)}${to}tcp dport 1723 ct state new ct helper set "pptp" counter`;
}
