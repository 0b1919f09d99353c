/** The option tables of RADIUS: /etc/config/pptp_radius. */
import {
  address,
  anyHost,
  bool,
  folder,
  integer,
  nasIdentifier,
  oneOf,
  pemFile,
  seconds,
  secondsOrNever,
  sharedSecret,
  source,
} from './option-types.ts';
import { list, option, optional, required } from './option-table.ts';

/** `config radius` in /etc/config/pptp_radius: a server. */
export const radiusOptions = {
  enabled: option(bool, '1', 'live', 'Off: the section is ignored, and may be half written.'),
  server: required(anyHost, 'live', 'Name or address (IPv4 or IPv6) of the RADIUS server.'),
  secret: optional(
    sharedSecret,
    'live',
    'The secret that it shares with this router. Required with transport udp; with tls the certificates take its place.',
  ),
  role: list(
    oneOf('auth', 'acct'),
    ['auth', 'acct'],
    'live',
    'What it does: decide on logins (auth), take accounting records (acct).',
  ),
  transport: option(
    oneOf('udp', 'tls'),
    'udp',
    'live',
    'Plain RADIUS (udp), or encrypted and with certificates (tls: RadSec, RFC 6614), as it should be where the way to the server is not a network of your own.',
  ),
  port: optional(
    integer(1, 65535),
    'live',
    'Port for logins; default 1812, with transport tls 2083 for everything.',
  ),
  acct_port: option(integer(1, 65535), '1813', 'live', 'Port for accounting (transport udp).'),
  priority: option(
    integer(0, 1000),
    '0',
    'live',
    'Servers with the lowest number are asked first, the others when none of those answers.',
  ),
  weight: option(
    integer(1, 1000),
    '1',
    'live',
    'Among servers of one priority: the share of the logins that it gets.',
  ),
  timeout: option(
    seconds(1, 10),
    '2',
    'live',
    'How long to wait for an answer before asking again.',
  ),
  tries: option(integer(1, 10), '2', 'live', 'How often to ask it before asking another server.'),
  dead_time: option(
    seconds(1, 3600),
    '60',
    'live',
    'How long a server that does not answer is left in peace; meanwhile it is asked whether it lives (Status-Server).',
  ),
  source: optional(
    source,
    'live',
    'Our own address to ask from; default: as the routing table says.',
  ),
  message_authenticator: option(
    oneOf('auto', 'always', 'never'),
    'auto',
    'live',
    'Whether its answers must have a Message-Authenticator: always; never (forged answers are possible then, CVE-2024-3596); auto: once it has sent one.',
  ),
  ca: optional(
    pemFile,
    'live',
    "With tls: file with the certificate that signed the server's; default: those that the system trusts.",
  ),
  certificate: optional(pemFile, 'live', 'With tls: file with our own certificate.'),
  key: optional(pemFile, 'live', 'With tls: file with its private key.'),
  tls_name: optional(
    anyHost,
    'live',
    "With tls: what the server's certificate must be for; default: option server.",
  ),
  coa: option(
    bool,
    '0',
    'live',
    'It may end and change live sessions (CoA and Disconnect, RFC 5176), with the same secret; only an address, not a name, can be believed.',
  ),
} as const;

/** `config nas` in /etc/config/pptp_radius: this router, as RADIUS servers see it. */
export const nasOptions = {
  identifier: optional(
    nasIdentifier,
    'live',
    'Name of this router for RADIUS servers (NAS-Identifier); default: its host name.',
  ),
  address: optional(
    address,
    'live',
    'Address of this router for RADIUS servers (NAS-IP-Address); default: the one that the caller has called.',
  ),
  interim_interval: option(
    secondsOrNever(60, 86400),
    '600',
    'new-sessions',
    "How often a session's counters are sent while it lasts; 0: never. A RADIUS server's own wish (Acct-Interim-Interval) counts more.",
  ),
  coa_port: option(integer(1, 65535), '3799', 'live', 'UDP port for CoA and Disconnect.'),
  records: optional(
    folder,
    'upgrade',
    'Folder where accounting records wait until a server has taken them; default: in memory on OpenWrt (it survives all but a restart of the router), /var/lib/pptp-gateway under systemd.',
  ),
} as const;
