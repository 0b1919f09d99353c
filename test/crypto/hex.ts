/** Octets written as hex digits, as the RFCs print them; spaces are ignored. */

export function octets(text: string): Uint8Array {
  const digits = text.replaceAll(' ', '');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex').toUpperCase();
}
