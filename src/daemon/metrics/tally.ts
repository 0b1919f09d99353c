/** What has happened since the start, counted as it happens, and what the sessions that have ended have left. */
import type { SessionStatus } from '../../session/ports.ts';
import type { Event } from '../reports/event.ts';

/** Of the sessions of a server or a link. */
export interface Traffic {
  readonly kind: 'server' | 'link';
  readonly name: string;
  rxOctets: number;
  txOctets: number;
  rxPackets: number;
  txPackets: number;
  lost: number;
  reordered: number;
  duplicates: number;
}

/** By their labels, as JSON; bounded by the configuration and the list of causes. */
type Counts = Map<string, number>;

/** Servers and links that come and go by reloads; later ones are not counted. */
const MOST = 1_000;

export class Tally {
  readonly logins: Counts = new Map();
  readonly refused: Counts = new Map();
  readonly started: Counts = new Map();
  readonly ended: Counts = new Map();
  bans = 0;
  readonly #ended = new Map<string, Traffic>();
  /** What was told of losses: a packet that comes late was none, and counters never go back. */
  readonly #lost = new Map<string, number>();
  readonly #delay = { count: 0, sum: 0, worst: 0 };

  note(event: Event): void {
    if (event.what === 'session-up') {
      const { kind, name } = event.session;
      count(this.started, [ownerOf(kind), name]);
      if (kind === 'caller') count(this.logins, [name, 'accepted']);
    } else if (event.what === 'session-down') {
      const { kind, name } = event.session;
      count(this.ended, [ownerOf(kind), name, event.cause.code]);
      add(this.#ended, event.session);
    } else if (event.what === 'auth-failed') count(this.logins, [event.server, event.cause.code]);
    else if (event.what === 'caller-refused') count(this.refused, [event.server, event.cause.code]);
    else if (event.what === 'banned') this.bans++;
  }

  /** The event loop has come so late, ms. */
  delayed(by: number): void {
    this.#delay.count++;
    this.#delay.sum += by;
    this.#delay.worst = Math.max(this.#delay.worst, by);
  }

  get delay(): { readonly count: number; readonly sum: number; readonly worst: number } {
    return this.#delay;
  }

  /** With those that go on. */
  traffic(sessions: readonly SessionStatus[]): readonly Traffic[] {
    const all = new Map([...this.#ended].map(([key, traffic]) => [key, { ...traffic }]));
    for (const session of sessions) add(all, session);
    for (const [key, traffic] of all) {
      traffic.lost = Math.max(traffic.lost, this.#lost.get(key) ?? 0);
      this.#lost.set(key, traffic.lost);
    }
    return [...all.values()];
  }
}

export function ownerOf(kind: SessionStatus['kind']): Traffic['kind'] {
  return kind === 'caller' ? 'server' : 'link';
}

function add(all: Map<string, Traffic>, { kind, name, counters }: SessionStatus): void {
  const owner = ownerOf(kind);
  const key = `${owner} ${name}`;
  let found = all.get(key);
  if (found === undefined) {
    if (all.size >= MOST) return;
    const none = { rxOctets: 0, txOctets: 0, rxPackets: 0, txPackets: 0, lost: 0 };
    found = { kind: owner, name, ...none, reordered: 0, duplicates: 0 };
    all.set(key, found);
  }
  found.rxOctets += counters.rxOctets;
  found.txOctets += counters.txOctets;
  found.rxPackets += counters.rxPackets;
  found.txPackets += counters.txPackets;
  found.lost += counters.lost;
  found.reordered += counters.reordered;
  found.duplicates += counters.duplicates;
}

function count(counts: Counts, labels: readonly string[]): void {
  const key = JSON.stringify(labels);
  const before = counts.get(key);
  if (before !== undefined || counts.size < MOST) counts.set(key, (before ?? 0) + 1);
}
