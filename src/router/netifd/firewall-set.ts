/**
 * Whose GRE the firewall lets in: one set of addresses in fw4's table, which the package's static rules accept. Adding to it
 * needs no reload of fw4. A restart of fw4 makes the set anew and takes its elements from a file that the static rules
 * include. Where it does not, they come back before each use and from time to time.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatAddress } from '../../wire/ip.ts';
import { message } from './bus.ts';

const SET = 'inet fw4 pptp_gateway';
/** A session outlives a restart of fw4: its keepalive fails only after a minute or more. */
const RENEWAL = 30_000;
/** Addresses that could not be taken out and are so later. */
const MOST_LEFT = 1024;

export class FirewallSet {
  private readonly nft: (script: string) => Promise<unknown>;
  private readonly file: string;
  private readonly warn: (text: string) => void;
  /** How many need an address. */
  private readonly users = new Map<number, number>();
  private readonly toAdd = new Set<number>();
  private readonly toDelete = new Set<number>();
  private toFlush = true;
  /** Strangers may come and go faster than nft runs: what they change meanwhile is done in one go. */
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private fault: string | undefined;
  private readonly renewal: NodeJS.Timeout;

  /** @param file what fw4 includes; removed when nobody is let in any more */
  constructor(
    nft: (script: string) => Promise<unknown>,
    file: string,
    warn: (text: string) => void,
  ) {
    this.nft = nft;
    this.file = file;
    this.warn = warn;
    this.renewal = setInterval(() => {
      if (this.users.size + this.toDelete.size === 0 && !this.toFlush) return;
      for (const peer of this.users.keys()) this.toAdd.add(peer);
      void this.commit();
    }, RENEWAL).unref();
    void this.commit();
  }

  /** Resolved when the firewall lets it in, or never will: the owner is told once. */
  admit(peer: number): Promise<void> {
    this.users.set(peer, (this.users.get(peer) ?? 0) + 1);
    this.toDelete.delete(peer);
    this.toAdd.add(peer);
    return this.commit();
  }

  /** Once for each admit(). */
  dismiss(peer: number): void {
    const users = (this.users.get(peer) ?? 0) - 1;
    if (users > 0) {
      this.users.set(peer, users);
      return;
    }
    this.users.delete(peer);
    this.toAdd.delete(peer);
    this.toDelete.add(peer);
    void this.commit();
  }

  /** Nobody is let in any more. */
  close(): Promise<void> {
    clearInterval(this.renewal);
    this.users.clear();
    this.toFlush = true;
    return this.commit();
  }

  /** fw4 may read it at any moment: it is whole or the one of before. */
  private keep(script: string): void {
    if (script === '') {
      rmSync(this.file, { force: true });
      return;
    }
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const fresh = `${this.file}.new`;
    writeFileSync(fresh, `${script}\n`);
    renameSync(fresh, this.file);
  }

  private commit(): Promise<void> {
    if (this.running === undefined) {
      this.running = this.run().finally(() => (this.running = undefined));
      return this.running;
    }
    this.next ??= this.running.then(() => {
      this.next = undefined;
      return this.commit();
    });
    return this.next;
  }

  private async run(): Promise<void> {
    const script = [
      ...(this.toFlush ? [`flush set ${SET}`] : []),
      ...elements('add', this.toAdd),
      // One that is not there any more is no fault.
      ...elements('add', this.toDelete),
      ...elements('delete', this.toDelete),
    ].join('\n');
    const undone = { flush: this.toFlush, delete: [...this.toDelete] };
    this.toFlush = false;
    this.toAdd.clear();
    this.toDelete.clear();
    if (script === '') return;
    try {
      this.keep(elements('add', new Set(this.users.keys())).join(''));
      await this.nft(`${script}\n`);
      this.fault = undefined;
    } catch (error) {
      // What is to be added is so from time to time; what is to go must not be forgotten.
      this.toFlush ||= undone.flush;
      for (const peer of undone.delete)
        if (!this.users.has(peer) && this.toDelete.size < MOST_LEFT) this.toDelete.add(peer);
      const fault = message(error);
      if (fault === this.fault) return;
      this.fault = fault;
      this.warn(
        `the firewall set ${SET} cannot be changed, so GRE passes only where the firewall lets it in anyway: ${fault}`,
      );
    }
  }
}

function elements(verb: 'add' | 'delete', addresses: ReadonlySet<number>): string[] {
  if (addresses.size === 0) return [];
  return [`${verb} element ${SET} { ${[...addresses].map(formatAddress).join(', ')} }`];
}
