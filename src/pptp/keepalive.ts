/**
 * RFC 2637 §3.1.4: Echo-Request after a silence, and the end of the connection when nothing answers it.
 *
 * Any octets from the peer count as life, not only an Echo-Reply (pptp-linux does the same). Times are milliseconds.
 */
export class Keepalive {
  readonly #interval: number;
  readonly #timeout: number;
  #deadline: number;
  /** An Echo-Request is out and nothing has been heard since. */
  #asking = false;
  #identifier: number | undefined;

  constructor(interval: number, timeout: number, now: number) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#deadline = now + interval;
  }

  /** Not carried: #interval and #timeout, which are the owner's. */
  save() {
    return {
      deadline: this.#deadline,
      asking: this.#asking,
      identifier: this.#identifier,
    };
  }

  restore({ deadline, asking, identifier }: ReturnType<Keepalive['save']>): this {
    this.#deadline = deadline;
    this.#asking = asking;
    this.#identifier = identifier;
    return this;
  }

  deadline(): number {
    return this.#deadline;
  }

  /** Something came from the peer. */
  heard(now: number): void {
    this.#asking = false;
    this.#deadline = now + this.#interval;
  }

  /** What to do: 'ask' (then call `asked`), or 'lost': the peer stayed silent for `timeout` after being asked. */
  due(now: number): 'ask' | 'lost' | undefined {
    if (now < this.#deadline) return undefined;
    return this.#asking ? 'lost' : 'ask';
  }

  asked(identifier: number, now: number): void {
    this.#asking = true;
    this.#identifier = identifier;
    this.#deadline = now + this.#timeout;
  }

  /** Whether an Echo-Reply answers our last Echo-Request, once. */
  answers(identifier: number): boolean {
    if (identifier !== this.#identifier) return false;
    this.#identifier = undefined;
    return true;
  }
}
