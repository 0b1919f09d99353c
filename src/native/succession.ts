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

/** The runtime closes these, too, for whatever it executes. */
const STANDARD = [0, 1, 2];

/** What the guard does (guard.c): watch over the next program; let signals wait alone; nothing. */
export const Guard = { atEase: 0, watchNext: 1, holdNext: 3, holding: 4 } as const;

/** The variable that tells the guard its descriptor; the environment begins with it. */
export const GUARD = 'PPTP_GATEWAY_GUARD';
/** With it the environment of the way back ends: the signal that has ended the next program, or 0. */
export const ENDED = 'PPTP_GATEWAY_ENDED';

/** @returns what guard.c reads: its duty, and the way back */
export function guardDocument(
  duty: number,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  descriptors: readonly number[],
): Uint8Array {
  const texts = [strings(words), strings([...assignments(environment), `${ENDED}=00`])] as const;
  const kept = [...STANDARD, ...descriptors];
  const head = [duty, kept.length, texts[0].length, texts[1].length, ...kept];
  const octets = [new Uint8Array(Int32Array.from(head).buffer), ...texts];
  const document = new Uint8Array(octets.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of octets) {
    document.set(part, at);
    at += part.length;
  }
  return document;
}

/**
 * SIGHUP, SIGINT and SIGTERM wait from now on, also for the next program; those that have come already are handled in the next
 * turn of the event loop. In the main thread alone.
 */
export function holdSignals(isHeld: boolean): void {
  loadAddon().holdSignals(isHeld);
}

/** The next program is well: nothing is watched any more; `atEase`: and it handles signals, also those that have waited. @throws {IoError} */
export function setGuard(descriptor: number, duty: (typeof Guard)[keyof typeof Guard]): void {
  loadAddon().setGuard(descriptor, duty);
}

/**
 * Becomes another program, which has these descriptors besides standard input, output and error.
 * @param words the first is its path
 * @param guardSeconds it has so long until it is well, 0: for ever; SIGHUP, SIGINT and SIGTERM wait. undefined: there is no guard
 * @throws {IoError} it cannot be: everything is as it was
 */
export function become(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  descriptors: readonly number[],
  guardSeconds?: number,
): never {
  const kept = Int32Array.of(...STANDARD, ...descriptors);
  return loadAddon().become(
    strings(words),
    strings(assignments(environment)),
    kept,
    guardSeconds ?? -1,
  );
}

function assignments(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

function strings(all: readonly string[]): Uint8Array {
  return new TextEncoder().encode(all.map((each) => `${each}\0`).join(''));
}
