/**
 * Options that the stock client of OpenWrt (proto pptp, ppp.sh) has besides ours: its sections work here as they stand, and
 * links of proto pptpgw may use them too. What its free text `pppd_options` may say is in pppd-options.ts.
 */
import { bool, command, network, seconds, text } from './option-types.ts';
import { list, option, optional } from './option-table.ts';

export const stockOptions = {
  demand: option(
    seconds(0, 604800),
    '0',
    'session',
    'Dial on the first packet, and hang up after this time without traffic..',
  ),
  keepalive_adaptive: option(
    bool,
    '1',
    'new-sessions',
    'Send LCP echoes only while nothing comes from the peer.',
  ),
  unnumbered: optional(
    network,
    'session',
    'Network (plain Linux: device) whose address we ask the server for, instead of taking any.',
  ),
  reqprefix: optional(
    text,
    'session',
    'With ipv6 auto: length of the IPv6 prefix to ask for, or no.',
  ),
  norelease: option(
    bool,
    '0',
    'session',
    'With ipv6 auto: do not release IPv6 addresses at the end.',
  ),
  sourcefilter: option(
    bool,
    '1',
    'session',
    'With ipv6 auto: routes only for our own IPv6 addresses.',
  ),
  delegate: option(
    bool,
    '1',
    'session',
    'With ipv6 auto: pass IPv6 prefixes on to other networks.',
  ),
  persist: option(bool, '1', 'live', 'Of no effect: a link always dials again (but see maxfail).'),
  connect: optional(command, 'live', 'Shell command to run whenever the link has come up.'),
  disconnect: optional(command, 'live', 'Shell command to run whenever the link has gone down.'),
  pppd_options: list(
    text,
    [],
    'session',
    'Words for pppd in old sections (mppe, nomppe, refuse-pap, mtu, ...); docs/stock-client.md says which. Others are a warning. A word disturbs what its option does.',
  ),
} as const;
