/** What a caller needs of the server that accepted it. */
import type { Grant } from '../../ppp/options.ts';
import type { Cause } from '../../wire/cause.ts';
import type { Gateway, LiveSession } from '../gateway.ts';
import type { ServerOptions, User } from '../options.ts';
import type { CallPaths } from '../ports.ts';
import type { Identity } from '../session.ts';

export interface Reception {
  readonly options: ServerOptions;
  readonly gateway: Gateway;
  readonly paths: CallPaths;
  /**
   * Lets a user in whose password was right: an address and a place, for which older sessions of the same user may be
   * ended (on_duplicate). A Cause: what speaks against it. Wait: the LAN is asked for the address; try again then.
   */
  admit(user: User, ending: LiveSession['end'], now: number): Admission | Cause | Wait;
}

export interface Wait {
  /** ms */
  readonly wait: number;
}

export interface Admission {
  readonly identity: Identity;
  readonly grant: Grant;
  /** Gives address and place back. Once. */
  release(): void;
}
