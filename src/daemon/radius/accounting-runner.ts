/** Accounting of the callers' sessions: what happens to them becomes records, and these go to the servers. */
import { randomOctets } from '../../native/random.ts';
import type { Timer } from '../../platform/clock.ts';
import { clock } from '../../platform/platform.ts';
import {
  Accounting,
  type AccountingRequest,
  type SavedAccounting,
} from '../../radius/accounting.ts';
import type { AccountedSession, SessionCounters } from '../../radius/accounting-record.ts';
import { terminateCauseOf } from '../../radius/terminate-cause.ts';
import type { CallCounters, SessionEvent } from '../../session/ports.ts';
import type { Cause } from '../../wire/cause.ts';
import type { NasOptions, RadiusOptions } from '../configuration/radius.ts';
import { AccountingStore } from './accounting-store.ts';
import { ClientRunner, type ClientPorts } from './client-runner.ts';
import { isOfCaller, type CallerSession, type LiveSessions } from './live-sessions.ts';
import { radiusCall } from './logins.ts';
import { identityOf, nasOf, type Nas } from './nas.ts';

export interface AccountingRunnerPorts extends ClientPorts {
  readonly sessions: LiveSessions;
  /** Something is lost for good. */
  readonly trouble: (username: string | undefined, why: Cause) => void;
}

/** How long the last records may take at the end, ms; what is not sent by then is in the journal. */
const FAREWELL = 1_000;
/** What has thrown before it was told anything, by the journal alone, is begun anew after this, ms. */
const PAUSE = 60_000;

export type SavedAccountingRunner = ReturnType<AccountingRunner['save']>;

export class AccountingRunner {
  readonly #ports: AccountingRunnerPorts;
  readonly #runner: ClientRunner<AccountingRequest>;
  readonly #store: AccountingStore;
  #machine: Accounting;
  #isTold = false;
  /** The session that the machine is told the end of: to one that follows meanwhile it goes on till then. */
  #ending: CallerSession | undefined;
  #again: Timer | undefined;
  #options: NasOptions;
  #nas: Nas;
  readonly #folder: string;
  /** There are servers that want records. */
  #isOn = false;
  #drained: () => void = () => undefined;

