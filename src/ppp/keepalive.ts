/**
 * When to send LCP Echo-Requests, and when the peer is dead (RFC 1661 §5.8). Anything from the peer is proof of life: an
 * echo is sent only after an interval of silence, unless the options want one always.
 */
import type { LinkOptions } from './options.ts';

type KeepaliveOptions = NonNullable<LinkOptions['keepalive']>;

export class Keepalive {
  readonly #options: KeepaliveOptions;
  #deadline: number | undefined;
  #heardAt = 0;
  #unanswered = 0;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  /** Not carried: #options, which are the owner's. */
  save() {
    return { deadline: this.#deadline, heardAt: this.#heardAt, unanswered: this.#unanswered };
  }

  restore({ deadline, heardAt, unanswered }: ReturnType<Keepalive['save']>): void {
    this.#deadline = deadline;
    this.#heardAt = heardAt;
    this.#unanswered = unanswered;
  }

  start(now: number): void {
    this.#deadline = now + this.#options.interval;
    this.handleHeard(now);
  }

  stop(): void {
    this.#deadline = undefined;
  }

  handleHeard(now: number): void {
    this.#heardAt = now;
    this.#unanswered = 0;
  }

  nextTimeout(): number | undefined {
    return this.#deadline;
  }

  /** What is due now: an Echo-Request, or nothing more to hope for. */
  handleTimeout(now: number): 'echo' | 'dead' | undefined {
    if (this.#deadline === undefined || now < this.#deadline) return undefined;
    const { interval, failures, always = false } = this.#options;
    const quietUntil = this.#heardAt + interval;
    if (!always && this.#unanswered === 0 && now < quietUntil) {
      this.#deadline = quietUntil;
      return undefined;
    }
    this.#deadline = now + interval;
    if (this.#unanswered >= failures) return 'dead';
    this.#unanswered++;
    return 'echo';
  }
}
