/** What a table of options is made of: options.ts has the tables. */
import { Secret } from '../../crypto/secret.ts';
import { sha1 } from '../../crypto/sha1.ts';
import type { Keys } from '../../session/options.ts';
import type { OptionType } from './option-types.ts';

/** What a changed option disturbs when the configuration is read again. */
export const classes = {
  live: 'nothing, and holds at once',
  'new-sessions': 'nothing, and holds for sessions that start later',
  disallowed: 'only the sessions that it no longer allows',
  session: 'the sessions of its section (a link dials again)',
  listener: 'the whole section: its server, link or relay starts anew',
  upgrade:
    'nothing: with the reload the daemon becomes itself anew, as with `pptp-gateway upgrade`, and sessions go on',
  restart: 'nothing, and holds when the service is started anew',
} as const;
export type Applies = keyof typeof classes;

export interface Option<T, Presence extends 'required' | 'optional' | 'defaulted' | 'list'> {
  readonly type: OptionType<T>;
  readonly presence: Presence;
  /** As it would stand in the file. */
  readonly default?: string | readonly string[];
  /** The default in a section of proto pptp: as the stock client had it. */
  readonly stockDefault?: string;
  readonly applies: Applies;
  readonly doc: string;
}

export type OptionTable = Readonly<
  Record<string, Option<unknown, 'required' | 'optional' | 'defaulted' | 'list'>>
>;

/**
 * What a reload compares, and nothing else. What starts the section anew ends its sessions too, so their key has both.
 * @param values those that count: what is said twice, or in another order, is no change
 */
export function keysOf(table: OptionTable, values: Readonly<Record<string, unknown>>): Keys {
  const keyOf = (...those: readonly Applies[]): string => {
    const names = Object.keys(table).filter((name) => those.includes(table[name]!.applies));
    const text = JSON.stringify(names.map((name) => comparable(values[name])));
    return sha1(new TextEncoder().encode(text)).join();
  };
  return { listener: keyOf('listener'), session: keyOf('listener', 'session') };
}

/** Secrets show nothing of themselves. */
function comparable(value: unknown): unknown {
  return value instanceof Secret ? (value.password ?? [...value.ntHash]) : value;
}

/** The parsed values of a section. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer T, infer Presence>
    ? Presence extends 'list'
      ? readonly T[]
      : Presence extends 'optional'
        ? T | undefined
        : T
    : never;
};

export const required = <T>(
  type: OptionType<T>,
  applies: Applies,
  doc: string,
): Option<T, 'required'> => ({ type, presence: 'required', applies, doc });
export const optional = <T>(
  type: OptionType<T>,
  applies: Applies,
  doc: string,
): Option<T, 'optional'> => ({ type, presence: 'optional', applies, doc });
export const option = <T>(
  type: OptionType<T>,
  value: string,
  applies: Applies,
  doc: string,
): Option<T, 'defaulted'> => ({
  type,
  presence: 'defaulted',
  default: value,
  applies,
  doc,
});
export const list = <T>(
  type: OptionType<T>,
  value: readonly string[],
  applies: Applies,
  doc: string,
): Option<T, 'list'> => ({
  type,
  presence: 'list',
  default: value,
  applies,
  doc,
});
