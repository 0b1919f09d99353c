/** UDP. Addresses as text, IPv4 and IPv6. */

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

export interface DatagramEvents {
  readonly datagram: (octets: Uint8Array, from: UdpAddress) => void;
  /** A datagram could not be sent, or nobody listens at the other end (ICMP); it goes on. */
  readonly failed: (error: Error) => void;
}

export interface PeerEvents extends DatagramEvents {
  readonly opened: () => void;
  /** It could not be opened: there is no way to the peer, or our own address is not one. Last. */
  readonly closed: (error: Error) => void;
}

export interface DatagramSocket {
  /** To its peer; nothing unless it is open. */
  send(octets: Uint8Array): void;
  close(): void;
}

export interface DatagramListener {
  /** UDP. */
  readonly port: number;
  send(octets: Uint8Array, to: UdpAddress): void;
  close(): void;
}

export interface Datagrams {
  /** To one peer alone: what others send is not heard. @param from our own address */
  connect(to: UdpAddress, from: string | undefined, events: PeerEvents): DatagramSocket;
  /** On all addresses. @param port 0: any @throws EADDRINUSE, … */
  listen(port: number, events: DatagramEvents): Promise<DatagramListener>;
}
