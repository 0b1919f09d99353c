import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionDocument } from '../../../src/daemon/reports/documents.ts';
import { busEvent } from '../../../src/daemon/reports/events.ts';
import { decodeTable, encodeTable } from '../../../src/ubus-js/index.ts';
import { cause } from '../../../src/wire/cause.ts';
import { quotaUsedUp, session } from '../status.ts';

const now = 61_000;
const peer = session.peer;

test('a session that comes up or goes down is told with all that is known of it', () => {
  const up = busEvent({ what: 'session-up', session }, now);
  assert.equal(up?.name, 'pptp.session');
  assert.deepEqual(up.data, { action: 'up', ...sessionDocument(session, now) });
  const { action, id, server, username, peer: from, uptime } = up.data;
  assert.deepEqual(
    { action, id, server, username, from, uptime },
    { action: 'up', id: 7, server: 'home', username: 'anna', from: '203.0.113.9', uptime: 60 },
  );
  const down = busEvent({ what: 'session-down', session, cause: cause('IDLE_TIMEOUT') }, now);
  assert.equal(down?.data['action'], 'down');
  assert.deepEqual(Object.keys(down.data['cause'] as object), ['code', 'text']);
  assert.deepEqual(decodeTable(encodeTable(down.data)), down.data);
});

test('a login that failed is told with who and where from', () => {
  const username = 'eve\0\n';
  const told = busEvent(
    { what: 'auth-failed', server: 'home', peer, username, cause: cause('PEER_AUTH_FAILED') },
    now,
  );
  assert.equal(told?.name, 'pptp.session');
  const { cause: why, ...rest } = told.data;
  assert.deepEqual(rest, { action: 'auth-failed', server: 'home', username, peer: '203.0.113.9' });
  assert.equal((why as { code: string }).code, 'PEER_AUTH_FAILED');
});

test("a link's state is told; strangers, steps and counters are not", () => {
  assert.deepEqual(busEvent({ what: 'link-state', link: 'office', state: 'connecting' }, now), {
    name: 'pptp.link',
    data: { link: 'office', state: 'connecting' },
  });
  const waiting = busEvent(
    {
      what: 'link-state',
      link: 'office',
      state: 'waiting',
      cause: cause('NO_ROUTE'),
      retryIn: 4_600,
    },
    now,
  );
  assert.equal(waiting?.data['retry_in'], 5);
  assert.equal((waiting.data['cause'] as { code: string }).code, 'NO_ROUTE');
  for (const event of [
    { what: 'caller-refused', server: 'home', peer, cause: cause('USER_LIMIT') },
    { what: 'step', link: 'office', step: 'tcp', detail: '' },
  ] as const)
    assert.equal(busEvent(event, now), undefined);
});

test('a quota that is used up is told with whose it is and its period', () => {
  assert.deepEqual(busEvent(quotaUsedUp('user', 'eve\0\n'), now), {
    name: 'pptp.quota',
    data: {
      username: 'eve\0\n',
      bytes: 5_000_000,
      used_bytes: 5_000_001,
      used_up: true,
      action: 'slow',
      rate: 512,
      since: '2026-11-01',
      until: '2026-11-30',
    },
  });
  assert.equal(busEvent(quotaUsedUp('link', 'office'), now)?.data['link'], 'office');
});
