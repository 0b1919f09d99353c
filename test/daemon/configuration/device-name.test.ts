import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deviceName } from '../../../src/daemon/configuration/device-name.ts';

test('the prefix and the name of the interface, where they fit', () => {
  assert.equal(deviceName('pptp-', 'office'), 'pptp-office');
  assert.equal(deviceName('pptps-', 'ninechars'), 'pptps-ninechars'); // 15
});

test('a longer name is shortened to 15 characters with a hash that stays the same', () => {
  // FNV-1a of headquarters ends with 22be
  assert.equal(deviceName('pptps-', 'headquarters'), 'pptps-headq22be');
  assert.notEqual(deviceName('pptps-', 'headquarters2'), deviceName('pptps-', 'headquarters'));
});

test('never longer than the kernel allows', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_]{1,40}$/);
  fc.assert(
    fc.property(name, fc.constantFrom('pptp-', 'pptps-'), (interfaceName, prefix) => {
      const device = deviceName(prefix, interfaceName);
      assert.ok(device.length <= 15 && device.startsWith(prefix));
    }),
  );
});
