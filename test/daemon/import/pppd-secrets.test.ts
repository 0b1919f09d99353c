/** What was found was found by pppd's own scan_authfile() (2.4.9) too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pppdSecrets } from '../../../src/daemon/import/pppd-secrets.ts';

function found(text: string): { users: unknown; said: readonly string[] } {
  const said: string[] = [];
  const secrets = pppdSecrets(text, 'srv', (line, why) => said.push(`${line}: ${why}`));
  return { users: secrets.map(({ client, secret }) => `${client} ${secret}`), said };
}

test('the most exact line counts, and of two that are as exact the first', () => {
  assert.deepEqual(found('anna * one *\nanna srv two *\nanna srv three *\n').users, ['anna two']);
  assert.deepEqual(found('anna * one *\n* srv two *\n').users, ['anna two']);
  assert.deepEqual(found('* * one *\nanna * two *\n').users, ['anna two']);
  assert.deepEqual(found('* srv one *\n').users, []);
});

test('lines that are nobody’s account are said', () => {
  assert.deepEqual(found('anna srv\nbert other pw *\n* srv pw *\ncarl srv pw *\ncarl * x *\n'), {
    users: ['carl pw'],
    said: [
      '1: left out, there is no password',
      '2: left out, it is for another server',
      '3: not taken over: any name could log in with this password, and here each has its own account',
      '5: left out, there is a line of this name already',
    ],
  });
});

test('addresses, options, a secret that is too long', () => {
  const [secret] = pppdSecrets(
    `anna srv ${'x'.repeat(300)} 10.0.0.1 * -- mtu 1000\n`,
    'srv',
    () => undefined,
  );
  assert.deepEqual(secret, {
    line: 1,
    client: 'anna',
    secret: 'x'.repeat(256),
    anyServer: false,
    addresses: ['10.0.0.1', '*'],
    options: ['mtu', '1000'],
  });
});
