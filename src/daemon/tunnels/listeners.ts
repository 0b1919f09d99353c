/** TCP listeners: one per port on all addresses; which server a caller reaches is told by the address it called. */
import { duplicate } from '../../native/succession.ts';
import { errorCode, errorText } from '../../platform/errors.ts';
import { host, sockets } from '../../platform/platform.ts';
import type { Listener, TcpSocket } from '../../platform/sockets.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import type { Faults } from '../engine/faults.ts';
import type { ServerRunner } from './server-runner.ts';

/** Connections the kernel keeps for us while we are busy. */
const BACKLOG = 128;

export class Listeners {
  readonly #listeners = new Map<number, Listener>();
  readonly #inherited = new Map<number, number>();
  readonly #servers: () => readonly ServerRunner[];
  readonly #deviceOf: (network: string) => string | undefined;
  readonly #unserved: (socket: TcpSocket) => void;
  readonly #failed: (port: number, error: unknown) => void;
  readonly #faults: Faults;

  /**
   * @param deviceOf the device of a network as the option `listen` has it
   * @param unserved somebody called an address that no server listens on; the connection is closed after it
   * @param failed a caller could not be accepted (no descriptors are left); the listener goes on
   */
  constructor(
    servers: () => readonly ServerRunner[],
    deviceOf: (network: string) => string | undefined,
    unserved: (socket: TcpSocket) => void,
    failed: (port: number, error: unknown) => void,
    faults: Faults,
  ) {
    this.#servers = servers;
    this.#deviceOf = deviceOf;
    this.#unserved = unserved;
    this.#failed = failed;
    this.#faults = faults;
  }

  /**
   * Ports and descriptors: whoever calls from now on waits in the kernel, until open().
   * Not carried: #servers, #deviceOf, #unserved, #failed, #faults.
   */
  save(): readonly (readonly [number, number])[] {
    for (const [port, listener] of this.#listeners) {
      this.#inherited.set(port, duplicate(listener.descriptor));
      listener.close();
    }
    this.#listeners.clear();
    return [...this.#inherited];
  }

  /** Sockets that the program before has listened on: open() takes them. */
  adopt(all: ReturnType<Listeners['save']>): void {
    for (const [port, descriptor] of all) this.#inherited.set(port, descriptor);
  }

  /**
   * Listens on these ports too.
   * @returns closes again those that were opened
   * @throws {Fatal} a port is in use: none was opened then
   */
  async open(ports: readonly number[]): Promise<() => void> {
    const opened: number[] = [];
    const undo = () => {
      for (const port of opened) this.#shut(port);
    };
    try {
      for (const port of ports) {
        if (this.#listeners.has(port)) continue;
        this.#listeners.set(port, await this.#listen(port));
        opened.push(port);
      }
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }

  /** Closes all ports but these. */
  retain(ports: readonly number[]): void {
    for (const port of [...this.#listeners.keys()]) if (!ports.includes(port)) this.#shut(port);
  }

  close(): void {
    this.retain([]);
  }

  #shut(port: number): void {
    this.#listeners.get(port)?.close();
    this.#listeners.delete(port);
  }

  async #listen(port: number): Promise<Listener> {
    try {
      const inherited = this.#inherited.get(port);
      this.#inherited.delete(port);
      return await sockets.listen(
        { port, backlog: BACKLOG, inherited },
        {
          accept: (socket) =>
            this.#faults.contain(
              `TCP port ${port}`,
              () => this.#route(port, socket),
              () => socket.destroy(),
            ),
          failed: (error) => this.#failed(port, error),
        },
      );
    } catch (error) {
      throw errorCode(error) === 'EADDRINUSE'
        ? new Fatal(
            ExitCode.PortInUse,
            `TCP port ${port} is in use: another PPTP server (pptpd?) runs on this machine`,
          )
        : new Fatal(ExitCode.Failed, `TCP port ${port}: ${errorText(error)}`);
    }
  }

  #route(port: number, socket: TcpSocket): void {
    const { endpoints } = socket;
    if (endpoints === undefined) {
      socket.destroy(); // the caller has hung up already
      return;
    }
    const here = this.#servers().filter(({ server }) => server.options.port === port);
    let device: string | undefined;
    try {
      device = deviceWith(endpoints.local);
    } catch (error) {
      // It needs a descriptor, and strangers may have used up all there are.
      this.#failed(port, error);
      socket.destroy();
      return;
    }
    // A server that names the device goes before one that listens everywhere.
    const runner =
      here.find(
        ({ server }) =>
          device !== undefined &&
          server.options.listen.some((network) => this.#deviceOf(network) === device),
      ) ?? here.find(({ server }) => server.options.listen.length === 0);
    if (runner !== undefined) {
      runner.accept(socket);
      return;
    }
    this.#unserved(socket);
    socket.destroy();
  }
}

function deviceWith(address: string): string | undefined {
  return host.addresses().find((one) => one.address === address)?.device;
}
