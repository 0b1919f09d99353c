/** pptpd's addresses and encryption as the options of a server of ours. */
import { parseUci } from '../../router/uci.ts';
import type { UciOptions } from '../../router/uci-text.ts';
import {
  formatAddress,
  formatPrefix,
  formatRange,
  netmask,
  parseAddress,
  parsePrefix,
  parseRange,
  prefixContains,
  prefixOf,
  prefixRange,
  rangeContains,
  type AddressRange,
  type Prefix,
} from '../../wire/ip.ts';
import { mppeStrengths } from '../configuration/security.ts';
import type { PptpdSettings } from './pptpd-files.ts';

export interface Pool {
  readonly localAddress: number | undefined;
  readonly ranges: readonly AddressRange[];
}

export function poolOf({ localip, remoteip }: PptpdSettings, warn: (text: string) => void): Pool {
  const locals = addresses(localip, warn, 'localip');
  const [first] = locals;
  if (first === undefined)
    warn("pptpd, option 'localip': there is no address: fill in localip of the new server");
  else if (locals.length > 1 || first.last > first.first)
    warn(
      `pptpd, option 'localip': of several addresses ${formatAddress(first.first)} is used for all callers`,
    );
  const ranges = addresses(remoteip, warn, 'remoteip');
  if (ranges.length === 0)
    warn(
      "pptpd, option 'remoteip': there are no addresses for callers: fill in network or range of the new server",
    );
  return { localAddress: first?.first, ranges };
}

/** pptpd.conf: `192.168.0.234-238,192.168.0.245`. */
function addresses(text: string, warn: (text: string) => void, option: string): AddressRange[] {
  if (text.includes('\n')) {
    // What a quote that is not closed takes in may be a password.
    warn(`pptpd, option '${option}': left out, there are several lines: is a quote not closed?`);
    return [];
  }
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((part) => {
      const short = /^((?:\d+\.){3})(\d+)-(\d+)$/.exec(part);
      const range = parseRange(
        short === null ? part : `${short[1]!}${short[2]!}-${short[1]!}${short[3]!}`,
      );
      if (range !== undefined) return [range];
      warn(`pptpd, option '${option}', value '${part}': not understood and left out`);
      return [];
    });
}

export function serverOptions(
  settings: PptpdSettings,
  { localAddress, ranges }: Pool,
  network: string,
  warn: (text: string) => void,
): UciOptions {
  const { ppp } = settings;
  const own = localAddress === undefined ? undefined : ownNetwork(localAddress, ranges, network);
  const strengths = mppeStrengths(ppp);
  if (ppp.mppe !== 'required')
    warn(`encryption is ${ppp.mppe ?? 'off'}, as pptpd had it: see the option mppe`);
  if (strengths.some((bits) => bits !== 128))
    warn('keys of 56 or 40 bits are taken over: anyone can break them');
  for (const method of ppp.demanded)
    if (method !== 'mschap-v2')
      warn(
        `options.pptpd: the weak login method ${method} is not taken over: name it in the option auth if you must`,
      );
  const mtu = Math.min(ppp.mtu ?? Infinity, ppp.mru ?? Infinity);
  const { echoFailures = 0, echoInterval = 0, idle = 0 } = ppp;
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
    idle_timeout: idle > 0 ? String(Math.min(idle, 604800)) : undefined,
    dns: named(settings.dns, 'DNS'),
    wins: named(ppp.wins, 'WINS'),
  };
}

/** The network of its own that the server can have; undefined: the addresses are part of one that is there (proxy ARP). */
function ownNetwork(
  local: number,
  ranges: readonly AddressRange[],
  network: string,
): Prefix | undefined {
  if (ranges.some(({ first }) => staticNetworks(network).some((one) => prefixContains(one, first))))
    return undefined;
  for (let length = 24; length >= 16; length--) {
    const prefix = prefixOf(local, length);
    const usable = { first: prefix.address + 1, last: prefixRange(prefix).last - 1 };
    const inside = (address: number) => rangeContains(usable, address);
    if (inside(local) && ranges.every(({ first, last }) => inside(first) && inside(last)))
      return prefix;
  }
  return undefined;
}

/** Networks of the router's interfaces with fixed addresses. */
function staticNetworks(network: string): Prefix[] {
  return parseUci('network', network).sections.flatMap(({ values }) => {
    const mask = parseAddress(values.get('netmask')?.values.at(-1) ?? '');
    const bits =
      mask === undefined
        ? undefined
        : Array.from({ length: 33 }, (_, n) => n).find((n) => netmask(n) === mask);
    return (values.get('ipaddr')?.values ?? []).flatMap((text) => {
      const prefix = parsePrefix(
        text.includes('/') || bits === undefined ? text : `${text}/${bits}`,
      );
      return prefix === undefined || prefix.length === 32 ? [] : [prefix];
    });
  });
}
