/**
 * The end of the daemon by its own fault: the packet engine is in doubt, or something was thrown where nobody can tell whose
 * end it is. One line, a goodbye to the peers as far as there still can be one, and an exit code of its own.
 */
import { clock, program } from '../../platform/platform.ts';
import { ExitCode } from '../exit-codes.ts';
import { Faults } from '../engine/faults.ts';
import type { Log } from '../reports/log.ts';

/** ms; the daemon's goodbye takes at most 4 s. */
const GOODBYE = 5_000;

export class LastResort {
  readonly faults: Faults;
  /** Says goodbye to the peers. */
  goodbye: () => Promise<void> = () => Promise.resolve();
  /** Resolved when it has come to this. */
  readonly ended: Promise<ExitCode>;
  #end: (code: ExitCode) => void = () => undefined;

  constructor(log: Log) {
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.faults = new Faults({
      line: (level, text) => log.line(level, text),
      end: (what) => {
        log.line('error', `pptp-gateway ends, for it cannot trust itself any more: ${what}`);
        clock.after(GOODBYE, () => this.#end(ExitCode.Software));
        void this.goodbye()
          .catch(() => undefined) // it breaks because of what was told above
          .then(() => this.#end(ExitCode.Software));
      },
    });
  }

  /** From now on, until the process ends. */
  watch(): void {
    program.onFault((how, error) => this.faults.endAll(`${how} by nobody`, error));
  }
}
