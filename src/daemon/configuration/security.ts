/** Login methods and encryption of a section, checked together. */
import type { AuthMethod, MppeOptions, MppeStrength } from '../../ppp/options.ts';
import type { UciSection } from '../../router/uci.ts';
import type { Problem } from './problems.ts';

interface SecurityValues {
  readonly auth: readonly AuthMethod[];
  readonly mppe: MppeOptions['policy'];
  readonly mppe_strength: readonly ('128' | '56' | '40')[];
  readonly mppe_stateful: '0' | '1' | 'ask';
}

export function authAndMppe(
  section: UciSection,
  values: SecurityValues,
  problems: Problem[],
): { auth: readonly AuthMethod[]; mppe: MppeOptions } {
  const place = { file: section.file, section: section.name };
  const auth = [...new Set(values.auth)];
  const weak = auth.filter((method) => method !== 'mschap-v2');
  const keyless = auth.filter((method) => method === 'chap' || method === 'pap');
  if (auth.length === 0)
    problems.push({
      severity: 'error',
      ...place,
      option: 'auth',
      value: '',
      message: 'expected at least one method',
    });
  if (values.mppe_strength.length === 0) {
    problems.push({
      severity: 'error',
      ...place,
      option: 'mppe_strength',
      value: '',
      message: 'expected at least one of 128, 56, 40',
    });
  }
  if (keyless.length > 0 && keyless.length === auth.length && values.mppe === 'required') {
    problems.push({
      severity: 'error',
      ...place,
      option: 'mppe',
      value: 'required',
      message: `login by ${keyless.join(' or ')} gives no keys to encrypt with: expected auth mschap-v2, or mppe off`,
    });
  } else if (weak.length > 0) {
    problems.push({
      severity: 'warning',
      ...place,
      option: 'auth',
      value: weak.join(' '),
      message: 'these login methods are weak: a listener can learn the password',
    });
  }
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
