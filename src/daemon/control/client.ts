/** The command line's side of the control socket. */
import { connect, type Socket } from 'node:net';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { LineReader, MethodError, type Reply } from './protocol.ts';

export class ControlClient {
  private readonly socket: Socket;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private lastId = 0;
  private readonly lost = new Set<(error: Error) => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new LineReader();
    socket.on('data', (octets) => {
      const lines = reader.push(octets);
      if (lines === undefined) socket.destroy();
      for (const line of lines ?? []) {
        const reply = JSON.parse(line) as Reply;
        this.waiting.get(reply.id)?.(reply);
        this.waiting.delete(reply.id);
      }
    });
    socket.on('close', () => {
      for (const reject of this.lost) reject(goneAway());
    });
    socket.on('error', () => socket.destroy());
  }

  /** @throws {Fatal} the daemon is not running, or only root may ask it */
  static open(path: string): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => resolve(new ControlClient(socket)));
      socket.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EACCES' || error.code === 'EPERM'
            ? new Fatal(ExitCode.NotRoot, `only root may talk to the daemon (${path})`)
            : new Fatal(
                ExitCode.NotRunning,
                `pptp-gateway is not running (nobody serves ${path}): start it with 'pptp-gateway run'`,
              ),
        );
      });
    });
  }

  /** @throws {MethodError} the daemon refused; {Fatal} it has gone away */
  call(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(goneAway());
        return;
      }
      this.lost.add(reject);
      this.waiting.set(id, (reply) => {
        this.lost.delete(reject);
        if ('error' in reply) reject(new MethodError(reply.error.status, reply.error.message));
        else resolve(reply.result);
      });
      this.socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  close(): void {
    this.socket.end();
  }
}

function goneAway(): Fatal {
  return new Fatal(ExitCode.NotRunning, 'the daemon has gone away');
}
