/** Serves the control socket: only root can reach it (0600, in a folder 0700), and it never waits for a slow reader. */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ExitCode, Fatal } from '../exit-codes.ts';
import {
  LineReader,
  MAX_LINE,
  MAX_REQUEST,
  MethodError,
  parseRequest,
  type Reply,
} from './protocol.ts';

export type Methods = Readonly<
  Record<string, (params: Readonly<Record<string, unknown>>) => unknown>
>;

const MAX_CLIENTS = 32;
/** Requests of one client that wait for their answers. */
const MAX_WAITING = 256;

export class ControlServer {
  private readonly server: Server;
  private readonly clients = new Set<Socket>();
  private readonly path: string;

  private constructor(path: string, methods: Methods) {
    this.path = path;
    this.server = createServer((socket) => this.serve(socket, methods));
    this.server.maxConnections = MAX_CLIENTS;
    // A client could not be accepted (no descriptors are left): it is told so by the kernel, the others go on.
    this.server.on('error', () => undefined);
  }

  /** @throws {Fatal} another daemon serves this socket, or the folder cannot be made */
  static async listen(path: string, methods: Methods): Promise<ControlServer> {
    await refuseSecond(path);
    const control = new ControlServer(path, methods);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      removeSocket(path); // left by a daemon that was killed
      await control.listen();
    } catch (error) {
      throw new Fatal(
        ExitCode.Failed,
        `control socket ${path}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return control;
  }

  close(): void {
    this.server.close();
    for (const client of this.clients) client.destroy();
    rmSync(this.path, { force: true });
  }

  private listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      // The folder may be older than us and open to others; bind() happens before listen() returns.
      const umask = process.umask(0o177);
      try {
        this.server.listen(this.path, resolve);
      } finally {
        process.umask(umask);
      }
    });
  }

  private serve(socket: Socket, methods: Methods): void {
    const reader = new LineReader(MAX_REQUEST);
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    this.clients.add(socket);
    socket.on('close', () => this.clients.delete(socket));
    socket.on('error', () => socket.destroy()); // the command line went away; nothing is lost
    socket.on('data', (octets) => {
      const lines = reader.push(octets);
      if (lines === undefined || (waiting += lines.length) > MAX_WAITING) {
        socket.destroy();
        return;
      }
      // One after the other, so that a client that does not read is noticed before all answers are made.
      for (const line of lines) {
        last = last.then(async () => {
          if (socket.destroyed) return;
          socket.write(`${JSON.stringify(await answer(line, methods))}\n`);
          waiting--;
          if (socket.writableLength > MAX_LINE) socket.destroy();
        });
      }
    });
  }
}

async function answer(line: string, methods: Methods): Promise<Reply> {
  const request = parseRequest(line);
  if (request === undefined)
    return {
      id: 0,
      error: { status: 'INVALID_ARGUMENT', message: 'expected {"id", "method", "params"}' },
    };
  const { id, method, params } = request;
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler === undefined)
    return { id, error: { status: 'METHOD_NOT_FOUND', message: `there is no method '${method}'` } };
  try {
    return { id, result: await handler(params) };
  } catch (error) {
    if (error instanceof MethodError)
      return { id, error: { status: error.status, message: error.message } };
    return {
      id,
      error: { status: 'FAILED', message: error instanceof Error ? error.message : String(error) },
    };
  }
}

/** @throws {Fatal} another daemon serves this socket */
export async function refuseSecond(path: string): Promise<void> {
  if (await answers(path))
    throw new Fatal(ExitCode.Failed, `another pptp-gateway is running: it serves ${path}`);
}

/** A path that was mistyped must not cost a file. */
function removeSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('there is something that is not a socket');
  rmSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
