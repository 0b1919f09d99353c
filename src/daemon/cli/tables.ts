/** Tables for people: status and sessions as text. */
import { headed } from './colours.ts';

/** A name that a stranger chose must not make its column wider than a terminal. */
export function shortened(text: string, most = 40): string {
  if (width(text) <= most) return text;
  let kept = '';
  for (const character of text) {
    if (width(kept + character) >= most) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Columns as wide as their widest cell; no blanks at the end of a line. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (found, row) => row.map((cell, i) => Math.max(found[i] ?? 0, width(cell))),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell + ' '.repeat(widths[i]! - width(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A table whose columns have names. */
export function titled(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return table([titles.map(headed), ...rows]);
}

/** Marks, joiners and what else takes no column of its own; skin tones change the character before them. */
const none = /^(?:[\p{M}\p{Cf}\u1160-\u11ff]|\p{Emoji_Modifier})$/u;
/** Two columns: Unicode's East_Asian_Width W and F, and what is shown as a picture. */
const wide =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;
const JOINER = '\u200d';
/** The character before it is shown as a picture. */
const AS_PICTURE = '\ufe0f';

// eslint-disable-next-line no-control-regex -- that is how a terminal is told
const COLOUR = /\u001b\[\d*m/g;

/** The columns that a terminal gives to a text; colours take none. */
export function width(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  let last = '';
  let lastWidth = 0;
  for (const character of text.replaceAll(COLOUR, '')) {
    let own = none.test(character) || last === JOINER ? 0 : wide.test(character) ? 2 : 1;
    // A flag is two letters of a column each.
    if (/\p{RI}/u.test(character)) own = 1;
    if (character === AS_PICTURE && lastWidth === 1) own = 1;
    columns += own;
    [last, lastWidth] = [character, own];
  }
  return columns;
}

/** Octets in units people read: 1.4 MB. Decimal, as link speeds are. */
export function octets(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; count >= 999.5 && unit < units.length - 1; unit++) count /= 1000;
  return `${unit === 0 ? count : count.toFixed(count < 10 ? 2 : count < 100 ? 1 : 0)} ${units[unit]!}`;
}

/** Seconds as 3d 04:05:06 or 00:00:07. */
export function duration(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(seconds / 86400);
  const clock = `${two((seconds % 86400) / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  return days === 0 ? clock : `${days}d ${clock}`;
}
