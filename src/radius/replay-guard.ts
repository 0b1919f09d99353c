/**
 * What a client of dynamic authorization has asked lately: a request that comes again is answered as it was, and done once
 * (RFC 5176 §2.3, §6.3).
 *
 * The memory is bounded. With a request that is forgotten all are refused that claim to be as old: none is ever done again, and
 * whoever asks more than fits is held to a shorter window.
 */
import { fromLatin1 } from '../wire/octets.ts';

/** Requests that are remembered. */
const MOST = 1024;

export interface Remembered {
  /** ms since 1970; undefined: it did not say. */
  readonly sentAt: number | undefined;
  /** ms since 1970: nobody can send it again after that. */
  readonly until: number;
  /** undefined: it is being done. */
  answer: Uint8Array | undefined;
}

export class ReplayGuard {
  readonly #requests = new Map<string, Remembered>();
  /** What was sent then, or before, is not believed any more. */
  #floor = -Infinity;

  /** @param authenticator of the request, which is different for each */
  find(identifier: number, authenticator: Uint8Array): Remembered | undefined {
    return this.#requests.get(keyOf(identifier, authenticator));
  }

  /** Whether it may have been asked before, and was forgotten. */
  isForgotten(sentAt: number): boolean {
    return sentAt <= this.#floor;
  }

  /** @param window for so long what was sent is current, ms */
  remember(
    identifier: number,
    authenticator: Uint8Array,
    sentAt: number | undefined,
    window: number,
    wall: number,
  ): Remembered {
    for (const [key, request] of this.#requests) {
      if (request.until > wall && this.#requests.size < MOST) break;
      this.#requests.delete(key);
      this.#floor = Math.max(this.#floor, request.sentAt ?? -Infinity);
    }
    const request = { sentAt, until: (sentAt ?? wall) + window, answer: undefined };
    this.#requests.set(keyOf(identifier, authenticator), request);
    return request;
  }
}

function keyOf(identifier: number, authenticator: Uint8Array): string {
  return String.fromCharCode(identifier) + fromLatin1(authenticator);
}
