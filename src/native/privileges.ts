/**
 * Giving up every capability but CAP_NET_ADMIN and CAP_NET_RAW, in every thread of the process.
 *
 * Capabilities belong to threads, and Node has several before our first line runs (its thread pool would go on reading
 * files with the old ones), so the addon makes each of them give its own up; /proc then shows whether all have.
 */
import { errorCode } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { loadAddon } from './addon.ts';
import { IoError } from './io-error.ts';

/** CAP_NET_ADMIN (12) and CAP_NET_RAW (13) as /proc prints a set. */
const kept = '0000000000003000';
const threadTimeout = 2000;
const ETIMEDOUT = 110;
const ESRCH = 3;

/**
 * Keeps CAP_NET_ADMIN and CAP_NET_RAW as permitted and effective, nothing inheritable or ambient, bounds what programs
 * started later can have to the same two, and sets no_new_privs. Programs run as uid 0 (`ip`, `nft`) still get the two.
 * Doing it twice is harmless. Takes milliseconds; blocks.
 * @throws {IoError} EPERM: we do not have them; ETIMEDOUT: a thread could not be reached, and keeps what it has
 */
export function dropPrivileges(): void {
  const addon = loadAddon();
  addon.reduceCapabilities();
  // A thread may have started another one just before it was reached, hence again until none is found.
  for (let pass = 0; pass < 10; pass++) {
    const tids = privilegedThreads();
    if (tids.length === 0) return;
    for (const tid of tids) {
      try {
        addon.reduceThreadCapabilities(tid, threadTimeout);
      } catch (error) {
        // The thread has ended meanwhile.
        if (!(error instanceof IoError && error.errno === ESRCH)) throw error;
      }
    }
  }
  throw new IoError(ETIMEDOUT, 'capset', `in the threads ${privilegedThreads().join(', ')}`);
}

function privilegedThreads(): number[] {
  return files.names('/proc/self/task').map(Number).filter(isPrivileged);
}

function isPrivileged(tid: number): boolean {
  let status: string;
  try {
    status = files.text(`/proc/self/task/${tid}/status`, 'latin1');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return (
    field('CapPrm') !== kept ||
    field('CapEff') !== kept ||
    field('CapBnd') !== kept ||
    BigInt(`0x${field('CapInh') ?? '1'}`) !== 0n ||
    field('NoNewPrivs') !== '1'
  );
}
