/** What a RADIUS client and a server share, held so that it cannot slip into a log, a status or an error's text. */

const SHOWN = '[secret]';

/** Printed, inspected or serialized it is `[secret]`; a structured clone of it is empty. */
export class SharedSecret {
  readonly #octets: Uint8Array;

  /** UTF-8; throws TypeError where it is empty (RFC 2865 §3). */
  constructor(text: string) {
    if (text === '') throw new TypeError('a RADIUS secret is not empty');
    this.#octets = new TextEncoder().encode(text);
  }

  /** The caller does not change them. */
  get octets(): Uint8Array {
    return this.#octets;
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
