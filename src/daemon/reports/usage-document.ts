/** What the method `usage` answers, and the event of a quota. rx is what came from the other end, tx what went to it. */
import { dayIn, formatDay, formatMonth, monthOf } from '../../usage/calendar.ts';
import { newAccount, type Account, type AccountKind, type Traffic } from '../../usage/book.ts';
import type { QuotaState, Usage } from '../../usage/usage.ts';

/** Octets of IP packets inside the tunnel. */
export type TrafficDocument = {
  readonly rx_bytes: number;
  readonly tx_bytes: number;
};

export type QuotaDocument = {
  readonly bytes: number;
  /** Both ways together, in this period. */
  readonly used_bytes: number;
  readonly used_up: boolean;
  readonly action: 'deny' | 'slow' | 'notify';
  /** kbit/s, of slow. */
  readonly rate?: number;
  /** First and last day of the period. */
  readonly since: string;
  readonly until: string;
};

/** Of a user or a link. */
export type AccountUsageDocument = {
  readonly username?: string;
  readonly link?: string;
  readonly total: TrafficDocument;
  /** Of the total: what happened while the clock was not set. */
  readonly undated?: TrafficDocument;
  /** Oldest first; only those with traffic. */
  readonly days: readonly (TrafficDocument & { readonly day: string })[];
  readonly months: readonly (TrafficDocument & { readonly month: string })[];
  readonly quota?: QuotaDocument;
};

export type UsageDocument = {
  /** By the calendar of this router. */
  readonly today: string;
  readonly month: string;
  /** False: the clock is not set yet; `today` is the last day that is known. */
  readonly clock_set: boolean;
  readonly users: readonly AccountUsageDocument[];
  readonly links: readonly AccountUsageDocument[];
  /** There are more: ask for those after this. */
  readonly next?: string;
};

/** Days and months that are shown unless one is asked for. */
const DAYS = 31;
const MONTHS = 12;

/** @param month undefined: the last days and months */
export function accountUsageDocument(
  usage: Usage,
  kind: AccountKind,
  name: string,
  month: number | undefined,
): AccountUsageDocument {
  const account = usage.account(kind, name) ?? newAccount(kind, name);
  const { total, undated } = account;
  const { today } = usage;
  const thisMonth = monthOf(today);
  const [firstDay, lastDay] =
    month === undefined ? [today - DAYS + 1, today] : [dayIn(month, 1), dayIn(month, 31)];
  const [firstMonth, lastMonth] =
    month === undefined ? [thisMonth - MONTHS + 1, thisMonth] : [month, month];
  const quota = usage.quotaState(kind, name);
  return {
    ...nameOf(account),
    total: traffic(total),
    ...(undated.rx + undated.tx === 0 ? {} : { undated: traffic(undated) }),
    days: within(account.days, firstDay, lastDay).map(([day, sums]) => ({
      day: formatDay(day),
      ...traffic(sums),
    })),
    months: within(account.months, firstMonth, lastMonth).map(([each, sums]) => ({
      month: formatMonth(each),
      ...traffic(sums),
    })),
    ...(quota === undefined ? {} : { quota: quotaDocument(quota) }),
  };
}

export function quotaDocument({ quota, period, used }: QuotaState): QuotaDocument {
  const { octets, action } = quota;
  return {
    bytes: octets,
    used_bytes: used,
    used_up: used >= octets,
    action: action.kind,
    ...(action.kind === 'slow' ? { rate: action.rate } : {}),
    since: formatDay(period.first),
    until: formatDay(period.last),
  };
}

export function nameOf({
  kind,
  name,
}: Pick<Account, 'kind' | 'name'>): Pick<AccountUsageDocument, 'username' | 'link'> {
  return kind === 'user' ? { username: name } : { link: name };
}

function within(
  sums: ReadonlyMap<number, Traffic>,
  first: number,
  last: number,
): [number, Traffic][] {
  return [...sums].filter(([at]) => at >= first && at <= last);
}

function traffic({ rx, tx }: Traffic): TrafficDocument {
  return { rx_bytes: rx, tx_bytes: tx };
}
