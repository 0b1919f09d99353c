/**
 * Device names fit the kernel's 15 characters; longer ones are shortened with a hash that stays the same. LuCI computes the
 * same names where it shows an interface that is down (openwrt/luci-proto-pptpgw, device-name.js; a test holds them together).
 */

const IFNAMSIZ = 16; // linux/if.h, with the NUL

export function deviceName(prefix: string, interfaceName: string): string {
  const name = prefix + interfaceName;
  if (name.length < IFNAMSIZ) return name;
  const hash = (fnv1a(interfaceName) & 0xffff).toString(16).padStart(4, '0');
  return `${name.slice(0, IFNAMSIZ - 1 - hash.length)}${hash}`;
}

/** FNV-1a, 32 bits. Names of interfaces are ASCII. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
