import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { Faults } from '../../../src/daemon/engine/faults.ts';
import { IoError } from '../../../src/native/io-error.ts';
import { clock } from '../../../src/platform/platform.ts';
import { RouterError } from '../../../src/router/router.ts';
import { UbusError } from '../../../src/ubus-js/index.ts';

function scene() {
  const lines: string[] = [];
  const ends: string[] = [];
  const line = (level: string, text: string) => lines.push(`${level}: ${text}`);
  return { faults: new Faults({ line, end: (what) => ends.push(what) }), lines, ends };
}

/** Always at the same place in the code. */
const broken = (text = 'broken') => new TypeError(text);

function still(context: TestContext): { now: number } {
  const time = { now: 0 };
  mock.method(clock, 'monotonic', () => time.now);
  context.after(() => mock.reset());
  return time;
}

test('a fault shows its stack once; more of its kind are short, limited and counted', (context) => {
  const time = still(context);
  const { faults, lines } = scene();
  for (let i = 0; i < 1000; i++)
    assert.deepEqual(faults.note('link office', broken(`broken ${i}`)), {
      code: 'INTERNAL_ERROR',
      detail: `TypeError: broken ${i}`,
    });
  assert.equal(lines.length, 20);
  assert.match(
    lines[0]!,
    /^error: link office: a fault in pptp-gateway itself: TypeError: broken 0 \(broken \(faults\.test\.ts:\d+:\d+\) < /,
  );
  assert.equal(lines.filter((line) => line.includes(' < ')).length, 1);
  assert.deepEqual(faults.counters(), { 'internal error': 1000 });
  time.now = 1_000;
  faults.note('link office', broken());
  assert.match(lines[20]!, /; 980 more like it were not told$/);
});

test('no folder of the machine that built it is in a line', () => {
  const { faults, lines } = scene();
  faults.note('x', broken());
  assert.doesNotMatch(lines[0]!, /\/|file:/);
});

test('what is thrown need be no Error, and the log may be broken, too', () => {
  const { faults, lines } = scene();
  faults.note('x', 'a text');
  faults.note('x', undefined);
  assert.match(lines[0]!, /itself: a text/);
  const mute = new Faults({
    line: () => {
      throw broken();
    },
    end: (what) => {
      assert.fail(what);
    },
  });
  assert.equal(mute.note('x', broken()).code, 'INTERNAL_ERROR');
});

test('what is contained ends alone, and what is to be done then is done', async () => {
  const { faults, lines } = scene();
  const throwing = (): undefined => {
    throw broken();
  };
  assert.equal(
    faults.contain('x', () => 7),
    7,
  );
  faults.contain('x', throwing);
  assert.equal(faults.counters()['internal error'], 1);
  let cleaned = false;
  faults.contain('x', throwing, () => (cleaned = true));
  faults.contain('x', throwing, throwing);
  assert.equal(cleaned, true);
  faults.watch('y', Promise.reject(broken()));
  await Promise.resolve();
  assert.match(lines.at(-1)!, /^error: y: a fault/);
});

test('what the system, the router or the bus refuses is no fault of ours', async () => {
  const { faults, lines } = scene();
  const refusals = [
    new IoError(28, 'write'),
    new RouterError('ip route: no'),
    new UbusError('NOT_FOUND'),
    Object.assign(new Error('full'), { code: 'ENOSPC' }),
  ];
  for (const refusal of refusals) faults.watch('x', Promise.reject(refusal));
  await Promise.resolve();
  assert.equal(lines.length, 4);
  for (const line of lines) assert.match(line, /^warning: x: /);
  assert.deepEqual(faults.counters(), {});
  faults.watch('x', Promise.reject(Object.assign(broken(), { code: 'ERR_INVALID_ARG_TYPE' })));
  await Promise.resolve();
  assert.deepEqual(faults.counters(), { 'internal error': 1 });
});

test('only once it ends all: the engine, or no memory', () => {
  const { faults, ends } = scene();
  faults.note('x', new RangeError('Invalid array length'));
  assert.deepEqual(ends, []);
  faults.note('x', new RangeError('Array buffer allocation failed'));
  faults.endAll('packets', broken());
  assert.equal(ends.length, 1);
  assert.match(ends[0]!, /^x: RangeError: Array buffer allocation failed/);
});
