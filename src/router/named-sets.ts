/**
 * Addresses in nftables sets that are the owner's: his rules say what follows. What he has put in himself stays, whatever
 * comes and goes here; a set that is not there, or is for something else, takes nothing, and he is told.
 *
 * A change looks at the set first, and does all that is to be done: one nft at a time for each set, however many ask. What
 * the firewall's reload has taken away is put back (upkeep.ts). Before the kernel gets an element the journal has it, so
 * that the next daemon knows what one that was killed has left.
 */
import type { Timer } from '../platform/clock.ts';
import { errorText } from '../platform/errors.ts';
import { clock } from '../platform/platform.ts';
import { Coalesced } from './jobs.ts';
import type { Journal } from './journal.ts';
import { nft, nftJson } from './nft-command.ts';
import { RouterError } from './router.ts';
import { readSet, type SetListing } from './set-listing.ts';
import { shownSetName } from './set-name.ts';
import type { Upkeep } from './upkeep.ts';

export interface NamedSetsPorts {
  readonly journal: Journal;
  readonly upkeep: Upkeep;
  readonly count: (counter: string) => void;
}

/** An address is in a set while somebody holds it. */
export interface Membership {
  /** It is in, or cannot be now. */
  readonly settled: Promise<void>;
  release(): void;
}

/** Addresses in all sets; more would be for a blocklist, and not for sessions. */
const MOST = 8192;
/** Where the set ends its elements by itself. */
const FOR_GOOD = 365 * 86_400;
/** Timers of the runtime have a longest time, ms. */
const LONGEST_WAIT = 86_400_000;

export class NamedSets {
  readonly #ports: NamedSetsPorts;
  readonly #sets = new Map<string, NamedSet>();

  constructor(ports: NamedSetsPorts) {
    this.#ports = ports;
  }

