/** Login methods and encryption of a section, checked together. */
import {
  mutualMethods,
  type AuthMethod,
  type MppeOptions,
  type MppeStrength,
} from '../../ppp/options.ts';
import type { UciSection } from '../../router/uci.ts';
import type { PppdOptions } from './pppd-options.ts';
import { complainer, type Problem } from './problems.ts';
import { placeOf } from './section.ts';

export interface SecurityValues {
  readonly auth: readonly AuthMethod[];
  readonly mppe: MppeOptions['policy'];
  readonly mppe_strength: readonly ('128' | '56' | '40')[];
  readonly mppe_stateful: '0' | '1' | 'ask';
}

/**
 * What pppd's words make of a section. An option that stands in the section is above them. They never let in a login method
 * or a key length that is weaker than our defaults unless they name it: `require-mppe` alone still means 128 bits.
 */
export function withPppdWords(
  section: UciSection,
  values: SecurityValues,
  words: PppdOptions,
): SecurityValues {
  const { refused, demanded, stateful } = words;
  // MS-CHAPv2 proves both ends to each other; what else the peer was to prove itself with is no use.
  const methods = demanded.has('mschap-v2') ? (['mschap-v2'] as const) : values.auth;
  const either = <T>(option: string, word: T | undefined, value: T): T =>
    section.values.has(option) ? value : (word ?? value);
  return {
    auth: either('auth', without(methods, refused), values.auth),
    mppe: either('mppe', words.mppe, values.mppe),
    mppe_strength: either(
      'mppe_strength',
      mppeStrengths(words).map(String) as never,
      values.mppe_strength,
    ),
    mppe_stateful: either(
      'mppe_stateful',
      stateful === undefined ? undefined : stateful ? '1' : '0',
      values.mppe_stateful,
    ),
  };
}

/** Key lengths that the words leave. */
export function mppeStrengths({ strengths, notStrengths }: PppdOptions): readonly MppeStrength[] {
  if (strengths.size > 0) return [...strengths];
  const strong = without([128] as const, notStrengths);
  return strong.length > 0 ? strong : without([56, 40] as const, notStrengths);
}

function without<T>(all: readonly T[], some: ReadonlySet<T>): readonly T[] {
  return all.filter((one) => !some.has(one));
}

export function authAndMppe(
  section: UciSection,
  values: SecurityValues,
  problems: Problem[],
): { auth: readonly AuthMethod[]; mppe: MppeOptions } {
  const complain = complainer(problems, placeOf(section));
  const auth = [...new Set(values.auth)];
  if (auth.length === 0) complain('auth', '', 'expected at least one method');
  if (values.mppe_strength.length === 0)
    complain('mppe_strength', '', 'expected at least one of 128, 56, 40');
  checkMethods(section, auth, values.mppe, problems);
  const strengths = [...new Set(values.mppe_strength)]
    .map((bits) => Number(bits) as MppeStrength)
    .sort((a, b) => b - a);
  return {
    auth,
    mppe: {
      policy: values.mppe,
      strengths,
      stateful: values.mppe_stateful !== '0',
      askStateful: values.mppe_stateful === 'ask',
    },
  };
}

/** Whether these login methods, all that there are, go with the encryption; weak ones are told in any case. */
export function checkMethods(
  section: UciSection,
  auth: readonly AuthMethod[],
  mppe: MppeOptions['policy'] | undefined,
  problems: Problem[],
): void {
  const weak = auth.filter((method) => !mutualMethods.includes(method));
  if (mppe === 'required' && giveNoKeys(auth))
    complainer(problems, placeOf(section))(
      'mppe',
      'required',
      `login by ${auth.join(' or ')} gives no keys to encrypt with: expected auth mschap-v2, or mppe off`,
    );
  else if (weak.length > 0)
    complainer(problems, placeOf(section), 'warning')(
      'auth',
      weak.join(' '),
      'these login methods are weak: a listener can learn the password',
    );
}

/** None of them. */
export function giveNoKeys(auth: readonly AuthMethod[]): boolean {
  return auth.length > 0 && auth.every((method) => method === 'chap' || method === 'pap');
}
