/** Counting, days, clocks, quotas and what is kept, on a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Quota } from '../../src/session/options.ts';
import type { AccountKind } from '../../src/usage/book.ts';
import { formatDay, formatMonth } from '../../src/usage/calendar.ts';
import { berlin } from './berlin.ts';
import { Usage, type CountedSession } from '../../src/usage/usage.ts';
import { parseUsage } from '../../src/usage/usage-text.ts';

const HOUR = 3_600_000;

interface Running {
  id: number;
  kind: 'caller' | 'link';
  name: string;
  username: string;
  counters: { rxOctets: number; txOctets: number };
}

class Scene {
  now = 5_000;
  wall: number;
  readonly sessions: Running[] = [];
  readonly quotas = new Map<string, Quota>();
  readonly told: string[] = [];
  readonly kept: { text: string; isLasting: boolean; at: number }[] = [];
  readonly forgotten: string[] = [];
  usage: Usage;
  #last = 0;

  constructor(start: string, saved?: string) {
    this.wall = Date.parse(`${start}Z`);
    this.usage = this.#make(saved);
  }

  /** The daemon is killed, and another one started. */
  restart(wall: string, saved = this.kept.at(-1)?.text): void {
    this.wall = Date.parse(`${wall}Z`);
    this.now = 100;
    this.sessions.length = 0;
    this.usage = this.#make(saved);
  }

  #make(saved: string | undefined): Usage {
    return new Usage(
      {
        wallClock: () => this.wall,
        zone: berlin,
        sessions: () => this.sessions,
        quota: (kind, name) => this.quotas.get(`${kind} ${name}`),
        forgotten: ({ name }) => this.forgotten.push(name),
      },
      saved === undefined ? undefined : parseUsage(saved),
      saved === undefined || this.kept.at(-1)?.isLasting === true,
      this.now,
    );
  }

  up(username: string, kind: Running['kind'] = 'caller', name = 'home'): Running {
    const counters = { rxOctets: 0, txOctets: 0 };
    const session = { id: ++this.#last, kind, name, username, counters };
    this.sessions.push(session);
    this.usage.handleSession(session, this.now);
    this.drain();
    return session;
  }

  down(session: Running): void {
    this.sessions.splice(this.sessions.indexOf(session), 1);
    this.usage.handleEnd(session, this.now);
    this.drain();
  }

  /** Time passes, and the clock on the wall goes on. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.usage.nextTimeout();
      const to = Math.min(next === undefined ? Infinity : Math.max(next, this.now), end);
      this.wall += to - this.now;
      this.now = to;
      if (next === undefined || next > end) break;
      this.usage.handleTimeout(this.now);
      this.drain();
    }
  }

  set(wall: string): void {
    this.wall = Date.parse(`${wall}Z`);
  }

  drain(): void {
    for (let output = this.usage.poll(); output !== undefined; output = this.usage.poll())
      if (output.kind === 'keep')
        this.kept.push({ text: output.text, isLasting: output.isLasting, at: this.now });
      else if (output.kind === 'event') {
        const { of, name, used, period } = output.event;
        this.told.push(`${of} ${name} ${used} since ${formatDay(period.first)}`);
      } else this.told.push(`${output.of} ${output.name} has ${this.usage.allowance(output.of, output.name)}`); // prettier-ignore
  }

  look(): void {
    this.usage.handleLook(this.now);
    this.drain();
  }

  /** `2026-11-30 3 4` */
  days(name: string, kind: AccountKind = 'user'): string[] {
    this.look();
    const days = this.usage.account(kind, name)?.days ?? new Map();
    return [...days].map(([day, { rx, tx }]) => `${formatDay(day)} ${rx} ${tx}`);
  }

  months(name: string): string[] {
    const months = this.usage.account('user', name)?.months ?? new Map();
    return [...months].map(([month, { rx, tx }]) => `${formatMonth(month)} ${rx} ${tx}`);
  }

  total(name: string, kind: AccountKind = 'user'): number {
    const { rx, tx } = this.usage.account(kind, name)?.total ?? { rx: 0, tx: 0 };
    return rx + tx;
  }
}

function move(session: Running, rx: number, tx = 0): void {
  session.counters.rxOctets += rx;
  session.counters.txOctets += tx;
}

