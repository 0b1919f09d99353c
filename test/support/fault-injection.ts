/**
 * Loaded into a gateway before its program (--import): makes one method throw, once, when a file says so.
 *
 * The file that FAULT names holds "Class.method victim"; it is gone when the method has thrown. A victim is a caller's outside
 * address or a link's name; without one the next call throws.
 */
import { readFileSync, rmSync } from 'node:fs';
import { Buses } from '../../src/daemon/control/buses.ts';
import { Capture } from '../../src/daemon/capture/capture.ts';
import { Failures } from '../../src/daemon/reports/failures.ts';
import { Hooks } from '../../src/daemon/reports/hooks.ts';
import { LinkRunner } from '../../src/daemon/tunnels/link-runner.ts';
import { Log } from '../../src/daemon/reports/log.ts';
import { ConnectionRunner } from '../../src/daemon/relays/connection-runner.ts';
import { RelayRunner } from '../../src/daemon/relays/relay-runner.ts';
import { ServerRunner } from '../../src/daemon/tunnels/server-runner.ts';
import { DataPath } from '../../src/data-path/data-path.ts';
import { PppLink } from '../../src/ppp/link.ts';
import { ControlConnection } from '../../src/pptp/control-connection.ts';
import { Accounting } from '../../src/radius/accounting.ts';
import { RelayedConnection } from '../../src/relay/relayed-connection.ts';
import { IpRoute } from '../../src/router/iproute.ts';
import { Caller } from '../../src/session/server/caller.ts';
import { ClientLink } from '../../src/session/link/client-link.ts';
import { Server } from '../../src/session/server/server.ts';
import { Session } from '../../src/session/session.ts';
import { formatAddress } from '../../src/wire/ip.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;

const file = process.env['FAULT']!;

function wanted(): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Whom a call is about; undefined: nobody in particular. */
function victim(self: unknown, [first]: readonly unknown[]): string | undefined {
  if (self instanceof Caller) return formatAddress(self.peer);
  if (self instanceof ClientLink) return self.options.name;
  if (self instanceof Session) {
    const status = self.status();
    return status?.kind === 'caller' ? formatAddress(status.peer) : status?.name;
  }
  if (self instanceof LinkRunner) return self.link.options.name;
  if (first instanceof Caller) return formatAddress(first.peer);
  if (self instanceof Server && typeof first === 'number') return formatAddress(first);
  return undefined;
}

for (const each of [
  Accounting,
  Buses,
  Caller,
  Capture,
  ClientLink,
  ControlConnection,
  DataPath,
  Failures,
  Hooks,
  IpRoute,
  LinkRunner,
  Log,
  ConnectionRunner,
  PppLink,
  RelayedConnection,
  RelayRunner,
  Server,
  Session,
  ServerRunner,
]) {
  const prototype = each.prototype as unknown as Record<string, Method>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const found: unknown = Object.getOwnPropertyDescriptor(prototype, name)!.value;
    if (name === 'constructor' || typeof found !== 'function') continue;
    const method = found as Method;
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      const [what, whom] = wanted().split(' ');
      if (what === `${each.name}.${name}` && (whom === undefined || victim(this, args) === whom)) {
        rmSync(file);
        throw new TypeError(`injected into ${what}`);
      }
      return method.apply(this, args);
    };
  }
}
