/** Which server a request goes to: those that live before those that do not, by priority, by weight within a priority. */
import { readU16 } from '../wire/octets.ts';
import type { Exchange, Server } from './exchange.ts';
import type { Random } from './sealing.ts';

/** full: a server could be asked, but has no room now; none: all have been. */
export function chooseServer(
  servers: readonly Server[],
  { request, tried }: Exchange,
  random: Random,
): Server | 'full' | 'none' {
  const left = servers.filter(
    (server) =>
      !server.isRetired &&
      !tried.has(server) &&
      (request.server === undefined || request.server === server.options.name),
  );
  if (left.length === 0) return 'none';
  const living = left.filter(({ isDead }) => !isDead);
  const open = (living.length > 0 ? living : left).filter(({ hasRoom }) => hasRoom);
  if (open.length === 0) return 'full';
  const priority = Math.min(...open.map(({ options }) => options.priority));
  const first = open.filter(({ options }) => options.priority === priority);
  const total = first.reduce((sum, { options }) => sum + options.weight, 0);
  let at = (readU16(random(2), 0) / 0x10000) * total;
  return first.find(({ options }) => (at -= options.weight) < 0) ?? first[0]!;
}
