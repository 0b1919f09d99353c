/** The ubus object `pptp`: each area adds its methods, with their arguments. */
import { UbusError, type Method, type ObjectDefinition } from '../../ubus-js/index.ts';
import { describeCause } from '../../wire/cause.ts';
import type { Problem } from '../configuration/problems.ts';
import type { Daemon } from '../daemon.ts';
import { isRefusal, type Faults } from '../engine/faults.ts';
import { banMethods } from './bans.ts';
import { captureMethods, Captures } from './capture.ts';
import { checkMethods } from './check.ts';
import { clientSetupMethods } from './client-setup.ts';
import { linkMethods } from './links.ts';
import { radiusMethods } from './radius.ts';
import { sessionMethods } from './sessions.ts';
import type { Upgrade } from '../upgrade/upgrade.ts';
import { statusMethods } from './status.ts';
import { upgradeMethods } from './upgrade.ts';
import { usageMethods } from './usage.ts';

/**
 * @param captureDir where captures are written: a folder of ours
 * @param reload reads the configuration again; returns what of it is not in force
 */
export function pptpObject(
  daemon: Daemon,
  captureDir: string,
  reload: () => Promise<readonly Problem[]>,
  upgrade: Upgrade,
): ObjectDefinition {
  const captures = new Captures(daemon, captureDir);
  const methods = {
    ...statusMethods(daemon, captures, reload, upgrade),
    ...upgradeMethods(upgrade),
    ...sessionMethods(daemon),
    ...banMethods(daemon),
    ...linkMethods(daemon),
    ...checkMethods(daemon),
    ...radiusMethods(daemon),
    ...usageMethods(daemon),
    ...clientSetupMethods(daemon),
    ...captureMethods(captures),
  };
  const { faults } = daemon.ports;
  return {
    path: 'pptp',
    methods: Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [name, contained(name, method, faults)]),
    ),
  };
}

/** A fault in one is told to who called it, and to the log. */
function contained(name: string, method: Method, faults: Faults): Method {
  return {
    ...method,
    handle: async (args, from) => {
      try {
        return await method.handle(args, from);
      } catch (error) {
        if (isRefusal(error)) throw error;
        const why = faults.note(`ubus method ${name}`, error);
        throw new UbusError('UNKNOWN_ERROR', describeCause(why));
      }
    },
  };
}
