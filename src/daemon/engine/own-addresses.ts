/** The addresses of this machine and the devices that have them. */
import { networkInterfaces } from 'node:os';
import { parseAddress } from '../../wire/ip.ts';

/** undefined: the address is not one of ours. */
export function deviceOfAddress(address: number): string | undefined {
  for (const [device, addresses] of Object.entries(networkInterfaces()))
    if (
      addresses?.some(
        (entry) => entry.family === 'IPv4' && parseAddress(entry.address) === address,
      ) === true
    )
      return device;
  return undefined;
}

/** Whether a device is among these names, of which `name*` stands for all that begin so. */
export function isAmong(device: string, names: readonly string[]): boolean {
  return names.some((name) =>
    name.endsWith('*') ? device.startsWith(name.slice(0, -1)) : device === name,
  );
}
