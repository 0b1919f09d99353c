/**
 * GRE of a call leaves through the device that the control connection uses. Mostly routing sees to that by itself; where the
 * owner's rules choose by mark, protocol or port (several WANs), it would send GRE another way, from an address that belongs
 * elsewhere. Then a rule of ours, before the owner's, leads from our outer address to the peer through a table with that way.
 *
 * Rules have a protocol number of ours and tables a range of numbers, by which those that a killed daemon left are found.
 */
import { errorText } from '../platform/errors.ts';
import { formatAddress } from '../wire/ip.ts';
import { ip } from './ip-command.ts';
import { Serial } from './jobs.ts';
import type { Netlink } from './netlink-message.ts';
import { deviceName, deviceWith, routingRules, wayOf, type Way } from './route-lookup.ts';
import type { ControlPath } from './router.ts';

const PROTOCOL = '147';
/** Before those of multi-WAN programs, which begin at 1000. */
const PREFERENCE = 147;
const FIRST_TABLE = 5910;
/** Ways at the same time: WANs. */
const TABLES = 16;
/** Paths that need a rule at the same time. */
const MOST = 256;

interface Held {
  readonly path: ControlPath;
  /** undefined: routing does it by itself. */
  readonly rule: { readonly way: Way; readonly table: number } | undefined;
  users: number;
}

export class OuterWays {
  readonly #route: Netlink;
  readonly #warn: (text: string) => void;
  readonly #held = new Map<string, Held>();
  readonly #serial = new Serial();

  constructor(route: Netlink, warn: (text: string) => void) {
    this.#route = route;
    this.#warn = warn;
  }

  /** Not carried: #route, #warn, #serial. */
  save() {
    return [...this.#held.values()];
  }

  adopt(held: ReturnType<OuterWays['save']>): void {
    for (const each of held) this.#held.set(keyOf(each.path), each);
  }

  /** Resolved when GRE goes this way, or never will: the owner is told. */
  async hold(path: ControlPath): Promise<void> {
    const before = this.#held.get(keyOf(path));
    if (before !== undefined) before.users++;
    else {
      const way = this.#detour(path);
      const table = way && this.#tableFor(way);
      const rule = way === undefined || table === undefined ? undefined : { way, table };
      this.#held.set(keyOf(path), { path, rule, users: 1 });
    }
    await this.#serial.run('', () => this.#attempt(() => this.#mend(keyOf(path))));
  }

  /** Once for each hold(). */
  release(path: ControlPath): void {
    const held = this.#held.get(keyOf(path));
    if (held === undefined || --held.users > 0) return;
    this.#held.delete(keyOf(path));
    if (held.rule === undefined) return;
    void this.#serial.run('', () =>
      this.#attempt(async () => {
        if (!this.#held.has(keyOf(path))) await ip('rule', 'del', ...ruleOf(held)!);
      }),
    );
  }

  /** Puts back what has gone. @returns whether anything had. @throws RouterError */
  look(): Promise<boolean> {
    return this.#serial.run('', async () => {
      let wasMissing = false;
      for (const key of this.#held.keys()) wasMissing = (await this.#mend(key)) || wasMissing;
      return wasMissing;
    });
  }

  /** Removes all of it, also what a daemon before us left. Never fails. */
  clear(): Promise<void> {
    this.#held.clear();
    return this.#serial.run('', () =>
      this.#attempt(async () => {
        if (!routingRules(this.#route).some(({ preference }) => preference === PREFERENCE)) return;
        await ip('rule', 'flush', 'protocol', PROTOCOL);
        for (let table = FIRST_TABLE; table < FIRST_TABLE + TABLES; table++)
          await ip('route', 'flush', 'table', String(table)).catch(() => undefined); // there is none
      }),
    );
  }

  /** The way of the control connection, where that of GRE is another one and it can be told. */
  #detour(path: ControlPath): Way | undefined {
    const route = this.#route;
    const { peer: to, local: from, localPort, peerPort } = path;
    try {
      const device = deviceWith(route, from);
      if (device === undefined || wayOf(route, { to, from })?.device === device) return undefined;
      const marks = new Set([0, ...routingRules(route).map(({ mark }) => mark)]);
      for (const mark of marks) {
        const way = wayOf(route, { to, from, mark, ports: [localPort, peerPort] });
        if (way?.device === device) return way;
      }
    } catch {
      // the kernel cannot be asked: as routing has it
    }
    return undefined;
  }

  #tableFor(way: Way): number | undefined {
    const rules = [...this.#held.values()].flatMap(({ rule }) => rule ?? []);
    if (rules.length >= MOST) return undefined;
    const same = rules.find(
      ({ way: other }) => other.device === way.device && other.gateway === way.gateway,
    );
    if (same !== undefined) return same.table;
    const free = Array.from({ length: TABLES }, (_, i) => FIRST_TABLE + i);
    return free.find((table) => !rules.some((rule) => rule.table === table));
  }

  async #mend(key: string): Promise<boolean> {
    const held = this.#held.get(key);
    if (held?.rule === undefined) return false;
    const { way, table } = held.rule;
    const { peer: to, local: from } = held.path;
    if (wayOf(this.#route, { to, from })?.device === way.device) return false;
    const device = deviceName(this.#route, way.device);
    if (device === undefined) return false; // it is gone, and the connection will be
    const via = way.gateway === 0 ? [] : ['via', formatAddress(way.gateway)];
    await ip('route', 'replace', 'default', ...via, 'dev', device, 'table', String(table), 'proto', PROTOCOL); // prettier-ignore
    if (wayOf(this.#route, { to, from })?.device !== way.device)
      await ip('rule', 'add', ...ruleOf(held)!);
    return true;
  }

  async #attempt(job: () => Promise<unknown>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.#warn(
        `GRE of a call may leave through another device than its control connection: ${errorText(error)}`,
      );
    }
  }
}

function keyOf({ peer, local }: ControlPath): string {
  return `${peer} ${local}`;
}

/** Arguments of `ip rule`. */
function ruleOf({ path, rule }: Held): readonly string[] | undefined {
  return (
    rule && [
      'pref', String(PREFERENCE), 'iif', 'lo', 'from', formatAddress(path.local), 'to', formatAddress(path.peer),
      'lookup', String(rule.table), 'protocol', PROTOCOL,
    ]
  ); // prettier-ignore
}
