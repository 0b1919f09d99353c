/** Sources that are locked out, in the firewall set that their owner names, so that his rules keep them from us. */
import type { Membership, NamedSets } from '../../router/named-sets.ts';
import type { Ban, SessionEvent } from '../../session/ports.ts';
import { formatAddress } from '../../wire/ip.ts';

export class BanSet {
  readonly #sets: Pick<NamedSets, 'hold'>;
  #set: string | undefined;
  readonly #held = new Map<Ban, Membership>();

  constructor(sets: Pick<NamedSets, 'hold'>) {
    this.#sets = sets;
  }

  note(event: SessionEvent, now: number): void {
    if (event.what === 'banned') this.#hold(event.ban, now);
    else if (event.what === 'unbanned') this.#release(event.ban);
  }

  /** @param bans those that hold */
  configure(set: string | undefined, bans: readonly Ban[], now: number): void {
    if (set === this.#set) return;
    for (const ban of [...this.#held.keys()]) this.#release(ban);
    this.#set = set;
    for (const ban of bans) this.#hold(ban, now);
  }

  #hold(ban: Ban, now: number): void {
    if (this.#set === undefined) return;
    this.#held.set(ban, this.#sets.hold(this.#set, formatAddress(ban.address), ban.until - now));
  }

  #release(ban: Ban): void {
    this.#held.get(ban)?.release();
    this.#held.delete(ban);
  }
}
