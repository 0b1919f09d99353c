import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { openRequest, sealRequest } from '../../src/radius/sealing.ts';
import { TerminateCause, terminateCauseOf } from '../../src/radius/terminate-cause.ts';
import { causeCodes } from '../../src/wire/cause.ts';
import { radiusValue, radiusValues } from '../../src/wire/radius-attributes.ts';
import {
  checkOrder,
  GIVE_UP,
  LATENCY,
  nas,
  octetsOf,
  traffic,
  value,
  World,
} from './accounting-world.ts';

const MINUTE = 60_000;

describe('what a record says', () => {
  it('is all that a server can make a row of', () => {
    const world = new World();
    const classes = [Uint8Array.of(1, 2), Uint8Array.of(0xff)];
    world.start('a1', { multiSessionId: 'm', classes });
    world.pass(90_500);
    const counters = traffic(5 * 2 ** 32 + 123, 2 ** 32 - 1);
    world.stop('a1', counters, terminateCauseOf('IDLE_TIMEOUT'));
    world.pass(1000);
    assert.deepEqual(world.log, ['start a1', 'stop a1']);
    const { request } = world.taken[1]!;
    const { octets } = sealRequest(
      { ...request, identifier: 1 },
      new SharedSecret('s'),
      (n) => new Uint8Array(n),
    );
    const opened = openRequest(octets, new SharedSecret('s'));
    assert.ok(typeof opened === 'object' && 'packet' in opened);
    const { attributes } = opened.packet;
    const plain = attributes.map(({ name, value: one }) => [
      name,
      typeof one === 'object' && 'text' in one
        ? one.text
        : typeof one === 'object' && 'value' in one
          ? typeof one.value === 'number'
            ? one.value
            : one.value.text
          : one,
    ]);
    assert.deepEqual(plain, [
      ['Acct-Status-Type', 2],
      ['Event-Timestamp', (world.wall + 1_000_000 + 90_500 - 500) / 1000],
      ['User-Name', 'anna'],
      ['NAS-Identifier', 'gateway'],
      ['NAS-IP-Address', nas.address],
      ['NAS-Port', 7],
      ['NAS-Port-Type', 5],
      ['NAS-Port-Id', 'home'],
      ['Service-Type', 2],
      ['Framed-Protocol', 1],
      ['Calling-Station-Id', '198.51.100.1'],
      ['Called-Station-Id', '203.0.113.1'],
      ['Acct-Session-Id', 'a1'],
      ['Connect-Info', 'PPTP'],
      ['Tunnel-Type', 1],
      ['Tunnel-Medium-Type', 1],
      ['Tunnel-Client-Endpoint', '198.51.100.1'],
      ['Tunnel-Server-Endpoint', '203.0.113.1'],
      ['Tunnel-Assignment-Id', '4711'],
      ['Tunnel-Client-Auth-Id', 'laptop'],
      ['Tunnel-Server-Auth-Id', 'gateway'],
      ['Acct-Multi-Session-Id', 'm'],
      ['Acct-Tunnel-Connection', 'a1'],
      ['Framed-IP-Address', 0xc0a8630a],
      ['Acct-Authentic', 1],
      ['Class', classes[0]],
      ['Class', classes[1]],
      ['Acct-Session-Time', 90],
      ['Acct-Input-Octets', 123],
      ['Acct-Input-Gigawords', 5],
      ['Acct-Output-Octets', 2 ** 32 - 1],
      ['Acct-Output-Gigawords', 0],
      ['Acct-Input-Packets', counters.inputPackets],
      ['Acct-Output-Packets', counters.outputPackets],
      ['Acct-Terminate-Cause', 4],
    ]);
    const start = world.taken[0]!.request;
    assert.equal(radiusValue(start.attributes, 'Acct-Session-Time'), undefined);
    assert.equal(radiusValue(start.attributes, 'Acct-Terminate-Cause'), undefined);
    assert.equal(radiusValues(start.attributes, 'Class').length, 2);
  });

  it('can be sent whatever the names are: of long ones the beginning, of empty ones nothing', () => {
    const world = new World();
    world.start('a', { username: 'ä'.repeat(300), call: { portId: '' }, authentic: 'local' });
    world.start('b', { username: '\ud800x' });
    world.pass(1000);
    const [a, b] = world.taken;
    assert.equal(radiusValue(a!.request.attributes, 'User-Name')?.text, 'ä'.repeat(126));
    assert.equal(radiusValue(a!.request.attributes, 'NAS-Port-Id'), undefined);
    assert.equal(value(a!.request, 'Acct-Authentic'), 2);
    assert.equal(radiusValue(b!.request.attributes, 'User-Name')?.text, '\ufffdx');
  });

  it('has a number for each cause', () => {
    const numbers = new Set<number>(Object.values(TerminateCause));
    for (const code of causeCodes) assert.ok(numbers.has(terminateCauseOf(code)), code);
    assert.equal(terminateCauseOf('HANGUP'), 1);
    assert.equal(terminateCauseOf('SHUTDOWN'), 7);
    assert.equal(terminateCauseOf('CONNECT_TIME'), 5);
  });
});

