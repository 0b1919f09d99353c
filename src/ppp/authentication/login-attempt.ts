/**
 * Somebody wants to log in. The owner of the link looks up the account, verifies, and admits or refuses.
 */
import type { Secret } from '../../crypto/secret.ts';
import type { AuthMethod } from '../options.ts';
import { checkEvidence, type Evidence, type Proof } from './evidence.ts';

export class LoginAttempt {
  /** The name as it came, with its domain: `DOMAIN\user`. */
  readonly username: string;
  /** The part after the last backslash. */
  readonly bareUsername: string;
  /** How LCP has agreed to log in: EAP-MSCHAPv2 brings the evidence of MS-CHAPv2. */
  readonly method: AuthMethod;
  readonly #evidence: Evidence;
  #proof: Proof | undefined;

  constructor(username: string, evidence: Evidence, method: AuthMethod = evidence.method) {
    this.username = username;
    this.bareUsername = username.slice(username.lastIndexOf('\\') + 1);
    this.method = method;
    this.#evidence = evidence;
  }

  /** For whom else can check it. */
  get evidence(): Evidence {
    return this.#evidence;
  }

  /**
   * Whether the caller knows `secret`; in constant time. For an unknown user call it with any secret and refuse, so
   * that unknown users and wrong passwords take the same time.
   */
  verify(secret: Secret): boolean {
    this.#proof = checkEvidence(this.#evidence, secret);
    return this.#proof !== undefined;
  }

  /** Somebody who knows the secret has verified it elsewhere. */
  vouch(proof: Proof): void {
    this.#proof = proof;
  }

  /** What the latest `verify` yielded, or `vouch` brought; undefined: nothing. For the link. */
  get proof(): Proof | undefined {
    return this.#proof;
  }
}
