/**
 * Checks, which take as long as the network does: `check` answers with an id, `check_status` says how far it has come; `ping`
 * goes through a link that is up.
 */
import { method, UbusError } from '../../ubus-js/index.ts';
import type { Daemon } from '../daemon.ts';
import { linkOf } from './links.ts';

export function checkMethods(daemon: Daemon) {
  const { checks, pings } = daemon;
  return {
    check: method({ interface: 'string' }, ({ interface: name }) => {
      const runner = linkOf(daemon, name);
      const { link } = runner;
      const { session, state } = link.status();
      return {
        id:
          session !== undefined && state === 'up'
            ? checks.startLive(runner, session)
            : checks.startLink(link.options, daemon.ports),
      };
    }),
    // Apart: it reaches any machine, so it is not for who may only look after the links of this router.
    check_server: method({ server: 'string', port: 'int32?' }, ({ server, port = 1723 }) => ({
      id: checks.startServer(server, port, daemon.ports),
    })),
    check_status: method({ id: 'int32' }, ({ id }) => {
      const found = checks.status(id);
      if (found === undefined)
        throw new UbusError('NOT_FOUND', 'there is no such check (any more)');
      return found;
    }),
    // The other end and nothing else: who may check a link of this router does not reach any machine by that.
    ping: method({ interface: 'string' }, ({ interface: name }) => {
      const { link } = linkOf(daemon, name);
      const { session, state } = link.status();
      if (session === undefined || state !== 'up')
        throw new UbusError('NOT_FOUND', `link '${name}' is not up`);
      return pings.ping(link.options.device, session.peerAddress);
    }),
  };
}
