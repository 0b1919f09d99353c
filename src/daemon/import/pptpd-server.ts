/** pptpd's addresses and encryption as the options of a server of ours. */
import type { UciOptions } from '../../router/uci-text.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import {
  formatAddress,
  formatPrefix,
  formatRange,
  parseAddress,
  prefixContains,
  prefixOf,
  prefixRange,
  rangeContains,
  type AddressRange,
  type Prefix,
} from '../../wire/ip.ts';
import type { PppdOptions } from '../configuration/pppd-options.ts';
import { mppeStrengths } from '../configuration/security.ts';
import { pptpdAddresses } from './pptpd-conf.ts';
import type { PptpdSettings } from './pptpd-files.ts';

type Warn = (text: string) => void;

export interface Pool {
  readonly localAddress: Ipv4 | undefined;
  readonly ranges: readonly AddressRange[];
  /** Callers that pptpd let in at the same time. */
  readonly callers: number;
}

/** Callers at the same time where pptpd.conf says nothing (CONNECTIONS_DEFAULT). */
const CONNECTIONS = 100;
/** The most that our own options take. */
const MOST = 4096;

export function poolOf({ conf }: PptpdSettings, warn: Warn): Pool {
  const limit = parseInt(conf.get('connections') ?? '', 10);
  const connections = limit > 0 ? Math.min(limit, MOST) : CONNECTIONS;
  const addresses = (option: string, most: number) =>
    pptpdAddresses(conf.get(option) ?? '', most, (part) => {
      if (part !== '')
        warn(`pptpd, option '${option}', value '${part}': not understood and left out`);
    });
  const all = addresses('remoteip', MOST);
  const locals = addresses('localip', MOST);
  const [local] = locals;
  if (local === undefined)
    warn("pptpd, option 'localip': there is no address: fill in localip of the new server");
  else if (locals.length > 1)
    warn(
      `pptpd, option 'localip': of several addresses ${formatAddress(local)} is used for all callers`,
    );
  if (all.length === 0)
    warn(
      "pptpd, option 'remoteip': there are no addresses for callers: fill in network or range of the new server",
    );
  // Of several own addresses every caller had another one.
  const callers = Math.min(
    connections,
    locals.length > 1 ? locals.length : MOST,
    all.length || MOST,
  );
  if (callers < all.length)
    warn(
      `pptpd, option 'remoteip': only ${callers} addresses are taken over: pptpd let in no more callers`,
    );
  const remotes = all.slice(0, callers).filter((address) => address !== local);
  if (remotes.length < Math.min(callers, all.length))
    warn(`pptpd, option 'remoteip': ${formatAddress(local!)} is the router's own and left out`);
  return { localAddress: local, ranges: rangesOf(remotes), callers };
}

function rangesOf(addresses: readonly Ipv4[]): AddressRange[] {
  const ranges: AddressRange[] = [];
  for (const address of addresses) {
    const last = ranges.at(-1);
    if (last?.last === address - 1) ranges[ranges.length - 1] = { ...last, last: address };
    else ranges.push({ first: address, last: address });
  }
  return ranges;
}

