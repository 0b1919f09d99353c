/** Sources that are locked out after failed logins, and letting them in again. */
import { clock } from '../../platform/platform.ts';
import { method, UbusError } from '../../ubus-js/index.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { parseAddress } from '../../wire/ip.ts';
import type { Daemon } from '../daemon.ts';
import { banDocument, type BansDocument } from '../reports/documents.ts';
import { page } from './page.ts';

export function banMethods(daemon: Daemon) {
  const { lockout } = daemon.ports.access;
  return {
    bans: method({ after: 'string?' }, ({ after }): BansDocument => {
      const last = after === undefined ? -1 : addressIn(after);
      const now = clock.monotonic();
      const found = lockout
        .bans(now)
        .filter(({ address }) => address > last)
        .sort((a, b) => a.address - b.address);
      const { documents, isAll } = page(found, (ban) => banDocument(ban, now));
      return { bans: documents, ...(isAll ? {} : { next: documents.at(-1)!.address }) };
    }),
    unban: method({ address: 'string?', all: 'bool?' }, ({ address, all = false }) => {
      if ((address === undefined) !== all)
        throw new UbusError('INVALID_ARGUMENT', 'expected address (string) or all (true)');
      const now = clock.monotonic();
      if (address === undefined) return { lifted: lockout.liftAll(now) };
      if (lockout.lift(addressIn(address), now)) return { lifted: 1 };
      throw new UbusError('NOT_FOUND', `${address} is not locked out`);
    }),
  };
}

/** @throws {UbusError} INVALID_ARGUMENT */
function addressIn(text: string): Ipv4 {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new UbusError('INVALID_ARGUMENT', 'expected an IPv4 address such as 198.51.100.7');
}
