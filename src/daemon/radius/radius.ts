/** All that has to do with RADIUS servers: logins that they decide on. */
import type { LoginAnswer, LoginQuestion } from '../../session/authorization.ts';
import type { RadiusServerStatus } from '../../radius/client-output.ts';
import type { NasOptions, RadiusOptions } from '../configuration/radius.ts';
import type { Authority } from '../tunnels/runner-ports.ts';
import { Logins, type LoginsPorts } from './logins.ts';
import { identityOf, nasOf, type Nas } from './nas.ts';

export interface RadiusConfiguration {
  readonly radius: readonly RadiusOptions[];
  readonly nas: NasOptions;
}

export class Radius implements Authority {
  readonly #logins: Logins;
  #nas: Nas;

  constructor(ports: LoginsPorts, configuration: RadiusConfiguration) {
    this.#nas = nasOf(configuration.nas);
    this.#logins = new Logins(ports, () => this.#nas);
    this.configure(configuration);
  }

  /** What is on its way stays so. */
  configure({ radius, nas }: RadiusConfiguration): void {
    this.#nas = nasOf(nas);
    this.#logins.runner.configure(radius, identityOf(this.#nas));
  }

  ask(question: LoginQuestion, answered: (answer: LoginAnswer) => void): void {
    this.#logins.ask(question, answered);
  }

  cancel(id: number): void {
    this.#logins.cancel(id);
  }

  /** What is known of the servers for logins. */
  status(): readonly RadiusServerStatus[] {
    return this.#logins.runner.status();
  }

  close(): void {
    this.#logins.runner.close();
  }
}
