/** The command line's side of the daemon's own bus. */
import { errorCode } from '../../platform/errors.ts';
import { UbusClient, UbusError, type Table } from '../../ubus-js/index.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';

/** A reload waits for the goodbyes of what it ends. */
const TIMEOUT = 120_000;

export class ControlClient {
  readonly #bus: UbusClient;
  /** The daemon has ended, or cut us off. */
  readonly gone: Promise<void>;

  private constructor(bus: UbusClient, gone: Promise<void>) {
    this.#bus = bus;
    this.gone = gone;
  }

  /** @throws {Fatal} the daemon is not running, or only root may ask it */
  static async open(path: string): Promise<ControlClient> {
    let lost: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (lost = resolve));
    try {
      return new ControlClient(await UbusClient.connect(path, lost), gone);
    } catch (error) {
      const code = errorCode(error);
      throw code === 'EACCES' || code === 'EPERM'
        ? new Fatal(ExitCode.NotRoot, `only root may talk to the daemon (${path})`)
        : new Fatal(
            ExitCode.NotRunning,
            `the daemon is not running (nobody serves ${path}): start its service, or see in the log why it ended`,
          );
    }
  }

  /** @throws {UbusError} the daemon refused; {Fatal} it has gone away */
  async call(method: string, args: Table = {}): Promise<Table> {
    try {
      return await this.#bus.call('pptp', method, args, { timeout: TIMEOUT });
    } catch (error) {
      if (error instanceof UbusError && !this.#bus.connected)
        throw new Fatal(ExitCode.NotRunning, 'the daemon has gone away');
      throw error;
    }
  }

  /** Hears events from when it returns on. */
  async follow(pattern: string, hear: (event: string, data: Table) => void): Promise<void> {
    this.#bus.listen(pattern, hear);
    // The answer to the first comes after the listener is there, that to the second after it hears.
    for (let n = 0; n < 2; n++) await this.#bus.lookup('pptp');
  }

  close(): void {
    this.#bus.close();
  }
}
