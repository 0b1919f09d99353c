/** What has happened, told to everybody who wants to know: the log, the list of failures, counters, buses, hooks. */
import { isOfStranger, type Event } from './event.ts';
import { clock } from '../../platform/platform.ts';
import { busEvent, type BusEvent } from './events.ts';
import type { Counters } from './counters.ts';
import type { Failures } from './failures.ts';
import type { Faults } from '../engine/faults.ts';
import type { Log } from './log.ts';
import { Strangers, type Allowance } from '../engine/strangers.ts';

export interface ReportPorts {
  readonly log: Log;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly failures: Failures;
  readonly tally: (event: Event) => void;
  /** For the buses. */
  readonly publish: (event: BusEvent) => void;
  readonly runHooks: (event: Event) => void;
}

/** Of failed logins more is told: what counts them (Fail2Ban) must hear of enough, and each costs whoever tries some time. */
const LOGINS: Allowance = { burst: 200, interval: 200 };

export class Reports {
  readonly #ports: ReportPorts;
  readonly #strangers = new Strangers();

  constructor(ports: ReportPorts) {
    this.#ports = ports;
  }

  event(event: Event): void {
    const { faults, failures, publish, runHooks, tally } = this.#ports;
    // Whoever stumbles over it, the others hear of it, and whose event it is does not notice.
    faults.contain('metrics', () => tally(event));
    faults.contain('failures', () => failures.note(event));
    faults.contain('events', () => {
      const told = busEvent(event, clock.monotonic());
      if (told !== undefined) publish(told);
    });
    faults.contain('hooks', () => runHooks(event));
    faults.contain('log', () => this.#tell(event));
  }

  #tell(event: Event): void {
    const { log, counters } = this.#ports;
    if (!isOfStranger(event)) {
      log.event(event);
      return;
    }
    const kind = kindOf(event);
    counters.count(kind);
    // What follows lock-outs (Fail2Ban) must hear of each; they take several logins.
    if (event.what === 'banned') log.event(event);
    else
      this.ofStrangers(
        kind,
        () => log.event(event),
        event.what === 'auth-failed' ? LOGINS : undefined,
      );
  }

  /** Input of a peer was tolerated: a line for whoever looks for it. */
  countInput(counter: string): void {
    const { counters, faults, log } = this.#ports;
    counters.count(counter);
    faults.contain('log', () => log.line('debug', `counted ${counter}`));
  }

  /** Anybody can be the cause of such lines, as often as they like. */
  ofStrangers(kind: string, write: () => void, allowance?: Allowance): void {
    const admitted = this.#strangers.admit(kind, clock.monotonic(), allowance);
    if (admitted === undefined) return;
    if (admitted.omitted > 0)
      this.#ports.log.line(
        'warning',
        `${admitted.omitted} more lines of this kind are left out here (${kind})`,
        true,
      );
    write();
  }
}

/** One of a few. */
function kindOf(event: Event): string {
  const what = event.what.replace('-', ' ');
  return 'cause' in event ? `${what}: ${event.cause.code}` : what;
}
