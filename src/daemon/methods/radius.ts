/** A test of a RADIUS server: as `check`, it is polled with check_status. */
import { method, UbusError } from '../../ubus-js/index.ts';
import {
  password as passwordType,
  username as usernameType,
} from '../configuration/option-types.ts';
import type { Daemon } from '../daemon.ts';
import { identityOf, nasOf } from '../radius/nas.ts';
import { testServer, type TestLogin } from '../radius/server-test.ts';

export function radiusMethods(daemon: Daemon) {
  const { checks, inForce, ports } = daemon;
  return {
    radius_test: method(
      { name: 'string', username: 'string?', password: 'string?' },
      ({ name, username, password }) => {
        const login = loginOf(username, password);
        const { radius, nas } = inForce.configuration;
        const server = radius.find((each) => each.name === name);
        if (server === undefined)
          throw new UbusError(
            'NOT_FOUND',
            `there is no RADIUS server '${name}' in force: is its section there, enabled, and without faults?`,
          );
        if (login !== undefined && !server.roles.includes('auth'))
          throw new UbusError('INVALID_ARGUMENT', 'it takes accounting records only (option role)');
        return { id: checks.start(() => testServer(server, identityOf(nasOf(nas)), login, ports)) };
      },
    ),
  };
}

/** @throws {UbusError} INVALID_ARGUMENT */
function loginOf(
  username: string | undefined,
  password: string | undefined,
): TestLogin | undefined {
  if (username === undefined && password === undefined) return undefined;
  const secret = passwordType.parse(password ?? '');
  const name = usernameType.parse(username ?? '');
  if (name === undefined)
    throw new UbusError('INVALID_ARGUMENT', `username: expected ${usernameType.allowed}`);
  if (secret === undefined)
    throw new UbusError('INVALID_ARGUMENT', `password: expected ${passwordType.allowed}`);
  return { username: name, secret };
}
