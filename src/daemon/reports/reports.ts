/** What has happened, told to everybody who wants to know: the log, the list of failures, counters, buses, hooks. */
import type { Event } from './event.ts';
import { clock } from '../../platform/platform.ts';
import { busEvent, type BusEvent } from './events.ts';
import type { Counters } from './counters.ts';
import type { Failures } from './failures.ts';
import type { Faults } from '../engine/faults.ts';
import type { Log } from './log.ts';
import { Strangers } from '../engine/strangers.ts';

export interface ReportPorts {
  readonly log: Log;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly failures: Failures;
  /** For the buses. */
  readonly publish: (event: BusEvent) => void;
  readonly runHooks: (event: Event) => void;
}

export class Reports {
  readonly #ports: ReportPorts;
  readonly #strangers = new Strangers();

  constructor(ports: ReportPorts) {
    this.#ports = ports;
  }

  event(event: Event): void {
    const { faults, failures, publish, runHooks } = this.#ports;
    // Whoever stumbles over it, the others hear of it, and whose event it is does not notice.
    faults.contain('failures', () => failures.note(event));
    faults.contain('events', () => {
      const told = busEvent(event, clock.monotonic());
      if (told !== undefined) publish(told);
    });
    faults.contain('hooks', () => runHooks(event));
    faults.contain('log', () => this.#tell(event));
  }

  #tell(event: Event): void {
    const { log } = this.#ports;
    if (event.what !== 'caller-refused' && event.what !== 'relay-refused') log.event(event);
    else {
      const kind = `${event.what.replace('-', ' ')}: ${event.cause.code}`;
      this.#ports.counters.count(kind);
      this.ofStrangers(kind, () => log.event(event));
    }
  }

  /** Input of a peer was tolerated: a line for whoever looks for it. */
  countInput(counter: string): void {
    const { counters, faults, log } = this.#ports;
    counters.count(counter);
    faults.contain('log', () => log.line('debug', `counted ${counter}`));
  }

  /** Anybody can be the cause of such lines, as often as they like. */
  ofStrangers(kind: string, write: () => void): void {
    const admitted = this.#strangers.admit(kind, clock.monotonic());
    if (admitted === undefined) return;
    if (admitted.omitted > 0)
      this.#ports.log.line(
        'warning',
        `${admitted.omitted} more lines of this kind are left out here (${kind})`,
      );
    write();
  }
}
