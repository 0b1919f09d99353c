/** Routes to a caller: its own address where the network of the server's device does not lead there, and what is behind it. */
import type { Tunnel } from '../session/ports.ts';
import { prefixContains, prefixOf, type Prefix } from '../wire/ip.ts';
import type { ServerInterface } from './router.ts';

export function callerRoutes(
  server: ServerInterface | undefined,
  { peerAddress, mtu, routes }: Tunnel,
): readonly Prefix[] {
  const covered =
    server !== undefined &&
    server.mtu <= mtu &&
    server.prefixLength < 32 &&
    prefixContains(prefixOf(server.localAddress, server.prefixLength), peerAddress);
  return covered ? routes : [{ address: peerAddress, length: 32 }, ...routes];
}