test('users and links are counted, each session once, also after it has ended', () => {
  const scene = new Scene('2026-11-30T12:00:00');
  const one = scene.up('anna');
  const two = scene.up('anna');
  const link = scene.up('router7', 'link', 'office');
  move(one, 100, 50);
  move(two, 10, 5);
  move(link, 1, 2);
  scene.pass(30_000);
  move(one, 1);
  scene.down(one);
  scene.pass(30_000);
  assert.deepEqual(scene.days('anna'), ['2026-11-30 111 55']);
  assert.deepEqual(scene.months('anna'), ['2026-11 111 55']);
  assert.equal(scene.total('anna'), 166);
  assert.deepEqual(scene.days('office', 'link'), ['2026-11-30 1 2']);
  assert.equal(scene.usage.account('user', 'router7'), undefined);
});

test('a day ends at midnight on the wall', () => {
  const scene = new Scene('2026-11-30T22:59:35');
  const session = scene.up('anna');
  move(session, 100);
  scene.pass(24_999);
  move(session, 20);
  scene.pass(1);
  move(session, 3);
  scene.pass(2_000);
  scene.down(session);
  assert.deepEqual(scene.days('anna'), ['2026-11-30 120 0', '2026-12-01 3 0']);
  assert.deepEqual(scene.months('anna'), ['2026-11 120 0', '2026-12 3 0']);
});

test('a kill loses what is younger than a minute, and nothing else', () => {
  const scene = new Scene('2026-11-30T12:00:00');
  const session = scene.up('anna');
  let lost = 0;
  for (let second = 0; second < 600; second++) {
    move(session, 1);
    scene.pass(1_000);
    const kept = parseUsage(scene.kept.at(-1)?.text ?? '')?.accounts[0]?.total.rx ?? 0;
    lost = Math.max(lost, session.counters.rxOctets - kept);
  }
  assert.ok(lost >= 30 && lost <= 55, `${lost} s`);
  const known = parseUsage(scene.kept.at(-1)!.text)!.accounts[0]!.total.rx;
  scene.restart('2026-11-30T12:11:00');
  assert.equal(scene.total('anna'), known);
  const again = scene.up('anna');
  move(again, 5);
  scene.pass(10_000);
  assert.deepEqual(scene.days('anna'), [`2026-11-30 ${known + 5} 0`]);
  // What the killed one had not written to flash is not forgotten there.
  scene.restart('2026-11-30T12:20:00');
  scene.usage.handleKeep(scene.now);
  scene.drain();
  assert.equal(scene.kept.at(-1)?.isLasting, true);
});

test('flash is written every six hours at most, at the end, and not where nothing has changed', () => {
  const scene = new Scene('2026-11-30T00:00:00');
  const session = scene.up('anna');
  for (let minute = 0; minute < 24 * 60; minute++) {
    move(session, 1);
    scene.pass(60_000);
  }
  const lasting = scene.kept.filter(({ isLasting }) => isLasting);
  assert.equal(lasting.length, 3);
  lasting.reduce((last, { at }) => {
    assert.ok(at - last >= 6 * HOUR, `${at - last}`);
    return at;
  }, 0);
  move(session, 1);
  scene.down(session);
  scene.usage.handleKeep(scene.now);
  scene.drain();
  assert.equal(scene.kept.at(-1)?.isLasting, true);
  assert.equal(parseUsage(scene.kept.at(-1)!.text)!.accounts[0]!.total.rx, 24 * 60 + 1);
  const { length } = scene.kept;
  scene.usage.handleKeep(scene.now);
  scene.drain();
  scene.pass(24 * HOUR);
  assert.equal(scene.kept.length, length);
  assert.equal(scene.usage.nextTimeout(), undefined, 'nobody is there: it does not wake up');
});

test('a clock in 1970: what happens is dated when it is set', () => {
  const scene = new Scene('1970-01-01T00:00:20');
  const session = scene.up('anna');
  move(session, 100);
  scene.pass(120_000);
  assert.deepEqual(scene.days('anna'), []);
  assert.equal(scene.total('anna'), 100);
  assert.equal(scene.usage.isClockSet, false);
  scene.set('2026-11-30T23:00:30'); // 00:00:30 on the wall
  move(session, 1);
  scene.pass(10_000);
  assert.equal(scene.usage.isClockSet, true);
  assert.deepEqual(scene.days('anna'), ['2026-11-30 100 0', '2026-12-01 1 0']);
  assert.deepEqual(scene.months('anna'), ['2026-11 100 0', '2026-12 1 0']);
});

test('a clock that was never set before the daemon was killed: the next one dates it', () => {
  const scene = new Scene('1970-01-01T00:00:20');
  move(scene.up('anna'), 100);
  scene.pass(60_000);
  scene.restart('2026-11-30T12:00:00');
  assert.deepEqual(scene.days('anna'), ['2026-11-30 100 0']);
  assert.equal(scene.usage.account('user', 'anna')?.undated.rx, 0);
});

