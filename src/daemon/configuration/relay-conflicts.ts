/**
 * One router has one TCP port 1723 on each address: who gets a control connection is told by direction, network and
 * address. Outbound relays take those that go elsewhere, inbound relays and servers those to the router itself.
 */
import type { RelayOptions } from '../../relay/relay-options.ts';
import type { ServerOptions } from '../../session/options.ts';
import { prefixContains, type Prefix } from '../../wire/ip.ts';
import { complainer, type Place, type Problem } from './problems.ts';

const PPTP_PORT = 1723;

export function checkRelays(
  relays: readonly RelayOptions[],
  servers: readonly ServerOptions[],
  problems: Problem[],
): void {
  relays.forEach((relay, i) => {
    const place = { file: 'pptp', section: relay.name };
    const complain = (message: string, against: Place) =>
      complainer(problems, place)('src', relay.src.join(' '), message, against);
    for (const other of relays.slice(0, i))
      if (bothTake(relay, other))
        complain(`relay '${other.name}' takes the same connections`, {
          file: 'pptp',
          section: other.name,
        });
    if (relay.direction === 'outbound') return;
    for (const { name, port, listen } of servers) {
      if (port !== PPTP_PORT) continue;
      const against = { file: 'network', section: name };
      if (listen.length === 0)
        complain(
          `server '${name}' takes calls from everywhere, also from there: give it an option listen without these networks`,
          against,
        );
      else if (listen.some((device) => relay.src.includes(device)))
        complain(`server '${name}' takes the calls from there (its option listen)`, against);
    }
  });
}

/** Whether there is a control connection that belongs to both. */
function bothTake(a: RelayOptions, b: RelayOptions): boolean {
  return (
    a.direction === b.direction &&
    a.src.some((name) => b.src.includes(name)) &&
    (a.direction === 'inbound' || a.dest.some((name) => b.dest.includes(name))) &&
    overlap(a.clients, b.clients)
  );
}

function overlap(some: readonly Prefix[], others: readonly Prefix[]): boolean {
  if (some.length === 0 || others.length === 0) return true; // none: all
  return some.some((a) =>
    others.some((b) => prefixContains(a, b.address) || prefixContains(b, a.address)),
  );
}
