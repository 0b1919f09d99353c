/** Markdown as the documentation has it: tables, what stands between two markers, blocks of code, links. */

/** A table; `|` in a cell is kept from ending it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

/** What stands between the markers of a page. @throws Error when one is missing */
export function between(page: string, marker: string): string {
  const [begin, end] = places(page, marker);
  return page.slice(begin, end).trim();
}

/** The page with this between its markers. @throws Error when one is missing */
export function withBetween(page: string, marker: string, text: string): string {
  const [begin, end] = places(page, marker);
  return `${page.slice(0, begin)}\n${text}\n${page.slice(end)}`;
}

function places(page: string, marker: string): [number, number] {
  const [opening, closing] = [`<!-- ${marker}:begin -->`, `<!-- ${marker}:end -->`];
  const begin = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (begin === -1 || end < begin)
    throw new Error(`the page needs the markers ${opening} and ${closing}, in this order`);
  return [begin + opening.length, end];
}

/** What stands under a heading of the second level. @throws Error when there is none */
export function section(page: string, heading: string): string {
  const found = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`the page has no heading ${heading}`);
  return found;
}

export interface Block {
  /** The words behind the fence: the language, and what else is said. */
  readonly info: readonly string[];
  readonly text: string;
  /** The first line of the block's text, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in their order. @throws Error when the last one is not closed */
export function blocks(page: string): Block[] {
  const found: Block[] = [];
  let open: { info: string[]; line: number; lines: string[] } | undefined;
  page.split('\n').forEach((line, index) => {
    if (open !== undefined && line === '```') {
      found.push({ info: open.info, line: open.line, text: open.lines.join('\n') });
      open = undefined;
    } else if (open !== undefined) open.lines.push(line);
    else if (line.startsWith('```'))
      open = { info: line.slice(3).split(' ').filter(Boolean), line: index + 2, lines: [] };
  });
  if (open !== undefined) throw new Error(`line ${open.line - 1}: a block that is not closed`);
  return found;
}

/** The page without its blocks of code: empty lines take their place. */
export function prose(page: string): string {
  return page.replaceAll(/^```.*?^```$/gms, (block) => block.replaceAll(/[^\n]/g, ''));
}

/** Where the links and pictures of a page lead to. */
export function links(page: string): string[] {
  const text = prose(page).replaceAll(/`[^`]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** The names by which headings of a page can be linked to. */
export function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}
