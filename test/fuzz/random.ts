/** The choices of a harness: whatever it draws follows from one seed, so that a case can be had again. */

/** Values at which lengths, counters and comparisons go wrong. */
const EDGES = [
  0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
  0xffffffff,
];

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: number, nth = 0) {
    this.#a = seed | 0;
    this.#b = nth | 0;
    this.#c = Math.floor(nth / 0x1_0000_0000) ^ 0x9e3779b9;
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** sfc32. 0..2^32-1 */
  u32(): number {
    const sum = (this.#a + this.#b + this.#count++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0..limit-1 */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in `of` times. */
  chance(of: number): boolean {
    return this.below(of) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** 0..limit-1, often where things go wrong. */
  edgy(limit: number): number {
    return this.chance(2) ? this.pick(EDGES) % limit : this.below(limit);
  }

  octets(length: number): Uint8Array {
    const octets = new Uint8Array(length);
    for (let i = 0; i < length; i++) octets[i] = this.u32();
    return octets;
  }

  /** Of any length up to `most`, short ones more often. */
  anyOctets(most: number): Uint8Array {
    return this.octets(this.chance(2) ? this.below(Math.min(most, 12) + 1) : this.below(most + 1));
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  /** Octets with a few places changed, taken out, doubled or cut off. */
  damaged(octets: Uint8Array): Uint8Array {
    let changed: Uint8Array = octets.slice();
    for (let times = this.between(1, 3); times > 0; times--) {
      const at = this.below(changed.length + 1);
      switch (this.below(6)) {
        case 0:
          if (at < changed.length) changed[at]! ^= 1 << this.below(8);
          break;
        case 1:
          if (at < changed.length) changed[at] = this.edgy(256);
          break;
        case 2:
          changed = changed.slice(0, at);
          break;
        case 3:
          changed = joined(changed.subarray(0, at), changed.subarray(at + this.between(1, 4)));
          break;
        case 4:
          changed = joined(
            changed.subarray(0, at),
            this.octets(this.between(1, 4)),
            changed.subarray(at),
          );
          break;
        case 5: // a length, perhaps
          if (at + 1 < changed.length) {
            const value = this.edgy(0x10000);
            changed[at] = value >>> 8;
            changed[at + 1] = value;
          }
      }
    }
    return changed;
  }

  /** Text with a few places changed, taken out or written over with one of `words`. */
  damagedText(text: string, words: readonly string[]): string {
    let changed = text;
    for (let times = this.between(1, 5); times > 0; times--) {
      const at = this.below(changed.length + 1);
      const removed = this.chance(2) ? 0 : this.below(this.chance(4) ? 60 : 4);
      changed = changed.slice(0, at) + this.word(words) + changed.slice(at + removed);
    }
    return changed;
  }

  /** One of `words`, a character of any kind, or nothing. */
  word(words: readonly string[]): string {
    switch (this.below(4)) {
      case 0:
        return '';
      case 1:
        return String.fromCharCode(this.below(this.chance(3) ? 0x10000 : 128));
      default:
        return this.pick(words);
    }
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}
