/** What a table of options is made of: options.ts has the tables. */
import type { OptionType } from './option-types.ts';

/**
 * What a changed option disturbs: nothing (live), only sessions that start later (new-sessions), the sessions of this
 * section (session), its listener (listener), or the daemon must be started anew (restart).
 */
export type Applies = 'live' | 'new-sessions' | 'session' | 'listener' | 'restart';

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
