/** Device names fit the kernel's 15 characters; longer ones are shortened with a hash that stays the same. */
import { createHash } from 'node:crypto';

const IFNAMSIZ = 16; // linux/if.h, with the NUL

export function deviceName(prefix: string, interfaceName: string): string {
  const name = prefix + interfaceName;
  if (name.length < IFNAMSIZ) return name;
  const hash = createHash('sha1').update(interfaceName).digest('hex').slice(0, 4);
  return `${name.slice(0, IFNAMSIZ - 1 - hash.length)}${hash}`;
}
