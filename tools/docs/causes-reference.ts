/** The list of causes as a Markdown table, made from wire/cause.ts. */
import { causeCodes, describeCause } from '../../src/wire/cause.ts';
import { table } from './markdown.ts';

export function causesReference(): string {
  return table(
    ['code', 'what it says'],
    causeCodes.map((code) => [`\`${code}\``, describeCause({ code })]),
  );
}