export function serverOptions(
  settings: PptpdSettings,
  { localAddress, ranges, callers }: Pool,
  others: readonly Prefix[],
  warn: Warn,
): UciOptions {
  const { ppp } = settings;
  const own = localAddress === undefined ? undefined : ownNetwork(localAddress, ranges, others);
  const strengths = mppeStrengths(ppp);
  warnOfSecurity(ppp, warn);
  if (callers > 1)
    warn(
      'callers reach each other, and one user may be on with several devices, as with pptpd: see the options isolate and max_per_user',
    );
  const mtu = Math.min(ppp.mtu ?? Infinity, ppp.mru ?? Infinity);
  const { echoFailures = 0, echoInterval = 0, idle = 0, maxConnect = 0 } = ppp;
  const named = (texts: readonly string[], what: string): readonly string[] => {
    const good = texts.filter((text) => parseAddress(text) !== undefined);
    for (const text of texts)
      if (!good.includes(text))
        warn(
          `the ${what} server ${/^[\w.:-]{1,64}$/.test(text) ? `'${text}' ` : ''}is no IPv4 address and left out`,
        );
    const unique = [...new Set(good)];
    if (unique.length > 2) warn(`of several ${what} servers the first two are used`);
    return unique.slice(0, 2);
  };
  return {
    proto: 'pptpserver',
    localip: localAddress === undefined ? undefined : formatAddress(localAddress),
    network: own && formatPrefix(own),
    range: ranges.map(formatRange),
    mppe: ppp.mppe === undefined || ppp.mppe === 'required' ? undefined : ppp.mppe,
    mppe_strength:
      strengths.length === 1 && strengths[0] === 128 ? undefined : strengths.map(String),
    mppe_stateful: ppp.stateful === true ? '1' : undefined,
    mtu: mtu === Infinity ? undefined : String(Math.min(Math.max(mtu, 576), 1500)),
    keepalive:
      echoFailures > 0 && echoInterval > 0
        ? `${Math.min(echoFailures, 999)} ${Math.min(echoInterval, 9999)}`
        : undefined,
    ipv6: ppp.ipv6 === true ? '1' : undefined,
    idle_timeout: idle > 0 ? String(Math.min(idle, 604800)) : undefined,
    session_timeout: maxConnect > 0 ? String(maxConnect) : undefined,
    max_sessions: String(callers),
    max_per_user: callers > 1 ? String(callers) : undefined,
    isolate: callers > 1 ? '0' : undefined,
    client_dns: named(settings.dns, 'DNS'),
    client_wins: named(ppp.wins, 'WINS'),
  };
}

/** What was weak and stays so, and who could log in and no longer can. */
function warnOfSecurity(ppp: PppdOptions, warn: Warn): void {
  if (ppp.mppe === undefined)
    warn('pptpd did not ask for encryption; here it is required: see the option mppe');
  else if (ppp.mppe !== 'required')
    warn(`encryption is ${ppp.mppe}, as pptpd had it: see the option mppe`);
  const strengths = mppeStrengths(ppp);
  if (strengths.some((bits) => bits !== 128))
    warn('keys of 56 or 40 bits are taken over: anyone can break them');
  else if (ppp.strengths.size === 0 && !ppp.notStrengths.has(40) && ppp.mppe !== 'off')
    warn(
      'callers that only have keys of 40 bits can no longer call: name them in the option mppe_strength if you must',
    );
  for (const method of ppp.demanded)
    if (method !== 'mschap-v2')
      warn(
        `options.pptpd: the weak login method ${method} is not taken over: name it in the option auth if you must`,
      );
  if (ppp.demanded.size === 0)
    warn(
      ppp.noAuth === true
        ? 'callers did not have to log in (noauth); here they do'
        : 'options.pptpd demands no login method: only mschap-v2 is taken over; name others in the option auth if you must',
    );
}

/**
 * The network of its own that the server can have; undefined: the addresses are part of one that is there (proxy ARP), would
 * take one along that is there, or are none.
 */
function ownNetwork(
  local: Ipv4,
  ranges: readonly AddressRange[],
  others: readonly Prefix[],
): Prefix | undefined {
  if (ranges.length === 0) return undefined;
  if (ranges.some(({ first }) => others.some((one) => prefixContains(one, first))))
    return undefined;
  for (let length = 24; length >= 16; length--) {
    const prefix = prefixOf(local, length);
    if (others.some((one) => prefixContains(prefix, one.address) || prefixContains(one, local)))
      return undefined;
    const usable = { first: prefix.address + 1, last: prefixRange(prefix).last - 1 };
    const inside = (address: Ipv4) => rangeContains(usable, address);
    if (inside(local) && ranges.every(({ first, last }) => inside(first) && inside(last)))
      return prefix;
  }
  return undefined;
}
