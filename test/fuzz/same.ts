/** Whether two rows of octets are equal, without the cost of assert.deepEqual. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
