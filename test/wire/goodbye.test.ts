import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cause, causeCodes } from '../../src/wire/cause.ts';
import { goodbye, peersGoodbye } from '../../src/wire/goodbye.ts';
import { fromHex } from '../../src/wire/octets.ts';

const said = (text: string) => peersGoodbye(new TextEncoder().encode(text));

test('what a peer says is shown printable and cut, and nothing where there is nothing', () => {
  assert.equal(said('User request'), 'User request');
  assert.equal(said('a\nb\u001b[2J\u202e'), 'a b [2J');
  assert.equal(said('x'.repeat(1400))?.length, 80);
  assert.equal(said(''), undefined);
  assert.equal(said('\0\0\0\0'), undefined);
});

test("Windows' Terminate-Request has a number", () => {
  assert.equal(peersGoodbye(fromHex('1a2b3c4d003ccd74000002dc')!), 'Windows error 732');
});

test('what we say is short ASCII that fits every message, and no secret of the login', () => {
  for (const code of causeCodes) assert.match(goodbye(cause(code)), /^[ -~]{0,64}$/);
  assert.equal(goodbye(cause('REPLACED')), 'replaced by a new login');
  assert.equal(goodbye(cause('IDLE_TIMEOUT')), 'idle for too long');
  assert.equal(goodbye(cause('CONNECT_TIME')), 'the time of the session is over');
  assert.equal(goodbye(cause('SHUTDOWN')), 'shutting down');
});
