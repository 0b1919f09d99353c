/** People who log in at the server and go again. */
import { PEOPLE, type Daemon } from './stage.ts';
import { until } from './until.ts';

export class Logins {
  count = 0;
  private readonly people: Daemon;
  private running: Promise<void> = Promise.resolve();

  constructor(people: Daemon) {
    this.people = people;
  }

  /** All of them; after those that are at it. */
  once(): Promise<void> {
    const turn = this.running.then(() => this.turn());
    this.running = turn.catch(() => undefined);
    return turn;
  }

  private async turn(): Promise<void> {
    const { people } = this;
    const names = Array.from({ length: PEOPLE }, (_, n) => `p${n}`);
    for (const name of names) await people.call('dial', { interface: name });
    await until('all people are in', () => this.are('up'));
    this.count += PEOPLE;
    for (const name of names) await people.call('hangup', { interface: name });
    await until('all people are out', () => this.are('down'));
  }

  private async are(wanted: string): Promise<boolean> {
    const { links } = await this.people.status();
    return links.every(({ state }) => state === wanted);
  }
}
