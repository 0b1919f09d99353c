/** Accounting on a virtual clock, with a server that answers as it is told and a journal that can be torn. */
import assert from 'node:assert/strict';
import {
  Accounting,
  type AccountingCounter,
  type AccountingRequest,
} from '../../src/radius/accounting.ts';
import type { AccountingLimits } from '../../src/radius/accounting-queue.ts';
import type { AccountedSession, SessionCounters } from '../../src/radius/accounting-record.ts';
import { radiusValue, type RadiusAttributeName } from '../../src/wire/radius-attributes.ts';
import { VirtualClock } from '../support/clock.ts';

export const LATENCY = 5;
/** After which a client has tried all servers in vain. */
export const GIVE_UP = 8_000;

export type Answering = (record: TakenRecord) => 'yes' | 'no' | 'lost-answer';

/** As a server writes it into its table. */
export interface TakenRecord {
  readonly at: number;
  /** Which daemon has sent it, from 0. */
  readonly daemon: number;
  readonly type: 'start' | 'stop' | 'interim' | 'on' | 'off';
  readonly id: string;
  readonly eventAt: number;
  readonly delay: number;
  readonly request: AccountingRequest;
}

const TYPES = { 1: 'start', 2: 'stop', 3: 'interim', 7: 'on', 8: 'off' } as const;

/** The daemon was killed while it wrote. */
export class Killed extends Error {}

export class MemoryStore {
  text = '';
  writes = 0;
  isFull = false;
  /** Of the next write so many octets come to the disk, and the daemon is killed. */
  tear: number | undefined;
  onWrite: ((text: string) => void) | undefined;

  append(text: string): boolean {
    return this.#write(text, this.text + text, this.text);
  }

  replace(text: string): boolean {
    return this.#write(text, text, '');
  }

  /** @param torn what is there before the first octet */
  #write(text: string, result: string, torn: string): boolean {
    if (this.isFull) {
      if (torn !== '') this.text = torn + text.slice(0, text.length / 2);
      return false;
    }
    this.onWrite?.(text);
    if (this.tear !== undefined) {
      if (this.tear >= text.length) this.text = result;
      else if (torn !== '') this.text = torn + text.slice(0, this.tear);
      throw new Killed();
    }
    this.writes++;
    this.text = result;
    return true;
  }
}

export const nas = { identifier: 'gateway', address: 0xc0000201 };

/** What is otherwise than in most sessions of a test. */
type Other = Partial<Omit<AccountedSession, 'call'>> & {
  readonly call?: Partial<AccountedSession['call']>;
};

export function accounted(id: string, more: Other = {}): AccountedSession {
  const { call, ...rest } = more;
  return {
    multiSessionId: undefined,
    username: 'anna',
    address: 0xc0a8630a,
    authentic: 'radius',
    classes: [],
    interimInterval: 0,
    ...rest,
    call: {
      nasIdentifier: nas.identifier,
      nasAddress: nas.address,
      port: 7,
      portId: 'home',
      sessionId: id,
      peer: 0xc6336401,
      local: 0xcb007101,
      peerHostName: 'laptop',
      tunnelId: '4711',
      connectInfo: 'PPTP',
      ...call,
    },
  };
}

export const traffic = (inputOctets: number, outputOctets = 2 * inputOctets): SessionCounters => ({
  inputOctets,
  outputOctets,
  inputPackets: Math.ceil(inputOctets / 1000),
  outputPackets: Math.ceil(outputOctets / 1000),
});

export class World {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly counts = new Map<AccountingCounter, number>();
  readonly counters = new Map<string, SessionCounters>();
  readonly troubles: string[] = [];
  /** What the servers have written down, in their order; of a record that came twice both. */
  readonly taken: TakenRecord[] = [];
  /** Wall clock at the virtual clock's 0. */
  wall = Date.UTC(2026, 10, 30) - 1_000_000;
  answering: Answering = () => 'yes';
  /** All that was sent. */
  sent = 0;
  inFlight = 0;
  mostInFlight = 0;
  #daemon = -1;
  #seed = 1;
  #limits: AccountingLimits | undefined;
  /** Of the daemon that runs: what the one before has sent is answered to nobody. */
  accounting: Accounting;

  constructor(limits?: AccountingLimits) {
    this.#limits = limits;
    this.accounting = this.#make();
  }

  get now(): number {
    return this.clock.now;
  }

  /** Killed, and started again after `down` ms; a server is there. */
  restart(down = 0): void {
    this.counters.clear();
    this.store.tear = undefined;
    this.clock.advance(down, [], () => undefined);
    this.follow();
  }

