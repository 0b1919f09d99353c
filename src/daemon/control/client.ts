/** The command line's side of the daemon's own bus. */
import { errorCode } from '../../platform/errors.ts';
import { UbusClient, UbusError, type Table } from '../../ubus-js/index.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';

/** A reload waits for the goodbyes of what it ends. */
const TIMEOUT = 120_000;

export class ControlClient {
  readonly #bus: UbusClient;

  private constructor(bus: UbusClient) {
    this.#bus = bus;
  }

  /** @throws {Fatal} the daemon is not running, or only root may ask it */
  static async open(path: string): Promise<ControlClient> {
    try {
      return new ControlClient(await UbusClient.connect(path));
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

  close(): void {
    this.#bus.close();
  }
}
