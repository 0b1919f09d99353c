/**
 * The option table: every option of every section, once. It feeds the parser, the reload (what a change disturbs, by keysOf)
 * and the reference. Those of RADIUS are in radius-options.ts, those of relays in relay-options.ts.
 */
import {
  address,
  bool,
  date,
  device,
  domain,
  filterSet,
  folder,
  host,
  hours,
  integer,
  ipv6Prefix,
  keepalive,
  network,
  note,
  ntHash,
  oneOf,
  password,
  prefix,
  range,
  seconds,
  setName,
  text,
  username,
} from './option-types.ts';
import { delegatedPrefix, ipv6Address, serverPrefix, userPrefix } from './ipv6.ts';
import { list, option, optional, required, type Applies } from './option-table.ts';
import { reportOptions } from './report-options.ts';
import { quota, rates, userRates } from './traffic-options.ts';
import { stockOptions } from './stock-options.ts';

export { relayOptions } from './relay-options.ts';

const authMethod = oneOf('mschap-v2', 'eap', 'mschap', 'chap', 'pap');
const encryption = oneOf('required', 'optional', 'off');
const auth = (applies: Applies) =>
  list(
    authMethod,
    ['mschap-v2'],
    applies,
    'Login methods allowed, best first; any but mschap-v2 must be named. eap is EAP-MSCHAPv2, and as good as mschap-v2, or with RADIUS accounts what that server asks for. The others are weak; chap and pap allow no encryption.',
  );
const mppe = option(
  encryption,
  'required',
  'session',
  'Encryption: required, optional (both may send in the clear) or off.',
);
const mppeStrength = list(
  oneOf('128', '56', '40'),
  ['128'],
  'session',
  'Key lengths allowed, in bits. 56 and 40 can be broken by anyone.',
);
const mppeStateful = option(
  oneOf('0', '1', 'ask'),
  '0',
  'session',
  'Stateful encryption: refused, accepted when the peer insists (1), or asked for. A lost packet then costs a round trip.',
);
const mtu = option(
  integer(576, 1500, 'octets'),
  '1400',
  'session',
  'Largest packet inside the tunnel.',
);
const interfaceOptions = {
  disabled: option(bool, '0', 'listener', 'Ignore this section; it may then be half written.'),
  auth: auth('session'),
  mppe,
  mppe_strength: mppeStrength,
  mppe_stateful: mppeStateful,
  mtu,
  keepalive: option(
    keepalive,
    '3 30',
    'new-sessions',
    'LCP echo: failures in a row and seconds between requests; 0 turns it off.',
  ),
} as const;

