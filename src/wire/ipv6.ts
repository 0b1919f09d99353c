/** IPv6 prefixes and the text of addresses: RFC 4291 §2.2, as inet_ntop and `ip` write it. */

/** A network, or with length 128 an address. */
export interface Ipv6Prefix {
  /** 16 octets; the bits behind `length` are of no meaning. */
  readonly address: Uint8Array;
  /** 0..128 */
  readonly length: number;
}

/** What every link carries, octets: RFC 8200 §5. */
export const IPV6_MIN_MTU = 1280;

const GROUP = /^[0-9a-fA-F]{1,4}$/;

/** 16 octets; undefined for anything else, an address with an embedded IPv4 address (RFC 4291 §2.2.3) too. */
export function parseIpv6Address(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  const [before = [], after = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = before.length + after.length;
  if (halves.length > 2 || (halves.length === 2 ? groups > 7 : groups !== 8)) return undefined;
  if (![...before, ...after].every((group) => GROUP.test(group))) return undefined;
  const zeros = Array.from({ length: 8 - groups }, () => '0');
  return Uint8Array.from(
    [...before, ...zeros, ...after].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}
