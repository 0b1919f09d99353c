/**
 * Cuts the octet stream of the TCP connection into control messages (RFC 2637 §2: length, PPTP message type, magic cookie).
 *
 * A message may arrive split or merged in any way. Length and magic cookie are looked at as soon as they are there, so
 * that a peer of another protocol is noticed by its first octets. Never holds more than one message.
 */
import { isMalformed, malformed, type Malformed } from '../wire/codec.ts';
import { HEADER_LENGTH, MAGIC_COOKIE, MAX_MESSAGE_LENGTH } from '../wire/control-message.ts';
import { copyOctets, readU16, readU32 } from '../wire/octets.ts';

const COOKIE_AT = 4;
const COOKIE_END = 8;

export class Framer {
  /** The message that is not yet whole; made when a message comes in pieces, which is seldom. */
  #partial: Uint8Array | undefined;
  #held = 0;
  #broken = false;

  /**
   * Takes octets as they came and returns the messages that are now whole, in order. A `Malformed` is the last thing a
   * stream yields: where the next message begins is unknown, so all that follows is dropped. Messages are copies.
   */
  push(octets: Uint8Array): (Uint8Array | Malformed)[] {
    const found: (Uint8Array | Malformed)[] = [];
    let at = 0;
    while (!this.#broken && (this.#held > 0 || at < octets.length)) {
      // Whole messages are read where they lie; only what straddles two pushes is copied.
      const inPlace = this.#held === 0;
      const message = inPlace ? octets.subarray(at) : this.#fill(octets, at);
      const length = expectedLength(message);
      if (isMalformed(length)) {
        this.#broken = true;
        found.push(length);
      } else if (length === undefined || message.length < length) {
        if (inPlace) (this.#partial ??= new Uint8Array(MAX_MESSAGE_LENGTH)).set(message);
        this.#held = message.length;
        break;
      } else {
        found.push(copyOctets(message, 0, length));
        at += inPlace ? length : length - this.#held;
        this.#held = 0;
      }
    }
    return found;
  }

  /** What is held of a message that is not yet whole. Not carried: #broken, for that is the end of the connection. */
  save(): Uint8Array {
    return this.#partial?.slice(0, this.#held) ?? new Uint8Array(0);
  }

  /** The held octets followed by as many new ones as fit a message; `#held` is left to the caller. */
  #fill(octets: Uint8Array, at: number): Uint8Array {
    const partial = this.#partial!;
    const more = octets.subarray(at, at + MAX_MESSAGE_LENGTH - this.#held);
    partial.set(more, this.#held);
    return partial.subarray(0, this.#held + more.length);
  }
}

/** Length of the message that begins here, in octets; undefined while too little of it has come. */
function expectedLength(start: Uint8Array): number | Malformed | undefined {
  if (start.length < 2) return undefined;
  const length = readU16(start, 0);
  if (length < HEADER_LENGTH) return malformed('too-short', `message length ${length}`);
  if (length > MAX_MESSAGE_LENGTH) return malformed('too-long', `message length ${length}`);
  if (start.length >= COOKIE_END && readU32(start, COOKIE_AT) !== MAGIC_COOKIE)
    return malformed('bad-value', `magic cookie 0x${readU32(start, COOKIE_AT).toString(16)}`);
  return length;
}