/** `config interface` with `option proto 'pptpserver'` in /etc/config/network. */
export const serverOptions = {
  proto: required(oneOf('pptpserver'), 'listener', 'Makes the interface a server.'),
  ...interfaceOptions,
  auth: auth('disallowed'),
  localip: required(address, 'listener', 'Address of the router inside the tunnels.'),
  network: optional(
    prefix,
    'listener',
    'Network of the tunnels (/16 to /30): the device carries it, callers get its addresses.',
  ),
  range: list(
    range,
    [],
    'disallowed',
    'Addresses for callers: inside network, or without network a part of the LAN, then served by proxy ARP. One of the two is required.',
  ),
  listen: list(
    network,
    [],
    'listener',
    'Networks (plain Linux: devices) to accept callers on; none: all.',
  ),
  port: option(integer(1, 65535), '1723', 'listener', 'TCP port of the control connection.'),
  ipv6: option(
    bool,
    '0',
    'session',
    'Callers get IPv6 (IPV6CP; needs an mtu of 1284): link-local, and a /64 of their own where the server has a prefix, from ip6prefix or, on OpenWrt, by ip6assign.',
  ),
  ip6prefix: list(
    serverPrefix,
    [],
    'live',
    "IPv6 network of the tunnels, of at most 64 bits: its first /64 is the router's, callers get the others, and those who ask (DHCPv6) networks for what is behind them. None: what netifd assigns (OpenWrt: ip6assign, ip6hint). Another one takes its place without a session ending.",
  ),
  ip6mode: option(
    oneOf('own', 'shared'),
    'own',
    'session',
    'What a caller has of it. own: a /64 to itself; shared: one address out of the first /64, where there is not more.',
  ),
  ip6dns: list(ipv6Address, [], 'live', 'DNS servers for callers in IPv6.'),
  idle_timeout: option(
    seconds(0, 604800),
    '0',
    'new-sessions',
    'End a session without traffic after this time; 0: never.',
  ),
  session_timeout: option(
    seconds(0, 31536000),
    '0',
    'new-sessions',
    'End every session after this time; 0: never.',
  ),
  max_sessions: option(integer(1, 4096), '16', 'live', 'Callers logged in at the same time.'),
  max_per_user: option(integer(1, 4096), '1', 'live', 'Sessions of one user at the same time.'),
  on_duplicate: option(
    oneOf('replace', 'deny'),
    'replace',
    'live',
    'A user who is over the limit replaces the oldest session (once logged in), or is denied.',
  ),
  isolate: option(bool, '1', 'listener', 'Callers cannot reach each other.'),
  ...rates(
    'Rate of what a caller sends, in IP packets inside the tunnel; 0: no limit. A user may have its own.',
    'Rate of what a caller gets, in IP packets inside the tunnel; 0: no limit. A user may have its own.',
  ),
  client_dns: list(address, [], 'new-sessions', 'DNS servers for callers, at most two.'),
  client_wins: list(address, [], 'new-sessions', 'WINS servers for callers, at most two.'),
  client_route: list(
    prefix,
    [],
    'new-sessions',
    'Networks that callers reach through the tunnel. Windows asks for them when it has connected (DHCPINFORM), and scripts for PCs have them. A user may have its own.',
  ),
  domain: list(
    domain,
    [],
    'new-sessions',
    'Domain that names of callers are completed with; of several the first is theirs, and all are searched. A user may have its own.',
  ),
  broadcast_relay: list(
    network,
    [],
    'live',
    'Networks (plain Linux: devices) with which callers exchange what names are found by: broadcasts of NetBIOS (UDP 137 and 138), and mDNS (224.0.0.251). None: off. Such packets count as traffic for idle_timeout.',
  ),
  open_firewall: option(bool, '1', 'live', 'Open TCP 1723 and GRE in the firewall (OpenWrt).'),
  masquerade: option(
    bool,
    '0',
    'listener',
    'Plain Linux: callers reach the Internet and every other network of this machine under its addresses; forwarding and NAT for them are switched on and, at the end, off.',
  ),
  allow_from: list(
    prefix,
    [],
    'disallowed',
    'Networks from which callers are accepted; none: all.',
  ),
  deny_from: list(
    prefix,
    [],
    'disallowed',
    'Addresses and networks from which no caller is accepted, also where allow_from names them.',
  ),
  accounts: list(
    oneOf('local', 'radius'),
    ['local'],
    'new-sessions',
    'Who decides on logins: the users of this router (local), RADIUS servers, or both: with local first, RADIUS is asked for names that no user has; with radius first, users count only while no RADIUS server answers.',
  ),
  filter_id: list(
    filterSet,
    [],
    'live',
    "What a RADIUS server's Filter-Id may do: put the caller's address into the firewall set of that name (staff), or into another one (sales team=sales). None: it has no effect. Sets as in option group of a user.",
  ),
  ban_after: option(
    integer(0, 1000),
    '5',
    'live',
    'Failed logins after which a source is locked out; 0: never.',
  ),
  ban_time: option(seconds(1, 86400), '600', 'live', 'How long a source is locked out.'),
} as const;

/** `config interface` with `option proto 'pptpgw'` (or the stock client's 'pptp') in /etc/config/network. */
export const linkOptions = {
  proto: required(
    oneOf('pptpgw', 'pptp'),
    'listener',
    "Makes the interface a link. pptp, as the stock client's sections have it, only while that client is not installed.",
  ),
  ...interfaceOptions,
  mtu: option(
    integer(576, 9200, 'octets'),
    '1400',
    'session',
    'Largest packet inside the tunnel; more than 1500 counts as 1500.',
  ),
  keepalive: { ...interfaceOptions.keepalive, stockDefault: '5 1' },
  server: required(host, 'session', 'Name or address of the PPTP server.'),
  port: option(integer(1, 65535), '1723', 'session', 'TCP port of the server.'),
  username: required(username, 'session', 'User name, also as DOMAIN\\user.'),
  password: required(password, 'session', 'Password.'),
  interface: optional(
    network,
    'session',
    'Network (plain Linux: device) to dial through; none: as the routing table says.',
  ),
  route: list(prefix, [], 'session', 'Networks to reach through the link.'),
  ip6route: list(
    ipv6Prefix,
    [],
    'session',
    'IPv6 networks to reach through the link, while the other end speaks IPv6; for option ipv6 1 or auto. With it sourcefilter has no effect on what passes.',
  ),
  defaultroute: option(bool, '1', 'session', 'Send everything through the link.'),
  metric: option(integer(0, 4294967295), '0', 'session', 'Metric of the routes.'),
  nohostroute: option(bool, '0', 'session', 'Do not add a route to the server outside the tunnel.'),
  peerdns: option(bool, '1', 'session', 'Use the DNS servers the peer gives.'),
  ipv6: {
    ...option(
      oneOf('auto', '0', '1'),
      '0',
      'session',
      'IPv6 over the link (IPV6CP; needs an mtu of 1284). auto: what the other end offers is taken, on OpenWrt by a DHCPv6 client, the interface <interface>_6, on plain Linux by the kernel from router advertisements; 1: addresses are yours to set.',
    ),
    stockDefault: 'auto',
  },
  auto: option(bool, '1', 'live', 'Dial when the daemon starts.'),
  authfail: option(
    bool,
    '0',
    'live',
    'Stop dialling after a login refused for user name or password, until they change.',
  ),
  maxfail: option(
    integer(0, 1000000),
    '0',
    'live',
    'Stop dialling after this many failures in a row; 0: never. Of no effect in pptp sections: the stock client was started anew.',
  ),
  holdoff: option(
    seconds(0, 3600),
    '5',
    'live',
    'Pause before the first new attempt; doubled with every failure. 0 counts as 1.',
  ),
  holdoff_max: option(seconds(1, 86400), '300', 'live', 'Longest pause between attempts.'),
  ...rates(
    'Rate of what is sent into the link, in IP packets inside the tunnel; 0: no limit.',
    'Rate of what comes from the link, in IP packets inside the tunnel; 0: no limit.',
  ),
  ...quota('the link'),
  pppname: optional(device, 'listener', 'Name of the device; default pptp-<interface>.'),
  ...stockOptions,
} as const;

