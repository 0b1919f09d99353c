/** Names of nftables sets as owners write them: `staff` (of fw4's table), or `inet filter staff`. */

/** Of tables that may have addresses of IP. */
const families = ['inet', 'ip', 'ip6'];
/** nft takes more, but none of what else it takes is made by UCI. */
const WORD = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;
/** fw4 has one table, and there all that /etc/config/firewall names. */
const FW4 = 'inet fw4 ';

export const SET_NAME = 'a firewall set such as staff (of fw4), or inet filter staff';

/** With its family and table; undefined: it is no name. */
export function parseSetName(text: string): string | undefined {
  const words = text.trim().split(/\s+/);
  const [family, table, name] = words.length === 1 ? ['inet', 'fw4', words[0]!] : words;
  const isName = [table, name].every((word) => word !== undefined && WORD.test(word));
  if (words.length === 2 || words.length > 3 || !isName || !families.includes(family!))
    return undefined;
  return families.includes(name!) ? undefined : `${family!} ${table!} ${name!}`;
}

/** As short as it can be written. */
export function shownSetName(set: string): string {
  return set.startsWith(FW4) ? set.slice(FW4.length) : set;
}
