/** Connections and calls that the kernel's helper passes, as connection tracking lists them. */
import { clock, host } from '../../platform/platform.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import { readTracked, type TrackedCall } from '../../router/conntrack.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { parsePrefix, prefixContains } from '../../wire/ip.ts';
import { isAmong } from '../engine/own-addresses.ts';
import type { RelayCallStatus } from './relay-event.ts';
import type { RelayRunner } from './relay-runner.ts';

export interface HelperRelay {
  readonly options: RelayOptions;
  readonly devices: RelayRunner['devices'];
}

export interface HelperStatus {
  readonly clients: number;
  readonly connections: number;
  readonly calls: readonly RelayCallStatus[];
}

interface Known {
  readonly id: number;
  readonly since: number;
}

export class HelperCalls {
  readonly #nextId: () => number;
  /** Ids of the calls that were there at the last look, by what tells them apart. */
  #ids = new Map<string, Known>();

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  has(id: number): boolean {
    return [...this.#ids.values()].some((call) => call.id === id);
  }

  /** Nothing passes the helper any more. */
  forget(): void {
    this.#ids.clear();
  }

  /** What there is now, by relay; undefined: the kernel does not list it. */
  async look(): Promise<((relay: HelperRelay) => HelperStatus) | undefined> {
    const tracked = await readTracked().catch(() => undefined);
    const before = this.#ids;
    this.#ids = new Map();
    if (tracked === undefined) return undefined;
    return (relay) => {
      const connections = tracked.connections.filter((one) => isOf(relay, one));
      return {
        clients: new Set(connections.map(({ client }) => client)).size,
        connections: connections.length,
        calls: tracked.calls
          .filter((one) => isOf(relay, one))
          .map((call) => this.#status(relay.options.name, call, before)),
      };
    };
  }

  #status(relay: string, call: TrackedCall, before: ReadonlyMap<string, Known>): RelayCallStatus {
    const { client, server, clientCallId, serverCallId, traffic } = call;
    const name = [client, server, clientCallId, serverCallId].join();
    const known = this.#ids.get(name) ??
      before.get(name) ?? {
        id: this.#nextId(),
        since: clock.monotonic(), // when it was first seen
      };
    this.#ids.set(name, known);
    return {
      ...known,
      relay,
      client,
      server,
      clientCallId,
      serverCallId,
      traffic,
      control: undefined,
    };
  }
}

/** Connection tracking knows no devices: the client, or for inbound relays the server, tells whose it is. */
function isOf(
  { options, devices }: HelperRelay,
  { client, realServer }: { client: Ipv4; realServer: Ipv4 },
): boolean {
  if (options.direction === 'inbound') return realServer === options.server;
  return host.addresses().some(({ device, family, cidr = '' }) => {
    const prefix = family === 'IPv4' ? parsePrefix(cidr) : undefined;
    return prefix !== undefined && prefixContains(prefix, client) && isAmong(device, devices.src);
  });
}
