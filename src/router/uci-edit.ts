/** Changes options of one section in UCI text (see uci.ts), and leaves every other character as it is. */
import { SectionNames, uciLines, type UciLine } from './uci.ts';

/** By option: its value; undefined: it is taken out. Values have no quotes, backslashes or line ends. */
export type UciEdits = Readonly<Record<string, string | undefined>>;

/** @returns undefined: there is no such section, or the text is not UCI */
export function editUci(
  text: string,
  type: string,
  section: string,
  edits: UciEdits,
): string | undefined {
  const names = new SectionNames();
  let isInside = false;
  /** Behind what a new option comes: the last line of the section that says anything. */
  let end: number | undefined;
  const found: (UciLine & { readonly option: string })[] = [];
  for (const line of uciLines(text)) {
    if (line.fault !== undefined) return undefined;
    const [keyword, first = '', second] = line.words;
    if (keyword === 'config') isInside = names.next(first, second) === section && first === type;
    if (!isInside) continue;
    end = line.to;
    if (keyword !== 'config' && first in edits) found.push({ ...line, option: first });
  }
  if (end === undefined) return undefined;
  // From behind, so that what stands before keeps its place. Each option that stays is written once: in its last line.
  let edited = text;
  const written = new Set<string>();
  const missing = Object.entries(edits)
    .filter(
      ([option, value]) => value !== undefined && found.every((each) => each.option !== option),
    )
    .map(([option, value]) => `\n\toption ${option} '${value}'`);
  edited = edited.slice(0, end) + missing.join('') + edited.slice(end);
  for (const { option, from, to } of found.reverse()) {
    const value = edits[option];
    const stays = value !== undefined && !written.has(option);
    written.add(option);
    edited = stays
      ? `${edited.slice(0, from)}option ${option} '${value}'${edited.slice(to)}`
      : without(edited, from, to);
  }
  return edited;
}

/** The whole line goes where nothing else stands in it. */
function without(text: string, from: number, to: number): string {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const next = text.indexOf('\n', to);
  const rest = next === -1 ? text.length : next + 1;
  const isAlone = text.slice(start, from).trim() === '' && text.slice(to, rest).trim() === '';
  return isAlone ? text.slice(0, start) + text.slice(rest) : text.slice(0, from) + text.slice(to);
}
