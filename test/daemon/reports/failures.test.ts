import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failures } from '../../../src/daemon/reports/failures.ts';
import type { SessionEvent } from '../../../src/session/ports.ts';
import { cause } from '../../../src/wire/cause.ts';
import { session } from '../status.ts';

const peer = session.peer;

function entries(...events: SessionEvent[]) {
  const failures = new Failures();
  for (const event of events) failures.note(event);
  return failures.list();
}

function noted(...events: SessionEvent[]) {
  return entries(...events).map(({ name, peer: from, username, cause: why }) => [
    name,
    from,
    username,
    why.code,
  ]);
}

test('every kind of failure says who, from where and why', () => {
  assert.deepEqual(
    noted(
      { what: 'session-down', session, cause: cause('PEER_DEAD') },
      { what: 'caller-refused', server: 'home', peer, cause: cause('SOURCE_BANNED') },
      {
        what: 'auth-failed',
        server: 'home',
        peer,
        username: 'eve',
        cause: cause('PEER_AUTH_FAILED'),
      },
      { what: 'link-state', link: 'office', state: 'waiting', cause: cause('CONNECT_TIMEOUT') },
    ),
    [
      ['home', '203.0.113.9', 'anna', 'PEER_DEAD'],
      ['home', '203.0.113.9', '', 'SOURCE_BANNED'],
      ['home', '203.0.113.9', 'eve', 'PEER_AUTH_FAILED'],
      ['office', '', '', 'CONNECT_TIMEOUT'],
    ],
  );
});

test('ordinary ends and other events are no failures', () => {
  const codes = ['USER_REQUEST', 'SHUTDOWN', 'IDLE_TIMEOUT', 'HANGUP', 'PEER_TERMINATED'] as const;
  assert.deepEqual(
    noted(
      ...codes.map((code) => ({ what: 'session-down', session, cause: cause(code) }) as const),
      { what: 'session-up', session },
      { what: 'link-state', link: 'office', state: 'up' },
      { what: 'link-state', link: 'office', state: 'demand', cause: cause('CONNECT_TIMEOUT') },
      { what: 'step', link: 'office', step: 'tcp', detail: '' },
    ),
    [],
  );
});

test('a link that is lost is one failure, also where the peer said goodbye', () => {
  const link = { ...session, kind: 'link', name: 'office' } as const;
  for (const code of ['PEER_TERMINATED', 'HANGUP', 'PEER_DEAD'] as const)
    assert.deepEqual(
      noted(
        { what: 'link-state', link: 'office', state: 'stopping', cause: cause(code) },
        { what: 'session-down', session: link, cause: cause(code) },
        { what: 'link-state', link: 'office', state: 'down', cause: cause(code) },
        { what: 'link-state', link: 'office', state: 'waiting', cause: cause(code) },
        { what: 'link-state', link: 'office', state: 'waiting', cause: cause('CONNECT_TIMEOUT') },
      ),
      [
        ['office', '203.0.113.9', 'anna', code],
        ['office', '', '', 'CONNECT_TIMEOUT'],
      ],
    );
});

test('the list is bounded: the oldest go', () => {
  const failures = new Failures();
  for (let i = 0; i < 1000; i++)
    failures.note({
      what: 'session-down',
      session: { ...session, username: String(i) },
      cause: cause('PEER_DEAD'),
    });
  const list = failures.list();
  assert.equal(list.length, 100);
  assert.equal(list.at(-1)?.username, '999');
  assert.equal(list[0]?.username, '900');
});

test('guessing with ever new names has half of the list, and pushes no other failure out', () => {
  const failures = new Failures();
  failures.note({ what: 'session-down', session, cause: cause('PEER_DEAD') });
  for (let i = 0; i < 1000; i++)
    failures.note({
      what: 'auth-failed',
      server: 'home',
      peer,
      username: String(i),
      cause: cause('PEER_AUTH_FAILED'),
    });
  const list = failures.list();
  assert.deepEqual(
    [list.length, list[0]?.username, list[1]?.username, list.at(-1)?.username],
    [51, session.username, '950', '999'],
  );
});

test('a link that is given up is one failure, however often the router is told, until it dials again', () => {
  const blocked = {
    what: 'link-state',
    link: 'office',
    state: 'blocked',
    cause: cause('AUTH_TOPEER_FAILED'),
  } as const;
  assert.deepEqual(noted(blocked, blocked, { ...blocked, link: 'home' }, blocked), [
    ['office', '', '', 'AUTH_TOPEER_FAILED'],
    ['home', '', '', 'AUTH_TOPEER_FAILED'],
  ]);
  const dialling = { what: 'link-state', link: 'office', state: 'connecting' } as const;
  const counted = (...events: SessionEvent[]) => entries(...events).map(({ count }) => count);
  assert.deepEqual(counted(blocked, blocked), [1]);
  assert.deepEqual(counted(blocked, dialling, blocked), [2]);
});

test('the same again is one entry, with how often and since when, at the end of the list', (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const failures = new Failures();
  const guess = (username: string): void => {
    const why = cause('PEER_AUTH_FAILED');
    failures.note({ what: 'auth-failed', server: 'home', peer, username, cause: why });
    context.mock.timers.tick(10_000);
  };
  for (const username of ['eve', 'anna', 'eve', 'eve']) guess(username);
  assert.deepEqual(
    failures.list().map(({ username, count, first, time }) => [username, count, first, time]),
    [
      ['anna', 1, 1010, 1010],
      ['eve', 3, 1000, 1030],
    ],
  );
});

test('a link that fails again and again does not push out the others, whoever answered', () => {
  const waiting = { what: 'link-state', link: 'office', state: 'waiting' } as const;
  const lost = { ...session, kind: 'link', name: 'office' } as const;
  const list = entries(
    {
      what: 'auth-failed',
      server: 'home',
      peer,
      username: 'eve',
      cause: cause('PEER_AUTH_FAILED'),
    },
    ...Array.from({ length: 200 }, () => ({ ...waiting, cause: cause('CONNECT_TIMEOUT') })),
    { what: 'session-down', session: lost, cause: cause('PEER_DEAD') },
    { ...waiting, cause: cause('PEER_DEAD') },
    { what: 'session-down', session: { ...lost, peer: 1 }, cause: cause('PEER_DEAD') },
  );
  assert.deepEqual(
    list.map(({ kind, name, count }) => [kind, name, count]),
    [
      ['server', 'home', 1],
      ['link', 'office', 200],
      ['link', 'office', 2],
    ],
  );
});
