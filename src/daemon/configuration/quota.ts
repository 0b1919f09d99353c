/** A quota from the options of its user or link. */
import type { UciSection } from '../../router/uci.ts';
import type { Quota } from '../../session/options.ts';
import { complainer, type Problem } from './problems.ts';
import { placeOf } from './section.ts';

const MEGABYTE = 1_000_000;

/** undefined: there is none. */
export function quotaFrom(
  section: UciSection,
  values: {
    readonly quota_month: number;
    readonly quota_action: Quota['action'];
    readonly quota_day: number;
  },
  problems: Problem[],
): Quota | undefined {
  const { quota_month: megabytes, quota_action: action, quota_day: day } = values;
  if (megabytes > 0) return { octets: megabytes * MEGABYTE, action, day };
  const warn = complainer(problems, placeOf(section), 'warning');
  for (const option of ['quota_action', 'quota_day'])
    if (section.values.has(option) && !section.values.has('quota_month'))
      warn(option, undefined, 'means nothing without quota_month');
  return undefined;
}
