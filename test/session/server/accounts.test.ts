import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  assert.equal(accountFault(anna, 'home', 0), undefined);
  assert.equal(accountFault({ ...anna, enabled: false }, 'home', 0)?.code, 'ACCOUNT_DISABLED');
  assert.equal(accountFault(bertAtHome, 'work', 0)?.code, 'ACCOUNT_DISABLED');
  assert.equal(accountFault({ ...anna, expires: 5 }, 'home', 5), undefined);
  assert.equal(accountFault({ ...anna, expires: 5 }, 'home', 6)?.code, 'ACCOUNT_EXPIRED');
});
