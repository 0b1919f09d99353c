/** What `nft -j list set` says of a set: whether it can take addresses, and which it has. */
import type { Ipv4 } from '../wire/brand.ts';
import {
  formatRange,
  parseAddress,
  parsePrefix,
  parseRange,
  prefixRange,
  rangeContains,
  type AddressRange,
} from '../wire/ip.ts';
import { RouterError } from './router.ts';

export interface SetListing {
  has(address: string): boolean;
  /** Elements to be deleted, and what of them is to be added again, so that these addresses are not in it. */
  without(addresses: readonly string[]): { readonly gone: string[]; readonly rest: string[] };
  /** Elements can have an end. */
  readonly hasTimeouts: boolean;
  /** They have one unless another is named. */
  readonly endsByItself: boolean;
  /** Elements that it has room for. */
  readonly room: number;
}

/** Of nft's JSON (libnftables-json(5)), what is used here. */
interface Listed {
  readonly type?: unknown;
  readonly flags?: readonly string[];
  readonly timeout?: number;
  readonly size?: number;
  readonly elem?: readonly unknown[];
}
type Value =
  | string
  | { readonly prefix: { readonly addr: string; readonly len: number } }
  | { readonly range: readonly [string, string] };

/**
 * @param type of the elements: `ipv4_addr` or `ipv6_addr`
 * @throws RouterError it is not for those
 */
export function readSet(listing: unknown, type: string): SetListing {
  const { nftables } = listing as { nftables?: readonly { set?: Listed }[] };
  const set = nftables?.find((each) => each.set !== undefined)?.set;
  if (set === undefined) throw new RouterError('it is no set');
  // A newer nft may say what the type is of (typeof), which is an object.
  const has = Array.isArray(set.type) ? set.type.join(' . ') : set.type;
  if (typeof has === 'string' && has !== type)
    throw new RouterError(`it is a set of ${has}, and ${type} is needed`);
  const values = (set.elem ?? []).map(valueOf);
  const single = new Set(values.filter((value) => typeof value === 'string'));
  const ranges = values.flatMap((value) =>
    typeof value === 'string' ? [] : (rangeOf(value) ?? []),
  );
  const holding = (address: string): AddressRange | undefined => {
    const number = parseAddress(address);
    return number === undefined ? undefined : ranges.find((range) => rangeContains(range, number));
  };
  return {
    has: (address) => single.has(address) || holding(address) !== undefined,
    without(addresses) {
      const gone = addresses.filter((address) => single.has(address));
      // With auto-merge neighbours are one element, out of which nft 1.0.6 cannot take an address.
      const cut = new Map<AddressRange, Ipv4[]>();
      for (const address of addresses) {
        const range = single.has(address) ? undefined : holding(address);
        if (range !== undefined)
          cut.set(range, [...(cut.get(range) ?? []), parseAddress(address)!]);
      }
      const rest = [...cut].flatMap(([range, holes]) => piecesOf(range, holes).map(formatRange));
      return { gone: [...gone, ...[...cut.keys()].map(formatRange)], rest };
    },
    hasTimeouts: set.flags?.includes('timeout') === true || set.timeout !== undefined,
    endsByItself: set.timeout !== undefined,
    room: (set.size ?? Infinity) - values.length,
  };
}

/** `{"elem": {"val": …, "expires": 9}}`, or the value alone. */
function valueOf(element: unknown): Value {
  const { elem } = element as { elem?: { val: Value } };
  return elem?.val ?? (element as Value);
}

function rangeOf(value: Exclude<Value, string>): AddressRange | undefined {
  if ('range' in value) return parseRange(value.range.join('-'));
  const prefix = 'prefix' in value && parsePrefix(`${value.prefix.addr}/${value.prefix.len}`);
  return prefix ? prefixRange(prefix) : undefined;
}

function piecesOf({ first, last }: AddressRange, holes: readonly Ipv4[]): AddressRange[] {
  const ends = [first - 1, ...holes.toSorted((a, b) => a - b), last + 1];
  return ends
    .slice(1)
    .map((end, i) => ({ first: ends[i]! + 1, last: end - 1 }))
    .filter((piece) => piece.first <= piece.last);
}
