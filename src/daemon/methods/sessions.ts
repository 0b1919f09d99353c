/** Live sessions of servers and links, and ending them. */
import { clock } from '../../platform/platform.ts';
import type { SessionStatus } from '../../session/ports.ts';
import { method, UbusError } from '../../ubus-js/index.ts';
import { cause } from '../../wire/cause.ts';
import type { Daemon } from '../daemon.ts';
import { sessionDocument, type SessionsDocument } from '../reports/documents.ts';
import { page } from './page.ts';

export function sessionMethods(daemon: Daemon) {
  return {
    sessions: method({ server: 'string?', after: 'int32?' }, ({ server, after = 0 }) => {
      if (server !== undefined && !daemon.servers.has(server))
        throw new UbusError('NOT_FOUND', `there is no server '${server}'`);
      return sessionsDocument(
        [...daemon.sessions()]
          .sort((a, b) => a.id - b.id)
          .filter(
            ({ name, kind }) => server === undefined || (kind === 'caller' && name === server),
          )
          .filter(({ id }) => id > after),
      );
    }),
    disconnect: method({ id: 'int32?', username: 'string?' }, async ({ id, username }) => {
      const which = id ?? username;
      if (which === undefined || (id !== undefined && username !== undefined))
        throw new UbusError('INVALID_ARGUMENT', 'expected id (int32) or username (string)');
      return { ended: await disconnect(daemon, which) };
    }),
  };
}

/** As many as one answer holds; the rest is asked for with `after`. */
function sessionsDocument(found: readonly SessionStatus[]): SessionsDocument {
  const now = clock.monotonic();
  const { documents, isAll } = page(found, (session) => sessionDocument(session, now));
  return { sessions: documents, ...(isAll ? {} : { next: documents.at(-1)!.id }) };
}

/** @param which an id, or a name, also as its user writes it: DOMAIN\user @returns how many @throws {UbusError} NOT_FOUND */
async function disconnect(daemon: Daemon, which: number | string): Promise<number> {
  const bare = typeof which === 'string' ? which.replace(/^.*\\/s, '') : which;
  const ended = (await end(daemon, which)) || (bare !== which && (await end(daemon, bare)));
  if (ended) return ended;
  throw new UbusError(
    'NOT_FOUND',
    `there is no session ${typeof which === 'number' ? `with id ${which}` : `of user '${which}'`}`,
  );
}

async function end(daemon: Daemon, which: number | string): Promise<number> {
  const why = cause('USER_REQUEST');
  let ended = 0;
  for (const { server } of daemon.servers.values())
    ended += server.disconnect(which, why, clock.monotonic());
  for (const [name, { link }] of daemon.links) {
    const { session } = link.status();
    if (session === undefined || (session.id !== which && session.username !== which)) continue;
    await daemon.linkSet.hangup(name);
    ended++;
  }
  if (typeof which === 'number') {
    const call = daemon.relays.disconnect(which, why);
    if (call === 'ended') ended++;
    if (call === 'unable')
      throw new UbusError(
        'NOT_SUPPORTED',
        `call ${which} passes through the kernel's helper, which cannot end it`,
      );
  }
  return ended;
}
