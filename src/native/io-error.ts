/**
 * The operating system refused something: a system call that failed, as an error with its number and name.
 */
import { host } from '../platform/platform.ts';

export class IoError extends Error {
  override readonly name = 'IoError';
  /** The kernel's number, positive (1 for EPERM). */
  readonly errno: number;
  /** The number's name: 'EPERM'. */
  readonly code: string;
  /** What was asked of the kernel: 'socket', 'TUNSETIFF'. @public */
  readonly syscall: string;

  /**
   * @param errno positive error number
   * @param syscall what was asked of the kernel
   * @param subject what it was asked about (a device, a path), for the message
   */
  constructor(errno: number, syscall: string, subject?: string) {
    const [code, sentence] = systemError(errno);
    super(`${syscall}${subject === undefined ? '' : ` ${subject}`}: ${sentence} (${code})`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}

/** The name of an error number: 'ENOBUFS' for 105. Unknown numbers become 'E' and the number. */
export function errnoName(errno: number): string {
  return systemError(errno)[0];
}

function systemError(errno: number): readonly [code: string, sentence: string] {
  // ENOPROTOOPT and its like are in the map; a few that only devices raise are not.
  return host.systemError(errno) ?? deviceErrors[errno] ?? [`E${errno}`, 'unknown error'];
}

// prettier-ignore
const deviceErrors: Readonly<Record<number, readonly [string, string]>> = {
  77: ['EBADFD', 'the device is gone'],
  80: ['ELIBBAD', 'the library cannot be loaded'],
};
