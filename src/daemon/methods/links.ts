/** Starting and ending links. */
import { method, UbusError } from '../../ubus-js/index.ts';
import { cause } from '../../wire/cause.ts';
import type { Daemon } from '../daemon.ts';
import type { LinkRunner } from '../link-runner.ts';

export function linkMethods(daemon: Daemon) {
  return {
    dial: method({ interface: 'string' }, ({ interface: name }) => {
      linkOf(daemon, name).feed((link, now) => link.dial(now));
      return {};
    }),
    hangup: method({ interface: 'string' }, ({ interface: name }) => {
      linkOf(daemon, name).feed((link, now) => link.hangup(now, cause('USER_REQUEST')));
      return {};
    }),
  };
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