test('a clock that starts behind what was seen waits for NTP, an hour at most', () => {
  for (const jumps of [true, false]) {
    const scene = new Scene('2026-11-30T12:00:00');
    move(scene.up('anna'), 100);
    scene.pass(60_000);
    scene.restart('2026-10-28T08:00:00'); // the day of the newest file
    const session = scene.up('anna');
    move(session, 7);
    scene.pass(300_000);
    assert.equal(formatDay(scene.usage.today), '2026-11-30');
    assert.deepEqual(scene.days('anna'), ['2026-11-30 100 0']);
    if (jumps) scene.set('2026-12-01T12:00:00');
    scene.pass(HOUR);
    assert.deepEqual(
      scene.days('anna'),
      jumps ? ['2026-11-30 100 0', '2026-12-01 7 0'] : ['2026-10-28 7 0', '2026-11-30 100 0'],
    );
    if (jumps) continue;
    // It was wrong after all.
    scene.set('2026-12-01T12:00:00');
    scene.pass(10_000);
    assert.deepEqual(scene.days('anna'), ['2026-11-30 100 0', '2026-12-01 7 0']);
  }
});

test("a clock that is set forward over a month's end leaves what was before where it was", () => {
  const scene = new Scene('2026-11-30T12:00:00');
  const session = scene.up('anna');
  move(session, 100);
  scene.pass(60_000);
  scene.set('2026-12-02T12:00:00');
  scene.pass(10_000);
  move(session, 5);
  scene.pass(60_000);
  assert.deepEqual(scene.days('anna'), ['2026-11-30 100 0', '2026-12-02 5 0']);
  assert.deepEqual(scene.months('anna'), ['2026-11 100 0', '2026-12 5 0']);
});

test("a clock that is set back over a month's end: nothing is in the future, and nothing is lost", () => {
  const scene = new Scene('2026-11-30T12:00:00');
  const session = scene.up('anna');
  move(session, 100);
  scene.pass(60_000);
  scene.set('2027-01-15T12:00:00'); // a mistake
  scene.pass(10_000);
  move(session, 5);
  scene.pass(2 * HOUR);
  assert.deepEqual(scene.days('anna'), ['2026-11-30 100 0', '2027-01-15 5 0']);
  scene.set('2026-11-30T14:01:10');
  scene.pass(10_000);
  assert.deepEqual(scene.days('anna'), ['2026-11-30 105 0']);
  assert.deepEqual(scene.months('anna'), ['2026-11 105 0']);
  assert.equal(scene.total('anna'), 105);
  scene.pass(60_000);
  scene.restart('2026-11-30T14:03:00');
  assert.equal(scene.usage.isClockSet, true, 'the mistake is forgotten');
});

test('a clock that is set back by mistake, and forward again', () => {
  const scene = new Scene('2026-12-01T12:00:00');
  const session = scene.up('anna');
  move(session, 100);
  scene.pass(60_000);
  scene.set('2026-11-01T12:00:00');
  scene.pass(10_000);
  move(session, 5);
  scene.pass(2 * HOUR);
  assert.deepEqual(scene.days('anna'), ['2026-11-01 105 0']);
  scene.set('2026-12-01T14:01:10');
  scene.pass(10_000);
  assert.deepEqual(scene.days('anna'), ['2026-12-01 105 0']);
});

const megabyte = 1_000_000;
const quota = (action: Quota['action'], day = 1): Quota => ({ octets: megabyte, action, day });

test('a quota: told once, and the allowance is what its action says until the next period', () => {
  for (const [action, left] of [
    [{ kind: 'deny' }, 0],
    [{ kind: 'slow', rate: 512 }, 512],
    [{ kind: 'notify' }, Infinity],
  ] as const) {
    const scene = new Scene('2026-11-30T12:00:00');
    scene.quotas.set('user anna', quota(action));
    const session = scene.up('anna');
    move(session, megabyte - 1);
    scene.pass(60_000);
    assert.equal(scene.usage.allowance('user', 'anna'), Infinity);
    move(session, 0, 1);
    scene.pass(10_000);
    move(session, 100);
    scene.pass(10_000);
    const used = [`user anna ${megabyte} since 2026-11-01`];
    if (left < Infinity) used.push(`user anna has ${left}`);
    assert.deepEqual([...scene.told], used);
    scene.down(session);
    // Neither a restart, nor a reload, tells it again.
    scene.usage.handleKeep(scene.now);
    scene.drain();
    scene.told.length = 0;
    scene.restart('2026-11-30T12:05:00');
    scene.usage.handleQuotas(scene.now);
    scene.drain();
    assert.equal(scene.usage.allowance('user', 'anna'), left);
    assert.deepEqual([...scene.told], left < Infinity ? [`user anna has ${left}`] : []);
    scene.told.length = 0;
    scene.pass(12 * HOUR); // nobody is there
    assert.deepEqual([...scene.told], left < Infinity ? ['user anna has Infinity'] : []);
    const next = scene.up('anna');
    move(next, megabyte);
    scene.pass(10_000);
    assert.equal(scene.told.find((each) => each.includes('since')), 'user anna 1000000 since 2026-12-01'); // prettier-ignore
  }
});

