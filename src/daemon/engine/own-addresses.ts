/** The addresses of this machine and the devices that have them. */
import { host } from '../../platform/platform.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { parseAddress } from '../../wire/ip.ts';

/** undefined: the address is not one of ours. */
export function deviceOfAddress(address: Ipv4): string | undefined {
  const found = host
    .addresses()
    .find((one) => one.family === 'IPv4' && parseAddress(one.address) === address);
  return found?.device;
}

/** Whether a device is among these names, of which `name*` stands for all that begin so. */
export function isAmong(device: string, names: readonly string[]): boolean {
  return names.some((name) =>
    name.endsWith('*') ? device.startsWith(name.slice(0, -1)) : device === name,
  );
}
