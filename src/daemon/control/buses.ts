/**
 * The buses the daemon is on: its own, which the command line uses and which is always there, and the system's ubusd, where
 * there is one. Both have the same object and hear the same events.
 */
import { errorCode, errorText } from '../../platform/errors.ts';
import {
  isServed,
  UbusClient,
  UbusServer,
  type ObjectDefinition,
  type Table,
} from '../../ubus-js/index.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import type { Faults } from '../engine/faults.ts';
import type { Log } from '../reports/log.ts';

export const ownSocket = '/var/run/pptp-gateway/ubus.sock';
export const systemSocket = '/var/run/ubus/ubus.sock';

/** A request is small; whoever sends more is no command line of ours. */
const MAX_REQUEST = 64 << 10;
/** Octets that wait for one that does not read: the longest answer, and what happens meanwhile. */
const MAX_QUEUED = 2 << 20;
/** Command lines at the same time: each takes a descriptor of the reserve. */
const MAX_CLIENTS = 16;

export class Buses {
  /** The system's; also for what the daemon asks of others there. */
  readonly system: UbusClient;
  /** Called at every new connection to the system's bus. */
  connected: () => void = () => undefined;
  #own: UbusServer | undefined;
  #object: ObjectDefinition | undefined;
  #closed = false;
  readonly #faults: Faults;

  /** @param systemPath where the system's ubusd is looked for */
  constructor(systemPath: string, log: Log, faults: Faults) {
    this.#faults = faults;
    let lost = false;
    const told = new Set<string>(); // each is told once: it is tried again and again
    this.system = new UbusClient({
      path: systemPath,
      onError: (error) => faults.note('ubus', error),
      onState: (state, why) => {
        told.clear();
        if (state === 'connected') log.line('info', `ubus: connected to ${systemPath}`);
        else if (lost || this.#closed) return;
        else if (why !== undefined && isAbsence(why))
          log.line('info', `ubus: nobody serves ${systemPath}; it is looked for quietly`);
        else
          log.line('warning', `ubus: ${systemPath}: ${why?.message ?? ''}; it is looked for again`);
        lost = state !== 'connected';
        if (state === 'connected') faults.contain('ubus', () => this.connected());
      },
      onFault: (what, { status, message }) => {
        const text = `ubus: ${what} was refused (${status}: ${message}); it is tried again`;
        if (!told.has(text)) log.line('warning', text);
        told.add(text);
      },
    });
  }

  /** @throws {Fatal} another daemon serves `path`, or the folder or the socket cannot be made */
  async open(path: string, object: ObjectDefinition): Promise<void> {
    await refuseSecond(path);
    try {
      this.#own = await UbusServer.listen(path, {
        publish: false,
        longest: MAX_REQUEST,
        maxClients: MAX_CLIENTS,
        maxQueued: MAX_QUEUED,
        onError: (error) => this.#faults.note('control socket', error),
      });
    } catch (error) {
      throw new Fatal(ExitCode.Failed, `control socket ${path}: ${errorText(error)}`);
    }
    this.#object = object;
    this.#own.add(object);
    this.system.add(object);
    this.system.start();
  }

  /** An event for whoever listens. Nobody has to. */
  send(event: string, data: Table): void {
    for (const bus of [this.#own, this.system])
      if (bus?.connected === true) bus.send(event, data).catch(() => undefined);
  }

  /** Nobody is served any more; the system's bus still hears of what ends. */
  withdraw(): void {
    this.#own?.close();
    if (this.#object !== undefined) this.system.remove(this.#object.path);
  }

  close(): void {
    this.#closed = true;
    this.system.close();
  }
}

/** @throws {Fatal} another daemon serves this socket */
export async function refuseSecond(path: string): Promise<void> {
  if (await isServed(path))
    throw new Fatal(ExitCode.Failed, `another pptp-gateway is running: it serves ${path}`);
}

function isAbsence(error: Error): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(errorCode(error) ?? '');
}
