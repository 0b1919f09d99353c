/**
 * The short way of relayed GRE: a program in the kernel (program.ts) takes packets of calls where they come in and sends them on
 * where they go out. The tables of relay-table.ts have the same calls, so whatever the program leaves alone passes all the same, and
 * while there is no program nothing is lost but speed.
 *
 * A packet is told by the device that it comes in by, its addresses and the call id that its sender was told, as there. Where it goes
 * was asked of the kernel's routing before, and is asked again after every change of devices, routes and rules.
 *
 * Programs and map need capabilities that the daemon gives up after its start. They go from one program of ours to the next one
 * (upgrade); with the last descriptor, by whatever end, the kernel removes them.
 */
import { errorText } from '../../platform/errors.ts';
import type { Netlink } from '../netlink-message.ts';
import type { Count } from '../nft-elements.ts';
import { MARK_VALUE, type RelayRules } from '../relay-rules.ts';
import type { RelayWay } from '../relay-way.ts';
import { wayOf } from '../route-lookup.ts';
import { devicesNamed, type Device } from './devices.ts';
import {
  decodeCount,
  encodeKey,
  encodeTarget,
  KEY_SIZE,
  relayProgram,
  VALUE_SIZE,
} from './program.ts';

/** The kernel's part. */
export interface Bpf {
  createMap(keySize: number, valueSize: number, entries: number): number;
  loadProgram(instructions: Uint8Array): number;
  attachProgram(program: number, device: number): number;
  writeEntry(map: number, key: Uint8Array, value: Uint8Array): void;
  eraseEntry(map: number, key: Uint8Array): boolean;
  readEntry(map: number, key: Uint8Array, value: Uint8Array): boolean;
  closeDescriptor(descriptor: number): void;
}

/** Two for each call, on each device that it may come in by. */
const MOST_ENTRIES = 65_536;

/** What stays loaded: descriptors. */
interface Loaded {
  readonly map: number;
  /** For devices with a header of Ethernet, and without. */
  readonly ethernet: number;
  readonly bare: number;
}

interface Entry {
  readonly key: Uint8Array;
  /** As it was written; undefined: it goes the ordinary way. */
  target: Uint8Array | undefined;
  /** What has passed by targets before. */
  before: Count;
}

type Left = Pick<Entry, 'key' | 'before'>;

export interface ShortcutKernel {
  readonly bpf: Bpf;
  readonly route: Netlink;
}

export class RelayShortcut {
  readonly #kernel: ShortcutKernel;
  #loaded: Loaded | undefined;
  /** Why there is none; undefined: there is. */
  #lacks: string | undefined = 'it was not loaded at the start';
  #relays: readonly RelayRules[] = [];
  /** Those of the relays, by their key. */
  readonly #devices = new Map<number, Record<'src' | 'dest', readonly Device[]>>();
  /** Of devices that have the program, by index. */
  readonly #attached = new Map<number, number>();
  readonly #ways = new Map<RelayWay, Entry[]>();
  /** Entries that the program before has written. */
  #left: readonly Left[] = [];

  constructor(kernel: ShortcutKernel) {
    this.#kernel = kernel;
  }

  get lacks(): string | undefined {
    return this.#lacks;
  }

  /** Before capabilities are given up. Where it cannot be had, `lacks` says why. */
  load(): void {
    const { bpf } = this.#kernel;
    const opened: number[] = [];
    const keep = (descriptor: number): number => {
      opened.push(descriptor);
      return descriptor;
    };
    try {
      const map = keep(bpf.createMap(KEY_SIZE, VALUE_SIZE, MOST_ENTRIES));
      const ethernet = keep(bpf.loadProgram(relayProgram(14, map)));
      const bare = keep(bpf.loadProgram(relayProgram(0, map)));
      this.#try(ethernet);
      this.#loaded = { map, ethernet, bare };
      this.#lacks = undefined;
    } catch (error) {
      for (const descriptor of opened) bpf.closeDescriptor(descriptor);
      this.#lacks = errorText(error);
    }
  }

