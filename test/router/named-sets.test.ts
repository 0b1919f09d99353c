/** Sets of the owner's with the real nft and kernel, in a network namespace of their own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { watchKernel } from '../../src/daemon/engine/kernel.ts';
import { Journal } from '../../src/router/journal.ts';
import { NamedSets } from '../../src/router/named-sets.ts';
import { nft } from '../../src/router/nft-command.ts';
import { Upkeep } from '../../src/router/upkeep.ts';
import { inNamespace } from '../native/namespace.ts';

const STAFF = 'inet fw4 staff';
const [anna, ben] = ['192.168.99.10', '192.168.99.11'] as const;

inNamespace('named sets', import.meta.url, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sets-'));
  const file = join(folder, 'sets');
  let warnings: string[];
  let counts: Map<string, number>;
  let upkeep: Upkeep;
  let sets: NamedSets;
  let stop: () => void;

  function start(): void {
    upkeep = new Upkeep((text) => warnings.push(text));
    const journal = new Journal(file, (text) => warnings.push(text));
    const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
    sets = new NamedSets({ journal, upkeep, count });
    const watches = watchKernel(
      upkeep,
      (text) => warnings.push(text),
      (table) => sets.uses(table),
    );
    stop = () => {
      upkeep.close();
      for (const watch of watches) watch.close();
    };
  }

  const fw4 = (words = 'policy performance') =>
    nft(`table inet fw4 { set staff { type ipv4_addr; ${words}; }; }`);

  /** As nft lists them. */
  async function elements(set = STAFF): Promise<string[]> {
    const [, list = ''] = /elements = \{([^}]*)\}/.exec(await nft(`list set ${set}`)) ?? [];
    return list.split(',').flatMap((each) => each.trim() || []);
  }

  async function until(wanted: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await wanted())) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  beforeEach(async () => {
    await nft('flush ruleset');
    rmSync(file, { force: true });
    warnings = [];
    counts = new Map();
    start();
  });

  afterEach(async () => {
    await sets.close();
    stop();
  });

  after(() => rmSync(folder, { recursive: true }));

  test('an address is in the set while anybody holds it', async () => {
    await fw4();
    const one = sets.hold(STAFF, anna);
    const two = sets.hold(STAFF, anna);
    const other = sets.hold(STAFF, ben);
    await Promise.all([one.settled, two.settled, other.settled]);
    assert.deepEqual(await elements(), [anna, ben]);
    one.release();
    one.release(); // twice is once
    other.release();
    await until(async () => (await elements()).length === 1);
    assert.deepEqual(await elements(), [anna]);
    two.release();
    await until(async () => (await elements()).length === 0);
    assert.deepEqual(warnings, []);
    await until(() => Promise.resolve(readFileSync(file, 'utf8') === ''));
    assert.ok(!sets.uses('fw4'));
  });

  test('a hundred at once are few transactions', async () => {
    await fw4();
    const monitor = spawn('nft', ['monitor'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    monitor.stdout.on('data', (data: Buffer) => (said += String(data)));
    const all = Array.from({ length: 100 }, (_, i) => sets.hold(STAFF, `192.168.98.${i + 1}`));
    await Promise.all(all.map(({ settled }) => settled));
    assert.equal((await elements()).length, 100);
    await sets.close();
    assert.deepEqual(await elements(), []);
    await until(() => said.includes('delete element'));
    monitor.kill();
    await once(monitor, 'close');
    assert.match(said, /add element inet fw4 staff \{ 192\.168\.98\.100 \}/);
    const transactions = said.split('\n').filter((line) => line.startsWith('# new generation'));
    assert.ok(transactions.length > 0 && transactions.length < 10, transactions.join('\n'));
  });

  test("the owner's own elements stay, single ones and those that a range of his holds", async () => {
    await fw4(`elements = { ${anna} }`);
    await nft('table inet fw4 { set nets { type ipv4_addr; flags interval; auto-merge; }; }');
    await nft(`add element inet fw4 nets { 192.168.99.0/24, 10.0.0.1-10.0.0.9 }`);
    const all = [
      sets.hold(STAFF, anna),
      sets.hold('inet fw4 nets', anna),
      sets.hold('inet fw4 nets', '10.0.0.9'),
      sets.hold('inet fw4 nets', '10.0.0.10'),
    ];
    await Promise.all(all.map(({ settled }) => settled));
    assert.deepEqual(await elements('inet fw4 nets'), ['10.0.0.1-10.0.0.10', '192.168.99.0/24']);
    await sets.close();
    assert.deepEqual(await elements(), [anna]);
    assert.deepEqual(await elements('inet fw4 nets'), ['10.0.0.1-10.0.0.9', '192.168.99.0/24']);
  });

  test('a set that is not there: the owner is told once, and it fills when he has made it', async () => {
    const { settled } = sets.hold(STAFF, anna);
    await settled;
    await until(() => warnings.length > 0);
    assert.match(
      warnings.join(),
      /^our part of the firewall set staff: missing, and cannot be put back: there is no such set: on OpenWrt a config ipset/,
    );
    assert.deepEqual(upkeep.problems(), warnings);
    await sets.hold(STAFF, ben).settled;
    assert.ok((counts.get('firewall sets: not changed') ?? 0) >= 2);
    await fw4();
    await until(async () => (await elements()).length === 2);
    await until(() => warnings.length === 2);
    assert.match(warnings[1]!, /had gone, and is put back$/);
    assert.deepEqual(upkeep.problems(), []);
  });

  test('a set of something else takes nothing, and others are not disturbed', async () => {
    await fw4();
    await nft(`table ip mine {
      set ports { type ipv4_addr . inet_service; }
      set macs { type ether_addr; }
      set small { type ipv4_addr; size 1; }
      map places { type ipv4_addr : verdict; }
    }`);
    for (const set of ['ip mine ports', 'ip mine macs', 'ip mine places', 'ip mine counter'])
      await sets.hold(set, anna).settled;
    await Promise.all([anna, ben].map((each) => sets.hold('ip mine small', each).settled));
    await sets.hold(STAFF, anna).settled;
    assert.deepEqual(await elements(), [anna]);
    assert.equal((await elements('ip mine small')).length, 1);
    await until(() => upkeep.problems().length === 5);
    const told = upkeep.problems().join('\n');
    assert.match(
      told,
      /ip mine ports: .* it is a set of ipv4_addr \. inet_service, and ipv4_addr is/,
    );
    assert.match(told, /ip mine macs: .* it is a set of ether_addr/);
    assert.match(told, /ip mine places: .* there is no such set/);
    assert.match(told, /ip mine counter: .* syntax error/);
    assert.match(told, /ip mine small: .* it is full: 1 addresses find no room/);
  });

  test('what a reload of the firewall takes away is put back, also in a table that is not fw4', async () => {
    for (const table of ['inet fw4', 'ip mine']) {
      const set = `${table} staff`;
      await nft(`table ${table} { set staff { type ipv4_addr; }; }`);
      const membership = sets.hold(set, anna);
      await membership.settled;
      // As fw4 does: the table goes and comes in one transaction.
      await nft(`delete table ${table}\ntable ${table} { set staff { type ipv4_addr; }; }`);
      assert.deepEqual(await elements(set), []);
      await until(async () => (await elements(set)).includes(anna));
      await nft(`flush set ${set}`);
      await until(async () => (await elements(set)).includes(anna));
      membership.release();
      await until(async () => (await elements(set)).length === 0);
    }
    assert.deepEqual(upkeep.problems(), []);
  });

  test('what a daemon that was killed has left is removed at the next start, and nothing else', async () => {
    await fw4(`elements = { 192.168.99.99 }`);
    await sets.hold(STAFF, anna).settled;
    await sets.hold('inet fw4 gone', ben).settled;
    stop();
    start();
    assert.equal((await elements()).length, 2);
    await sets.recover();
    assert.deepEqual(await elements(), ['192.168.99.99']);
    await until(() => Promise.resolve(readFileSync(file, 'utf8') === ''));
    assert.ok(!sets.uses('fw4'));
  });

  test('a journal that is damaged counts as far as it can be read', async () => {
    await fw4(`elements = { ${anna}, ${ben} }`);
    writeFileSync(
      file,
      `set-element ${anna} inet/fw4/staff\nset-element ${ben} inet/fw4\nset-element x inet/fw4/staff\nset-el`,
    );
    stop();
    start();
    await sets.recover();
    assert.deepEqual(await elements(), [ben]);
  });

  test('a time ends in the kernel too where the set can, else by us alone; a longer one counts', async () => {
    await fw4('flags timeout');
    await nft('table inet fw4 { set plain { type ipv4_addr; }; }');
    await nft('table inet fw4 { set timed { type ipv4_addr; timeout 1h; }; }');
    await sets.hold(STAFF, anna, 600_000).settled;
    await sets.hold('inet fw4 timed', ben).settled;
    assert.match((await elements()).join(), /^192\.168\.99\.10 timeout 10m expires 9m59s/);
    assert.match((await elements('inet fw4 timed')).join(), /timeout 365d/);
    await sets.hold(STAFF, anna, 3_600_000).settled;
    assert.match((await elements()).join(), /^192\.168\.99\.10 timeout 1h expires 59m59s/);
    await sets.hold('inet fw4 plain', anna, 1_000).settled;
    assert.deepEqual(await elements('inet fw4 plain'), [anna]);
    await until(async () => (await elements('inet fw4 plain')).length === 0);
  });

  test('IPv6 addresses have sets of their own', async () => {
    await nft('table inet fw4 { set six { type ipv6_addr; }; }');
    await sets.hold('inet fw4 six', '2001:db8::10').settled;
    assert.deepEqual(await elements('inet fw4 six'), ['2001:db8::10']);
    stop();
    start();
    await sets.recover();
    assert.deepEqual(await elements('inet fw4 six'), []);
  });

  test('there is an end to what they take', async () => {
    await fw4();
    for (let i = 0; i < 8_200; i++) void sets.hold(STAFF, `10.9.${i >> 8}.${i & 255}`);
    assert.equal(counts.get('firewall sets: too many addresses'), 8);
    await sets.close();
    assert.deepEqual(await elements(), []);
  });
});
