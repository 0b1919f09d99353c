/** The ubus object `pptp`: each area adds its methods, with their arguments. */
import type { ObjectDefinition } from '../../ubus-js/index.ts';
import type { Problem } from '../configuration/problems.ts';
import type { Daemon } from '../daemon.ts';
import { captureMethods, Captures } from './capture.ts';
import { checkMethods } from './check.ts';
import { linkMethods } from './links.ts';
import { sessionMethods } from './sessions.ts';
import { statusMethods } from './status.ts';

/**
 * @param captureDir where captures are written: a folder of ours
 * @param reload reads the configuration again; returns what of it is not in force
 */
export function pptpObject(
  daemon: Daemon,
  captureDir: string,
  reload: () => Promise<readonly Problem[]>,
): ObjectDefinition {
  const captures = new Captures(daemon, captureDir);
  return {
    path: 'pptp',
    methods: {
      ...statusMethods(daemon, captures, reload),
      ...sessionMethods(daemon),
      ...linkMethods(daemon),
      ...checkMethods(daemon),
      ...captureMethods(captures),
    },
  };
}
