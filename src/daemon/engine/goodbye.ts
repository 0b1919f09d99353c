/** The end of a control connection of which nothing is known but that it is one. */
import { closeDescriptor } from '../../native/succession.ts';
import { sockets } from '../../platform/platform.ts';
import type { TcpSocket } from '../../platform/sockets.ts';
import { StopReason } from '../../wire/control-codes.ts';
import { encodeControlMessage } from '../../wire/control-message.ts';

/** Stop-Control-Connection-Request (RFC 2637 §2.3), which ends its calls, and the end. */
export function sayGoodbye(socket: TcpSocket): void {
  socket.write(
    encodeControlMessage({
      name: 'StopControlConnectionRequest',
      reason: StopReason.StopLocalShutdown,
    }),
  );
  socket.finish();
  socket.hear({ octets: () => undefined, closed: () => undefined });
}

/** Of one that another program has left. */
export function dismiss(descriptor: number): void {
  try {
    const socket = sockets.adopt(descriptor);
    if (socket.endpoints === undefined) socket.destroy();
    else sayGoodbye(socket);
  } catch {
    drop(descriptor); // no socket, or not any more
  }
}

/** Closes one that another program has left. */
export function drop(descriptor: number): void {
  try {
    closeDescriptor(descriptor);
  } catch {
    // it was closed already
  }
}
