/**
 * What an account proves itself with, held so that it cannot slip into a log, a status or an
 * error's text.
 */
import { ntPasswordHash } from './password.ts';

const SHOWN = '[secret]';

/**
 * A password, or only its NT hash: enough for MS-CHAP, not for PAP, CHAP-MD5 and the LM hash.
 * Printed, inspected or serialized it is `[secret]`; a structured clone of it is empty.
 */
export class Secret {
  readonly #password: string | undefined;
  readonly #ntHash: Uint8Array;

  private constructor(password: string | undefined, ntHash: Uint8Array) {
    this.#password = password;
    this.#ntHash = ntHash;
  }

  static fromPassword(password: string): Secret {
    return new Secret(password, ntPasswordHash(password));
  }

  /**
   * @param ntHash NtPasswordHash, 16 octets
   * @throws TypeError on another length
   */
  static fromNtHash(ntHash: Uint8Array): Secret {
    if (ntHash.length !== 16) throw new TypeError('an NT hash has 16 octets');
    return new Secret(undefined, ntHash.slice());
  }

  get kind(): 'password' | 'nt-hash' {
    return this.#password === undefined ? 'nt-hash' : 'password';
  }

  /** The password, `undefined` where only the NT hash is known. */
  get password(): string | undefined {
    return this.#password;
  }

  /** NtPasswordHash (16 octets) of either kind; the caller does not change it. RFC 2759 §8.3 */
  get ntHash(): Uint8Array {
    return this.#ntHash;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}
