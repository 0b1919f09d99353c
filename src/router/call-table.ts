/**
 * GRE of our own calls on plain Linux: the nftables table `ip pptp_gateway_calls`, which comes with the first call and goes
 * after the last one. What is in it is exempt from connection tracking, and so from NAT of the owner's: a DMZ (`iifname wan
 * dnat to …`) would take it away, masquerading would send it from another address than the control connection has.
 *
 * Nothing is opened by it: the owner's firewall decides about GRE as before. (Its state was never `established`: without the
 * helper for PPTP the kernel takes the two directions of a call for two connections.)
 */
import type { Timer } from '../platform/clock.ts';
import { errorText } from '../platform/errors.ts';
import { clock } from '../platform/platform.ts';
import { formatAddress } from '../wire/ip.ts';
import { Serial } from './jobs.ts';
import { octets32, type Netlink } from './netlink-message.ts';
import { areThere, changeElements, type Element, type ElementChange } from './nft-elements.ts';
import { nft } from './nft-command.ts';
import { tableState } from './nft-state.ts';
import { PPTP_GRE } from './relay-rules.ts';
import type { OuterPath } from './router.ts';

export const CALL_TABLE = 'pptp_gateway_calls';

const CLEAR = `add table ip ${CALL_TABLE}\ndelete table ip ${CALL_TABLE}\n`;
/** Of a peer and our own address. After the relay's chain: what that took is not ours. */
const BODY = `set calls {
    typeof ip saddr . ip daddr
  }
  chain prerouting {
    type filter hook prerouting priority raw + 10
    ${PPTP_GRE} ip saddr . ip daddr @calls notrack
  }
  chain output {
    type filter hook output priority raw + 10
    ${PPTP_GRE} ip daddr . ip saddr @calls notrack
  }
`;
const CHAINS = ['prerouting', 'output'];

/** Strangers come and go: what they leave goes together, for each transaction that removes something takes a while. */
const LINGER = 1_000;
/** Before nft is tried again where it failed, ms. */
const RETRY = 30_000;

interface User {
  readonly path: OuterPath;
  /** Connections that need it. */
  count: number;
  /** The table has it. */
  present: boolean;
}

export class CallTable {
  readonly #netfilter: Netlink;
  readonly #warn: (text: string) => void;
  /** By their addresses. */
  readonly #users = new Map<string, User>();
  /** As the kernel had it when we had made it; undefined: it is not there. */
  #state: string | undefined;
  readonly #serial = new Serial();
  #sweep: Timer | undefined;
  #failure: { readonly text: string; readonly at: number } | undefined;

  constructor(netfilter: Netlink, warn: (text: string) => void) {
    this.#netfilter = netfilter;
    this.#warn = warn;
  }

  /** Not carried: #netfilter, #warn, #serial, #sweep and #failure. */
  save() {
    return { users: [...this.#users.values()], state: this.#state };
  }

  adopt({ users, state }: ReturnType<CallTable['save']>): void {
    for (const user of users) this.#users.set(keyOf(user.path), user);
    this.#state = state;
  }

  /** Resolved when NAT leaves it alone, or never will: the owner is told once. */
  admit(path: OuterPath): Promise<void> {
    const key = keyOf(path);
    const user = this.#users.get(key) ?? { path, count: 0, present: false };
    this.#users.set(key, user);
    user.count++;
    return this.#serial.run('', async () => {
      if (user.present) return;
      user.present = true;
      if (this.#state === undefined) await this.#make();
      else await this.#change('add', [path]);
    });
  }

  /** Once for each admit(). */
  dismiss(path: OuterPath): void {
    const user = this.#users.get(keyOf(path));
    if (user === undefined) return;
    user.count--;
    if (user.count > 0) return;
    this.#sweep ??= clock.meanwhile(LINGER, () => void this.#clean());
  }

  /**
   * Puts back what somebody has removed.
   * @returns whether something was missing
   * @throws RouterError it cannot be put back
   */
  look(): Promise<boolean> {
    return this.#serial.run('', async () => {
      if (this.#state === undefined || this.#isWhole()) return false;
      await this.#install();
      return true;
    });
  }

  /** Removes the table, also one that a daemon before us has left. @throws RouterError */
  clear(): Promise<void> {
    clock.cancel(this.#sweep);
    this.#sweep = undefined;
    return this.#serial.run('', async () => {
      this.#users.clear();
      this.#state = undefined;
      if (tableState(this.#netfilter, CALL_TABLE, []) !== undefined) await nft(CLEAR);
    });
  }

  #clean(): Promise<void> {
    this.#sweep = undefined;
    return this.#serial.run('', async () => {
      const gone = [...this.#users.values()].filter(({ count }) => count <= 0);
      for (const { path } of gone) this.#users.delete(keyOf(path));
      if (this.#state === undefined || gone.length === 0) return;
      if (this.#users.size > 0) {
        await this.#change(
          'delete',
          gone.map(({ path }) => path),
        );
        return;
      }
      this.#state = undefined;
      await this.#attempt(() => nft(CLEAR));
    });
  }

  async #change(what: ElementChange['what'], paths: readonly OuterPath[]): Promise<void> {
    try {
      const changes = paths.map((path) => ({ what, element: elementOf(path) }));
      changeElements(this.#netfilter, CALL_TABLE, changes);
    } catch {
      await this.#make(); // somebody has removed it
    }
  }

  #make(): Promise<void> {
    const failure = this.#failure;
    if (failure !== undefined && clock.monotonic() - failure.at < RETRY) return Promise.resolve();
    return this.#attempt(() => this.#install());
  }

  async #install(): Promise<void> {
    this.#state = undefined;
    const all = [...this.#users.values()].map(
      ({ path }) => `${formatAddress(path.peer)} . ${formatAddress(path.local)}`,
    );
    const added =
      all.length === 0 ? '' : `add element ip ${CALL_TABLE} calls { ${all.join(', ')} }\n`;
    await nft(`${CLEAR}table ip ${CALL_TABLE} {\n  ${BODY}}\n${added}`);
    for (const user of this.#users.values()) user.present = true;
    this.#state = tableState(this.#netfilter, CALL_TABLE, CHAINS);
  }

  #isWhole(): boolean {
    const all = [...this.#users.values()].map(({ path }) => elementOf(path));
    return (
      tableState(this.#netfilter, CALL_TABLE, CHAINS) === this.#state &&
      areThere(this.#netfilter, CALL_TABLE, all)
    );
  }

  async #attempt(job: () => Promise<unknown>): Promise<void> {
    try {
      await job();
      this.#failure = undefined;
    } catch (error) {
      const text = errorText(error);
      if (this.#failure?.text !== text)
        this.#warn(
          `the nftables table ${CALL_TABLE} cannot be changed, so NAT of this machine may turn GRE of calls: ${text}`,
        );
      this.#failure = { text, at: clock.monotonic() };
    }
  }
}

function keyOf({ peer, local }: OuterPath): string {
  return `${peer} ${local}`;
}

function elementOf({ peer, local }: OuterPath): Element {
  return { set: 'calls', key: Uint8Array.from([...octets32(peer), ...octets32(local)]) };
}
