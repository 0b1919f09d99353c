/** /etc/pptpd.conf as pptpd 1.4 and 1.5 read it (configfile.c; processIPStr() in pptpd.c). */
import type { Ipv4 } from '../../wire/brand.ts';
import { inetAton } from './inet-aton.ts';

/** Octets of a line (MAX_CONFIG_STRING_SIZE less its end): longer ones are ignored. */
const LONGEST = 509;

/** The keywords in order; of two the first counts. A line that begins with a blank is none, one with # is a comment. */
export function pptpdConf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.length > LONGEST || /^[#\t ]/.test(line)) continue;
    const [, keyword, value] = /^([^\t ]+)[\t ]*(.*?)[\t ]*$/s.exec(line) ?? [];
    if (keyword !== undefined && !found.has(keyword)) found.set(keyword, value!);
  }
  return found;
}

/**
 * `192.168.0.234-238,192.168.0.245`, also `192.168.0-3.7`: pptpd does not start with what is none of these.
 * @param most addresses; more are ignored, as pptpd does
 */
export function pptpdAddresses(
  text: string,
  most: number,
  refused: (part: string) => void,
): Ipv4[] {
  const found: Ipv4[] = [];
  for (const part of text.split(',')) {
    const some = part.includes('-') ? rangeOf(part) : [inetAton(part)];
    if (some === undefined || !some.every((address) => address !== undefined)) refused(part);
    else found.push(...some);
  }
  return found.slice(0, most);
}

/** One of the four numbers is a range. */
function rangeOf(part: string): (Ipv4 | undefined)[] | undefined {
  const numbers = part.split('.');
  const at = numbers.findIndex((number) => number.includes('-'));
  const [, lower, upper] = /^(\d{1,3})-(\d{1,3})$/.exec(numbers[at]!) ?? [];
  const others = numbers.filter((_, i) => i !== at);
  if (numbers.length !== 4 || !others.every((number) => /^\d{1,3}$/.test(number))) return undefined;
  const count = Number(upper) - Number(lower) + 1;
  if (!(count > 0)) return undefined;
  return Array.from({ length: count }, (_, i) =>
    inetAton(numbers.with(at, String(Number(lower) + i)).join('.')),
  );
}
