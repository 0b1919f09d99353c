/** MD4 as RFC 1320 §3 tells it, step by step, on BigInt words: slow and obvious. */

const WORD = 0xffffffffn;

export function md4Twin(octets: Uint8Array): Uint8Array {
  const message = [...octets, 0x80];
  while (message.length % 64 !== 56) message.push(0);
  for (let n = 0n; n < 8n; n++)
    message.push(Number((BigInt(octets.length * 8) >> (8n * n)) & 255n));

  let [a, b, c, d] = [0x67452301n, 0xefcdab89n, 0x98badcfen, 0x10325476n];
  for (let start = 0; start < message.length; start += 64) {
    const x = (k: number): bigint =>
      [3, 2, 1, 0].reduce((sum, at) => sum * 256n + BigInt(message[start + k * 4 + at]!), 0n);
    const f = (x: bigint, y: bigint, z: bigint): bigint => (x & y) | (~x & WORD & z);
    const g = (x: bigint, y: bigint, z: bigint): bigint => (x & y) | (x & z) | (y & z);
    const h = (x: bigint, y: bigint, z: bigint): bigint => x ^ y ^ z;
    const step = (mix: typeof f, constant: bigint, k: number, s: number): void => {
      const turned = rotate((a + mix(b, c, d) + x(k) + constant) & WORD, BigInt(s));
      [a, b, c, d] = [d, turned, b, c];
    };
    const before = [a, b, c, d] as const;
    for (const k of [0, 4, 8, 12]) {
      step(f, 0n, k, 3);
      step(f, 0n, k + 1, 7);
      step(f, 0n, k + 2, 11);
      step(f, 0n, k + 3, 19);
    }
    for (const k of [0, 1, 2, 3]) {
      step(g, 0x5a827999n, k, 3);
      step(g, 0x5a827999n, k + 4, 5);
      step(g, 0x5a827999n, k + 8, 9);
      step(g, 0x5a827999n, k + 12, 13);
    }
    for (const k of [0, 2, 1, 3]) {
      step(h, 0x6ed9eba1n, k, 3);
      step(h, 0x6ed9eba1n, k + 8, 9);
      step(h, 0x6ed9eba1n, k + 4, 11);
      step(h, 0x6ed9eba1n, k + 12, 15);
    }
    a = (a + before[0]) & WORD;
    b = (b + before[1]) & WORD;
    c = (c + before[2]) & WORD;
    d = (d + before[3]) & WORD;
  }
  return Uint8Array.from(
    [a, b, c, d].flatMap((word) =>
      [0n, 8n, 16n, 24n].map((shift) => Number((word >> shift) & 255n)),
    ),
  );
}

function rotate(word: bigint, count: bigint): bigint {
  return ((word << count) | (word >> (32n - count))) & WORD;
}
