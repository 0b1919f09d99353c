/** What a program has from its start to its end: a reload takes it up by an upgrade, to the same program or the one installed now. */
import type { Configuration } from '../configuration/configuration.ts';

/** @returns the options that have changed so, for people */
export function upgradeDue(begun: Configuration, now: Configuration): readonly string[] {
  const room = ({ limits }: Configuration) => limits.maxSessions + limits.maxHalfOpen;
  return [
    ...(room(now) > room(begun) ? ['max_sessions, max_half_open'] : []),
    ...(now.globals.usage_folder === begun.globals.usage_folder ? [] : ['usage_folder']),
    ...(now.nas.records === begun.nas.records ? [] : ['records']),
  ];
}
