/** The addresses that a line of pppd's secrets allows its caller (set_allowed_addrs() in its auth.c). */
import type { Ipv4 } from '../../wire/brand.ts';
import { netmask } from '../../wire/ip.ts';
import { inetAton } from './inet-aton.ts';

export interface AllowedAddresses {
  /** Of several that fit the first counts; what fits none is not allowed. */
  readonly permits: (address: Ipv4) => boolean;
  /** The one given to a caller whose turn it is for an address that is not allowed. */
  readonly suggested: Ipv4 | undefined;
  /** Words that are no addresses: pppd goes on without them, and so must we, unless that allowed more. */
  readonly unknown: readonly string[];
  /** Words that it depends on what the caller may have, and that cannot be told: names after !, numbers of devices. */
  readonly undecided: readonly string[];
}

interface Rule {
  readonly permit: boolean;
  readonly base: number;
  readonly mask: number;
}

/** `192.168.0.25`, `!192.168.0.1`, `192.168.0.0/28`, `192.168.0.0/24+`, and at the end `*` (any) or `-` (no more). */
export function allowedAddresses(words: readonly string[]): AllowedAddresses {
  const rules: Rule[] = [];
  const unknown: string[] = [];
  const undecided: string[] = [];
  let suggested: Ipv4 | undefined;
  for (const word of words) {
    if (word === '-') break;
    if (word === '*') {
      rules.push({ permit: true, base: 0, mask: 0 });
      break;
    }
    const permit = !word.startsWith('!');
    const [host = '', bits] = (permit ? word : word.slice(1)).split(/\/(.*)/s);
    const length = bits === undefined ? 32 : Number(/^\d{1,3}(?=\+?$)/.exec(bits)?.[0] ?? NaN);
    const address = inetAton(host);
    if (!(length >= 1 && length <= 32)) unknown.push(word);
    else if (bits?.endsWith('+') === true) undecided.push(word);
    else if (address === undefined) (permit ? unknown : undecided).push(word);
    else {
      const mask = netmask(length);
      rules.push({ permit, mask, base: (address & mask) >>> 0 });
      if (length === 32) suggested ||= address;
    }
  }
  return {
    permits: (address) =>
      rules.find(({ base, mask }) => (address & mask) >>> 0 === base)?.permit ?? false,
    suggested,
    unknown,
    undecided,
  };
}
