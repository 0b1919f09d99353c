/** Cuts a stream into RADIUS packets by their lengths: RFC 6613 §2.6.4. Never holds more than one packet. */
import { isMalformed, type Malformed } from '../wire/codec.ts';
import { RADIUS_MAX_LENGTH, radiusLength } from '../wire/radius.ts';

export class RadiusFramer {
  /** The packet that is not yet whole; made when one comes in pieces. */
  #partial: Uint8Array | undefined;
  #held = 0;

  /** The packets that are now whole, copies. Malformed is the last of a stream: it has to be closed. */
  push(octets: Uint8Array): (Uint8Array | Malformed)[] {
    const found: (Uint8Array | Malformed)[] = [];
    let at = 0;
    while (this.#held > 0 || at < octets.length) {
      const held = this.#held;
      const start = held === 0 ? octets.subarray(at) : this.#fill(octets.subarray(at));
      const length = radiusLength(start);
      if (isMalformed(length)) return [...found, length];
      if (length === undefined) {
        if (held === 0) this.#hold(start);
        this.#held = start.length;
        return found;
      }
      found.push(new Uint8Array(start.subarray(0, length)));
      at += length - held;
      this.#held = 0;
    }
    return found;
  }

  #hold(start: Uint8Array): void {
    (this.#partial ??= new Uint8Array(RADIUS_MAX_LENGTH)).set(start);
  }

  /** What is held, followed by as many new octets as a packet may have. */
  #fill(more: Uint8Array): Uint8Array {
    const partial = this.#partial!;
    const fitting = more.subarray(0, RADIUS_MAX_LENGTH - this.#held);
    partial.set(fitting, this.#held);
    return partial.subarray(0, this.#held + fitting.length);
  }
}
