/** All that has to do with RADIUS servers: the logins that they decide on, accounting, and what they do to live sessions. */
import type { LoginAnswer, LoginQuestion } from '../../session/authorization.ts';
import type { RadiusServerStatus } from '../../radius/client-output.ts';
import type { NasOptions, RadiusOptions } from '../configuration/radius.ts';
import type { Authority } from '../tunnels/runner-ports.ts';
import type { ServerOptions } from '../../session/options.ts';
import type { SessionEvent } from '../../session/ports.ts';
import {
  AccountingRunner,
  type AccountingRunnerPorts,
  type SavedAccountingRunner,
} from './accounting-runner.ts';
import { DynamicRunner } from './dynamic-runner.ts';
import { Logins, type LoginsPorts } from './logins.ts';
import { identityOf, nasOf, type Nas } from './nas.ts';

export interface RadiusConfiguration {
  readonly radius: readonly RadiusOptions[];
  readonly nas: NasOptions;
  readonly servers: readonly ServerOptions[];
}

export class Radius implements Authority {
  readonly #logins: Logins;
  readonly #accounting: AccountingRunner;
  readonly #dynamic: DynamicRunner;
  #nas: Nas;
  #servers: readonly ServerOptions[] = [];

  /** @param state where accounting records wait, unless the configuration says where. It is configured when it is told so. */
  constructor(
    ports: LoginsPorts & AccountingRunnerPorts,
    { nas }: Pick<RadiusConfiguration, 'nas'>,
    state: string,
    saved?: SavedAccountingRunner,
  ) {
    this.#nas = nasOf(nas);
    const filterSets = (server: string) =>
      this.#servers.find(({ name }) => name === server)?.filterSets ?? [];
    this.#logins = new Logins(ports, () => this.#nas, filterSets);
    this.#accounting = new AccountingRunner(ports, nas, nas.records ?? state, saved);
    const changed = this.#accounting.changed.bind(this.#accounting);
    this.#dynamic = new DynamicRunner({ ...ports, changed }, nas);
  }

  /** What is on its way stays so. */
  configure({ radius, nas, servers }: RadiusConfiguration): void {
    this.#servers = servers;
    this.#nas = nasOf(nas);
    this.#logins.runner.configure(radius, identityOf(this.#nas));
    this.#accounting.configure(radius, nas);
    this.#dynamic.configure(radius, nas);
  }

  ask(question: LoginQuestion, answered: (answer: LoginAnswer) => void): void {
    this.#logins.ask(question, answered);
  }

  cancel(id: number): void {
    this.#logins.cancel(id);
  }

  /** Not carried: #logins, which begin again; #dynamic, #nas, #servers. */
  save(): SavedAccountingRunner {
    return this.#accounting.save();
  }

  /** All sessions of the program before that could be taken along are there. */
  settle(): void {
    this.#accounting.settle();
  }

  /** What is known of the servers for logins. */
  status(): readonly RadiusServerStatus[] {
    return this.#logins.runner.status();
  }

  /** What becomes of sessions. */
  note(event: SessionEvent): void {
    this.#accounting.note(event);
  }

  /** All sessions have ended. */
  async close(): Promise<void> {
    this.#dynamic.close();
    this.#logins.runner.close();
    await this.#accounting.close();
  }
}
