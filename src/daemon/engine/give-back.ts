/**
 * When memory is given back to the kernel. The start leaves 3 to 5 MB that nobody needs any more, and so do many logins. It takes a
 * pause in which no packet moves, so it is done where nobody would notice: soon after a start, and when the last session has ended.
 */

/** V8 keeps for a while what it has compiled, so that once is not enough. */
const ROUNDS = 2;

export class GiveBack {
  #owed = ROUNDS;
  /** Nobody waits yet for packets that come at once. */
  #isNew: boolean;

  /** @param goesOn sessions came from the program before */
  constructor(goesOn: boolean) {
    this.#isNew = !goesOn;
  }

  /** Asked every few seconds. @returns it is the moment */
  isDue(sessions: number): boolean {
    if (sessions > 0 && !this.#isNew) {
      this.#owed = ROUNDS;
      return false;
    }
    if (this.#owed === 0) return false;
    this.#owed--;
    if (this.#owed === 0) this.#isNew = false;
    return true;
  }
}