  /** Not carried: #kernel, #lacks; #relays, #devices and #attached, which come again: until then the tables do it; #left. */
  save() {
    const { map } = this.#loaded ?? {};
    const entries = [...this.#ways.values()].flat();
    return {
      loaded: this.#loaded,
      descriptors: this.#loaded === undefined ? [] : descriptorsOf(this.#loaded),
      programs: map === undefined ? [] : [relayProgram(14, map), relayProgram(0, map)],
      entries: [...this.#left, ...entries.map(({ key, before }): Left => ({ key, before }))],
    };
  }

  /** What the program before has loaded, if it is what we would load. */
  adopt({ loaded, programs, entries }: ReturnType<RelayShortcut['save']>): void {
    if (loaded === undefined) return;
    this.#left = entries;
    const own = [relayProgram(14, loaded.map), relayProgram(0, loaded.map)];
    if (own.every((program, i) => isSame(program, programs[i]))) {
      this.#loaded = loaded;
      this.#lacks = undefined;
      return;
    }
    for (const descriptor of descriptorsOf(loaded)) this.#close(descriptor);
    this.#lacks = 'it is another one since the upgrade: a restart brings it';
  }

  /** Rules of relays that take it; calls of others leave it. */
  install(relays: readonly RelayRules[]): void {
    this.#relays = relays;
    this.look();
    this.#sweep();
  }

  add(way: RelayWay): void {
    if (this.#loaded === undefined) return;
    this.#ways.set(way, []);
    this.#lead(way);
  }

  remove(way: RelayWay): void {
    for (const entry of this.#ways.get(way) ?? []) this.#erase(entry);
    this.#ways.delete(way);
  }

  /** What has passed here. */
  count(way: RelayWay): Count {
    const entries = this.#ways.get(way) ?? [];
    return entries.map((entry) => this.#countOf(entry)).reduce(sum, NOTHING);
  }

  /** Devices, routes or rules may have changed. */
  look(): void {
    if (this.#loaded === undefined) return;
    this.#attach(this.#loaded);
    for (const way of this.#ways.keys()) this.#lead(way);
  }

  /** Whether this kernel attaches programs so: asked on the one device that each network namespace has. */
  #try(program: number): void {
    this.#kernel.bpf.closeDescriptor(this.#kernel.bpf.attachProgram(program, LOOPBACK));
  }

  #attach({ ethernet, bare }: Loaded): void {
    const { route } = this.#kernel;
    this.#devices.clear();
    for (const { key, src, dest } of this.#relays)
      this.#devices.set(key, { src: devicesNamed(route, src), dest: devicesNamed(route, dest) });
    const all = [...this.#devices.values()].flatMap(({ src, dest }) => [...src, ...dest]);
    const wanted = new Map(all.map((device) => [device.index, device]));
    for (const [index, link] of this.#attached) {
      if (wanted.has(index)) continue;
      this.#close(link);
      this.#attached.delete(index);
    }
    for (const { index, isEthernet } of wanted.values()) {
      if (this.#attached.has(index)) continue;
      try {
        const program = isEthernet ? ethernet : bare;
        this.#attached.set(index, this.#kernel.bpf.attachProgram(program, index));
      } catch {
        // It has gone, or takes no programs: the tables do it.
      }
    }
  }

  /** Asks where it goes, from each device that it may come in by. */
  #lead(way: RelayWay): void {
    const { src, dest } = this.#devices.get(way.relay) ?? { src: [], dest: [] };
    const [ingress, exits] = way.towards === 'server' ? [src, dest] : [dest, src];
    const entries = this.#ways.get(way)!;
    const fresh = ingress.map((device): Entry => {
      const key = encodeKey({
        device: device.index,
        source: way.from.address,
        destination: way.from.local,
        callId: way.to.toldCallId,
      });
      const known = entries.find((entry) => isSame(entry.key, key));
      const entry = known ?? { key, target: undefined, before: this.#countedBefore(key) };
      this.#write(entry, this.#targetOf(way, device, exits));
      return entry;
    });
    for (const entry of entries) if (!fresh.includes(entry)) this.#erase(entry);
    this.#ways.set(way, fresh);
  }

  /** undefined: it is no way of this relay, or there is none. */
  #targetOf(
    { from, to }: RelayWay,
    ingress: Device,
    exits: readonly Device[],
  ): Uint8Array | undefined {
    const question = {
      to: to.address,
      from: from.address,
      by: ingress.index,
      mark: MARK_VALUE,
    };
    const way = wayOf(this.#kernel.route, question);
    const exit = exits.find(({ index }) => index === way?.device);
    if (way === undefined || exit === undefined) return undefined;
    return encodeTarget({
      source: to.local,
      destination: to.address,
      callId: to.callId,
      device: exit.index,
      mtu: Math.min(exit.mtu, way.mtu ?? Infinity),
    });
  }

  #write(entry: Entry, target: Uint8Array | undefined): void {
    if (isSame(entry.target, target)) return;
    entry.before = this.#countOf(entry);
    if (target === undefined) {
      this.#erase(entry);
      return;
    }
    try {
      this.#kernel.bpf.writeEntry(this.#loaded!.map, entry.key, target);
      entry.target = target;
    } catch {
      this.#erase(entry); // it is full
    }
  }

  #erase(entry: Entry): void {
    entry.target = undefined;
    this.#kernel.bpf.eraseEntry(this.#loaded!.map, entry.key);
  }

  /** Of the program before: its calls that did not go on. */
  #sweep(): void {
    if (this.#loaded === undefined) return;
    const used = new Set([...this.#ways.values()].flat().map(({ key }) => key.join()));
    for (const { key } of this.#left)
      if (!used.has(key.join())) this.#kernel.bpf.eraseEntry(this.#loaded.map, key);
    this.#left = [];
  }

  #countOf({ key, target, before }: Entry): Count {
    const here = target === undefined ? undefined : this.#countAt(key);
    return here === undefined ? before : sum(before, here);
  }

  /** What the program before has seen of it. */
  #countedBefore(key: Uint8Array): Count {
    const left = this.#left.find((each) => isSame(each.key, key));
    return left === undefined ? NOTHING : sum(left.before, this.#countAt(key) ?? NOTHING);
  }

  #countAt(key: Uint8Array): Count | undefined {
    const value = new Uint8Array(VALUE_SIZE);
    const isThere = this.#kernel.bpf.readEntry(this.#loaded!.map, key, value);
    return isThere ? decodeCount(value) : undefined;
  }

  #close(descriptor: number): void {
    this.#kernel.bpf.closeDescriptor(descriptor);
  }
}

export function sum(one: Count, other: Count): Count {
  return { packets: one.packets + other.packets, octets: one.octets + other.octets };
}

function descriptorsOf({ map, ethernet, bare }: Loaded): number[] {
  return [map, ethernet, bare];
}

const LOOPBACK = 1;
const NOTHING: Count = { packets: 0, octets: 0 };

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return (
    one === other ||
    (one?.length === other?.length && one?.every((octet, i) => octet === other?.[i]) === true)
  );
}
