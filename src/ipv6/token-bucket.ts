/** What a caller can make us do without limit is limited here. */
export class TokenBucket {
  readonly #burst: number;
  /** ms until there is one token more. */
  readonly #interval: number;
  #tokens: number;
  #filledAt = 0;

  constructor(burst: number, interval: number) {
    this.#burst = burst;
    this.#interval = interval;
    this.#tokens = burst;
  }

  /** Not carried: #burst and #interval, which are constant. */
  save() {
    return { tokens: this.#tokens, filledAt: this.#filledAt };
  }

  restore({ tokens, filledAt }: ReturnType<TokenBucket['save']>): void {
    this.#tokens = tokens;
    this.#filledAt = filledAt;
  }

  /** @returns false: none was left */
  take(now: number): boolean {
    const more = Math.max(0, now - this.#filledAt) / this.#interval;
    this.#tokens = Math.min(this.#burst, this.#tokens + more);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
