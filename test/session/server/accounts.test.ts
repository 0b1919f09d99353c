import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHours } from '../../../src/daemon/configuration/hours.ts';
import type { User } from '../../../src/session/options.ts';
import { accountFault, Accounts } from '../../../src/session/server/accounts.ts';
import { seeded, user } from '../../support/world.ts';

const anna = user('anna');
const corpAnna = user('CORP\\anna');
const bertAtHome = user('bert', { section: 'bert1', servers: ['home'] });
const bertAtWork = user('bert', { section: 'bert2', servers: ['work'] });

test('found by the name as it came, else without its domain; namesakes by server', () => {
  const accounts = new Accounts([anna, corpAnna, bertAtHome, bertAtWork], seeded(1));
  assert.equal(accounts.find('anna', 'anna', 'home'), anna);
  assert.equal(accounts.find('CORP\\anna', 'anna', 'home'), corpAnna);
  assert.equal(accounts.find('OTHER\\anna', 'anna', 'home'), anna);
  assert.equal(accounts.find('bert', 'bert', 'work'), bertAtWork);
  assert.equal(accounts.find('bert', 'bert', 'third'), bertAtHome);
  assert.equal(accounts.find('Anna', 'Anna', 'home'), undefined);
  assert.equal(accounts.find('__proto__', '__proto__', 'home'), undefined);
});

test('what speaks against an account', () => {
  const fault = (change: Partial<User>, utc = 0, local = utc, server = 'home') =>
    accountFault({ ...anna, ...change }, server, { utc, local }, ['mschap-v2']);
  assert.equal(fault({}), undefined);
  assert.equal(fault({ enabled: false })?.code, 'ACCOUNT_DISABLED');
  assert.equal(fault(bertAtHome, 0, 0, 'work')?.code, 'ACCOUNT_DISABLED');
  assert.equal(fault({ expires: 5 }, 5), undefined);
  assert.equal(fault({ expires: 5 }, 6)?.code, 'ACCOUNT_EXPIRED');
  const hours = parseHours('Thu 01:00-02:00')!; // 1 January 1970 was one
  assert.equal(fault({ hours }, 0, 3_600_000), undefined);
  assert.deepEqual(fault({ hours }, 3_600_000, 7_200_000), {
    code: 'OUTSIDE_HOURS',
    detail: 'Thu 01:00-02:00',
  });
  assert.equal(fault({ auth: ['eap', 'mschap-v2'] }), undefined);
  assert.deepEqual(fault({ auth: ['eap'] }), {
    code: 'AUTH_METHOD_REFUSED',
    detail: 'the user may use eap',
  });
});
