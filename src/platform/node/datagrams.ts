import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DatagramEvents, DatagramListener, Datagrams, DatagramSocket } from '../datagrams.ts';

export const datagrams: Datagrams = {
  connect({ address, port }, from, events): DatagramSocket {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    let isConnected = false;
    const close = opened(socket, {
      datagram: events.datagram,
      failed: (error) => {
        if (isConnected) events.failed(error);
        else fail(error);
      },
    });
    const fail = (error: Error) => {
      close();
      events.closed(error);
    };
    socket.bind({ port: 0, ...(from === undefined ? {} : { address: from }) }, () => {
      // Its types do not know that it tells a failure.
      const connected: (error?: Error) => void = (error) => {
        if (error !== undefined) fail(error);
        else {
          isConnected = true;
          events.opened();
        }
      };
      socket.connect(port, address, connected);
    });
    return {
      send: (octets) => {
        if (isConnected) socket.send(octets);
      },
      close: () => {
        isConnected = false;
        close();
      },
    };
  },

  async listen(port, events): Promise<DatagramListener> {
    try {
      return await listening('udp6', port, events);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAFNOSUPPORT') throw error;
      return listening('udp4', port, events); // IPv6 is switched off
    }
  },
};

/** IPv4 comes to a socket for both as `::ffff:192.0.2.1`. */
const MAPPED = '::ffff:';

/** @returns closes it: nothing is heard of it after that */
function opened(socket: Socket, events: DatagramEvents): () => void {
  let isOpen = true;
  socket.on('message', (octets, { address, port }) => {
    const plain =
      address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
    if (isOpen) events.datagram(octets, { address: plain, port });
  });
  socket.on('error', (error) => {
    if (isOpen) events.failed(error);
  });
  return () => {
    if (!isOpen) return;
    isOpen = false;
    socket.close();
  };
}

function listening(
  type: 'udp4' | 'udp6',
  port: number,
  events: DatagramEvents,
): Promise<DatagramListener> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type);
    socket.once('error', reject);
    socket.bind(port, () => {
      socket.off('error', reject);
      const close = opened(socket, events);
      resolve({
        port: socket.address().port,
        send: (octets, to) => {
          const address = type === 'udp6' && !isIPv6(to.address) ? MAPPED + to.address : to.address;
          socket.send(octets, to.port, address);
        },
        close,
      });
    });
  });
}
