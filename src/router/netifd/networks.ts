/**
 * netifd's interfaces as of its last dump, which is asked for again whenever something changes. One dump at a time, and at
 * most one that waits: an upstream that flaps must not cost more.
 */
import { errorText } from '../../platform/errors.ts';
import { RouterError } from '../router.ts';
import { CALL, type Bus } from './bus.ts';
import { parseDump, type InterfaceStatus } from './interface-status.ts';

export class Networks {
  readonly #bus: Bus;
  #interfaces: readonly InterfaceStatus[] = [];
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  readonly #asked: () => (interfaces: readonly InterfaceStatus[]) => void;

  /** @param asked called when a dump is asked for; what it returns, with the answer */
  constructor(bus: Bus, asked: () => (interfaces: readonly InterfaceStatus[]) => void) {
    this.#bus = bus;
    this.#asked = asked;
  }

  get all(): readonly InterfaceStatus[] {
    return this.#interfaces;
  }

  named(name: string): InterfaceStatus | undefined {
    return this.#interfaces.find((known) => known.name === name);
  }

  /** A dump that is asked for from now on. @throws RouterError netifd does not answer: what was known stays */
  refresh(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#dump().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#waiting ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return this.refresh();
      });
    return this.#waiting;
  }

  async #dump(): Promise<void> {
    const answered = this.#asked();
    try {
      this.#interfaces = parseDump(await this.#bus.call('network.interface', 'dump', {}, CALL));
    } catch (error) {
      throw new RouterError(`netifd does not answer: ${errorText(error)}`, 'NETIFD_REFUSED');
    }
    answered(this.#interfaces);
  }
}