  /** Another machine takes the place of one that has thrown; sessions live on. */
  follow(): void {
    this.inFlight = 0;
    this.accounting = this.#make();
    this.accounting.handleReachable(this.now);
    this.drain();
  }

  pass(milliseconds: number): void {
    this.clock.advance(milliseconds, [this.accounting], () => this.drain());
  }

  start(id: string, more?: Other): void {
    this.counters.set(id, traffic(0));
    this.accounting.handleStart(accounted(id, more), this.now);
    this.drain();
  }

  stop(id: string, counters = traffic(5000), terminateCause = 1): void {
    this.accounting.handleStop(id, counters, terminateCause, this.now);
    this.drain();
  }

  /** "start a", "stop a" in the order in which the servers took them. */
  get log(): string[] {
    return this.taken.map(({ type, id }) =>
      type === 'on' || type === 'off' ? type : `${type} ${id}`,
    );
  }

  drain(): void {
    const { accounting } = this;
    for (;;) {
      const output = accounting.poll();
      if (output === undefined) return;
      if (output.kind === 'trouble') {
        this.troubles.push(`${output.cause.code} ${output.cause.detail ?? ''}`);
        continue;
      }
      this.#carry(accounting, output.request);
    }
  }

  #carry(accounting: Accounting, request: AccountingRequest): void {
    this.sent++;
    const daemon = this.#daemon;
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    this.clock.after(LATENCY, () => {
      const record = this.#read(request, daemon);
      const how = this.answering(record);
      if (how !== 'no') this.taken.push(record);
      const isOver = () => this.accounting !== accounting;
      if (how === 'yes') {
        if (isOver()) return;
        this.inFlight--;
        accounting.handleAnswered(request, this.now);
      } else
        this.clock.after(GIVE_UP, () => {
          if (isOver()) return;
          this.inFlight--;
          accounting.handleUnanswered(request, this.now);
        });
    });
  }

  #read(request: AccountingRequest, daemon: number): TakenRecord {
    const type = TYPES[value(request, 'Acct-Status-Type') as keyof typeof TYPES];
    assert.ok(request.happened <= this.now, 'a negative delay');
    return {
      at: this.now,
      daemon,
      type,
      id: text(request, 'Acct-Session-Id'),
      eventAt: value(request, 'Event-Timestamp'),
      delay: this.now - request.happened,
      request,
    };
  }

  #make(): Accounting {
    this.#daemon++;
    return new Accounting(
      {
        random: (length) =>
          Uint8Array.from({ length }, () => (this.#seed = (this.#seed * 75 + 74) % 65537) & 0xff),
        count: (what) => this.counts.set(what, (this.counts.get(what) ?? 0) + 1),
        wallClock: () => this.wall + this.now,
        counters: (id) => this.counters.get(id),
        store: this.store,
      },
      this.store.text,
      this.now,
      this.#limits,
    );
  }
}

export function value(request: AccountingRequest, name: RadiusAttributeName): number {
  const found = radiusValue(request.attributes, name);
  if (typeof found !== 'number') assert.fail(`no ${name}`);
  return found;
}

export function text(request: AccountingRequest, name: 'Acct-Session-Id' | 'User-Name'): string {
  return radiusValue(request.attributes, name)?.text ?? assert.fail(`no ${name}`);
}

/** Start first, Stop last, and octets never fewer than before. A record that came again says the same. */
export function checkOrder(taken: readonly TakenRecord[]): void {
  const sessions = new Map<string, TakenRecord[]>();
  for (const record of taken)
    if (record.type !== 'on' && record.type !== 'off')
      sessions.set(record.id, [...(sessions.get(record.id) ?? []), record]);
  for (const [id, records] of sessions) {
    const types = records.map(({ type }) => type);
    const about = `${id}: ${types.join()}`;
    assert.equal(types[0], 'start', about);
    assert.ok(
      types.lastIndexOf('start') < (types.findIndex((type) => type !== 'start') + 1 || 1e9),
      about,
    );
    const stop = types.indexOf('stop');
    assert.ok(stop === -1 || types.slice(stop).every((type) => type === 'stop'), about);
    const octets = records.filter(({ type }) => type !== 'start').map(octetsOf);
    assert.deepEqual(
      octets,
      [...octets].sort((a, b) => a - b),
      about,
    );
    const stops = records.slice(stop === -1 ? records.length : stop);
    for (const again of stops)
      assert.deepEqual(again.request.attributes, stops[0]!.request.attributes);
  }
}

export function octetsOf({ request }: TakenRecord): number {
  return value(request, 'Acct-Input-Octets') + 2 ** 32 * value(request, 'Acct-Input-Gigawords');
}