  /**
   * @param set as parseSetName has it
   * @param address as nft writes it
   * @param time ms after which it is released by itself, also when we do not live to do so if the set has timeouts
   */
  hold(set: string, address: string, time = Infinity): Membership {
    const all = [...this.#sets.values()].reduce((sum, { size }) => sum + size, 0);
    if (all >= MOST) {
      this.#ports.count('firewall sets: too many addresses');
      return { settled: Promise.resolve(), release: () => undefined };
    }
    return this.#named(set).hold(address, clock.monotonic() + time);
  }

  /** Whether a table has one of the sets. */
  uses(table: string): boolean {
    return [...this.#sets.keys()].some((set) => set.split(' ')[1] === table);
  }

  /** Removes what a daemon that was killed has left. */
  async recover(): Promise<void> {
    for (const { address, device } of this.#ports.journal.all('set-element'))
      this.#named(device.replaceAll('/', ' ')).inherit(address);
    await this.#changeAll();
  }

  /** Nobody is in any more. */
  async close(): Promise<void> {
    for (const set of this.#sets.values()) set.clear();
    await this.#changeAll();
  }

  async #changeAll(): Promise<void> {
    await Promise.all([...this.#sets.values()].map((set) => set.change()));
  }

  #named(name: string): NamedSet {
    const known = this.#sets.get(name);
    if (known !== undefined) return known;
    const set: NamedSet = new NamedSet(name, this.#ports, () => {
      if (this.#sets.get(name) === set) this.#sets.delete(name);
    });
    this.#sets.set(name, set);
    return set;
  }
}

interface Held {
  readonly until: number;
}

class NamedSet {
  readonly #name: string;
  readonly #ports: NamedSetsPorts;
  readonly #unused: () => void;
  readonly #wanted = new Map<string, Set<Held>>();
  /** What we have put in, or are about to, and until when the kernel keeps it. */
  readonly #ours = new Map<string, number>();
  readonly #changes = new Coalesced(() => this.#change());
  #fault: RouterError | undefined;
  /** Something that was to be in it had gone, or could not be put in. */
  #wasMissing = false;
  #timer: Timer | undefined;

  /** @param unused nothing of it is ours any more */
  constructor(name: string, ports: NamedSetsPorts, unused: () => void) {
    this.#name = name;
    this.#ports = ports;
    const stop = ports.upkeep.keep({
      what: `our part of the firewall set ${shownSetName(name)}`,
      by: ['nftables'],
      look: () => this.#look(),
    });
    this.#unused = () => {
      clock.cancel(this.#timer);
      stop();
      unused();
    };
  }

  get size(): number {
    return this.#wanted.size;
  }

  hold(address: string, until: number): Membership {
    const held: Held = { until };
    const holders = this.#wanted.get(address) ?? new Set();
    this.#wanted.set(address, holders.add(held));
    this.#arm();
    return {
      settled: this.change(),
      release: () => {
        if (!this.#drop(address, held)) return;
        void this.change();
      },
    };
  }

  /** A daemon before us has put it in. */
  inherit(address: string): void {
    this.#ours.set(address, 0);
  }

  clear(): void {
    this.#wanted.clear();
  }

  /** Makes the set what it should be, as far as it can be now; the upkeep tells the owner where it cannot. */
  async change(): Promise<void> {
    await this.#changes.run();
    if (this.#fault !== undefined) this.#ports.upkeep.changed(['nftables']);
  }

  async #look(): Promise<boolean> {
    await this.#changes.run();
    if (this.#fault !== undefined) throw this.#fault;
    const wasMissing = this.#wasMissing;
    this.#wasMissing = false;
    return wasMissing;
  }

  async #change(): Promise<void> {
    this.#dropEnded();
    if (this.#wanted.size + this.#ours.size > 0) {
      try {
        await this.#make(await this.#list());
        this.#fault = undefined;
      } catch (error) {
        this.#failed(error);
      }
    }
    if (this.#wanted.size + this.#ours.size === 0) this.#unused();
  }

  #failed(error: unknown): void {
    const text = errorText(error);
    const isGone = text.includes('No such file or directory');
    if (isGone) this.#forget([...this.#ours.keys()]); // and all that was in it
    if (this.#wanted.size > 0) {
      this.#ports.count('firewall sets: not changed');
      this.#wasMissing = true;
    }
    this.#fault =
      this.#wanted.size === 0 && isGone
        ? undefined
        : new RouterError(
            isGone
              ? `there is no such set: on OpenWrt a config ipset in /etc/config/firewall makes it, elsewhere nft add set ${this.#name} '{ type ipv4_addr; }'`
              : text,
          );
  }

  async #list(): Promise<SetListing> {
    const listing = await nftJson('list', 'set', ...this.#name.split(' '));
    const isIpv6 = [...this.#wanted.keys(), ...this.#ours.keys()][0]!.includes(':');
    return readSet(listing, isIpv6 ? 'ipv6_addr' : 'ipv4_addr');
  }

  async #make(listing: SetListing): Promise<void> {
    const { hasTimeouts, endsByItself, room } = listing;
    const leaving = [...this.#ours.keys()].filter((address) => !this.#wanted.has(address));
    const longer = hasTimeouts
      ? [...this.#ours].filter(([address, until]) => this.#until(address) > until + 1_000)
      : [];
    // What is there and not ours is the owner's.
    const missing = [...this.#wanted.keys()].filter((address) => !listing.has(address));
    if (missing.some((address) => this.#ours.has(address))) this.#wasMissing = true;
    const coming = missing.slice(0, Math.max(0, room));
    const words = (address: string) => {
      const seconds = Math.ceil((this.#until(address) - clock.monotonic()) / 1_000);
      if (hasTimeouts && seconds < FOR_GOOD) return `${address} timeout ${Math.max(1, seconds)}s`;
      return endsByItself ? `${address} timeout ${FOR_GOOD}s` : address;
    };
    const anew = longer.map(([address]) => address).filter((address) => !coming.includes(address));
    const { gone, rest } = listing.without(leaving);
    const entries = [...coming, ...anew];
    const script = [
      // One that has ended meanwhile is no fault.
      hasTimeouts ? this.#command('add', [...gone, ...anew]) : '',
      this.#command('delete', [...gone, ...anew]),
      this.#command('add', [...rest, ...entries.map(words)]),
    ].join('');
    this.#ports.journal.add('set-element', ...coming.map((address) => this.#entry(address)));
    for (const address of entries) this.#ours.set(address, this.#until(address));
    if (script !== '') await nft(script);
    this.#forget(leaving);
    if (coming.length < missing.length)
      throw new RouterError(`it is full: ${missing.length - coming.length} addresses find no room`);
  }

  #command(verb: 'add' | 'delete', elements: readonly string[]): string {
    return elements.length === 0
      ? ''
      : `${verb} element ${this.#name} { ${elements.join(', ')} }\n`;
  }

  #forget(addresses: readonly string[]): void {
    for (const address of addresses) this.#ours.delete(address);
    this.#ports.journal.remove('set-element', ...addresses.map((address) => this.#entry(address)));
  }

  #entry(address: string) {
    return { address, device: this.#name.replaceAll(' ', '/') };
  }

  /** Of whoever holds it longest. */
  #until(address: string): number {
    return Math.max(0, ...[...(this.#wanted.get(address) ?? [])].map(({ until }) => until));
  }

  /** @returns whether it was held, and is not any more by anybody */
  #drop(address: string, held: Held): boolean {
    const holders = this.#wanted.get(address);
    if (holders?.delete(held) !== true || holders.size > 0) return false;
    this.#wanted.delete(address);
    return true;
  }

  #dropEnded(): void {
    const now = clock.monotonic();
    for (const [address, holders] of [...this.#wanted])
      for (const held of [...holders]) if (held.until <= now) this.#drop(address, held);
    this.#arm();
  }

  #arm(): void {
    clock.cancel(this.#timer);
    this.#timer = undefined;
    let next = Infinity;
    for (const holders of this.#wanted.values())
      for (const { until } of holders) next = Math.min(next, until);
    if (next === Infinity) return;
    const wait = Math.min(LONGEST_WAIT, Math.max(0, next - clock.monotonic()) + 1);
    this.#timer = clock.meanwhile(wait, () => void this.change());
  }
}
