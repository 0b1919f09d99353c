/** Messages over a stream socket. What comes is bounded by the framer; a peer that does not read is cut off. */
import type { Socket } from '../platform/sockets.ts';
import { MAX_BLOB } from './blob.ts';
import { Framer } from './framer.ts';
import { decodeMessage, encodeMessage, type MalformedMessage, type Message } from './message.ts';
import { UbusError } from './status.ts';

export interface ChannelOptions {
  /** Root attribute of an incoming message, octets. */
  readonly longest?: number;
  /** Outgoing octets that wait. */
  readonly maxQueued?: number;
  readonly onMessage: (message: Message | MalformedMessage) => void;
  /** Called once. */
  readonly onClose: (why: Error) => void;
}

const MAX_QUEUED = 8 * MAX_BLOB;

export class Channel {
  readonly #socket: Socket;
  readonly #maxQueued: number;
  #why: Error = new UbusError('CONNECTION_FAILED', 'the connection was closed');

  constructor(
    socket: Socket,
    { longest = MAX_BLOB, maxQueued = MAX_QUEUED, onMessage, onClose }: ChannelOptions,
  ) {
    this.#socket = socket;
    this.#maxQueued = maxQueued;
    const framer = new Framer(longest);
    socket.hear({
      octets: (chunk) => {
        const messages = framer.push(chunk);
        if (messages instanceof UbusError) {
          this.close(messages);
          return;
        }
        for (const octets of messages) {
          if (!socket.isOpen) return;
          onMessage(decodeMessage(octets));
        }
      },
      closed: (error) => onClose(error ?? this.#why),
    });
  }

  /** @throws {UbusError} NO_MEMORY: longer than a message may be */
  send(message: Message): void {
    const octets = encodeMessage(message);
    if (!this.#socket.isOpen) return;
    this.#socket.write(octets);
    if (this.#socket.unsent > this.#maxQueued)
      this.close(new UbusError('CONNECTION_FAILED', 'the peer does not read'));
  }

  close(why: Error): void {
    if (!this.#socket.isOpen) return;
    this.#why = why;
    this.#socket.destroy();
  }
}
