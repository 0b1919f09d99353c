import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AccountingStore } from '../../src/daemon/radius/accounting-store.ts';
import { journalLine, readJournal, sessionLines } from '../../src/radius/accounting-journal.ts';
import { TerminateCause } from '../../src/radius/terminate-cause.ts';
import {
  accounted,
  checkOrder,
  Killed,
  nas,
  octetsOf,
  traffic,
  value,
  World,
  type TakenRecord,
} from './accounting-world.ts';

const MINUTE = 60_000;

/** An evening of three sessions, with an outage; after `until` writes the next has but some octets, then it is killed. */
function evening(until = Infinity, octets = 0): World & { readonly lengths: readonly number[] } {
  const lengths: number[] = [];
  const world = Object.assign(new World(), { lengths });
  world.store.onWrite = ({ length }) => {
    lengths.push(length);
    if (lengths.length > until) world.store.tear = octets;
  };
  try {
    world.accounting.handleOn(nas, world.now);
    world.start('a', { interimInterval: MINUTE, classes: [Uint8Array.of(1)] });
    world.start('b');
    world.counters.set('a', traffic(1000));
    world.counters.set('b', traffic(10));
    world.pass(2.5 * MINUTE);
    world.answering = () => 'no';
    world.counters.set('a', traffic(2000));
    world.pass(1.5 * MINUTE);
    world.start('c', { username: 'zo\u00eb "\\\n' });
    world.stop('b', traffic(5000));
    world.pass(MINUTE);
    world.answering = () => 'yes';
    world.pass(2 * MINUTE);
    world.stop('a', traffic(7000));
    world.pass(2 * MINUTE);
    world.stop('c', traffic(0));
    world.pass(2 * MINUTE);
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  world.store.onWrite = undefined;
  return world;
}

/** What the next daemon sends, to servers that answer. */
function aftermath(world: World): TakenRecord[] {
  world.answering = () => 'yes';
  world.restart(10_000);
  world.accounting.handleOn(nas, world.now);
  world.pass(5 * MINUTE);
  assert.equal(world.accounting.waiting, 0);
  return world.taken.filter(({ daemon }) => daemon === 1);
}

describe('a daemon that is killed', () => {
  it('while it writes leaves a Stop for each Start, and nothing that was answered', () => {
    const whole = evening();
    checkOrder(whole.taken);
    assert.equal(whole.accounting.waiting, 0);
    assert.ok(whole.lengths.length > 15, String(whole.lengths.length));
    whole.lengths.forEach((length, until) => {
      for (const octets of [0, 1, length >> 1, length - 1, length]) killed(until, octets);
    });
  });

  function killed(until: number, octets: number): void {
    const about = `after ${until} writes and ${octets} octets`;
    const world = evening(until, octets);
    assert.equal(world.store.tear, octets);
    const found = readJournal(world.store.text);
    const later = aftermath(world);
    checkOrder(world.taken);
    for (const { id, type } of world.taken) {
      if (type !== 'start') continue;
      const stop = world.taken.find((record) => record.id === id && record.type === 'stop');
      assert.ok(stop !== undefined, `${id} has no Stop ${about}`);
      const known = found.get(id);
      if (known === undefined) continue;
      assert.equal(octetsOf(stop), known.last.counters.inputOctets, about);
      if (known.isOpen)
        assert.equal(value(stop.request, 'Acct-Terminate-Cause'), TerminateCause.NasReboot);
    }
    for (const { id, type } of later.slice(0, -1)) {
      const { isOpen, records } = found.get(id)!;
      const waits = records.some(({ kind }) => kind === type);
      assert.ok(waits || (type === 'stop' && isOpen), `${type} ${id} once more ${about}`);
    }
    assert.equal(later.at(-1)?.type, 'on', about);
  }

  it('twice sends the same Stop twice at most, and never has a delay below 0', () => {
    const world = new World();
    world.start('a');
    world.counters.set('a', traffic(300));
    world.pass(90_000);
    world.answering = () => 'lost-answer';
    world.restart(60_000);
    world.pass(1000);
    world.wall -= 3_600_000; // the clock was set back
    world.restart(1000);
    world.answering = () => 'yes';
    world.pass(MINUTE);
    assert.deepEqual(world.log, ['start a', 'stop a', 'stop a']);
    checkOrder(world.taken);
    const [, first, second] = world.taken;
    assert.ok(first!.delay > 60_000 && first!.delay < 150_000, String(first!.delay));
    assert.equal(second!.delay, 5);
    const time = value(first!.request, 'Acct-Session-Time');
    assert.ok(time > 25 && time <= 60, String(time));
    assert.ok(Math.abs(first!.eventAt - world.taken[0]!.eventAt - time) <= 1);
    assert.equal(octetsOf(first!), 300);
  });
});

describe('the journal', () => {
  it('that is cut at any octet says what it said at the last whole line before', () => {
    const world = evening(14);
    const { text } = world.store;
    assert.ok(readJournal(text).size > 0);
    let whole = readJournal('');
    for (let length = 0; length <= text.length; length++) {
      const cut = text.slice(0, length);
      const found = readJournal(cut);
      if (cut.endsWith('\n')) whole = found;
      assert.deepEqual(found, whole);
    }
  });

  it('loses the line that is damaged, and no other', () => {
    const session = accounted('a', { call: { portId: '' } });
    const lines = [
      journalLine({ kind: 'session', session, at: 5 }),
      journalLine({ kind: 'done', id: 'a', number: 0 }),
    ];
    const whole = lines.join('');
    assert.equal(readJournal(whole).get('a')?.records.length, 0);
    for (let at = lines[0]!.length; at < whole.length - 1; at++) {
      const damaged = `${whole.slice(0, at)}\0${whole.slice(at + 1)}`;
      assert.equal(readJournal(damaged).get('a')?.records.length, 1, `octet ${at}`);
    }
  });

  it('of another version, or by another hand, is nothing', () => {
    for (const fields of [
      '{}',
      '["session",{},5]',
      '["session",null,5]',
      '["reading","a",1,2,3]',
      '["record","a",1,2,3,4,5,6,1,7,-1]',
      '["record","a",1,2,3,4,5,6]',
      '["done","a"]',
      '["done",5,1]',
      '["done","a",0.5]',
      '["what","a",1,2,3,4,5,6]',
      'nothing',
      '',
    ]) {
      const line = `${journalLine({ kind: 'session', session: accounted('a'), at: 1 })}${checked(fields)}`;
      const found = readJournal(line);
      assert.deepEqual([...found.keys()], ['a'], fields);
      assert.equal(found.get('a')!.records.length, 1, fields);
    }
  });

  it('written anew says the same', () => {
    const world = evening(11);
    const found = readJournal(world.store.text);
    const again = readJournal([...found.values()].map(sessionLines).join(''));
    assert.ok(found.size > 1);
    for (const [id, { nextNumber, ...session }] of found) {
      const { nextNumber: next, ...other } = again.get(id)!;
      assert.deepEqual(other, session);
      assert.ok(next <= nextNumber);
    }
  });

  it('is whole again when the disk has room again', () => {
    const world = new World();
    world.start('a', { interimInterval: MINUTE });
    world.pass(2000);
    world.store.isFull = true;
    world.answering = () => 'no';
    for (let n = 0; n < 10; n++) world.start(`s${n}`);
    world.pass(3 * MINUTE);
    world.store.isFull = false;
    world.pass(MINUTE);
    const { waiting } = world.accounting;
    assert.ok(waiting >= 13, String(waiting));
    world.restart();
    assert.equal(world.accounting.waiting, waiting + 11);
  });
});

describe('its file', () => {
  it('is for root alone, made with its folder, and what cannot be written is said once', (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'accounting-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const warnings: string[] = [];
    const store = new AccountingStore(join(folder, 'state'), (text) => warnings.push(text));
    const file = join(folder, 'state', 'accounting');
    assert.equal(store.read(), '');
    assert.equal(store.append('x'), false);
    assert.equal(store.append('x'), false);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /not remembered for a next start.*ENOENT/);
    assert.ok(store.replace('a\n') && store.append('b\n') && store.append('\u00e9\n'));
    assert.equal(readFileSync(file, 'utf8'), 'a\nb\n\u00e9\n');
    assert.equal(store.read(), 'a\nb\n\u00e9\n');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'state')).mode & 0o777, 0o700);
    rmSync(file);
    assert.ok(store.append('c'));
    assert.equal(statSync(file).mode & 0o777, 0o600);

    writeFileSync(join(folder, 'plain'), '');
    const blocked = new AccountingStore(join(folder, 'plain'), (text) => warnings.push(text));
    assert.equal(blocked.read(), '');
    assert.match(warnings[1]!, /of a daemon before are not known/);
  });
});

/** A line whose checksum is right: FNV-1a. */
function checked(json: string): string {
  let hash = 0x811c9dc5;
  for (const character of json) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return `${(hash >>> 0).toString(16).padStart(8, '0')} ${json}\n`;
}
