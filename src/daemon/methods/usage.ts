/** What users and links have moved, and writing that down before the system goes. */
import { method, UbusError } from '../../ubus-js/index.ts';
import { formatDay, formatMonth, monthOf, parseMonth } from '../../usage/calendar.ts';
import { keyOf, type AccountKind } from '../../usage/book.ts';
import type { Daemon } from '../daemon.ts';
import { accountUsageDocument, type UsageDocument } from '../reports/usage-document.ts';
import type { UsageRunner } from '../usage/usage-runner.ts';
import { page } from './page.ts';

interface Known {
  readonly kind: AccountKind;
  readonly name: string;
}

export function usageMethods(daemon: Daemon) {
  return {
    usage: method(
      { username: 'string?', link: 'string?', month: 'string?', after: 'string?' },
      ({ username, link, month, after = '' }) => {
        const asked = month === undefined ? undefined : parseMonth(month);
        if (month !== undefined && asked === undefined)
          throw new UbusError('INVALID_ARGUMENT', 'month: expected a month such as 2026-11');
        const all = known(daemon);
        const wanted = [
          ...(username === undefined ? [] : [{ kind: 'user', name: username } as const]),
          ...(link === undefined ? [] : [{ kind: 'link', name: link } as const]),
        ];
        for (const each of wanted)
          if (!all.has(keyOf(each)))
            throw new UbusError('NOT_FOUND', `there is no usage of ${each.kind} '${each.name}'`);
        const shown = wanted.length > 0 ? wanted : [...all.values()];
        return usageDocument(daemon.usage, shown, asked, after);
      },
    ),
    // sysupgrade asks for it, before it packs what is to stay.
    usage_save: method({}, () => {
      daemon.usage.keep();
      return {};
    }),
  };
}

/** Those of the configuration, and those who have been there. */
function known(daemon: Daemon): ReadonlyMap<string, Known> {
  const { users, links } = daemon.inForce.configuration;
  const all: Known[] = [
    ...users.map(({ username }) => ({ kind: 'user' as const, name: username })),
    ...links.map(({ name }) => ({ kind: 'link' as const, name })),
    ...daemon.usage.usage.accounts(),
  ];
  return new Map(all.map(({ kind, name }) => [keyOf({ kind, name }), { kind, name }]));
}

/** As many as one answer holds; the rest is asked for with `after`. */
function usageDocument(
  { usage }: UsageRunner,
  shown: readonly Known[],
  month: number | undefined,
  after: string,
): UsageDocument {
  const rest = shown
    .map((each) => ({ ...each, key: keyOf(each) }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const { documents, isAll } = page(rest, ({ kind, name }) =>
    accountUsageDocument(usage, kind, name, month),
  );
  return {
    today: formatDay(usage.today),
    month: formatMonth(monthOf(usage.today)),
    clock_set: usage.isClockSet,
    users: documents.filter(({ username }) => username !== undefined),
    links: documents.filter(({ link }) => link !== undefined),
    ...(isAll ? {} : { next: rest[documents.length - 1]!.key }),
  };
}
