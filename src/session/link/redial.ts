/** After a failed attempt: how long to pause, and when to give up. */
import type { Cause, CauseCode } from '../../wire/cause.ts';
import { backoffPause } from './backoff.ts';
import type { ClientLinkOptions } from '../options.ts';

/** A link that was up so long starts with a short pause again, ms. */
const STABLE_TIME = 60_000;

/** The server and we do not agree about the credentials: dialling again only makes it worse. */
const loginFailures: ReadonlySet<CauseCode> = new Set<CauseCode>([
  'AUTH_TOPEER_FAILED',
  'SERVER_NOT_TRUSTED',
]);

export class Redial {
  #failures = 0;

  save(): number {
    return this.#failures;
  }

  restore(failures: number): void {
    this.#failures = failures;
  }

  /** Somebody dials, or the settings changed. */
  reset(): void {
    this.#failures = 0;
  }

  /** A link that was up for `time` ms went down. */
  wasUp(time: number): void {
    if (time >= STABLE_TIME) this.#failures = 0;
  }

  failed({ code }: Cause): void {
    // Losing a collision is nobody's failure (RFC 2637 §3.1.3).
    if (code !== 'CONTROL_COLLISION') this.#failures += 1;
  }

  /** The last attempt, or one before it since somebody wanted the link. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  givesUp(cause: Cause | undefined, options: ClientLinkOptions): boolean {
    if (options.maxFail > 0 && this.#failures >= options.maxFail) return true;
    if (cause?.code === 'QUOTA_USED_UP') return true;
    return options.blockOnAuthFailure && cause !== undefined && loginFailures.has(cause.code);
  }

  /** ms until the next attempt */
  pause(options: ClientLinkOptions, random: (length: number) => Uint8Array): number {
    return backoffPause(Math.max(1, this.#failures), options, random);
  }
}
