/** Options that servers, links and users have in common: how fast, and how much in a month. */
import { integer, quotaAction } from './option-types.ts';
import { option, optional } from './option-table.ts';

const kilobits = integer(0, 10_000_000, 'kbit/s');
const burst = integer(10, 10_000, 'ms');
export const rates = (up: string, down: string) => ({
  rate_up: option(kilobits, '0', 'live', up),
  rate_down: option(kilobits, '0', 'live', down),
  rate_burst: option(
    burst,
    '50',
    'live',
    'How much may pass at once after a pause: what the rate makes in this time.',
  ),
});

export const userRates = {
  rate_up: optional(
    kilobits,
    'live',
    "Rate of what the user sends, for each session; 0: no limit; default: the server's rate_up.",
  ),
  rate_down: optional(
    kilobits,
    'live',
    "Rate of what the user gets, for each session; 0: no limit; default: the server's rate_down.",
  ),
  rate_burst: optional(
    burst,
    'live',
    "How much may pass at once after a pause: what the rate makes in this time; default: the server's rate_burst.",
  ),
};

export const quota = (what: string) => ({
  quota_month: option(
    integer(0, 1_000_000_000, 'MB'),
    '0',
    'live',
    `What ${what} may move in a month, both ways together, in IP packets inside the tunnel; 0: no quota.`,
  ),
  quota_action: option(
    quotaAction,
    'deny',
    'live',
    'When the quota is used up: deny (nothing goes until the next period), slow RATE (in kbit/s, either way), or notify (a line in the log, an event and a hook).',
  ),
  quota_day: option(
    integer(1, 31),
    '1',
    'live',
    'Day of the month on which the quota begins anew; a month that does not have it begins anew on its last.',
  ),
});
