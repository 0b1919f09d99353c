/** ARP for callers whose address lies in a network of ours: answered on that network's device while they are there. */
import { networkInterfaces } from 'node:os';
import type { Network } from '../session/ports.ts';
import { formatAddress, parsePrefix, prefixContains } from '../wire/ip.ts';
import { deviceExists, ip } from './ip-command.ts';

export class ProxyArp {
  private readonly warn: (message: string) => void;
  /** Devices by the caller's address. */
  private readonly held = new Map<number, string[]>();

  constructor(warn: (message: string) => void) {
    this.warn = warn;
  }

  /** @throws RouterError */
  async hold(caller: Network): Promise<void> {
    if (!caller.proxyArp) return;
    const address = formatAddress(caller.peerAddress);
    const devices = devicesWith(caller);
    if (devices.length === 0)
      this.warn(
        `${address} (caller on ${caller.device}): no device here has a network with this address, so nobody answers ARP for it`,
      );
    const done: string[] = [];
    this.held.set(caller.peerAddress, done);
    for (const device of devices) {
      done.push(device);
      await ip('neighbour', 'replace', 'proxy', address, 'dev', device);
    }
  }

  /** A device that is gone has taken it along; anything else that cannot be undone is a warning. */
  async release({ peerAddress }: Network): Promise<void> {
    const devices = this.held.get(peerAddress) ?? [];
    this.held.delete(peerAddress);
    for (const device of devices) {
      try {
        await ip('neighbour', 'del', 'proxy', formatAddress(peerAddress), 'dev', device);
      } catch (error) {
        if (deviceExists(device)) this.warn(error instanceof Error ? error.message : String(error));
      }
    }
  }
}

function devicesWith({ device: own, peerAddress }: Network): string[] {
  return Object.entries(networkInterfaces()).flatMap(([device, addresses]) => {
    const contains = addresses?.some(({ family, cidr }) => {
      const prefix = family === 'IPv4' && cidr !== null ? parsePrefix(cidr) : undefined;
      return prefix !== undefined && prefix.length < 32 && prefixContains(prefix, peerAddress);
    });
    return contains === true && device !== own ? [device] : [];
  });
}
