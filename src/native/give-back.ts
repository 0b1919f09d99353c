/** Memory that nobody needs any more, back to the kernel: garbage, and what the heaps have reserved. */
import { loadAddon } from './addon.ts';

/** It takes some 50 ms of an idle processor, in which nothing else happens. @throws {IoError} the addon is missing */
export function giveBack(): void {
  loadAddon().giveBack();
}
