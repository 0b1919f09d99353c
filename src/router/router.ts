/**
 * The router around the engine, as a port: what the kernel (or netifd) must do so that packets find the tunnels.
 *
 * Every method is idempotent and in order per device. A failure is a RouterError whose message an owner can act on.
 */
import type { Network } from '../session/ports.ts';

export interface ServerInterface {
  readonly name: string;
  readonly device: string;
  /** The router's own address inside the tunnels. */
  readonly localAddress: number;
  /** Prefix length the device carries. */
  readonly prefixLength: number;
  readonly mtu: number;
  readonly ipv6: boolean;
}

export interface Router {
  /** The device of a server exists: give it its address and switch it on. */
  serverUp(server: ServerInterface): Promise<void>;
  /** A caller or a link is up: routes (and for a link the device's addresses). */
  networkUp(network: Network): Promise<void>;
  /** What cannot be undone is a warning; a device that is gone has taken its routes along. */
  networkDown(network: Network): Promise<void>;
  /** Pins the way to a link's server to today's route, so that it does not go through the tunnel itself. */
  hostRoute(link: string, server: number, bindDevice: string | undefined): Promise<void>;
  releaseHostRoute(link: string): Promise<void>;
}

export class RouterError extends Error {
  override readonly name = 'RouterError';
}
