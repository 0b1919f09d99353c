/** A client link (proto pptpgw, or pptp as the stock client has it) from its section. */
import type { UciSection } from '../../router/uci.ts';
import type { ClientLinkOptions, Keepalive } from '../../session/options.ts';
import { deviceName } from './device-name.ts';
import { netifdOptions } from './netifd-options.ts';
import { linkOptions } from './options.ts';
import { keysOf, type Values } from './option-table.ts';
import { parsePppdOptions, type PppdOptions } from './pppd-options.ts';
import { complainer, type Problem } from './problems.ts';
import { quotaFrom } from './quota.ts';
import { placeOf, readSection } from './section.ts';
import { authAndMppe, withPppdWords } from './security.ts';

type LinkValues = Values<typeof linkOptions>;

/** The largest packet that fits a device of ours. */
const MTU_MAX = 1500;

export function linkFromSection(
  section: UciSection,
  problems: Problem[],
): ClientLinkOptions | undefined {
  const stock = section.values.get('proto')?.values.at(-1) === 'pptp';
  const values = readSection(section, linkOptions, problems, {
    ignored: netifdOptions,
    stockDefaults: stock,
  });
  if (values === undefined) return undefined;
  const warn = complainer(problems, placeOf(section), 'warning');
  const words = parsePppdOptions(
    values.pppd_options.flatMap((each) => each.split(/\s+/)).filter((word) => word !== ''),
  );
  for (const word of [...words.unknown, ...(words.maxConnect === undefined ? [] : ['maxconnect'])])
    warn('pppd_options', word, 'means nothing here; the word is ignored');
  for (const word of words.faulty)
    warn('pppd_options', word, 'what follows this word is not understood; the word is ignored');
  const asked = Math.min(words.mtu ?? values.mtu, words.mru ?? Infinity);
  if (asked > MTU_MAX) warn('mtu', String(asked), `counts as ${MTU_MAX}`);
  const mtu = Math.min(Math.max(asked, 576), MTU_MAX);
  const secured = withPppdWords(section, values, words);
  const security = authAndMppe(section, secured, problems);
  const ipv6 = words.ipv6 === false ? '0' : words.ipv6 === true ? '1' : values.ipv6;
  if (ipv6 === '0' && values.ip6route.length > 0)
    warn('ip6route', undefined, 'has no effect without IPv6 over the link: option ipv6');
  const holdoff = Math.max(
    1000,
    words.holdoff === undefined ? values.holdoff : words.holdoff * 1000,
  );
  return {
    kind: 'link',
    name: section.name,
    keys: keysOf(linkOptions, {
      ...values,
      ...secured,
      auth: security.auth,
      mppe_strength: security.mppe.strengths,
      mtu,
      ipv6,
      pppd_options: [], // what they say stands above
    }),
    device: values.pppname ?? deviceName('pptp-', section.name),
    port: values.port,
    ...security,
    mtu,
    ipv6: ipv6 !== '0',
    keepalive: keepalive(values, words),
    rates: { up: values.rate_up, down: values.rate_down, burst: values.rate_burst },
    server: values.server,
    username: values.username,
    secret: values.password,
    routes: values.route,
    defaultRoute: values.defaultroute,
    metric: values.metric,
    hostRoute: !values.nohostroute,
    peerDns: values.peerdns,
    bindDevice: values.interface,
    auto: values.auto,
    blockOnAuthFailure: values.authfail,
    maxFail: stock ? 0 : values.maxfail,
    holdoff,
    holdoffMax: Math.max(holdoff, values.holdoff_max),
    demand: values.demand,
    unnumbered: values.unnumbered,
    ipv6Client:
      ipv6 === 'auto'
        ? {
            peerDns: values.peerdns,
            requestPrefix: values.reqprefix,
            noRelease: values.norelease,
            sourceFilter: values.sourcefilter,
            delegate: values.delegate,
          }
        : undefined,
    ipv6Routes: values.ip6route,
    commands: { up: values.connect, down: values.disconnect },
    verbose: words.debug ?? false,
    quota: quotaFrom(section, values, problems),
  };
}

/** As with pppd, whose last word counts, those of pppd_options stand above the option keepalive. */
function keepalive(values: LinkValues, words: PppdOptions): Keepalive | undefined {
  const given = values.keepalive === 'off' ? undefined : values.keepalive;
  const failures = words.echoFailures ?? given?.failures ?? 0;
  const interval =
    words.echoInterval === undefined ? (given?.interval ?? 0) : words.echoInterval * 1000;
  if (failures === 0 || interval === 0) return undefined;
  const adaptive = words.echoAdaptive ?? values.keepalive_adaptive;
  return { failures, interval, ...(adaptive ? {} : { always: true }) };
}
