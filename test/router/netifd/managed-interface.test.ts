/** What netifd is told of an interface, in every order of what may happen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { InterfaceStatus } from '../../../src/router/netifd/interface-status.ts';
import {
  ManagedInterface,
  type ManagedOutput,
} from '../../../src/router/netifd/managed-interface.ts';

const up = { 'link-up': true, ifname: 'pptp-office' };

function outputs(machine: ManagedInterface): string[] {
  const found: string[] = [];
  for (let output = machine.poll(); output !== undefined; output = machine.poll())
    found.push(describe(output));
  return found;
}

function describe(output: ManagedOutput): string {
  switch (output.kind) {
    case 'start':
      return output.fresh ? 'start fresh' : 'start';
    case 'stop':
      return 'stop';
    case 'notify':
      return output.update['link-up'] === true ? 'up' : 'down';
  }
}

const shown = (state: 'up' | 'pending' | 'down'): InterfaceStatus => ({
  name: 'office',
  proto: 'pptpgw',
  up: state === 'up',
  pending: state === 'pending',
  autostart: true,
  dynamic: false,
  errors: [],
  device: undefined,
  zone: undefined,
  addresses: [],
  ipv6: [],
  assigned: [],
  defaultRoutes: [],
});

/** Set up, and up. */
function running(): ManagedInterface {
  const machine = new ManagedInterface();
  machine.handleSetup();
  machine.announce(up);
  outputs(machine);
  return machine;
}

test('setup, up, teardown', () => {
  const machine = new ManagedInterface();
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['start fresh']);
  assert.equal(machine.announce(up), true);
  assert.deepEqual(outputs(machine), ['up']);
  machine.handleTeardown();
  assert.deepEqual(outputs(machine), ['stop']);
  machine.withdraw(0);
  assert.deepEqual(outputs(machine), [], 'nothing is told after the end of a generation');
  assert.equal(machine.announce(up), false);
  assert.deepEqual(outputs(machine), []);
});

test('a loss is told once; the setup that follows waits out the pause', () => {
  const machine = running();
  machine.withdraw(0);
  assert.deepEqual(outputs(machine), ['stop', 'down']);
  machine.withdraw(1);
  assert.deepEqual(outputs(machine), []);
  assert.equal(machine.announce(up), false, 'not before the next setup');
  machine.handleTeardown();
  machine.handleTeardown();
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['stop', 'start']);
});

test('ifdown and ifup: the next setup is fresh; so is one that a person asked for', () => {
  const machine = running();
  machine.handleTeardown();
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['stop', 'start fresh']);
  machine.handleDial();
  assert.deepEqual(outputs(machine), ['start fresh'], 'it was pausing');
  machine.announce(up);
  machine.withdraw(0);
  machine.handleTeardown();
  machine.handleDial();
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['up', 'stop', 'down', 'stop', 'start fresh']);
});

test('a second setup: nothing is lost; netifd that has forgotten is told again', () => {
  const machine = new ManagedInterface();
  machine.handleSetup();
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['start fresh', 'start']);
  machine.announce(up);
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['up', 'up']);
});

test('a setup whose teardown never came begins a generation', () => {
  const machine = running();
  machine.withdraw(0);
  machine.handleSetup();
  assert.deepEqual(outputs(machine), ['stop', 'down', 'start']);
});

test('adoption: what is pending in a dump is set up', () => {
  const machine = new ManagedInterface();
  machine.handleStatus(shown('pending'), 0);
  machine.handleStatus(shown('pending'), 1);
  assert.deepEqual(outputs(machine), ['start fresh']);
});

test('a dump makes good what was missed', () => {
  const cases: [string, ManagedInterface, InterfaceStatus | undefined, string[]][] = [
    ['up, and netifd has forgotten', running(), shown('pending'), ['up']],
    ['up, and so it is', running(), shown('up'), []],
    ['up, and netifd has taken it down', running(), shown('down'), ['stop']],
    ['up, and the section is deleted', running(), undefined, ['stop']],
    ['up of an earlier life', new ManagedInterface(), shown('up'), ['stop', 'down']],
    ['down, and so it is', new ManagedInterface(), shown('down'), []],
  ];
  for (const [what, machine, status, expected] of cases) {
    machine.handleStatus(status, 0);
    assert.deepEqual(outputs(machine), expected, what);
  }
});

test('a loss that netifd did not hear of is told again; one whose teardown was missed ends by itself', () => {
  const machine = running();
  machine.withdraw(0);
  outputs(machine);
  machine.handleStatus(shown('up'), 100);
  assert.deepEqual(outputs(machine), ['down']);
  machine.handleStatus(shown('pending'), 1_000);
  assert.deepEqual(outputs(machine), [], 'its teardown is under way');
  machine.handleStatus(shown('pending'), 10_000);
  assert.deepEqual(outputs(machine), ['start']);
});

test('any order: nothing is announced outside a generation, and whoever may not be up was stopped', () => {
  const act = fc.constantFrom(
    'setup', 'teardown', 'dial', 'announce', 'withdraw', 'status up', 'status pending', 'status down', 'gone',
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const machine = new ManagedInterface();
      let mayRun = false;
      let now = 0;
      for (const each of acts) {
        now += 3_000;
        switch (each) {
          case 'setup':
            machine.handleSetup();
            break;
          case 'teardown':
            machine.handleTeardown();
            break;
          case 'dial':
            machine.handleDial();
            break;
          case 'announce':
            assert.equal(machine.announce(up), machine.isSetUp);
            break;
          case 'withdraw':
            machine.withdraw(now);
            break;
          case 'gone':
            machine.handleStatus(undefined, now);
            break;
          case 'status up':
            machine.handleStatus(shown('up'), now);
            break;
          case 'status pending':
            machine.handleStatus(shown('pending'), now);
            break;
          case 'status down':
            machine.handleStatus(shown('down'), now);
            break;
        }
        for (const output of outputs(machine)) {
          if (output.startsWith('start')) mayRun = true;
          else if (output === 'stop') mayRun = false;
          else if (output === 'up') assert.ok(mayRun, `up after ${each}`);
        }
        assert.equal(mayRun, machine.isSetUp);
      }
    }),
    { numRuns: 2_000 },
  );
});
