/**
 * Records control messages and GRE packets as a pcap file (raw IP, LINKTYPE_RAW). The IP and TCP headers are made up from
 * what is known of the connection: addresses, ports and the order of octets are true.
 */
import { errorText } from '../../platform/errors.ts';
import type { OpenFile } from '../../platform/files.ts';
import { files } from '../../platform/platform.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { writeU16, writeU32 } from '../../wire/octets.ts';
import { redactGre } from './redact.ts';

const LINKTYPE_RAW = 101;
const SNAPLEN = 65535;
const IP_HEADER = 20;
const TCP_HEADER = 20;
/** Octets of one segment: the length in the IP header has 16 bits. */
const SEGMENT = 32768;

export interface TcpEndpoints {
  readonly local: Ipv4;
  readonly localPort: number;
  readonly peer: Ipv4;
  readonly peerPort: number;
}

type Direction = 'in' | 'out';

export class Capture {
  readonly path: string;
  /** Packets recorded, and those left out because the file had its size. */
  packets = 0;
  omitted = 0;
  /** Why recording ended early: the file system is full, or it is our own fault. */
  fault: string | undefined;
  private readonly file: OpenFile;
  private readonly secrets: boolean;
  private room: number;
  private length = 0;
  private readonly sequences = new WeakMap<TcpEndpoints, Record<Direction, number>>();

  /**
   * @param path a file that must not exist yet
   * @param size most octets of the file
   * @param secrets record login data and payload too
   */
  constructor(path: string, size: number, secrets: boolean) {
    this.path = path;
    this.secrets = secrets;
    this.file = files.create(path, 0o600);
    const header = new Uint8Array(24);
    writeU32(header, 0, 0xa1b2c3d4);
    writeU16(header, 4, 2);
    writeU16(header, 6, 4);
    writeU32(header, 16, SNAPLEN);
    writeU32(header, 20, LINKTYPE_RAW);
    this.room = size;
    this.write(header);
  }

  /** `packet` begins with the GRE header. The addresses are the peer's and ours, whatever the direction. */
  gre(direction: Direction, peer: Ipv4, local: Ipv4, packet: Uint8Array): void {
    this.contained(() => {
      const shown = this.secrets ? packet : redactGre(packet);
      const [source, destination] = direction === 'in' ? [peer, local] : [local, peer];
      const header = ipHeader(47, source, destination, packet.length);
      this.record(header, shown, IP_HEADER + packet.length);
    });
  }

  control(endpoints: TcpEndpoints, direction: Direction, octets: Uint8Array): void {
    this.contained(() => {
      for (let at = 0; at < octets.length; at += SEGMENT)
        this.segment(endpoints, direction, octets.subarray(at, at + SEGMENT));
    });
  }

  close(): void {
    this.attempt(() => this.file.close());
  }

  private segment(endpoints: TcpEndpoints, direction: Direction, octets: Uint8Array): void {
    const { local, localPort, peer, peerPort } = endpoints;
    const sequences = this.sequences.get(endpoints) ?? { in: 1, out: 1 };
    this.sequences.set(endpoints, sequences);
    const headers = new Uint8Array(IP_HEADER + TCP_HEADER);
    const [source, destination] = direction === 'in' ? [peer, local] : [local, peer];
    headers.set(ipHeader(6, source, destination, TCP_HEADER + octets.length));
    writeU16(headers, IP_HEADER, direction === 'in' ? peerPort : localPort);
    writeU16(headers, IP_HEADER + 2, direction === 'in' ? localPort : peerPort);
    writeU32(headers, IP_HEADER + 4, sequences[direction]);
    writeU32(headers, IP_HEADER + 8, sequences[direction === 'in' ? 'out' : 'in']);
    headers[IP_HEADER + 12] = (TCP_HEADER / 4) << 4;
    headers[IP_HEADER + 13] = 0x18; // PSH, ACK
    writeU16(headers, IP_HEADER + 14, 65535);
    sequences[direction] += octets.length;
    this.record(headers, octets, headers.length + octets.length);
  }

  /** What goes wrong in recording ends the recording, not what is recorded. */
  private contained(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fault ??= errorText(error);
    }
  }

  private record(headers: Uint8Array, octets: Uint8Array, length: number): void {
    const included = headers.length + octets.length;
    if (16 + included > this.room || this.fault !== undefined) {
      this.omitted++;
      return;
    }
    const entry = new Uint8Array(16 + included);
    const now = Date.now();
    writeU32(entry, 0, Math.floor(now / 1000));
    writeU32(entry, 4, (now % 1000) * 1000);
    writeU32(entry, 8, included);
    writeU32(entry, 12, length);
    entry.set(headers, 16);
    entry.set(octets, 16 + headers.length);
    if (this.write(entry)) this.packets++;
    else this.omitted++;
  }

  /** A full file system ends the capture, not the daemon; the file keeps whole packets only. */
  private write(octets: Uint8Array): boolean {
    const written = this.attempt(() => this.file.write(octets)) ?? 0;
    if (written < octets.length) {
      this.fault ??= 'no space is left';
      this.attempt(() => this.file.truncate(this.length));
      return false;
    }
    this.length += written;
    this.room -= written;
    return true;
  }

  private attempt<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      this.fault ??= errorText(error);
      return undefined;
    }
  }
}

function ipHeader(
  protocol: number,
  source: Ipv4,
  destination: Ipv4,
  payloadLength: number,
): Uint8Array {
  const header = new Uint8Array(IP_HEADER);
  header[0] = 0x45;
  writeU16(header, 2, IP_HEADER + payloadLength);
  header[8] = 64;
  header[9] = protocol;
  writeU32(header, 12, source);
  writeU32(header, 16, destination);
  let sum = 0;
  for (let i = 0; i < IP_HEADER; i += 2) sum += (header[i]! << 8) | header[i + 1]!;
  writeU16(header, 10, ~((sum & 0xffff) + (sum >>> 16)));
  return header;
}
