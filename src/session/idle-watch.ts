/**
 * Whether a session has had no traffic for a time. Its IP packets are looked at a few times in that time, so it may take a
 * quarter longer; PPP's own frames (LCP echoes) do not count.
 */
import type { CallPath } from './ports.ts';

const STEPS = 4;

export class IdleWatch {
  readonly #path: CallPath;
  readonly #step: number;
  #packets: number;
  /** How often in a row the packets were the same. */
  #quiet = 0;

  /** @param time after which it is idle, ms */
  constructor(path: CallPath, time: number) {
    this.#path = path;
    this.#step = time / STEPS;
    this.#packets = packets(path);
  }

  /** Not carried: #path; #step, which follows from the options. */
  save() {
    return { packets: this.#packets, quiet: this.#quiet };
  }

  restore({ packets, quiet }: ReturnType<IdleWatch['save']>): this {
    this.#packets = packets;
    this.#quiet = quiet;
    return this;
  }

  /** When to look next. */
  next(now: number): number {
    return now + this.#step;
  }

  /** @returns whether it is idle */
  look(): boolean {
    const count = packets(this.#path);
    this.#quiet = count === this.#packets ? this.#quiet + 1 : 0;
    this.#packets = count;
    return this.#quiet >= STEPS;
  }
}

function packets(path: CallPath): number {
  const { rxPackets, txPackets } = path.counters();
  return rxPackets + txPackets;
}
