/**
 * Between which addresses GRE passes: one set in fw4's table, of a peer and our address each. The package's static rules
 * accept it and exempt it from tracking, and so from NAT. Adding to the set needs no reload of fw4. A restart of fw4 makes
 * the set anew and takes its elements from a file that the static rules include. Where it does not, they come back when it
 * is looked at, and before each use.
 */
import { errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import { formatAddress } from '../../wire/ip.ts';
import { Coalesced } from '../jobs.ts';
import type { OuterPath } from '../router.ts';

const SET = 'inet fw4 pptp_gateway_calls';
/** Elements that could not be taken out and are so later. */
const MOST_LEFT = 1024;

export interface FirewallTools {
  readonly nft: (script: string) => Promise<unknown>;
  readonly nftJson: (...command: readonly string[]) => Promise<unknown>;
}

export class FirewallSet {
  readonly #tools: FirewallTools;
  readonly #file: string;
  readonly #warn: (text: string) => void;
  /** How many need an element, by its words. */
  readonly #users = new Map<string, number>();
  readonly #toAdd = new Set<string>();
  readonly #toDelete = new Set<string>();
  #toFlush = true;
  /** Strangers may come and go faster than nft runs: what they change meanwhile is done in one go. */
  readonly #commits = new Coalesced(() => this.#commit());
  #fault: string | undefined;

  /** @param file what fw4 includes; removed when nobody is let in any more */
  constructor(tools: FirewallTools, file: string, warn: (text: string) => void) {
    this.#tools = tools;
    this.#file = file;
    this.#warn = warn;
    queueMicrotask(() => void this.#commits.run()); // with what is adopted until then
  }

  /**
   * Elements, and how many need each. Not carried: #tools, #file, #warn, #commits, #fault; #toAdd, #toDelete and #toFlush, for what is
   * in the kernel is flushed and filled in one transaction.
   */
  save() {
    return [...this.#users];
  }

  adopt(users: ReturnType<FirewallSet['save']>): void {
    for (const [element, count] of users) {
      this.#users.set(element, count);
      this.#toAdd.add(element);
    }
  }

  /** Resolved when the firewall lets it in, or never will: the owner is told once. */
  admit(path: OuterPath): Promise<void> {
    const element = wordsOf(path);
    this.#users.set(element, (this.#users.get(element) ?? 0) + 1);
    this.#toDelete.delete(element);
    this.#toAdd.add(element);
    return this.#commits.run();
  }

  /** Once for each admit(). */
  dismiss(path: OuterPath): void {
    const element = wordsOf(path);
    const users = (this.#users.get(element) ?? 0) - 1;
    if (users > 0) {
      this.#users.set(element, users);
      return;
    }
    this.#users.delete(element);
    this.#toAdd.delete(element);
    this.#toDelete.add(element);
    void this.#commits.run();
  }

  /** Puts back elements that have gone. @returns whether any had @throws RouterError the set itself has */
  async look(): Promise<boolean> {
    if (this.#toDelete.size > 0 || this.#toFlush) await this.#commits.run(); // what failed before
    if (this.#users.size === 0) return false;
    const present = elementsIn(await this.#tools.nftJson('list', 'set', ...SET.split(' ')));
    const missing = [...this.#users.keys()].filter((element) => !present.has(element));
    for (const element of missing) this.#toAdd.add(element);
    if (missing.length > 0) await this.#commits.run();
    return missing.length > 0;
  }

  /** Nobody is let in any more. */
  close(): Promise<void> {
    this.#users.clear();
    this.#toFlush = true;
    return this.#commits.run();
  }

  /** fw4 may read it at any moment: it is whole or the one of before. */
  #keep(script: string): void {
    if (script === '') {
      files.remove(this.#file);
      return;
    }
    files.makeFolder(files.folderOf(this.#file));
    files.replace(this.#file, `${script}\n`, { mode: 0o644 });
  }

  async #commit(): Promise<void> {
    const script = [
      ...(this.#toFlush ? [`flush set ${SET}`] : []),
      ...elements('add', this.#toAdd),
      // One that is not there any more is no fault.
      ...elements('add', this.#toDelete),
      ...elements('delete', this.#toDelete),
    ].join('\n');
    const undone = { flush: this.#toFlush, delete: [...this.#toDelete] };
    this.#toFlush = false;
    this.#toAdd.clear();
    this.#toDelete.clear();
    if (script === '') return;
    try {
      this.#keep(elements('add', new Set(this.#users.keys())).join(''));
      await this.#tools.nft(`${script}\n`);
      this.#fault = undefined;
    } catch (error) {
      // What is to be added is so at the next look; what is to go must not be forgotten.
      this.#toFlush ||= undone.flush;
      for (const element of undone.delete)
        if (!this.#users.has(element) && this.#toDelete.size < MOST_LEFT)
          this.#toDelete.add(element);
      const fault = errorText(error);
      if (fault === this.#fault) return;
      this.#fault = fault;
      this.#warn(
        `the firewall set ${SET} cannot be changed, so GRE passes only where firewall and NAT let it pass anyway: ${fault}`,
      );
    }
  }
}

function elements(verb: 'add' | 'delete', wanted: ReadonlySet<string>): string[] {
  return wanted.size === 0 ? [] : [`${verb} element ${SET} { ${[...wanted].join(', ')} }`];
}

function wordsOf({ peer, local }: OuterPath): string {
  return `${formatAddress(peer)} . ${formatAddress(local)}`;
}

/** `{"nftables":[…,{"set":{…,"elem":[{"concat":["203.0.113.9","198.51.100.2"]}]}}]}` */
function elementsIn(listing: unknown): ReadonlySet<string> {
  interface Listing {
    readonly nftables?: readonly {
      readonly set?: { readonly elem?: readonly { readonly concat?: readonly string[] }[] };
    }[];
  }
  const sets = (listing as Listing).nftables ?? [];
  const all = sets.flatMap(({ set }) => set?.elem ?? []);
  return new Set(all.map(({ concat }) => (concat ?? []).join(' . ')));
}
