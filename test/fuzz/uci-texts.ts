/** UCI files: the examples, with damages. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseUci } from '../../src/router/uci.ts';
import type { Random } from './random.ts';

/** Stands in every generated password: what shows it tells a secret. */
export const SECRET = 'hush';

const example = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../examples/${file}`, import.meta.url)), 'utf8')
    .replace(/^#\t/gm, '\t')
    .replaceAll(/(option password ')/g, `$1${SECRET} `);

/** The examples with everything in them switched on. */
export const examples = {
  network: example('network'),
  pptp: example('pptp'),
  pptp_users: example('pptp_users'),
};

export const uciWords = [
  "'", '"', '\\', '\n', '\t', ' ', ';', '#', '\0', '\r', '/33', '-1', '99999999999999999999', '255.255.255.255', '0.0.0.0/0', '127.0.0.1',
  '192.168.99.1', "config interface '__proto__'\n", "\toption __proto__ 'x'\n", "\tlist auth 'pap'\n", "\toption mtu ''\n",
  '💥', '\ud800', 'package x\n', "config user\n", "config interface 'home'\n", "'\\''", 'ж'.repeat(130),
  `\toption password '${'ж'.repeat(130)}'\n`, "\toption username 'anna'\n", "\toption proto 'pptpserver'\n", "\toption proto 'pptpgw'\n",
  "config relay 'r'\n", "\toption direction 'inbound'\n", "\toption mtu '1500'\n", "\tlist range '192.168.99.10-192.168.99.9'\n",
] as const; // prettier-ignore

export function uciText(random: Random): string {
  return random.damagedText(random.pick(Object.values(examples)), uciWords);
}

/**
 * Whether a password has come to stand, in one line, where none belongs: then it may be shown, as every value is that is no
 * password. A value of several lines is a quote that was not closed, and may have anything in it.
 */
export function isMisplaced(text: string): boolean {
  return parseUci('', text).sections.some(
    ({ name, type, values }) =>
      `${name}${type}`.includes(SECRET) ||
      [...values].some(
        ([option, { values: words }]) =>
          option.includes(SECRET) ||
          (option !== 'password' &&
            option !== 'nthash' &&
            words.some((each) => each.includes(SECRET) && !each.includes('\n'))),
      ),
  );
}
