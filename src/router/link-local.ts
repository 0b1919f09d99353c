/** fe80::/64 with the interface identifier of IPV6CP (RFC 5072 §5). */
export function linkLocal(identifier: Uint8Array): string {
  const words = Array.from({ length: 4 }, (_, i) =>
    ((identifier[2 * i]! << 8) | identifier[2 * i + 1]!).toString(16),
  );
  return `fe80::${words.join(':')}`;
}
