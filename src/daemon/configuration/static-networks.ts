/** Networks that interfaces of the router have by their configuration (proto static). */
import type { UciSection } from '../../router/uci.ts';
import { netmask, parseAddress, prefixOf } from '../../wire/ip.ts';
import type { Surrounding } from './clashes.ts';
import { bool } from './option-types.ts';

export function staticNetworks(sections: readonly UciSection[]): Surrounding[] {
  return sections.flatMap(({ type, name, values }) => {
    const one = (option: string) => values.get(option)?.values.at(-1) ?? '';
    if (type !== 'interface' || bool.parse(one('disabled')) === true) return [];
    const mask = parseAddress(one('netmask'));
    const bits = [...Array(33).keys()].find((length) => netmask(length) === mask);
    const texts = values.get('ipaddr')?.values.flatMap((text) => text.trim().split(/\s+/)) ?? [];
    return texts.flatMap((text) => {
      const [own = '', after] = text.split('/');
      const address = parseAddress(own);
      const length = after === undefined ? (bits ?? 32) : Number(after);
      if (address === undefined || !(Number.isInteger(length) && length >= 0 && length <= 32))
        return [];
      return [{ name: `interface ${name}`, address, network: prefixOf(address, length) }];
    });
  });
}
