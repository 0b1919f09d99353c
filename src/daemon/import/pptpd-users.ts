/** Users of pptpd as sections of ours. */
import { parseUci } from '../../router/uci.ts';
import { sectionText } from '../../router/uci-text.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { formatAddress, parseAddress } from '../../wire/ip.ts';
import { toLatin1 } from '../../wire/octets.ts';
import { textFromOctets } from '../../wire/text.ts';
import {
  password as passwordType,
  username as usernameType,
} from '../configuration/option-types.ts';
import { allowedAddresses } from './pppd-addresses.ts';
import type { PptpdLogin } from './pptpd-files.ts';
import type { Pool } from './pptpd-server.ts';

type Warn = (text: string) => void;

/**
 * @param server that they may call
 * @param users what stands in pptp_users
 */
export function userSections(
  logins: readonly PptpdLogin[],
  { server, pool }: { readonly server: string; readonly pool: Pool },
  users: string,
  warn: Warn,
): string[] {
  const { sections } = parseUci('pptp_users', users);
  const names = new Set(sections.map(({ name }) => name));
  const usernames = new Set(
    sections.flatMap(({ values }) => readingOf(values.get('username')?.values.at(-1) ?? '')),
  );
  const taken = new Set(
    sections.flatMap(({ values }) => parseAddress(values.get('ipaddr')?.values.at(-1) ?? '') ?? []),
  );
  if (pool.localAddress !== undefined) taken.add(pool.localAddress);
  return logins.flatMap((login: PptpdLogin) => {
    const { place, client, secret } = login;
    const say = (text: string) => warn(`${place}: ${text}`);
    const leftOut = (why: string) => (say(`left out, ${why}`), []);
    // What the package brings as an example: everybody knows it.
    if (client === 'youruser' && secret === 'yourpass')
      return leftOut("it is the example in pptpd's package");
    if (/\n/.test(client + secret))
      return leftOut('there is the end of a line in its name or password: a quote is not closed?');
    const username = readingOf(client);
    if (usernameType.parse(username) === undefined)
      return leftOut(`the name is not ${usernameType.allowed}`);
    if (passwordType.parse(secret) === undefined)
      return leftOut(`the password is not ${passwordType.allowed}`);
    if (usernames.has(username)) return leftOut('there is a user of this name');
    const address = addressOf(login, pool, taken, say);
    if (address === 'none') return [];
    const ipaddr = address === 'pool' ? undefined : formatAddress(address);
    const name = freeName(username.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 32), names);
    let section: string;
    try {
      section = sectionText('user', name, { username, password: secret, server: [server], ipaddr });
    } catch {
      return leftOut('there is a control character in it');
    }
    // pppd makes its keys of each octet as if it were one letter: so does this text of one letter for each octet.
    if (/[^\0-\x7f]/.test(secret))
      say(
        'its password has other letters than ASCII, and is kept as pptpd took it, octet by octet: a caller who was let in still is, one who types these letters into Windows may need a new password',
      );
    if (login.anyServer)
      say(
        'taken over, as its password was good for any server: delete the user if that is what this router itself logs in with elsewhere',
      );
    if (login.options.length > 0) say('options behind -- are not taken over');
    names.add(name);
    usernames.add(username);
    if (address !== 'pool') taken.add(address);
    return [section];
  });
}

/** Whether it is one of the pool's, a fixed one, or none that pppd would have allowed: then the account is of no use. */
function addressOf(
  { addresses }: PptpdLogin,
  { ranges }: Pool,
  taken: ReadonlySet<Ipv4>,
  say: Warn,
): Ipv4 | 'pool' | 'none' {
  const { permits, suggested, unknown, undecided } = allowedAddresses(addresses);
  const leftOut = (why: string) => (say(`left out, ${why}`), 'none' as const);
  if (undecided.length > 0)
    return leftOut('which addresses it may have depends on names, or on numbers of devices');
  if (unknown.length > 0) say('what is no address among its addresses is not taken over');
  const free = ranges
    .flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
    .filter((address) => permits(address));
  const size = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (size > 0 && free.length === size) return 'pool';
  if (size === 0 && addresses.includes('*')) return 'pool'; // to be filled in
  const fixed = suggested !== undefined && permits(suggested) ? suggested : undefined;
  const choice = [...(fixed === undefined ? [] : [fixed]), ...free].find((one) => !taken.has(one));
  if (choice === undefined && fixed === undefined)
    return leftOut(
      addresses.length === 0
        ? 'it has no addresses, so pppd gave it none: is there a # in its name or password?'
        : 'it may have none of the addresses for callers',
    );
  if (choice === undefined) {
    say(`its address ${formatAddress(fixed!)} belongs to another: it gets one from the pool`);
    return 'pool';
  }
  if (addresses.length > 1 || choice !== fixed)
    say(`of the addresses it may have it gets ${formatAddress(choice)} for good`);
  return choice;
}

/** As the name of a caller is read who sends these octets. */
function readingOf(octets: string): string {
  return textFromOctets(toLatin1(octets)).text;
}

/** The name, or with a number where it is taken. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 2, name = wanted; ; n++) {
    if (!taken.has(name)) return name;
    name = `${wanted}_${n}`;
  }
}
