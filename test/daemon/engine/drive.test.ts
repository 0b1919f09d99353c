import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { Drive, type Machine, type Owner } from '../../../src/daemon/engine/drive.ts';
import { Faults } from '../../../src/daemon/engine/faults.ts';
import { clock } from '../../../src/platform/platform.ts';
import { noFaults } from '../../support/no-faults.ts';

/** A machine that is told what to put out and when it wants to be woken. */
class Scripted implements Machine<string> {
  readonly outputs: string[] = [];
  readonly wakings: number[] = [];
  deadline: number | undefined;
  /** What it does when it is woken. */
  wake: () => void = () => undefined;

  nextTimeout(): number | undefined {
    return this.deadline;
  }

  handleTimeout(now: number): void {
    this.wakings.push(now);
    this.deadline = undefined;
    this.wake();
  }

  poll(): string | undefined {
    return this.outputs.shift();
  }
}

function owner(carryOut: (output: string) => void): Owner<string> {
  return { about: 'a machine', carryOut, failed: () => assert.fail('a fault') };
}

/** Node's timers and the monotonic clock move together, by hand. */
function virtualTime(context: TestContext): { now: number; pass: (ms: number) => void } {
  const time = {
    now: 1000,
    /** In steps of 1 ms: a timer that is armed while time passes still fires. */
    pass: (ms: number) => {
      for (; ms > 0; ms--) {
        time.now++;
        mock.timers.tick(1);
      }
    },
  };
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(clock, 'monotonic', () => time.now);
  context.after(() => mock.reset());
  return time;
}

test('outputs are carried out in order, when the machine was touched', () => {
  const log: string[] = [];
  const drive = new Drive(noFaults());
  const machine = new Scripted();
  machine.outputs.push('a', 'b');
  drive.add(
    machine,
    owner((output) => log.push(output)),
  );
  assert.deepEqual(log, ['a', 'b']);
  machine.outputs.push('c');
  assert.equal(log.length, 2);
  drive.touched(machine);
  assert.deepEqual(log.slice(2), ['c']);
});

test('a machine touched by an output is drained after the one that put it out, never inside it', () => {
  const log: string[] = [];
  const drive = new Drive(noFaults());
  const [one, two] = [new Scripted(), new Scripted()];
  drive.add(
    one,
    owner((output) => {
      if (output === '1a') {
        two.outputs.push('2a');
        drive.touched(two);
      }
      log.push(output);
    }),
  );
  drive.add(
    two,
    owner((output) => {
      log.push(output);
      if (output !== '2a') return;
      one.outputs.push('1c');
      drive.touched(one);
    }),
  );
  log.length = 0;
  one.outputs.push('1a', '1b');
  drive.touched(one);
  assert.deepEqual(log, ['1a', '1b', '2a', '1c']);
});

test('a machine that removes itself while it is drained is not asked for its deadline', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const machine = new Scripted();
  machine.outputs.push('done');
  machine.deadline = 1010;
  drive.add(
    machine,
    owner(() => drive.remove(machine)),
  );
  time.pass(50);
  assert.deepEqual(machine.wakings, []);
  machine.outputs.push('late');
  drive.touched(machine); // nobody carries it out
  assert.deepEqual(machine.outputs, ['late']);
});

/** A drive, what its faults were called, and what ended the program. */
function faulty() {
  const lines: string[] = [];
  const ends: string[] = [];
  const faults = new Faults({
    line: (_level, text) => lines.push(text),
    end: (what) => ends.push(what),
  });
  return { drive: new Drive(faults), lines, ends };
}

/** Every way into a machine, and what is done for it. */
const ways: readonly [string, (machine: Scripted, drive: Drive, fail: () => never) => unknown][] = [
  ['what it is told', (machine, drive, fail) => drive.feed(machine, fail)],
  ['its outputs', (machine, drive, fail) => drive.feed(machine, () => (machine.poll = fail))],
  [
    'its deadline',
    (machine, drive, fail) => drive.feed(machine, () => (machine.nextTimeout = fail)),
  ],
  ['what is done for it', (machine, drive, fail) => drive.guard(machine, fail)],
  [
    'what takes time',
    (machine, drive) => drive.watch(machine, Promise.reject(new Error('broken'))),
  ],
];

for (const [what, tell] of ways)
  test(`a machine that throws at ${what} has failed, once and for all; others go on`, async () => {
    const { drive, lines, ends } = faulty();
    const [broken, sound] = [new Scripted(), new Scripted()];
    const failures: string[] = [];
    const carried: string[] = [];
    drive.add(broken, {
      about: 'the broken one',
      carryOut: (output) => carried.push(output),
      failed: ({ code }) => {
        failures.push(code);
        throw new Error('so is its end');
      },
    });
    drive.add(
      sound,
      owner((output) => carried.push(output)),
    );
    tell(broken, drive, () => {
      throw new Error('broken');
    });
    await Promise.resolve();
    drive.feed(broken, () => assert.fail('it is told something'));
    drive.guard(broken, () => assert.fail('something is done for it'));
    broken.outputs.push('late');
    drive.touched(broken);
    drive.feed(sound, () => sound.outputs.push('y'));
    assert.deepEqual(carried, ['y']);
    assert.deepEqual(failures, ['INTERNAL_ERROR']);
    assert.match(lines[0]!, /^the broken one: .* Error: broken \(.* < .*\)$/);
    assert.match(lines[1]!, /^the broken one: .* Error: so is its end/);
    assert.equal(lines.length, 2);
    assert.deepEqual(ends, []);
  });