describe('interim records', () => {
  it('come each interval, with the counters of then, and count from the start', () => {
    const world = new World();
    world.start('a', { interimInterval: 5 * MINUTE });
    for (let n = 1; n <= 31; n++) {
      world.counters.set('a', traffic(n * 1000));
      world.pass(MINUTE);
    }
    world.stop('a', traffic(99_000));
    world.pass(1000);
    const interims = world.taken.filter(({ type }) => type === 'interim');
    assert.ok(interims.length >= 6 && interims.length <= 7, String(interims.length));
    const times = interims.map(({ request }) => value(request, 'Acct-Session-Time'));
    assert.ok(times[0]! <= 360 && times.slice(1).every((time, n) => time - times[n]! === 300));
    interims.forEach(({ request, delay }, n) => {
      const octets = value(request, 'Acct-Input-Octets');
      assert.ok(
        Math.abs(octets - (times[n]! / 60) * 1000) <= 1000,
        `${octets} after ${times[n]} s`,
      );
      assert.ok(delay < 2000);
      assert.equal(radiusValue(request.attributes, 'Acct-Terminate-Cause'), undefined);
    });
    checkOrder(world.taken);
    assert.equal(world.accounting.waiting, 0);
  });

  it('are a minute apart at least, and those of callers who came together come apart', () => {
    const world = new World();
    for (let n = 0; n < 50; n++) world.start(`s${n}`, { interimInterval: 10 * MINUTE });
    world.start('fast', { interimInterval: 1 });
    world.pass(20 * MINUTE);
    const of = (id: string) => world.taken.filter((one) => one.type === 'interim' && one.id === id);
    assert.equal(of('fast').length, 20);
    const firsts = new Set(
      Array.from({ length: 50 }, (_, n) => Math.floor(of(`s${n}`)[0]!.at / MINUTE)),
    );
    assert.ok(firsts.size >= 5, `in ${firsts.size} minutes`);
    for (let n = 0; n < 50; n++) assert.equal(of(`s${n}`).length, 2);
  });

  it('begin, end and change as the server wishes meanwhile; a Class, too', () => {
    const world = new World();
    world.start('a');
    world.pass(10 * MINUTE);
    assert.deepEqual(world.log, ['start a']);
    world.accounting.handleChange(
      'a',
      { interimInterval: 2 * MINUTE, classes: [Uint8Array.of(9)] },
      world.now,
    );
    world.accounting.handleChange('nobody', { classes: [] }, world.now);
    world.pass(10 * MINUTE);
    assert.equal(world.log.length, 6);
    assert.deepEqual(radiusValue(world.taken[1]!.request.attributes, 'Class'), Uint8Array.of(9));
    world.accounting.handleChange('a', { interimInterval: 0 }, world.now);
    world.pass(10 * MINUTE);
    assert.equal(world.log.length, 6);
    world.restart();
    world.pass(MINUTE);
    assert.deepEqual(
      radiusValue(world.taken.at(-1)!.request.attributes, 'Class'),
      Uint8Array.of(9),
    );
  });

  it('cost one write a minute', () => {
    const world = new World();
    for (let n = 0; n < 20; n++) world.start(`s${n}`, { interimInterval: MINUTE });
    world.pass(MINUTE);
    const { writes } = world.store;
    world.pass(10 * MINUTE);
    assert.ok(world.store.writes - writes <= 10, String(world.store.writes - writes));
    assert.ok(world.taken.length >= 200);
  });
});

