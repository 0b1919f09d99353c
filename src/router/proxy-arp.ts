/** ARP for callers whose address lies in a network of ours: answered on that network's device while they are there. */
import { networkInterfaces } from 'node:os';
import type { Network } from '../session/ports.ts';
import { formatAddress, parsePrefix, prefixContains } from '../wire/ip.ts';
import { deviceExists, ip } from './ip-command.ts';
import type { Leftovers } from './leftovers.ts';

export class ProxyArp {
  private readonly warn: (message: string) => void;
  private readonly leftovers: Leftovers;
  /** Devices by the caller's address. */
  private readonly held = new Map<number, string[]>();

  constructor(warn: (message: string) => void, leftovers: Leftovers) {
    this.warn = warn;
    this.leftovers = leftovers;
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
      await add(caller.peerAddress, device);
    }
  }

  /** Puts back what has gone. @returns whether anything had. @throws RouterError */
  async look(): Promise<boolean> {
    if (this.held.size === 0) return false;
    const present = new Set((await ip('neighbour', 'show', 'proxy')).split('\n').map(entryOf));
    let wasMissing = false;
    for (const [caller, devices] of [...this.held])
      for (const device of devices) {
        const address = formatAddress(caller);
        if (present.has(`${address} ${device}`) || !deviceExists(device)) continue;
        if (this.held.get(caller) !== devices) continue; // it went meanwhile
        await add(caller, device);
        wasMissing = true;
      }
    return wasMissing;
  }

  /** A device that is gone has taken it along; anything else that cannot be undone is undone later. */
  async release({ peerAddress }: Network): Promise<void> {
    const devices = this.held.get(peerAddress) ?? [];
    this.held.delete(peerAddress);
    for (const device of devices) {
      try {
        await remove(peerAddress, device);
      } catch (error) {
        if (deviceExists(device)) this.removeLater(peerAddress, device, error);
      }
    }
  }

  private removeLater(peerAddress: number, device: string, why: unknown): void {
    const isWanted = () => this.held.get(peerAddress)?.includes(device) === true;
    const what = `proxy ARP for ${formatAddress(peerAddress)} on ${device}`;
    this.leftovers.add(what, why, async () => {
      if (isWanted() || !deviceExists(device)) return;
      await remove(peerAddress, device);
      if (isWanted()) await add(peerAddress, device); // another caller came meanwhile
    });
  }
}

async function add(address: number, device: string): Promise<void> {
  await ip('neighbour', 'replace', 'proxy', formatAddress(address), 'dev', device);
}

async function remove(address: number, device: string): Promise<void> {
  await ip('neighbour', 'del', 'proxy', formatAddress(address), 'dev', device);
}

/** `192.168.1.200 dev lan proxy` */
function entryOf(line: string): string {
  const [address, , device] = line.trim().split(/\s+/);
  return `${address ?? ''} ${device ?? ''}`;
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