test('a machine that throws when it is woken has failed; the next one is woken', (context) => {
  const time = virtualTime(context);
  const { drive } = faulty();
  const [broken, sound] = [new Scripted(), new Scripted()];
  const failures: string[] = [];
  broken.deadline = sound.deadline = 1010;
  broken.wake = () => {
    throw new Error('broken');
  };
  drive.add(broken, {
    about: 'the broken one',
    carryOut: () => undefined,
    failed: ({ code }) => failures.push(code),
  });
  drive.add(
    sound,
    owner(() => undefined),
  );
  time.pass(10);
  assert.deepEqual(failures, ['INTERNAL_ERROR']);
  assert.deepEqual(sound.wakings, [1010]);
});

test('a machine that throws while another one feeds it takes only itself along', () => {
  const { drive } = faulty();
  const [outer, inner] = [new Scripted(), new Scripted()];
  const failures: string[] = [];
  const carried: string[] = [];
  drive.add(
    outer,
    owner((output) => carried.push(output)),
  );
  drive.add(inner, {
    about: 'the inner one',
    carryOut: () => undefined,
    failed: () => failures.push('inner'),
  });
  drive.feed(outer, () => {
    drive.feed(inner, () => {
      throw new Error('broken');
    });
    outer.outputs.push('goes on');
  });
  assert.deepEqual([failures, carried], [['inner'], ['goes on']]);
});

test('machines are woken at their deadlines, each once, and drained after', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const carried: string[] = [];
  const machines = [1030, 1010, 1020].map((deadline, i) => {
    const machine = new Scripted();
    machine.deadline = deadline;
    machine.wake = () => machine.outputs.push(`woken ${i}`);
    drive.add(
      machine,
      owner((output) => carried.push(output)),
    );
    return machine;
  });
  time.pass(9);
  assert.deepEqual(carried, []);
  time.pass(1);
  assert.deepEqual(carried, ['woken 1']);
  time.pass(20);
  assert.deepEqual(carried, ['woken 1', 'woken 2', 'woken 0']);
  assert.deepEqual(
    machines.map(({ wakings }) => wakings),
    [[1030], [1010], [1020]],
  );
});

test('a deadline that moves is honoured at its new time only', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const machine = new Scripted();
  machine.deadline = 1010;
  drive.add(
    machine,
    owner(() => undefined),
  );
  machine.deadline = 1005;
  drive.touched(machine);
  time.pass(5);
  assert.deepEqual(machine.wakings, [1005]);
  machine.deadline = 1010;
  drive.touched(machine);
  machine.deadline = 1040;
  drive.touched(machine);
  time.pass(34);
  assert.equal(machine.wakings.length, 1);
  time.pass(1);
  assert.deepEqual(machine.wakings, [1005, 1040]);
});

test('a deadline without a whole number of milliseconds is never early', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const machine = new Scripted();
  machine.deadline = 1004.3;
  drive.add(
    machine,
    owner(() => undefined),
  );
  time.pass(4);
  assert.deepEqual(machine.wakings, []);
  time.pass(1);
  assert.deepEqual(machine.wakings, [1005]);
});

test('a machine that is always due gets one turn per timer, not all of them', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const [greedy, other] = [new Scripted(), new Scripted()];
  greedy.deadline = other.deadline = 1001;
  greedy.wake = () => (greedy.deadline = 0);
  drive.add(
    greedy,
    owner(() => undefined),
  );
  drive.add(
    other,
    owner(() => undefined),
  );
  time.now++;
  mock.timers.tick(1);
  assert.deepEqual(other.wakings, [1001]);
  assert.ok(greedy.wakings.length <= 2, `${greedy.wakings.length} turns`);
});

test('a deadline beyond what setTimeout can do does not fire at once', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const machine = new Scripted();
  machine.deadline = 2 ** 40;
  drive.add(
    machine,
    owner(() => undefined),
  );
  time.pass(10);
  assert.deepEqual(machine.wakings, []);
});

test('after stop nothing is carried out or woken, and no timer keeps the process', (context) => {
  const time = virtualTime(context);
  const drive = new Drive(noFaults());
  const [machine, other] = [new Scripted(), new Scripted()];
  const carried: string[] = [];
  machine.deadline = 1010;
  other.deadline = 1020;
  drive.add(
    machine,
    owner((output) => carried.push(output)),
  );
  drive.add(
    other,
    owner((output) => carried.push(output)),
  );
  drive.stop();
  const arm = mock.method(globalThis, 'setTimeout');
  machine.outputs.push('late');
  drive.touched(machine); // as a socket that closes later does
  time.pass(50);
  assert.deepEqual([carried, machine.wakings, other.wakings], [[], [], []]);
  assert.equal(arm.mock.callCount(), 0);
});