describe('order', () => {
  it('of one session is kept, and others do not wait for it', () => {
    const world = new World();
    world.answering = ({ id, type, at }) =>
      id === 'slow' && type === 'start' && at < 1_030_000 ? 'no' : 'yes';
    world.start('slow');
    world.stop('slow');
    for (let n = 0; n < 100; n++) world.start(`s${n}`);
    world.pass(2000);
    assert.equal(world.taken.length, 100);
    assert.ok(world.mostInFlight <= 16 && world.mostInFlight > 8, String(world.mostInFlight));
    world.pass(5 * MINUTE);
    assert.deepEqual(world.log.slice(-2), ['start slow', 'stop slow']);
    checkOrder(world.taken);
  });

  it('is kept by a machine that follows one that threw: what lives goes on, the rest has ended', () => {
    const world = new World();
    world.start('a', { interimInterval: MINUTE });
    world.start('b');
    world.pass(3000);
    world.counters.delete('b');
    world.follow();
    world.start('a', { interimInterval: MINUTE });
    world.pass(3 * MINUTE);
    world.stop('a', traffic(9000), 1);
    world.pass(1000);
    const { log } = world;
    assert.deepEqual(log.slice(0, 3), ['start a', 'start b', 'stop b']);
    assert.ok(log.filter((line) => line === 'interim a').length >= 2, log.join());
    assert.equal(log.at(-1), 'stop a');
    assert.equal(value(world.taken.at(-1)!.request, 'Acct-Terminate-Cause'), 1);
    assert.equal(octetsOf(world.taken.at(-1)!), 9000);
    checkOrder(world.taken);
  });

  it('On comes after what was before it and before what comes after; Off ends what goes on', () => {
    const world = new World();
    world.start('old');
    world.pass(2000);
    world.restart();
    world.accounting.handleOn(nas, world.now);
    world.drain();
    world.start('a');
    world.start('b');
    world.pass(1000);
    assert.deepEqual(world.log, ['start old', 'stop old', 'on', 'start a', 'start b']);
    world.counters.set('a', traffic(777));
    world.stop('b');
    world.accounting.handleOff(nas, world.now);
    world.pass(1000);
    assert.deepEqual(world.log.slice(5).sort(), ['off', 'stop a', 'stop b']);
    assert.equal(world.log.at(-1), 'off');
    const stop = world.taken.find(({ type, id }) => type === 'stop' && id === 'a')!.request;
    assert.equal(value(stop, 'Acct-Terminate-Cause'), TerminateCause.AdminReboot);
    assert.equal(value(stop, 'Acct-Input-Octets'), 777);
    const off = world.taken.at(-1)!.request;
    assert.deepEqual(
      off.attributes.map(({ name }) => name),
      [
        'Acct-Status-Type',
        'Event-Timestamp',
        'Acct-Session-Id',
        'NAS-Identifier',
        'NAS-IP-Address',
      ],
    );
    assert.equal(world.accounting.waiting, 0);
  });

  it('an Off that comes while On waits takes its place', () => {
    const world = new World();
    world.answering = () => 'no';
    world.accounting.handleOn(nas, world.now);
    world.start('a');
    world.pass(MINUTE);
    world.accounting.handleOff(nas, world.now);
    world.answering = () => 'yes';
    world.pass(3 * MINUTE);
    assert.deepEqual(world.log, ['start a', 'stop a', 'off']);
  });

  it('a server that never answers On gets the rest all the same', () => {
    const world = new World();
    world.answering = ({ type }) => (type === 'on' ? 'no' : 'yes');
    world.accounting.handleOn(nas, world.now);
    for (let n = 0; n < 5; n++) world.start(`s${n}`);
    world.pass(3 * MINUTE);
    assert.equal(world.taken.length, 5);
    assert.deepEqual(world.troubles, ['ACCOUNTING_REFUSED Accounting-On']);
    assert.equal(world.accounting.waiting, 0);
    assert.equal(world.accounting.nextTimeout() === undefined, false); // the ticks of what goes on
  });
});

