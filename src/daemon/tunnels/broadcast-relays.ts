/**
 * Between the callers of a server and networks of the LAN: broadcasts by which NetBIOS finds names, and mDNS. Each has its sender's own
 * address, so that it is answered directly. Callers hear each other only where the server does not isolate them.
 */
import {
  Broadcasts,
  EVERYBODY,
  MDNS_GROUP,
  MDNS_PORT,
  NETBIOS_PORTS,
  portOf,
  readdressed,
  type Side,
} from '../../data-path/broadcasts.ts';
import { errorText } from '../../platform/errors.ts';
import { clock } from '../../platform/platform.ts';
import { PacketSocket, type Target } from '../../raw-socket/packet-socket.ts';
import type { OwnNetwork } from '../../router/own-networks.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { prefixRange } from '../../wire/ip.ts';
import type { ServerRunner } from './server-runner.ts';

export interface BroadcastPorts {
  readonly servers: ReadonlyMap<string, ServerRunner>;
  /** As the kernel has them now. @throws IoError */
  readonly networks: () => readonly OwnNetwork[];
  readonly deviceOf: (network: string) => string | undefined;
  readonly count: (counter: string) => void;
  readonly warn: (message: string) => void;
}

/** Where frames go: RFC 894, RFC 1112 §6.4 */
const TO_ALL = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const TO_MDNS = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb);

export class BroadcastRelays {
  readonly #ports: BroadcastPorts;
  /** By server; its key is what its sockets were made for. */
  readonly #running = new Map<string, { readonly key: string; readonly close: () => void }>();

  #fault: string | undefined;

  constructor(ports: BroadcastPorts) {
    this.#ports = ports;
  }

  /** Servers, their options, or networks may have changed. */
  follow(): void {
    const { servers, networks, deviceOf, warn } = this.#ports;
    const wanted = [...servers].filter(
      ([, { server }]) => server.options.broadcastRelay.length > 0,
    );
    for (const [name, { close }] of this.#running)
      if (!wanted.some(([other]) => other === name)) {
        close();
        this.#running.delete(name);
      }
    if (wanted.length === 0) return;
    try {
      const around = networks();
      for (const [name, runner] of wanted) {
        const { broadcastRelay, device } = runner.server.options;
        const devices = broadcastRelay.map(deviceOf);
        const lans = around.filter(
          (own) => own.device !== device && devices.includes(own.device) && own.network.length < 31,
        );
        const tunnel = around.find((own) => own.device === device);
        const key = JSON.stringify([tunnel, lans]);
        const before = this.#running.get(name);
        if (before?.key === key) continue;
        before?.close();
        this.#running.delete(name);
        if (tunnel !== undefined && lans.length > 0)
          this.#running.set(name, { key, close: this.#open(runner, tunnel, lans) });
      }
      this.#fault = undefined;
    } catch (error) {
      const fault = errorText(error); // said once, for this is tried again
      if (fault !== this.#fault) warn(`broadcasts are not relayed: ${fault}`);
      this.#fault = fault;
    }
  }

  close(): void {
    for (const { close } of this.#running.values()) close();
    this.#running.clear();
  }

  /** @returns ends it @throws IoError */
  #open(runner: ServerRunner, tunnel: OwnNetwork, lans: readonly OwnNetwork[]): () => void {
    const broadcasts = new Broadcasts();
    const mayPass = (packet: Uint8Array, side: Side): boolean => {
      const fate = broadcasts.judge(packet, side, clock.monotonic());
      this.#ports.count(`broadcast of ${side}: ${fate}`);
      return fate === 'relayed';
    };
    const sockets = new Map<OwnNetwork, PacketSocket>();
    const close = () => {
      for (const socket of sockets.values()) socket.close();
    };
    try {
      for (const lan of lans)
        sockets.set(
          lan,
          new PacketSocket(lan.index, targetsAt([broadcastOf(lan)]), TO_MDNS, (packet) => {
            if (mayPass(packet, 'lan')) runner.spread(readdressed(packet, EVERYBODY));
          }),
        );
      const outer = [...new Set([tunnel, ...lans].map(broadcastOf))];
      const inner = new PacketSocket(tunnel.index, targetsAt(outer), TO_MDNS, (packet) => {
        if (!mayPass(packet, 'callers')) return;
        for (const lan of lans) {
          const to = portOf(packet) === MDNS_PORT ? TO_MDNS : TO_ALL;
          sockets.get(lan)?.send(readdressed(packet, broadcastOf(lan)), to);
        }
        if (!runner.server.options.isolate) runner.spread(readdressed(packet, EVERYBODY));
      });
      sockets.set(tunnel, inner);
    } catch (error) {
      close();
      throw error;
    }
    return close;
  }
}

function broadcastOf({ network }: OwnNetwork): Ipv4 {
  return prefixRange(network).last;
}

function targetsAt(broadcasts: readonly Ipv4[]): readonly Target[] {
  return [
    { address: MDNS_GROUP, port: MDNS_PORT },
    ...[EVERYBODY, ...broadcasts].flatMap((address) =>
      NETBIOS_PORTS.map((port) => ({ address, port })),
    ),
  ];
}
