/** The next program in the place of this one: the same process, with the descriptors that it is given. */
import { loadAddon } from './addon.ts';

/** Contents that have no name in the file system and never come to a disk. @returns its descriptor @throws {IoError} */
export function memoryFile(name: string, octets: Uint8Array): number {
  return loadAddon().memoryFile(name, octets);
}

/** Another descriptor of the same. @throws {IoError} */
export function duplicate(descriptor: number): number {
  return loadAddon().duplicate(descriptor);
}

/** A file as it is now, whatever becomes of its name. @returns its descriptor @throws {IoError} */
export function openFile(path: string): number {
  return loadAddon().openFile(path);
}

/** An inherited one, which no program that is started from here gets. @throws {IoError} it is closed */
export function claimDescriptor(descriptor: number): void {
  loadAddon().claimDescriptor(descriptor);
}

/** One that nobody else knows. @throws {IoError} */
export function closeDescriptor(descriptor: number): void {
  loadAddon().closeDescriptor(descriptor);
}

/**
 * Becomes another program, which has these descriptors besides standard input, output and error.
 * @param words the first is its path
 * @throws {IoError} it cannot be: everything is as it was
 */
export function become(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  descriptors: readonly number[],
): never {
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  // The runtime closes the first three, too, for whatever it executes.
  const kept = Int32Array.of(0, 1, 2, ...descriptors);
  return loadAddon().become(strings(words), strings(assignments), kept);
}

function strings(all: readonly string[]): Uint8Array {
  return new TextEncoder().encode(all.map((each) => `${each}\0`).join(''));
}