describe('while nobody answers', () => {
  it('records wait, somebody is asked ever more rarely, and then all goes in order', () => {
    const world = new World();
    world.start('a', { interimInterval: MINUTE });
    world.pass(1000);
    world.answering = () => 'no';
    world.start('b');
    world.stop('b', traffic(1));
    world.pass(30 * MINUTE);
    assert.ok(world.sent < 40, `${world.sent} sent`);
    assert.equal(world.taken.length, 1);
    world.stop('a', traffic(42));
    assert.ok(world.accounting.waiting >= 30);
    world.answering = () => 'yes';
    world.pass(2 * MINUTE);
    assert.equal(world.accounting.waiting, 0);
    checkOrder(world.taken);
    const stopB = world.taken.find(({ type, id }) => type === 'stop' && id === 'b')!;
    assert.ok(stopB.delay >= 30 * MINUTE && stopB.delay < 33 * MINUTE);
    assert.equal(stopB.eventAt, Math.floor((world.wall + 1_001_000) / 1000));
    assert.equal(world.log.filter((line) => line === 'interim a').length, 30);
    assert.deepEqual(world.troubles, []);
  });

  it('a server that is back ends the wait', () => {
    const world = new World();
    world.answering = () => 'no';
    world.start('a');
    world.pass(3 * MINUTE);
    world.answering = () => 'yes';
    world.accounting.handleReachable(world.now);
    world.pass(GIVE_UP + LATENCY);
    assert.deepEqual(world.log, ['start a']);
  });

  it('a record that nobody takes is not the one by which everybody is judged', () => {
    const world = new World();
    world.answering = () => 'no';
    world.start('bad');
    world.start('good');
    world.pass(5 * MINUTE);
    world.answering = ({ id }) => (id === 'bad' ? 'no' : 'yes');
    world.pass(5 * MINUTE);
    world.stop('good');
    world.stop('bad');
    world.pass(10 * MINUTE);
    assert.deepEqual(world.log, ['start good', 'stop good']);
    // Alone with it nobody can tell; beside others it is given up at last.
    for (let n = 0; n < 1500; n++) {
      world.start(`s${n}`);
      world.stop(`s${n}`);
      world.pass(5_000);
    }
    assert.deepEqual(world.troubles, [
      'ACCOUNTING_REFUSED start of session bad',
      'ACCOUNTING_REFUSED stop of session bad',
    ]);
    assert.equal(world.accounting.waiting, 0);
  });

  it('an answer that is lost makes a record that says the same', () => {
    const world = new World();
    let lost = 0;
    world.answering = () => (lost++ < 1 ? 'lost-answer' : 'yes');
    world.start('a');
    world.pass(MINUTE);
    const [first, second] = world.taken;
    assert.equal(first!.eventAt, second!.eventAt);
    assert.equal(second!.delay - first!.delay, second!.at - first!.at);
  });
});

describe('bounds', () => {
  it('interims go first, the oldest of them, and then the sessions that ended first', () => {
    const world = new World({ records: 20, octets: 1 << 20 });
    world.answering = () => 'no';
    world.start('a', { interimInterval: MINUTE });
    world.pass(40 * MINUTE);
    assert.equal(world.accounting.waiting, 20);
    assert.ok(world.counts.get('interims dropped')! >= 20);
    for (let n = 0; n < 15; n++) {
      world.start(`s${n}`);
      world.stop(`s${n}`);
    }
    const { waiting } = world.accounting;
    assert.ok([18, 19, 20].includes(waiting), String(waiting));
    assert.equal(world.troubles.length, world.counts.get('sessions lost'));
    assert.ok(world.troubles.length >= 5 && /session s[0-2]$/.test(world.troubles[0]!));
    world.stop('a');
    world.answering = () => 'yes';
    world.pass(5 * MINUTE);
    checkOrder(world.taken);
    const ids = new Set(world.taken.map(({ id }) => id));
    for (const id of ids) {
      const types = world.taken.filter((record) => record.id === id).map(({ type }) => type);
      assert.ok(types.includes('start') && types.includes('stop'), `${id}: ${types.join()}`);
    }
    assert.ok(ids.has('a') && ids.has('s14'));
    assert.equal(world.accounting.waiting, 0);
  });

  it('octets are bounded likewise, and so is the journal', () => {
    const octets = 100_000;
    const world = new World({ records: 1e6, octets });
    world.answering = () => 'no';
    let largest = 0;
    for (let n = 0; n < 3000; n++) {
      world.start(`s${n}`);
      world.stop(`s${n}`);
      largest = Math.max(largest, world.store.text.length);
      if (n % 100 === 0) world.pass(MINUTE);
    }
    assert.ok(largest < 262_144 + 2 * octets, `${largest} octets`);
    const kept = world.accounting.waiting / 2;
    assert.ok(kept > 80 && kept < 200, `${kept} sessions`);
    assert.equal(world.counts.get('sessions lost'), 3000 - kept);
    const before = world.accounting.waiting;
    world.restart();
    assert.equal(world.accounting.waiting, before);
  });

  it('sessions that go on are never lost, for they are bounded elsewhere', () => {
    const world = new World({ records: 5, octets: 1 << 20 });
    world.answering = () => 'no';
    for (let n = 0; n < 10; n++) world.start(`s${n}`);
    assert.equal(world.accounting.waiting, 10);
    assert.deepEqual(world.troubles, []);
  });

  it('a session that begins twice is one, and one that is not known does not end', () => {
    const world = new World();
    world.start('a');
    world.start('a', { address: 0x0a000001 });
    world.stop('b');
    world.stop('a');
    world.stop('a');
    world.pass(1000);
    assert.deepEqual(world.log, ['start a', 'stop a']);
    const { attributes } = world.taken[1]!.request;
    assert.equal(radiusValue(attributes, 'Framed-IP-Address'), 0x0a000001);
    world.pass(5 * MINUTE);
    assert.equal(world.accounting.nextTimeout(), undefined);
  });
});
