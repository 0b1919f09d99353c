/** Accounting on the real clock and real sockets, with its journal in a folder, as the daemon has it. */
import { randomBytes } from 'node:crypto';
import { AccountingStore } from '../../src/daemon/radius/accounting-store.ts';
import { Accounting } from '../../src/radius/accounting.ts';
import type { SessionCounters } from '../../src/radius/accounting-record.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { FREERADIUS_SECRET } from '../support/freeradius.ts';
import { LiveClient } from './live.ts';
import { server } from './network.ts';

export class LiveAccounting {
  readonly counters = new Map<string, SessionCounters>();
  readonly troubles: string[] = [];
  readonly #machine: Accounting;
  readonly #client: LiveClient;
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(folder: string) {
    const secret = new SharedSecret(FREERADIUS_SECRET);
    this.#client = new LiveClient([
      server('main', { endpoint: '1813', secret, timeout: 500, tries: 2, deadTime: 1000 }),
    ]);
    const store = new AccountingStore(folder, (text) => this.troubles.push(text));
    this.#machine = new Accounting(
      {
        random: (length) => randomBytes(length),
        count: () => undefined,
        wallClock: Date.now,
        counters: (id) => this.counters.get(id),
        store,
      },
      store.read(),
      performance.now(),
    );
    this.feed(() => undefined);
  }

  feed(tell: (machine: Accounting, now: number) => void): void {
    const machine = this.#machine;
    tell(machine, performance.now());
    for (let output; (output = machine.poll()) !== undefined;) {
      if (output.kind === 'trouble') this.troubles.push(output.cause.code);
      else {
        const { request } = output;
        void this.#client.ask(request).then((outcome) => {
          this.feed((each, now) => {
            if (typeof outcome === 'string') each.handleUnanswered(request, now);
            else each.handleAnswered(request, now);
          });
        });
      }
    }
    if (machine.waiting === 0) this.#idle?.();
    clearTimeout(this.#timer);
    const next = machine.nextTimeout();
    if (next === undefined) return;
    const pause = Math.max(0, Math.ceil(next - performance.now()));
    this.#timer = setTimeout(() => this.feed((each, now) => each.handleTimeout(now)), pause);
  }

  /** Everything was answered. */
  async idle(): Promise<void> {
    if (this.#machine.waiting > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  close(): void {
    this.#machine.flush();
    clearTimeout(this.#timer);
    this.#client.close();
  }
}
