/** Users of pptpd as sections of ours. */
import { parseUci } from '../../router/uci.ts';
import { sectionText } from '../../router/uci-text.ts';
import { parseAddress } from '../../wire/ip.ts';
import {
  password as passwordType,
  username as usernameType,
} from '../configuration/option-types.ts';
import type { PptpdLogin } from './pptpd-files.ts';

/**
 * @param of the server they may call, and its own address
 * @param users what stands in pptp_users
 */
export function userSections(
  logins: readonly PptpdLogin[],
  { server, localAddress }: { readonly server: string; readonly localAddress: number | undefined },
  users: string,
  warn: (text: string) => void,
): string[] {
  const { sections } = parseUci('pptp_users', users);
  const names = new Set(sections.map(({ name }) => name));
  const usernames = new Set(
    sections.flatMap(({ values }) => values.get('username')?.values.at(-1) ?? []),
  );
  const fixed = new Set(
    sections.flatMap(({ values }) => parseAddress(values.get('ipaddr')?.values.at(-1) ?? '') ?? []),
  );
  return logins.flatMap(({ place, username, password, address }: PptpdLogin) => {
    const leftOut = (why: string) => (warn(`${place}: ${why}`), []);
    // What the package brings as an example: everybody knows it.
    if (username === 'youruser' && password === 'yourpass')
      return leftOut("left out, it is the example in pptpd's package");
    if (usernameType.parse(username) === undefined)
      return leftOut(`left out, the name is not ${usernameType.allowed}`);
    if (passwordType.parse(password) === undefined)
      return leftOut(`left out, the password is not ${passwordType.allowed}`);
    if (usernames.has(username)) return leftOut('left out, there is a user of this name');
    const own = parseAddress(address);
    let ipaddr: string | undefined;
    if (address !== '' && address !== '*') {
      if (own === undefined)
        warn(
          `${place}: its address${/^[\d./,-]{1,40}$/.test(address) ? ` ${address}` : ''} is not understood: it gets one from the pool`,
        );
      else if (fixed.has(own) || own === localAddress)
        warn(`${place}: its address ${address} belongs to another: it gets one from the pool`);
      else ipaddr = address;
    }
    const name = freeName(username.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 32), names);
    try {
      const section = sectionText('user', name, { username, password, server: [server], ipaddr });
      names.add(name);
      usernames.add(username);
      if (ipaddr !== undefined && own !== undefined) fixed.add(own);
      return [section];
    } catch {
      return leftOut('left out, there is a control character in it');
    }
  });
}

/** The name, or with a number where it is taken. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 2, name = wanted; ; n++) {
    if (!taken.has(name)) return name;
    name = `${wanted}_${n}`;
  }
}
