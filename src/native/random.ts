/** Random octets that nobody can guess: the kernel's. */
import { loadAddon } from './addon.ts';

/** @throws {IoError} the addon is missing */
export function randomOctets(length: number): Uint8Array {
  const octets = new Uint8Array(length);
  loadAddon().fillRandom(octets);
  return octets;
}
