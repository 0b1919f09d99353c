/** Cuts a stream into messages, however it arrives. */
import { HEADER, MAX_BLOB, viewOf } from './blob.ts';
import { parseError, type UbusError } from './status.ts';

const ROOT = 4;

export class Framer {
  #octets = new Uint8Array(0);
  /** Octets that wait for the rest of their message. */
  #length = 0;
  readonly #longest: number;

  /** @param longest length of the root attribute */
  constructor(longest = MAX_BLOB) {
    this.#longest = longest;
  }

  /** @returns whole messages, copied; or an error, after which the stream cannot be read any more */
  push(chunk: Uint8Array): readonly Uint8Array[] | UbusError {
    this.#append(chunk);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (this.#length - at >= HEADER + ROOT) {
      const root = viewOf(this.#octets).getUint32(at + HEADER) & 0xffffff;
      if (root < ROOT || root > this.#longest) return parseError(`a message of ${root} octets`);
      const end = at + HEADER + root;
      if (end > this.#length) break;
      messages.push(this.#octets.slice(at, end));
      at = end;
    }
    this.#octets.copyWithin(0, at, this.#length);
    this.#length -= at;
    if (this.#length === 0) this.#octets = new Uint8Array(0);
    return messages;
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#octets.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#length));
      grown.set(this.#octets.subarray(0, this.#length));
      this.#octets = grown;
    }
    this.#octets.set(chunk, this.#length);
    this.#length = length;
  }
}
