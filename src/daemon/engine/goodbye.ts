/** The end of a control connection of which nothing is known but that it is one. */
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
