/**
 * Comparison of authentication values without telling by its duration where they differ.
 */

/**
 * Whether `a` and `b` hold the same octets. The time depends on their lengths only, which are
 * never secret here (fixed by RFC 1994, RFC 2433, RFC 2759 and RFC 2865).
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}
