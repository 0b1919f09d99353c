/** HTML of the documentation's pages: headings, paragraphs, lists, tables, blocks of code; in a line code, emphasis and links. */
import { anchors } from './markdown.ts';

/** Where a link of the page leads to in HTML; undefined: nowhere, its words stand alone. */
export type Target = (link: string) => string | undefined;

const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }`;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'); // prettier-ignore

/** A whole document, whose title is the page's first heading, without pictures: there is no room for them on a router. @throws Error what a page does not have */
export function htmlOf(page: string, target: Target): string {
  const names = anchors(page);
  const [, title = ''] = /^# (.*)$/m.exec(page) ?? [];
  const body = chunks(page).flatMap((lines) => {
    const [first = ''] = lines;
    const [, marks, heading = ''] = /^(#{1,4}) (.*)$/.exec(first) ?? [];
    if (marks !== undefined) {
      const level = `h${marks.length}`;
      return `<${level} id="${escaped(names.shift() ?? '')}">${inline(heading, target)}</${level}>`;
    }
    if (first.startsWith('```')) return `<pre>${escaped(lines.slice(1, -1).join('\n'))}</pre>`;
    if (first.startsWith('|')) return tableOf(lines, target);
    if (/^(-|\d+\.) /.test(first)) return listOf(lines, target);
    if (lines.every((line) => line.startsWith('!['))) return [];
    if (/^(>|<| )/.test(first)) throw new Error(`not for help pages: ${first}`);
    return `<p>${inline(lines.join('\n'), target)}</p>`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
${body.join('\n')}
</body>
</html>
`;
}

/** What stands together: a heading, a block of code with its fences, lines without an empty one between. */
function chunks(page: string): string[][] {
  const found: string[][] = [];
  let open: string[] | undefined;
  let inCode = false;
  for (const line of page.split('\n')) {
    const isFence = line.startsWith('```');
    if (!inCode && (line === '' || isFence || /^#{1,4} /.test(line))) open = undefined;
    if (!inCode && (line === '' || /^<!--.*-->$/.test(line))) continue;
    if (open === undefined) found.push((open = []));
    open.push(line);
    if (isFence) inCode = !inCode;
    if ((isFence && !inCode) || (!inCode && /^#{1,4} /.test(line))) open = undefined;
  }
  return found;
}

function tableOf([header = '', , ...rows]: readonly string[], target: Target): string {
  const cells = (row: string, tag: string) =>
    row
      .replaceAll(/^\| ?| ?\|$/g, '')
      .split(/ ?(?<!\\)\| ?/)
      .map((cell) => `<${tag}>${inline(cell.replaceAll('\\|', '|'), target)}</${tag}>`)
      .join('');
  return `<table>\n${[cells(header, 'th'), ...rows.map((row) => cells(row, 'td'))]
    .map((row) => `<tr>${row}</tr>`)
    .join('\n')}\n</table>`;
}

/** Of one level; an item may go on in the next lines. */
function listOf(lines: readonly string[], target: Target): string {
  const items: string[] = [];
  for (const line of lines) {
    const [, text] = /^(?:-|\d+\.) (.*)$/.exec(line) ?? [];
    if (text !== undefined) items.push(text);
    else items.push(`${items.pop() ?? ''}\n${line.trimStart()}`);
  }
  const tag = lines[0]?.startsWith('-') === true ? 'ul' : 'ol';
  return `<${tag}>\n${items.map((item) => `<li>${inline(item, target)}</li>`).join('\n')}\n</${tag}>`;
}

/** Nothing in code is a mark. */
function inline(text: string, target: Target): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.length > 1 && part.startsWith('`')
        ? `<code>${escaped(part.slice(1, -1)).replaceAll('*', '&#42;').replaceAll('[', '&#91;')}</code>`
        : escaped(part),
    )
    .join('')
    .replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, text: string, link: string) => {
      const words = text.replace(/\.md$/, '');
      const href = target(link);
      return href === undefined ? words : `<a href="${escaped(href)}">${words}</a>`;
    })
    .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replaceAll(/\*([^*]+)\*/g, '<em>$1</em>');
}
