/** A server (proto pptpserver) from its section. */
import {
  addressFault,
  formatAddress,
  formatPrefix,
  formatRange,
  prefixRange,
  rangeContains,
  rangeSize,
  type AddressRange,
  type Prefix,
} from '../../wire/ip.ts';
import type { UciSection } from '../../router/uci.ts';
import type { ServerOptions } from '../../session/options.ts';
import { deviceName } from './device-name.ts';
import { keysOf } from './option-table.ts';
import { formerServerOptions, netifdOptions } from './netifd-options.ts';
import { serverOptions } from './options.ts';
import { complainer, type Problem } from './problems.ts';
import { placeOf, readSection } from './section.ts';
import { authAndMppe } from './security.ts';

export function serverFromSection(
  section: UciSection,
  problems: Problem[],
): ServerOptions | undefined {
  const values = readSection(section, serverOptions, problems, {
    ignored: netifdOptions,
    former: formerServerOptions,
  });
  if (values === undefined) return undefined;
  const complain = complainer(problems, placeOf(section));

  const { network, range: ranges, localip } = values;
  const impossible = addressFault(localip);
  if (impossible !== undefined) complain('localip', formatAddress(localip), impossible);
  const usable = network && network.length <= 30 ? usableRange(network) : undefined;
  if (network === undefined && ranges.length === 0)
    complain('network', undefined, 'is required (or range): the addresses for callers');
  if (network !== undefined && (network.length < 16 || network.length > 30))
    complain('network', formatPrefix(network), 'expected a network from /16 to /30');
  if (usable !== undefined && !rangeContains(usable, localip)) {
    complain(
      'localip',
      formatAddress(localip),
      `expected an address inside network, ${formatRange(usable)}`,
    );
  }
  const addresses = [...ranges, ...(usable === undefined ? [] : [usable])];
  for (const range of addresses) {
    const fault = addressFault(range.first) ?? addressFault(range.last);
    if (fault !== undefined)
      complain(
        range === usable ? 'network' : 'range',
        range === usable ? formatPrefix(network!) : formatRange(range),
        `expected addresses that hosts can have: one of these ${fault}`,
      );
  }
  const holding = ranges.find((range) => rangeContains(range, localip));
  if (
    holding !== undefined &&
    ranges.every((range) => rangeSize(range) === 1 && range.first === localip)
  )
    complain('range', formatRange(holding), 'no address is left for callers: this is localip');
  else if (holding !== undefined)
    complainer(problems, placeOf(section), 'warning')(
      'range',
      formatRange(holding),
      `${formatAddress(localip)} is localip: no caller gets it`,
    );
  for (const range of ranges) {
    if (rangeSize(range) > 65536)
      complain('range', formatRange(range), 'expected at most 65536 addresses');
    if (
      usable !== undefined &&
      !(rangeContains(usable, range.first) && rangeContains(usable, range.last))
    )
      complain(
        'range',
        formatRange(range),
        `expected addresses inside network, ${formatRange(usable)}`,
      );
  }
  for (const option of ['client_dns', 'client_wins'] as const) {
    if (values[option].length > 2)
      complain(
        option,
        values[option].map(formatAddress).join(' '),
        'expected at most two addresses',
      );
  }
  const security = authAndMppe(section, values, problems);

  return {
    kind: 'server',
    name: section.name,
    keys: keysOf(serverOptions, { ...values, mppe_strength: security.mppe.strengths }),
    device: deviceName('pptps-', section.name),
    port: values.port,
    ...security,
    mtu: values.mtu,
    ipv6: values.ipv6,
    ip6: { mode: values.ip6mode, prefixes: values.ip6prefix, dns: values.ip6dns },
    keepalive: values.keepalive === 'off' ? undefined : values.keepalive,
    rates: { up: values.rate_up, down: values.rate_down, burst: values.rate_burst },
    localAddress: localip,
    network: network ?? { address: localip, length: 32 },
    pool: ranges.length > 0 ? ranges : usable === undefined ? [] : [usable],
    proxyArp: network === undefined,
    listen: values.listen,
    openFirewall: values.open_firewall,
    masquerade: values.masquerade,
    idleTimeout: values.idle_timeout,
    sessionTimeout: values.session_timeout,
    maxSessions: values.max_sessions,
    maxPerUser: values.max_per_user,
    onDuplicate: values.on_duplicate,
    isolate: values.isolate,
    broadcastRelay: values.broadcast_relay,
    dns: values.client_dns,
    nbns: values.client_wins,
    clientRoutes: values.client_route,
    domains: values.domain,
    allowFrom: values.allow_from,
    denyFrom: values.deny_from,
    accounts: values.accounts,
    filterSets: values.filter_id,
    ban: { after: values.ban_after, time: values.ban_time },
  };
}

/** The first address names the network, the last is its broadcast address. */
function usableRange(network: Prefix): AddressRange {
  const { first, last } = prefixRange(network);
  return { first: first + 1, last: last - 1 };
}
