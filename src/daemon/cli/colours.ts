/** Colours, for a person at a terminal who has not said NO_COLOR (no-color.org). */
import { program } from '../../platform/platform.ts';

const isColoured =
  program.screen !== undefined &&
  (program.environment('NO_COLOR') ?? '') === '' &&
  program.environment('TERM') !== 'dumb';

const painted = (code: number) => (text: string) =>
  isColoured && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;

export const headed = painted(1);
const tones = { good: painted(32), poor: painted(33), bad: painted(31) } as const;

const words: Readonly<Record<string, keyof typeof tones>> = {
  up: 'good',
  listening: 'good',
  ok: 'good',
  waiting: 'poor',
  demand: 'poor',
  'not reached': 'poor',
  warning: 'poor',
  failed: 'bad',
  blocked: 'bad',
  error: 'bad',
};

/** A state, result or severity in the colour that says whether it is well. */
export function toned(word: string, text = word): string {
  const tone = words[word];
  return tone === undefined ? text : tones[tone](text);
}
