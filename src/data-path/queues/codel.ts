/**
 * When a queue that stands is told so by a drop: CoDel, RFC 8289 §4. A queue may be long for a while; once packets have waited
 * longer than `target` for a whole `interval`, one is dropped, then more and more often until they wait less.
 */

/** ms; RFC 8289 §4.4: a round trip through the Internet. */
export const INTERVAL = 100;
/** A spell of drops that begins within so many intervals of the last one goes on where that was: RFC 8289 §5.4. */
const MEMORY = 16;

export class CoDel {
  /** By queue: when packets have waited too long for an interval; 0: they do not wait too long. */
  readonly #due: Float64Array;
  /** In a spell: when the next packet is dropped, and how many were. */
  readonly #next: Float64Array;
  readonly #count: Uint32Array;
  readonly #dropping: Uint8Array;
  /** What #count was when the spell began. */
  readonly #first: Uint32Array;

  constructor(queues: number) {
    this.#due = new Float64Array(queues);
    this.#next = new Float64Array(queues);
    this.#count = new Uint32Array(queues);
    this.#dropping = new Uint8Array(queues);
    this.#first = new Uint32Array(queues);
  }

  /** The queue is another one's now. */
  reset(queue: number): void {
    this.#due[queue] = 0;
    this.#next[queue] = 0;
    this.#count[queue] = 0;
    this.#dropping[queue] = 0;
    this.#first[queue] = 0;
  }

  /**
   * Whether the first packet of the queue, which has waited for `waited` ms, is to be dropped.
   * @param target ms @param isLast there is none behind it: the queue does not stand
   */
  drops(queue: number, waited: number, target: number, isLast: boolean, now: number): boolean {
    if (waited < target || isLast) {
      this.#due[queue] = 0;
      this.#dropping[queue] = 0;
      return false;
    }
    if (this.#due[queue] === 0) this.#due[queue] = now + INTERVAL;
    if (now < this.#due[queue]!) return false;
    if (this.#dropping[queue] === 0) {
      this.#begin(queue, now);
      return true;
    }
    if (now < this.#next[queue]!) return false;
    this.#count[queue] = this.#count[queue]! + 1;
    this.#next[queue] = this.#next[queue]! + INTERVAL / Math.sqrt(this.#count[queue]);
    return true;
  }

  #begin(queue: number, now: number): void {
    const more = this.#count[queue]! - this.#first[queue]!;
    const isSoon = now - this.#next[queue]! < MEMORY * INTERVAL;
    this.#dropping[queue] = 1;
    this.#count[queue] = more > 1 && isSoon ? more : 1;
    this.#first[queue] = this.#count[queue];
    this.#next[queue] = now + INTERVAL / Math.sqrt(this.#count[queue]);
  }
}
