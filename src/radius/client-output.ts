/** What a client of RADIUS servers asks of the daemon, and what it tells: the closed union of its `poll`. */
import type { Cause } from '../wire/cause.ts';
import type { DecodedRadiusPacket } from '../wire/radius.ts';
import type { RadiusRequest, RadiusServerOptions } from './client-options.ts';

/** Of one client; never used twice. */
export type SocketId = number;

export type RadiusClientOutput<Request extends RadiusRequest> =
  /**
   * Open a socket that hears the server and nobody else, from a port of its own, or a TLS connection. Answer: handleOpened, or
   * handleClosed with the reason; for datagrams handleOpened may follow at once.
   */
  | { readonly kind: 'open'; readonly socket: SocketId; readonly server: RadiusServerOptions }
  /** Only to sockets that are open. Over a stream as it is: the packets tell their length. */
  | { readonly kind: 'send'; readonly socket: SocketId; readonly octets: Uint8Array }
  /** Final for this socket, and never after handleClosed. */
  | { readonly kind: 'close'; readonly socket: SocketId }
  /** Exactly one of `answered` and `failed` for each request, unless it was abandoned. */
  | {
      readonly kind: 'answered';
      readonly request: Request;
      /** Name of who answered: what continues an Access-Challenge goes there. */
      readonly server: string;
      readonly answer: DecodedRadiusPacket;
    }
  | { readonly kind: 'failed'; readonly request: Request; readonly cause: Cause }
  /** For the log: it stopped answering (cause), or answers again. */
  | { readonly kind: 'server-dead'; readonly server: string; readonly cause: Cause }
  | { readonly kind: 'server-alive'; readonly server: string };

/** For a status: what is known of a server. */
export interface RadiusServerStatus {
  readonly name: string;
  /** unknown: nothing has been heard yet. */
  readonly state: 'unknown' | 'alive' | 'dead';
  /** Requests that wait for its answer. */
  readonly waiting: number;
  readonly sockets: number;
  /** ms of the client's clock. */
  readonly heard: number | undefined;
  /** ms, of the last answer to a request that was sent once. */
  readonly roundTrip: number | undefined;
  /** Its last answers do not verify. */
  readonly isDistrusted: boolean;
}
