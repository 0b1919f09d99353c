/** The part of the option table that is about passthrough. */
import { address, bool, integer, oneOf, prefix, seconds, zone } from './option-types.ts';
import { list, option, optional } from './option-table.ts';

/** `config relay` in /etc/config/pptp. */
export const relayOptions = {
  enabled: option(bool, '1', 'listener', 'Off: the section is ignored, and may be half written.'),
  direction: option(
    oneOf('outbound', 'inbound'),
    'outbound',
    'listener',
    'outbound: machines behind the router call servers outside; inbound: callers outside reach a server behind the router.',
  ),
  src: list(
    zone,
    [],
    'listener',
    'Where the clients are: firewall zones or networks (plain Linux: devices). Required.',
  ),
  dest: list(
    zone,
    [],
    'listener',
    'Where the servers are: firewall zones or networks (plain Linux: devices). Required.',
  ),
  dest_ip: optional(address, 'listener', 'inbound: address of the server. Required there.'),
  backend: option(
    oneOf('auto', 'ebpf', 'relay', 'helper'),
    'auto',
    'listener',
    "relay: control connections pass through the daemon, GRE is rewritten by nftables; ebpf: and most of GRE takes a shortcut past the firewall (Linux 6.6 and later); helper: the kernel's connection tracking helper; auto: the first that is possible of ebpf, relay and helper.",
  ),
  client: list(prefix, [], 'listener', 'Networks of the clients; none: all.'),
  server: list(
    prefix,
    [],
    'listener',
    'outbound: networks of servers that may be called; none: all.',
  ),
  max_connections: option(
    integer(1, 4096),
    '64',
    'live',
    'Control connections at the same time (not with backend helper).',
  ),
  max_per_client: option(
    integer(1, 4096),
    '8',
    'live',
    'Control connections of one client address at the same time (not with backend helper).',
  ),
  max_half_open: option(
    integer(1, 4096),
    '16',
    'live',
    'Control connections that have had no call yet (not with backend helper).',
  ),
  idle_timeout: option(
    seconds(0, 604800),
    '600',
    'live',
    'End a control connection and its calls without messages and packets after this time; 0: never (not with backend helper).',
  ),
} as const;
