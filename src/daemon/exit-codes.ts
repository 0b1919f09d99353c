/** Exit codes of the program, after sysexits.h where it has one. */
export const ExitCode = {
  Ok: 0,
  Failed: 1,
  Usage: 64,
  /** There is no such session, link or server. */
  NotFound: 66,
  NoRoute: 68,
  /** The daemon is not running. */
  NotRunning: 69,
  /** A fault of the program itself that leaves the packet engine in doubt; the log says where. */
  Software: 70,
  /** /dev/net/tun is missing, or the kernel has no TUN or raw sockets. */
  NoTun: 71,
  PortInUse: 73,
  /** The peer refused the login. */
  LoginRefused: 76,
  NotRoot: 77,
  Configuration: 78,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the program with one clear line. */
export class Fatal extends Error {
  override readonly name = 'Fatal';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
