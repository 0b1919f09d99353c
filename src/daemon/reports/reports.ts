/** What has happened, told to everybody who wants to know: the log, the list of failures, counters, buses, hooks. */
import type { SessionEvent } from '../../session/ports.ts';
import { monotonic } from '../engine/drive.ts';
import { busEvent, type BusEvent } from './events.ts';
import type { Failures } from './failures.ts';
import type { Faults } from '../engine/faults.ts';
import type { Log } from './log.ts';
import type { RelayEvent } from '../relays/relay-event.ts';
import { Strangers } from './strangers.ts';

type Event = SessionEvent | RelayEvent;

export interface ReportPorts {
  readonly log: Log;
  readonly faults: Faults;
  readonly failures: Failures;
  /** For the buses. */
  readonly publish: (event: BusEvent) => void;
  readonly runHooks: (event: Event) => void;
}

export class Reports {
  private readonly ports: ReportPorts;
  private readonly counted = new Map<string, number>();
  private readonly strangers = new Strangers();

  constructor(ports: ReportPorts) {
    this.ports = ports;
  }

  event(event: Event): void {
    const { faults, failures, publish, runHooks } = this.ports;
    // Whoever stumbles over it, the others hear of it, and whose event it is does not notice.
    faults.contain('failures', () => failures.note(event));
    faults.contain('events', () => {
      const told = busEvent(event, monotonic());
      if (told !== undefined) publish(told);
    });
    faults.contain('hooks', () => runHooks(event));
    faults.contain('log', () => this.tell(event));
  }

  private tell(event: Event): void {
    const { log } = this.ports;
    if (event.what !== 'caller-refused' && event.what !== 'relay-refused') log.event(event);
    else {
      const kind = `${event.what.replace('-', ' ')}: ${event.cause.code}`;
      this.count(kind);
      this.ofStrangers(kind, () => log.event(event));
    }
  }

  count(counter: string): void {
    this.counted.set(counter, (this.counted.get(counter) ?? 0) + 1);
  }

  /** Input of a peer was tolerated: a line for whoever looks for it. */
  countInput(counter: string): void {
    this.count(counter);
    const { faults, log } = this.ports;
    faults.contain('log', () => log.line('debug', `counted ${counter}`));
  }

  /** Things that were counted and belong to no session. */
  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counted);
  }

  /** Anybody can be the cause of such lines, as often as he likes. */
  ofStrangers(kind: string, write: () => void): void {
    const admitted = this.strangers.admit(kind, monotonic());
    if (admitted === undefined) return;
    if (admitted.omitted > 0)
      this.ports.log.line(
        'warning',
        `${admitted.omitted} more lines of this kind are left out here (${kind})`,
      );
    write();
  }
}
