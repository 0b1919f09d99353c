/**
 * What the kernel sends into a link's device while there is no session yet (dialling on demand): a few packets wait for it.
 * Their octets are copied out of the arena, whose slots belong to those who are connected.
 */
export const MAX_PARKED = 32;
/** The largest MTU of a device of ours. */
const MAX_LENGTH = 1500;

export class ParkedPackets {
  readonly #octets = new Uint8Array(MAX_PARKED * MAX_LENGTH);
  readonly #lengths = new Int32Array(MAX_PARKED);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Copies octets[at..at+length). @returns false: no room */
  keep(octets: Uint8Array, at: number, length: number): boolean {
    if (this.#count === MAX_PARKED || length > MAX_LENGTH) return false;
    this.#octets.set(octets.subarray(at, at + length), this.#count * MAX_LENGTH);
    this.#lengths[this.#count++] = length;
    return true;
  }

  /** The packet with this number, in order of arrival. */
  packet(number: number): Uint8Array {
    const at = number * MAX_LENGTH;
    return this.#octets.subarray(at, at + this.#lengths[number]!);
  }
}
