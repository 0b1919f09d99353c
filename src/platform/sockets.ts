/** Stream sockets. */

export interface SocketEvents {
  /** Octets wait until somebody wants them. */
  readonly octets?: (octets: Uint8Array) => void;
  /** Called once, last; also after destroy(). @param error why; undefined: one of the two ends wanted it */
  readonly closed: (error: Error | undefined) => void;
}

export interface Socket {
  /** Octets that were written and not yet sent. */
  readonly unsent: number;
  readonly isOpen: boolean;
  /** From now on these hear of it, and nobody else. */
  hear(events: SocketEvents): void;
  write(octets: Uint8Array): void;
  /** Sends what was written, then the end. */
  finish(): void;
  /** At once. */
  destroy(): void;
}

/** Addresses as text. */
export interface Endpoints {
  readonly local: string;
  readonly localPort: number;
  readonly peer: string;
  readonly peerPort: number;
}

/** What is written leaves at once (TCP_NODELAY). */
export interface TcpSocket extends Socket {
  /** undefined: it is not connected, or not any more. */
  readonly endpoints: Endpoints | undefined;
  readonly descriptor: number;
  /** An end that vanishes without a word is noticed after this silence, ms. */
  keepAlive(milliseconds: number): void;
}

/** How two ends prove who they are (X.509). Texts are PEM. */
export interface TlsIdentity {
  /** What the certificate of the other end must be for: a name or an address. */
  readonly peerName: string;
  /** Who may have signed it; undefined: those that the system trusts. */
  readonly authorities: string | undefined;
  /** Our own, if the other end wants one. */
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
}

/** Of the other end, believed. */
export interface PeerCertificate {
  /** `CN=radius.example.com, O=Example` */
  readonly subject: string;
  readonly validTo: Date;
}

export interface Listener {
  /** TCP. */
  readonly port: number;
  readonly descriptor: number;
  /** What was accepted stays. */
  close(): void;
}

export interface ListenerEvents<S extends Socket> {
  readonly accept: (socket: S) => void;
  /** Somebody could not be accepted (no descriptor is left); it goes on. */
  readonly failed: (error: Error) => void;
}

export interface Sockets {
  /** Failing is being closed. @param from our own address */
  connect(
    to: { readonly address: string; readonly port: number; readonly from?: string | undefined },
    connected: () => void,
  ): TcpSocket;
  /** As connect, with TLS 1.2 or later on it; `connected` when both have proved who they are. @throws the identity cannot be read */
  connectTls(
    to: {
      readonly address: string;
      readonly port: number;
      readonly from?: string | undefined;
      readonly identity: TlsIdentity;
    },
    connected: (peer: PeerCertificate) => void,
  ): Socket;
  /** To the unix socket of a path. */
  connectLocal(path: string, connected?: () => void): Socket;
  /** A connection that the program before had. */
  adopt(descriptor: number): TcpSocket;
  /**
   * On an address, or on all IPv4 addresses.
   * @param at port 0: any; `inherited`: a socket that the program before has listened on
   * @throws EADDRINUSE, …
   */
  listen(
    at: {
      readonly address?: string;
      readonly port: number;
      readonly backlog: number;
      readonly inherited?: number | undefined;
    },
    events: ListenerEvents<TcpSocket>,
  ): Promise<Listener>;
  /** On a unix socket, which only its owner can reach. @param most connections at a time */
  listenLocal(path: string, most: number, events: ListenerEvents<Socket>): Promise<Listener>;
}
