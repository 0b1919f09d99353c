/** Accounting of the callers' sessions: what happens to them becomes records, and these go to the servers. */
import { randomOctets } from '../../native/random.ts';
import { clock } from '../../platform/platform.ts';
import { Accounting, type AccountingRequest } from '../../radius/accounting.ts';
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

export type SavedAccountingRunner = ReturnType<AccountingRunner['save']>;

export class AccountingRunner {
  readonly #ports: AccountingRunnerPorts;
  readonly #runner: ClientRunner<AccountingRequest>;
  readonly #machine: Accounting;
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
    const { count, drive, log, sessions, trouble } = ports;
    const warn = (text: string) => log.line('warning', text);
    const store = new AccountingStore(folder, warn);
    this.#folder = folder;
    const before = saved === undefined ? store : new AccountingStore(saved.folder, warn);
    this.#machine = new Accounting(
      {
        random: randomOctets,
        count: (what) => count(`accounting: ${what}`),
        wallClock: () => Date.now(),
        counters: (id) => counters(sessions.get(id)?.counters),
        store,
      },
      before.read(),
      clock.monotonic(),
      undefined,
      saved?.machine,
    );
    drive.add(this.#machine, {
      about: 'RADIUS accounting',
      carryOut: (output) => {
        if (output.kind === 'send') this.#runner.ask(output.request);
        else trouble(output.username, output.cause);
      },
      failed: (why) => trouble(undefined, why),
    });
  }

  configure(servers: readonly RadiusOptions[], options: NasOptions): void {
    this.#options = options;
    this.#nas = nasOf(options);
    this.#runner.configure(servers, identityOf(this.#nas));
    const isOn = servers.some(({ roles }) => roles.includes('acct'));
    if (isOn && !this.#isOn) this.#feed((machine, now) => machine.handleOn(this.#nas, now));
    this.#isOn = isOn;
  }

  /** Not carried: #ports, #runner, #options, #nas, #drained. */
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
      this.#feed((machine, now) => machine.handleStop(accountingId, last, why, now));
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
    this.#machine.flush();
    this.#ports.drive.remove(this.#machine);
    this.#runner.close();
  }

  #feed(tell: (machine: Accounting, now: number) => void): void {
    this.#ports.drive.feed(this.#machine, tell);
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
