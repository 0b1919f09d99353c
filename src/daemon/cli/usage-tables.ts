/** `pptp-gateway usage`: what users and links have moved, as tables or JSON. */
import { UbusError } from '../../ubus-js/index.ts';
import type { ControlClient } from '../control/client.ts';
import { ExitCode } from '../exit-codes.ts';
import { printable } from '../printable.ts';
import type {
  AccountUsageDocument,
  QuotaDocument,
  TrafficDocument,
  UsageDocument,
} from '../reports/usage-document.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { octets, shortened, table } from './tables.ts';

const none: TrafficDocument = { rx_bytes: 0, tx_bytes: 0 };

export async function usage(
  client: ControlClient,
  { operands: [name], month }: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  const about = month === undefined ? {} : { month };
  const found = name === undefined ? await ask(client, about) : await askFor(client, name, about);
  answer.give(found);
  answer.say(usageText(found, month, name !== undefined));
  return ExitCode.Ok;
}

/** All pages. */
async function ask(
  client: ControlClient,
  about: Readonly<Record<string, string>>,
): Promise<UsageDocument> {
  const { next, ...found } = (await client.call('usage', about)) as UsageDocument;
  if (next === undefined) return found;
  const { users, links } = await ask(client, { ...about, after: next });
  return { ...found, users: [...found.users, ...users], links: [...found.links, ...links] };
}

/** A user, a link, or both, if they are called so. @throws {UbusError} NOT_FOUND neither is */
async function askFor(
  client: ControlClient,
  name: string,
  about: Readonly<Record<string, string>>,
): Promise<UsageDocument> {
  const [user, link] = await Promise.all(
    ['username', 'link'].map((kind) =>
      ask(client, { ...about, [kind]: name }).catch((error: unknown) => {
        if (error instanceof UbusError && error.status === 'NOT_FOUND') return undefined;
        throw error;
      }),
    ),
  );
  if (user === undefined && link === undefined)
    throw new UbusError('NOT_FOUND', `there is no user or link '${name}' with usage`);
  return { ...(user ?? link)!, users: user?.users ?? [], links: link?.links ?? [] };
}

/** @param isWhole of each account day by day, too */
function usageText(
  { today, month: thisMonth, clock_set: isSet, users, links }: UsageDocument,
  asked: string | undefined,
  isWhole: boolean,
): string {
  const month = asked ?? thisMonth;
  const parts = isSet
    ? []
    : ['The clock of this machine is not set yet: what is counted has no date until it is.'];
  for (const [title, accounts] of [
    ['USER', users],
    ['LINK', links],
  ] as const) {
    if (accounts.length === 0) continue;
    parts.push(
      table([
        [title, `TODAY (${today})`, `UP ${month}`, `DOWN ${month}`, 'TOTAL', 'QUOTA'],
        ...accounts.map((each) => {
          const { up, down } = ways(each, each.months.find((one) => one.month === month) ?? none);
          const day = each.days.find((one) => one.day === today) ?? none;
          return [nameOf(each), both(day), up, down, both(each.total), quotaText(each.quota)];
        }),
      ]),
    );
    if (isWhole) parts.push(...accounts.flatMap(detailsText));
  }
  return parts.length === 0 ? 'no users, no links, no usage' : parts.join('\n\n');
}

/** Newest first. */
function detailsText(account: AccountUsageDocument): string[] {
  const rows = (title: string, lines: readonly (TrafficDocument & { readonly at: string })[]) =>
    lines.length === 0
      ? []
      : [
          table([
            [title, 'UP', 'DOWN', 'BOTH'],
            ...[...lines].reverse().map((line) => {
              const { up, down } = ways(account, line);
              return [line.at, up, down, both(line)];
            }),
          ]),
        ];
  return [
    ...rows(
      'MONTH',
      account.months.map(({ month, ...line }) => ({ ...line, at: month })),
    ),
    ...rows(
      'DAY',
      account.days.map(({ day, ...line }) => ({ ...line, at: day })),
    ),
  ];
}

function nameOf({ username, link }: AccountUsageDocument): string {
  return shortened(printable(username ?? link ?? ''));
}

/** A caller sends up, the router sends up a link. */
function ways(
  { link }: AccountUsageDocument,
  { rx_bytes: rx, tx_bytes: tx }: TrafficDocument,
): { readonly up: string; readonly down: string } {
  const [up, down] = link === undefined ? [rx, tx] : [tx, rx];
  return { up: octets(up), down: octets(down) };
}

function both({ rx_bytes: rx, tx_bytes: tx }: TrafficDocument): string {
  return octets(rx + tx);
}

function quotaText(quota: QuotaDocument | undefined): string {
  if (quota === undefined) return '';
  const { bytes, used_bytes: used, used_up: isUsedUp, action, rate, until } = quota;
  const share = `${Math.floor((100 * used) / bytes)} % of ${octets(bytes)} until ${until}`;
  if (!isUsedUp) return share;
  return `${share}: ${action === 'deny' ? 'denied' : action === 'slow' ? `${rate} kbit/s` : 'used up'}`;
}
