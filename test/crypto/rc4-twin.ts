/** RC4 as it is told on paper: slow and obvious. */

export function* rc4Twin(key: Uint8Array): Generator<number, never> {
  const s = Array.from({ length: 256 }, (_, n) => n);
  let j = 0;
  for (let i = 0; i < 256; i++) {
    j = (j + s[i]! + key[i % key.length]!) % 256;
    [s[i], s[j]] = [s[j]!, s[i]!];
  }
  let i = 0;
  j = 0;
  for (;;) {
    i = (i + 1) % 256;
    j = (j + s[i]!) % 256;
    [s[i], s[j]] = [s[j]!, s[i]!];
    yield s[(s[i]! + s[j]!) % 256]!;
  }
}

/** `octets` encrypted (or decrypted) from the start of the key's stream. */
export function rc4TwinApply(key: Uint8Array, octets: Uint8Array): Uint8Array {
  const stream = rc4Twin(key);
  return octets.map((octet) => octet ^ stream.next().value);
}
