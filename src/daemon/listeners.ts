/** TCP listeners: one per port on all addresses; which server a caller reaches is told by the address it called. */
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ExitCode, Fatal } from './exit-codes.ts';
import type { ServerRunner } from './server-runner.ts';

/** Connections the kernel keeps for us while we are busy. */
const BACKLOG = 128;

export class Listeners {
  private readonly listeners = new Map<number, TcpServer>();
  private readonly servers: () => readonly ServerRunner[];
  private readonly unserved: (socket: Socket) => void;
  private readonly failed: (port: number, error: Error) => void;

  /**
   * @param unserved somebody called an address that no server listens on; the connection is closed after it
   * @param failed a caller could not be accepted (no descriptors are left); the listener goes on
   */
  constructor(
    servers: () => readonly ServerRunner[],
    unserved: (socket: Socket) => void,
    failed: (port: number, error: Error) => void,
  ) {
    this.servers = servers;
    this.unserved = unserved;
    this.failed = failed;
  }

  /** Listens on the ports of today's servers and no others. @throws {Fatal} a port is in use */
  async apply(): Promise<void> {
    const ports = new Set(this.servers().map(({ server }) => server.options.port));
    for (const [port, listener] of this.listeners) {
      if (ports.has(port)) continue;
      listener.close();
      this.listeners.delete(port);
    }
    for (const port of ports)
      if (!this.listeners.has(port)) this.listeners.set(port, await this.listen(port));
  }

  close(): void {
    for (const listener of this.listeners.values()) listener.close();
    this.listeners.clear();
  }

  private listen(port: number): Promise<TcpServer> {
    const listener = createServer({ noDelay: true }, (socket) => {
      this.route(port, socket);
    });
    return new Promise((resolve, reject) => {
      listener.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE'
            ? new Fatal(
                ExitCode.PortInUse,
                `TCP port ${port} is in use: another PPTP server (pptpd?) runs on this machine`,
              )
            : new Fatal(ExitCode.Failed, `TCP port ${port}: ${error.message}`),
        );
      });
      listener.listen({ port, host: '0.0.0.0', backlog: BACKLOG }, () => {
        listener.on('error', (error) => this.failed(port, error));
        resolve(listener);
      });
    });
  }

  private route(port: number, socket: Socket): void {
    if (socket.remoteAddress === undefined) {
      socket.destroy(); // the caller has hung up already
      return;
    }
    const here = this.servers().filter(({ server }) => server.options.port === port);
    const device = deviceOf(socket.localAddress);
    // A server that names the device goes before one that listens everywhere.
    const runner =
      here.find(({ server }) => device !== undefined && server.options.listen.includes(device)) ??
      here.find(({ server }) => server.options.listen.length === 0);
    if (runner !== undefined) {
      runner.accept(socket);
      return;
    }
    this.unserved(socket);
    socket.destroy();
  }
}

function deviceOf(address: string | undefined): string | undefined {
  for (const [device, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((entry) => entry.address === address) === true) return device;
  }
  return undefined;
}
