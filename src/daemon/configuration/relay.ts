/** A relay (passthrough) from its section. */
import type { UciSection } from '../../router/uci.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import { keysOf } from './option-table.ts';
import { relayOptions } from './options.ts';
import { complainer, type Problem } from './problems.ts';
import { placeOf, readSection } from './section.ts';

/** undefined: it is switched off (and may be half written), or has faults. */
export function relayFromSection(
  section: UciSection,
  problems: Problem[],
): RelayOptions | undefined {
  const values = readSection(section, relayOptions, problems);
  if (values === undefined) return undefined;
  const { direction, src, dest, dest_ip: server, server: servers } = values;
  const complain = complainer(problems, placeOf(section));
  if (src.length === 0) complain('src', undefined, 'is required: where the clients are');
  if (dest.length === 0) complain('dest', undefined, 'is required: where the servers are');
  const both = src.filter((name) => dest.includes(name));
  if (both.length > 0)
    complain(
      'dest',
      both.join(' '),
      'is in src too: clients and servers must be on different networks',
    );
  if (direction === 'inbound' && server === undefined)
    complain('dest_ip', undefined, 'is required with direction inbound: the address of the server');
  if (direction === 'outbound' && server !== undefined)
    complain(
      'dest_ip',
      formatAddress(server),
      'belongs to direction inbound; servers that may be called: list server',
    );
  if (direction === 'inbound' && servers.length > 0)
    complain(
      'server',
      servers.map(formatPrefix).join(' '),
      'belongs to direction outbound; the server behind the router: option dest_ip',
    );
  return {
    name: section.name,
    keys: keysOf(relayOptions, values),
    direction,
    src,
    dest,
    server,
    backend: values.backend,
    clients: values.client,
    servers,
    maxConnections: values.max_connections,
    maxPerClient: values.max_per_client,
    maxHalfOpen: values.max_half_open,
    idleTimeout: values.idle_timeout,
  };
}
