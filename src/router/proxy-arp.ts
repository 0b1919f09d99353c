/** ARP for callers whose address lies in a network of ours: answered on that network's device while they are there. */
import { errorText } from '../platform/errors.ts';
import { host } from '../platform/platform.ts';
import type { Ipv4 } from '../wire/brand.ts';
import type { Tunnel } from '../session/ports.ts';
import { formatAddress, parseAddress, parsePrefix, prefixContains } from '../wire/ip.ts';
import { deviceExists, ip } from './ip-command.ts';
import type { Journal } from './journal.ts';
import type { Leftovers } from './leftovers.ts';

export class ProxyArp {
  readonly #journal: Journal;
  readonly #warn: (message: string) => void;
  readonly #leftovers: Leftovers;
  /** Devices by the caller's address. */
  readonly #held = new Map<Ipv4, string[]>();

  constructor(journal: Journal, warn: (message: string) => void, leftovers: Leftovers) {
    this.#journal = journal;
    this.#warn = warn;
    this.#leftovers = leftovers;
  }

  /** Not carried: #journal, which is a file; #warn, #leftovers. */
  save() {
    return [...this.#held];
  }

  adopt(held: ReturnType<ProxyArp['save']>): void {
    for (const [caller, devices] of held) this.#held.set(caller, devices);
  }

  /** @throws RouterError */
  async hold(caller: Tunnel): Promise<void> {
    if (!caller.proxyArp) return;
    const address = formatAddress(caller.peerAddress);
    const devices = devicesWith(caller);
    if (devices.length === 0)
      this.#warn(
        `${address} (caller on ${caller.device}): no device here has a network with this address, so nobody answers ARP for it`,
      );
    const done: string[] = [];
    this.#held.set(caller.peerAddress, done);
    const present = devices.length === 0 ? new Set<string>() : await entries();
    for (const device of devices) {
      const isOwners =
        present.has(`${address} ${device}`) && !this.#journal.has('proxy-arp', { address, device });
      if (isOwners) continue; // it does the same, and stays
      done.push(device);
      this.#journal.add('proxy-arp', { address, device });
      await add(caller.peerAddress, device);
    }
  }

  /** Puts back what has gone. @returns whether anything had. @throws RouterError */
  async look(): Promise<boolean> {
    if (this.#held.size === 0) return false;
    const present = await entries();
    let wasMissing = false;
    for (const [caller, devices] of [...this.#held])
      for (const device of devices) {
        const address = formatAddress(caller);
        if (present.has(`${address} ${device}`) || !deviceExists(device)) continue;
        if (this.#held.get(caller) !== devices) continue; // it went meanwhile
        await add(caller, device);
        wasMissing = true;
      }
    return wasMissing;
  }

  /** A device that is gone has taken it along; anything else that cannot be undone is undone later. */
  async release({ peerAddress }: Tunnel): Promise<void> {
    const devices = this.#held.get(peerAddress) ?? [];
    this.#held.delete(peerAddress);
    for (const device of devices) {
      try {
        await this.#remove(formatAddress(peerAddress), device);
      } catch (error) {
        this.#removeLater(formatAddress(peerAddress), device, error);
      }
    }
  }

  /** Removes what a daemon that was killed has left; what cannot be removed now is removed later. */
  async recover(): Promise<void> {
    for (const { address, device } of this.#journal.all('proxy-arp')) {
      try {
        if ((await entries()).has(`${address} ${device}`)) await this.#remove(address, device);
        else this.#journal.remove('proxy-arp', { address, device });
      } catch (error) {
        this.#removeLater(address, device, error);
      }
    }
  }

  /** Nobody needs any of it any more. */
  async close(): Promise<void> {
    this.#held.clear();
    await this.recover();
  }

  #removeLater(address: string, device: string, why: unknown): void {
    const caller = parseAddress(address)!;
    const isWanted = () => this.#held.get(caller)?.includes(device) === true;
    this.#leftovers.add(`proxy ARP for ${address} on ${device}`, why, async () => {
      if (isWanted()) return;
      await this.#remove(address, device);
      if (!isWanted()) return;
      this.#journal.add('proxy-arp', { address, device }); // another caller came meanwhile
      await add(caller, device);
    });
  }

  /** A device that is gone, or was down, has taken it along. */
  async #remove(address: string, device: string): Promise<void> {
    try {
      await ip('neighbour', 'del', 'proxy', address, 'dev', device);
    } catch (error) {
      const isGone = errorText(error).includes('No such file or directory');
      if (deviceExists(device) && !isGone) throw error;
    }
    this.#journal.remove('proxy-arp', { address, device });
  }
}

async function add(address: Ipv4, device: string): Promise<void> {
  await ip('neighbour', 'replace', 'proxy', formatAddress(address), 'dev', device);
}

/** Each as address and device. */
async function entries(): Promise<ReadonlySet<string>> {
  return new Set((await ip('neighbour', 'show', 'proxy')).split('\n').map(entryOf));
}

/** `192.168.1.200 dev lan proxy` */
function entryOf(line: string): string {
  const [address, , device] = line.trim().split(/\s+/);
  return `${address ?? ''} ${device ?? ''}`;
}

function devicesWith({ device: own, peerAddress }: Tunnel): string[] {
  const found = host.addresses().flatMap(({ device, family, cidr = '' }) => {
    const prefix = family === 'IPv4' && device !== own ? parsePrefix(cidr) : undefined;
    const contains =
      prefix !== undefined && prefix.length < 32 && prefixContains(prefix, peerAddress);
    return contains ? [device] : [];
  });
  return [...new Set(found)];
}
