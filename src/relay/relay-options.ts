/** What the owner decides about passthrough: a `config relay` section as parsed. Times are milliseconds. */
import type { Ipv4 } from '../wire/brand.ts';
import type { Prefix } from '../wire/ip.ts';

export interface RelayOptions {
  readonly name: string;
  /** Another one: what may pass, or where, is no longer the same. */
  readonly keys: { readonly listener: string };
  /** outbound: machines here call servers outside; inbound: callers outside reach a server here. */
  readonly direction: 'outbound' | 'inbound';
  /** Zones, networks or devices on which the clients are, and the servers. */
  readonly src: readonly string[];
  readonly dest: readonly string[];
  /** inbound: the server. */
  readonly server: Ipv4 | undefined;
  readonly backend: 'auto' | 'ebpf' | 'relay' | 'helper';
  /** Networks; none: all. */
  readonly clients: readonly Prefix[];
  /** outbound: networks of servers that may be called; none: all. */
  readonly servers: readonly Prefix[];
  readonly maxConnections: number;
  readonly maxPerClient: number;
  /** Control connections that have no call yet. */
  readonly maxHalfOpen: number;
  /** 0: never. */
  readonly idleTimeout: number;
}
