/** The lock that uci takes of a file that it is going to change: flock(2), exclusive. It goes with the descriptor. */
import { loadAddon } from './addon.ts';

/** @returns whether it is ours now; false: somebody else has it @throws {IoError} */
export function lockFile(descriptor: number): boolean {
  return loadAddon().lockFile(descriptor);
}
