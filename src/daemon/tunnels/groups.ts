/** Callers' addresses in the firewall sets that their accounts name, while their tunnels are up. */
import { clock } from '../../platform/platform.ts';
import type { Membership, NamedSets } from '../../router/named-sets.ts';
import type { CallPath, Tunnel } from '../../session/ports.ts';
import { formatAddress } from '../../wire/ip.ts';

/** A firewall that does not answer must not keep anybody out, ms. */
const PATIENCE = 1_000;

export class Groups {
  readonly #sets: Pick<NamedSets, 'hold'>;
  /** By set. */
  readonly #held = new Map<CallPath, Map<string, Membership>>();

  constructor(sets: Pick<NamedSets, 'hold'>) {
    this.#sets = sets;
  }

  /**
   * From before its first packet: what a rule keeps a group from, it is kept from at once.
   * @returns whether it is in still, once the firewall knows it
   */
  async enter(path: CallPath, tunnel: Tunnel): Promise<boolean> {
    const held = new Map<string, Membership>();
    this.#held.set(path, held);
    this.change(path, tunnel);
    const all = [...held.values()].map(({ settled }) => settled);
    await Promise.race([Promise.all(all), clock.pause(PATIENCE)]);
    return this.#held.get(path) === held;
  }

  /** Other sets than before, perhaps. */
  change(path: CallPath, { groups, peerAddress }: Tunnel): void {
    const held = this.#held.get(path) ?? new Map<string, Membership>();
    this.#held.set(path, held);
    for (const set of groups)
      if (!held.has(set)) held.set(set, this.#sets.hold(set, formatAddress(peerAddress)));
    for (const [set, membership] of [...held])
      if (!groups.includes(set)) {
        held.delete(set);
        membership.release();
      }
  }

  leave(path: CallPath): void {
    for (const membership of this.#held.get(path)?.values() ?? []) membership.release();
    this.#held.delete(path);
  }
}