test('a quota begins anew on its day', () => {
  for (const [today, day, first, last] of [
    ['2026-11-14', 15, '2026-10-15', '2026-11-14'],
    ['2026-11-15', 15, '2026-11-15', '2026-12-14'],
    ['2026-02-27', 31, '2026-01-31', '2026-02-27'],
    ['2026-02-28', 31, '2026-02-28', '2026-03-30'],
    ['2026-03-31', 31, '2026-03-31', '2026-04-29'],
    ['2026-01-01', 2, '2025-12-02', '2026-01-01'],
    ['2026-11-30', 1, '2026-11-01', '2026-11-30'],
  ] as const) {
    const scene = new Scene(`${today}T12:00:00`);
    scene.quotas.set('user anna', quota({ kind: 'notify' }, day));
    const { period } = scene.usage.quotaState('user', 'anna')!;
    assert.deepEqual([formatDay(period.first), formatDay(period.last)], [first, last], today);
  }
});

test('a quota of a link, and one that is changed while it is used up', () => {
  const scene = new Scene('2026-11-30T12:00:00');
  scene.quotas.set('link office', quota({ kind: 'deny' }));
  const session = scene.up('router7', 'link', 'office');
  move(session, 0, 2 * megabyte);
  scene.pass(10_000);
  assert.deepEqual([...scene.told], ['link office 2000000 since 2026-11-01', 'link office has 0']);
  scene.told.length = 0;
  const more = { ...quota({ kind: 'deny' }), octets: 3 * megabyte };
  for (const [changed, told] of [
    [{ ...quota({ kind: 'slow', rate: 64 }) }, ['link office has 64']],
    [more, ['link office has Infinity']],
    [quota({ kind: 'deny' }), ['link office 2000000 since 2026-11-01', 'link office has 0']],
    [undefined, ['link office has Infinity']],
  ] as const) {
    if (changed === undefined) scene.quotas.delete('link office');
    else scene.quotas.set('link office', changed);
    scene.usage.handleQuotas(scene.now);
    scene.drain();
    assert.deepEqual([...scene.told], told);
    scene.told.length = 0;
  }
});

test('what has no date counts for the quota', () => {
  const scene = new Scene('2026-11-30T12:00:00');
  scene.quotas.set('user anna', quota({ kind: 'deny' }));
  move(scene.up('anna'), megabyte - 1);
  scene.pass(60_000);
  scene.restart('1970-01-01T00:00:30');
  assert.equal(scene.usage.allowance('user', 'anna'), Infinity);
  move(scene.up('anna'), 1);
  scene.pass(10_000);
  assert.equal(scene.usage.allowance('user', 'anna'), 0);
});

test('accounts are bounded: who has a quota stays, who has moved nothing for longest goes', () => {
  const scene = new Scene('2026-11-30T12:00:00');
  scene.quotas.set('user 0', quota({ kind: 'notify' }));
  for (let n = 0; n < 1_003; n++) {
    const session = scene.up(String(n));
    move(session, 1);
    scene.down(session);
  }
  assert.equal([...scene.usage.accounts()].length, 1_000);
  assert.deepEqual(scene.forgotten, ['1', '2', '3']);
  assert.equal(scene.total('0'), 1);
});

test('days and months are bounded, and the total knows them all', () => {
  const scene = new Scene('2026-01-01T12:00:00');
  for (let day = 0; day < 800; day++) {
    const session = scene.up('anna');
    move(session, 1);
    scene.down(session);
    scene.pass(24 * HOUR);
  }
  const { days, months, total } = scene.usage.account('user', 'anna')!;
  assert.equal(days.size, 62);
  assert.equal(months.size, 25);
  assert.equal(total.rx, 800);
});

test('counters that go back are not believed', () => {
  const scene = new Scene('2026-11-30T12:00:00');
  const session = scene.up('anna');
  move(session, 100);
  scene.look();
  scene.usage.handleEnd({ ...session, counters: { rxOctets: 40, txOctets: 0 } } satisfies CountedSession, scene.now); // prettier-ignore
  assert.equal(scene.total('anna'), 100);
});
