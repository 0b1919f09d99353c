/** A command that goes on until somebody has had enough: Ctrl-C, SIGTERM, or nobody reads any more (`| head`). */
import { clock, program } from '../../platform/platform.ts';

export class Patience {
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor() {
    const end = () => {
      this.#isOver = true;
      this.#wake();
    };
    program.onSignal('SIGINT', end);
    program.onSignal('SIGTERM', end);
    program.onOutputClosed(end);
  }

  /** At most so many ms. @returns whether to go on */
  async pause(milliseconds: number): Promise<boolean> {
    if (!this.#isOver)
      await new Promise<void>((resolve) => {
        const timer = clock.after(milliseconds, resolve);
        this.#wake = () => {
          clock.cancel(timer);
          resolve();
        };
      });
    return !this.#isOver;
  }
}