  /**
   * @param folder where records wait, over a restart too
   * @param saved of the program before, whose sessions go on
   */
  constructor(
    ports: AccountingRunnerPorts,
    options: NasOptions,
    folder: string,
    saved?: SavedAccountingRunner,
  ) {
    this.#isOn = saved?.isOn ?? false;
    this.#ports = ports;
    this.#options = options;
    this.#nas = nasOf(options);
    this.#runner = new ClientRunner<AccountingRequest>(
      'acct',
      ports,
      (request, outcome) => {
        this.#feed((machine, now) =>
          'answer' in outcome
            ? machine.handleAnswered(request, now)
            : machine.handleUnanswered(request, now),
        );
        if (this.#machine.waiting === 0) this.#drained();
      },
      () => this.#feed((machine, now) => machine.handleReachable(now)),
    );
    const warn = (text: string) => ports.log.line('warning', text);
    this.#folder = folder;
    this.#store = new AccountingStore(folder, warn);
    const isElsewhere = saved !== undefined && saved.folder !== folder;
    const before = isElsewhere ? new AccountingStore(saved.folder, warn) : this.#store;
    this.#machine = this.#begin(before, saved?.machine);
  }

  configure(servers: readonly RadiusOptions[], options: NasOptions): void {
    this.#options = options;
    this.#nas = nasOf(options);
    this.#runner.configure(servers, identityOf(this.#nas));
    const isOn = servers.some(({ roles }) => roles.includes('acct'));
    if (isOn && !this.#isOn) this.#feed((machine, now) => machine.handleOn(this.#nas, now));
    this.#isOn = isOn;
  }

  /** Not carried: #ports, #runner, #store, #isTold, #ending, #again, #options, #nas, #drained. */
  save() {
    return { isOn: this.#isOn, folder: this.#folder, machine: this.#machine.save() };
  }

  /** The sessions that could be taken along are there: the others end. */
  settle(): void {
    const { sessions } = this.#ports;
    sessions.forget();
    this.#feed((machine, now) => machine.retain((id) => sessions.get(id) !== undefined, now));
  }

  note(event: SessionEvent): void {
    if (event.what !== 'session-up' && event.what !== 'session-down') return;
    const { session } = event;
    if (!isOfCaller(session)) return;
    this.#ports.sessions.forget();
    if (event.what === 'session-down') {
      const { accountingId } = session.account.call;
      const last = counters(session.counters);
      const why = terminateCauseOf(event.cause.code);
      this.#ending = session;
      this.#feed((machine, now) => machine.handleStop(accountingId, last, why, now));
      this.#ending = undefined;
    } else if (this.#isOn)
      this.#feed((machine, now) => machine.handleStart(this.#accounted(session), now));
  }

  /** Other terms of a session that lives. */
  changed(session: CallerSession): void {
    const { classes, interimInterval } = this.#accounted(session);
    this.#feed((machine, now) =>
      machine.handleChange(session.account.call.accountingId, { classes, interimInterval }, now),
    );
  }

  /** All sessions have ended: the last records go, as far as somebody takes them. */
  async close(): Promise<void> {
    if (this.#isOn) {
      this.#feed((machine, now) => machine.handleOff(this.#nas, now));
      if (this.#machine.waiting > 0)
        await new Promise<void>((resolve) => {
          this.#drained = resolve;
          clock.meanwhile(FAREWELL, resolve);
        });
    }
    clock.cancel(this.#again);
    this.#ports.drive.guard(this.#machine, () => this.#machine.flush());
    this.#ports.drive.remove(this.#machine);
    this.#runner.close();
  }

  /** What a machine throws at is told to the next one, once: nothing is done by being told twice. */
  #feed(tell: (machine: Accounting, now: number) => void): void {
    const { drive } = this.#ports;
    const told = this.#machine;
    this.#isTold = true;
    drive.feed(told, tell);
    if (told === this.#machine) return;
    this.#isTold = true;
    drive.feed(this.#machine, tell);
  }

  /** From the journal. */
  #begin(journal = this.#store, saved?: SavedAccounting): Accounting {
    const { count, drive, trouble } = this.#ports;
    this.#isTold = false;
    const machine = new Accounting(
      {
        random: randomOctets,
        count: (what) => count(`accounting: ${what}`),
        wallClock: () => Date.now(),
        counters: (id) => counters(this.#session(id)?.counters),
        store: this.#store,
      },
      journal.read(),
      clock.monotonic(),
      undefined,
      saved,
    );
    drive.add(machine, {
      about: 'RADIUS accounting',
      carryOut: (output) => {
        if (output.kind === 'send') this.#runner.ask(output.request);
        else trouble(output.username, output.cause);
      },
      failed: (why) => {
        trouble(undefined, why);
        if (this.#isTold) this.#beginAnew();
        else this.#again = clock.meanwhile(PAUSE, () => this.#beginAnew());
      },
    });
    return machine;
  }

  /** Sessions of which it has missed something begin, or end, as the journal has them. */
  #beginAnew(): void {
    const { drive, log, sessions } = this.#ports;
    log.line('warning', 'RADIUS accounting: begun anew');
    sessions.forget();
    this.#machine = this.#begin();
    drive.feed(this.#machine, (machine, now) => {
      if (this.#isOn)
        for (const session of sessions.all()) machine.handleStart(this.#accounted(session), now);
      machine.handleReachable(now);
    });
  }

  #session(id: string): CallerSession | undefined {
    return this.#ending?.account.call.accountingId === id
      ? this.#ending
      : this.#ports.sessions.get(id);
  }

  #accounted({ username, peerAddress, auth, account }: CallerSession): AccountedSession {
    const { source, call, terms } = account;
    return {
      call: radiusCall(call, this.#nas, auth),
      multiSessionId: undefined,
      username,
      address: peerAddress,
      authentic: source,
      classes: terms.classes,
      interimInterval: terms.interimInterval ?? this.#options.interimInterval,
    };
  }
}

function counters(counters: CallCounters): SessionCounters;
function counters(counters: CallCounters | undefined): SessionCounters | undefined;
function counters(found: CallCounters | undefined): SessionCounters | undefined {
  return (
    found && {
      inputOctets: found.rxOctets,
      outputOctets: found.txOctets,
      inputPackets: found.rxPackets,
      outputPackets: found.txPackets,
    }
  );
}
