/** Starting and ending links. */
import { RouterError, type Supervisor } from '../../router/router.ts';
import { method, UbusError, type Table } from '../../ubus-js/index.ts';
import type { Daemon } from '../daemon.ts';
import type { LinkRunner } from '../tunnels/link-runner.ts';

export function linkMethods(daemon: Daemon) {
  return {
    dial: method({ interface: 'string' }, ({ interface: name }) =>
      asked(daemon, name, () => daemon.linkSet.dial(name)),
    ),
    hangup: method({ interface: 'string' }, ({ interface: name }) =>
      asked(daemon, name, () => daemon.linkSet.hangup(name)),
    ),
    ...supervisorMethods(daemon.ports.router.supervisor),
  };
}

/** What netifd's protocol handlers call. Answered at once: netifd waits for a handler, and kills a slow one. */
export function supervisorMethods(supervisor: Supervisor | undefined) {
  const told = (tell: (supervisor: Supervisor, name: string) => void) =>
    method({ interface: 'string' }, ({ interface: name }) => {
      if (supervisor === undefined)
        throw new UbusError('NOT_SUPPORTED', 'netifd is not in charge here (--router)');
      tell(supervisor, name);
      return {};
    });
  return {
    link_setup: told((found, name) => found.linkSetup(name)),
    link_teardown: told((found, name) => found.linkTeardown(name)),
  };
}

/** A supervisor may know a section that we have not read yet. */
async function asked(daemon: Daemon, name: string, ask: () => Promise<void>): Promise<Table> {
  if (daemon.ports.router.supervisor === undefined) linkOf(daemon, name);
  try {
    await ask();
  } catch (error) {
    if (error instanceof RouterError) throw new UbusError('UNKNOWN_ERROR', error.message);
    throw error;
  }
  return {};
}

/** @throws {UbusError} NOT_FOUND */
export function linkOf(daemon: Daemon, name: string): LinkRunner {
  const runner = daemon.links.get(name);
  if (runner !== undefined) return runner;
  const known = [...daemon.links.keys()].join(', ');
  throw new UbusError(
    'NOT_FOUND',
    `there is no link '${name}'${known === '' ? '' : `; there are: ${known}`}`,
  );
}