/** `config user` in /etc/config/pptp_users. */
export const userOptions = {
  enabled: option(bool, '1', 'disallowed', 'The user may log in.'),
  username: required(username, 'session', 'Name to log in with.'),
  password: optional(password, 'session', 'Password; or nthash.'),
  nthash: optional(
    ntHash,
    'session',
    'NT hash of the password instead of the password (MS-CHAP methods only).',
  ),
  server: list(text, [], 'disallowed', 'Servers the user may call; none: every server.'),
  ipaddr: optional(address, 'session', 'Fixed address; default: from the pool.'),
  route: list(prefix, [], 'session', 'Networks behind the caller (site to site).'),
  ip6prefix: optional(
    userPrefix,
    'session',
    "Fixed IPv6 network (a /64) of the user; default: one of the server's.",
  ),
  ip6route: list(
    delegatedPrefix,
    [],
    'session',
    "IPv6 networks behind the caller, which it gets when it asks for them (DHCPv6 prefix delegation); none: out of the server's ip6prefix.",
  ),
  client_route: list(
    prefix,
    [],
    'new-sessions',
    "Networks that the user reaches through the tunnel; default: the server's client_route.",
  ),
  domain: list(
    domain,
    [],
    'new-sessions',
    "Domain that the user's names are completed with, or several; default: the server's domain.",
  ),
  max_sessions: optional(
    integer(1, 4096),
    'live',
    "Sessions at the same time; default: the server's max_per_user.",
  ),
  mppe: optional(
    encryption,
    'session',
    "Encryption of this user's sessions: required, optional or off; default: the server's mppe.",
  ),
  auth: list(
    authMethod,
    [],
    'disallowed',
    'Login methods that this user may use, of those that the server allows; none: all of them.',
  ),
  hours: list(
    hours,
    [],
    'disallowed',
    "When the user may be logged in, in the router's local time, such as 'Mon-Fri 08:00-18:00'; there may be several, and over midnight (Fri 22:00-06:00). A session ends when its time is over. None: always.",
  ),
  group: list(
    setName,
    [],
    'live',
    "Firewall sets (nftables) that the user's address is in while the user is connected: staff is the set of that name in fw4, which a config ipset of /etc/config/firewall makes; elsewhere inet filter staff, say. Rules of your own say what follows. Such a user has no IPv6 but link-local, which would be a way round these rules.",
  ),
  note: optional(note, 'live', 'A text of your own: who this is, whom to call.'),
  ...userRates,
  ...quota('the user'),
  must_change: option(
    bool,
    '0',
    'new-sessions',
    'The user gets in with a new password only, which the caller is asked for (Windows; mschap-v2 only) and whose hash is written here in place of the old one.',
  ),
  expires: optional(date, 'disallowed', 'Last day on which the user may log in (UTC).'),
} as const;

/** `config pptp 'globals'` in /etc/config/pptp. */
export const globalOptions = {
  log_level: option(oneOf('error', 'warning', 'info', 'debug'), 'info', 'live', 'What is logged.'),
  max_sessions: option(
    integer(1, 4096),
    '64',
    'live',
    'Sessions in all servers and links together. Where more are asked for, with max_half_open, than there were at the start, the daemon becomes itself anew with the reload, and sessions go on.',
  ),
  max_half_open: option(
    integer(1, 4096),
    '64',
    'live',
    'Callers that have not logged in yet, in all.',
  ),
  max_half_open_per_source: option(
    integer(1, 4096),
    '8',
    'live',
    'Callers that have not logged in yet, per source address.',
  ),
  ban_set: optional(
    setName,
    'live',
    'Firewall set (nftables) that addresses are in while they are locked out after failed logins, so that a rule of your own drops what comes from them; named as in option group of a user.',
  ),
  login_timeout: option(seconds(5, 600), '60', 'new-sessions', 'Time a caller has to log in.'),
  writable: list(
    folder,
    [],
    'restart',
    'Folders besides its own that hooks may write to (OpenWrt, where the service is in a jail: it must be restarted).',
  ),
  ...reportOptions,
  imported: list(
    text,
    [],
    'live',
    'What was taken over from older programs (pptpd); without the word it is taken over again.',
  ),
} as const;
