/** Addresses as inet_aton() of C reads them: one to four numbers, each decimal, octal (0…) or hexadecimal (0x…). */
import type { Ipv4 } from '../../wire/brand.ts';

/** undefined: none, as for inet_addr(), which cannot tell 255.255.255.255 from a fault. */
export function inetAton(text: string): Ipv4 | undefined {
  const parts = text.split('.');
  if (parts.length > 4) return undefined;
  const numbers = parts.map((part) => {
    if (/^0[xX][0-9a-fA-F]+$/.test(part)) return parseInt(part, 16);
    if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
    return /^[1-9][0-9]*$/.test(part) ? Number(part) : NaN;
  });
  // The last number stands for all octets that are left.
  const rest = numbers.pop()!;
  if (numbers.some((number) => !(number <= 255)) || !(rest < 256 ** (4 - numbers.length)))
    return undefined;
  const address = numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), rest);
  return address === 0xffffffff ? undefined : address;
}
