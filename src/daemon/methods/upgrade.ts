/** Becoming the program that is installed now. */
import { errorText } from '../../platform/errors.ts';
import { method, UbusError } from '../../ubus-js/index.ts';
import type { Upgrade } from '../upgrade/upgrade.ts';
import { version } from '../version.ts';

export function upgradeMethods(upgrade: Upgrade) {
  return {
    upgrade: method({}, async () => {
      try {
        const next = await upgrade.begin();
        return { from: version, to: next.version };
      } catch (error) {
        throw new UbusError('UNKNOWN_ERROR', errorText(error));
      }
    }),
  };
}
