/** netifd's interfaces as of its last dump, which is asked for again whenever something changes. */
import { errorText } from '../../platform/errors.ts';
import { Coalesced } from '../jobs.ts';
import { RouterError } from '../router.ts';
import { CALL, type Bus } from './bus.ts';
import { parseDump, type InterfaceStatus } from './interface-status.ts';

export class Networks {
  readonly #bus: Bus;
  #interfaces: readonly InterfaceStatus[] = [];
  /** An upstream that flaps must not cost more. */
  readonly #dumps = new Coalesced(() => this.#dump());
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
    return this.#dumps.run();
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
