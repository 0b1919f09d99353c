/** UDP. Addresses as text, IPv4 and IPv6. */

export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

export interface DatagramEvents {
  readonly datagram: (octets: Uint8Array, from: UdpAddress) => void;
  /** It cannot be opened, a datagram could not be sent, or nobody listens at the other end (ICMP); it goes on if it was open. */
  readonly failed: (error: Error) => void;
}

export interface DatagramSocket {
  /** To its peer; before it is open it waits, with few others. */
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
  connect(to: UdpAddress, from: string | undefined, events: DatagramEvents): DatagramSocket;
  /** On all addresses. @param port 0: any @throws EADDRINUSE, … */
  listen(port: number, events: DatagramEvents): Promise<DatagramListener>;
}
