/**
 * What of ours stands in the kernel, in a file that goes with a reboot, as that does: a daemon that is killed leaves it behind,
 * and the next one finds here what to take over or remove. What has a name of ours (nftables' tables and sets) or goes with
 * the process (TUN devices, and routes through them) needs no entry.
 */
import { errorCode, errorText } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { parseAddress } from '../wire/ip.ts';
import { parseIpv6Address } from '../wire/ipv6.ts';

/**
 * `host-route`, `proxy-arp`, `forwarding` (of a device), `set-element`: it stands there now, or did so when a daemon was
 * killed. `once`: a route to a server was ours; netifd brings it back by itself, long after.
 */
export type JournalKind = 'host-route' | 'proxy-arp' | 'forwarding' | 'once' | 'set-element';

export interface JournalEntry {
  readonly address: string;
  /** Of an element: the set, as family/table/name. */
  readonly device: string;
}

/** How many of a kind there may be; the oldest is forgotten first. */
const MOST: Readonly<Record<JournalKind, number>> = {
  'host-route': 256,
  'proxy-arp': 4096,
  forwarding: 256,
  once: 64,
  'set-element': 8192,
};
/** What the kernel takes for the name of a device. */
const DEVICE = /^[^\s/]{1,15}$/;
const SET = /^[^\s/]+(?:\/[^\s/]+){2}$/;

export class Journal {
  readonly #file: string;
  readonly #warn: (text: string) => void;
  /** In the order in which they were made. */
  readonly #lines = new Map<JournalKind, Set<string>>();
  #fault: string | undefined;

  /** A file that is damaged counts as far as it can be read. */
  constructor(file: string, warn: (text: string) => void) {
    this.#file = file;
    this.#warn = warn;
    for (const line of this.#read().split('\n')) {
      const [kind, address, device, ...more] = line.split(' ');
      if (kind === undefined || !Object.hasOwn(MOST, kind) || more.length > 0) continue;
      const isPlace = (kind === 'set-element' ? SET : DEVICE).test(device ?? '');
      if (isPlace && isAddress(address ?? ''))
        this.#insert(kind as JournalKind, `${address!} ${device!}`);
    }
  }

  /** In the order in which they were made. */
  all(kind: JournalKind): readonly JournalEntry[] {
    return [...(this.#lines.get(kind) ?? [])].map((line) => {
      const [address, device] = line.split(' ') as [string, string];
      return { address, device };
    });
  }

  has(kind: JournalKind, { address, device }: JournalEntry): boolean {
    return this.#lines.get(kind)?.has(`${address} ${device}`) === true;
  }

  /** Before the kernel gets it. */
  add(kind: JournalKind, ...entries: readonly JournalEntry[]): void {
    const news = entries.filter((entry) => !this.has(kind, entry));
    for (const { address, device } of news) this.#insert(kind, `${address} ${device}`);
    if (news.length > 0) this.#write();
  }

  /** When the kernel has it no more. */
  remove(kind: JournalKind, ...entries: readonly JournalEntry[]): void {
    const gone = entries.filter(
      ({ address, device }) => this.#lines.get(kind)?.delete(`${address} ${device}`) === true,
    );
    if (gone.length > 0) this.#write();
  }

  #insert(kind: JournalKind, line: string): void {
    const lines = this.#lines.get(kind) ?? new Set();
    this.#lines.set(kind, lines.add(line));
    const [oldest] = lines;
    if (lines.size > MOST[kind]) lines.delete(oldest!);
  }

  /** The next daemon finds all of it, or what was there before. */
  #write(): void {
    const text = [...this.#lines].flatMap(([kind, lines]) =>
      [...lines].map((line) => `${kind} ${line}\n`),
    );
    try {
      files.makeFolder(files.folderOf(this.#file));
      files.replace(this.#file, text.join(''), { mode: 0o600 });
      this.#fault = undefined;
    } catch (error) {
      const fault = errorText(error);
      if (fault !== this.#fault)
        this.#warn(`what stands in the kernel is not remembered for a next start: ${fault}`);
      this.#fault = fault;
    }
  }

  #read(): string {
    try {
      return files.text(this.#file);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT')
        this.#warn(`what a daemon before left in the kernel is not known: ${errorText(error)}`);
      return '';
    }
  }
}

function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined || parseIpv6Address(text) !== undefined;
}
