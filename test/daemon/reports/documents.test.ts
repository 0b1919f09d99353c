import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import {
  causeDocument,
  radiusServerDocument,
  sessionDocument,
} from '../../../src/daemon/reports/documents.ts';
import { cause } from '../../../src/wire/cause.ts';
import { ordinaryTerms } from '../../../src/session/authorization.ts';
import { session } from '../status.ts';

test('a session: snake_case keys, seconds, octets, addresses as text', (context) => {
  mock.method(Date, 'now', () => 1_700_000_100_400);
  context.after(() => mock.reset());
  assert.deepEqual(sessionDocument(session, 61_400), {
    id: 7,
    server: 'home',
    username: 'anna',
    peer: '203.0.113.9',
    callid: 12,
    peer_callid: 34,
    local_address: '192.168.99.1',
    address: '192.168.99.10',
    routes: ['10.1.0.0/16', '10.2.0.0/16'],
    since: 1_700_000_040,
    uptime: 60,
    auth: 'mschap-v2',
    mppe: 'mppe-128',
    mru: 1400,
    rate_up: 2000,
    rx_bytes: 1,
    tx_bytes: 2,
    rx_packets: 3,
    tx_packets: 4,
    lost: 5,
    reordered: 6,
    duplicates: 7,
    drops: { 'bad-source': 8 },
  });
});

test('since when a session is there does not depend on when one asks', (context) => {
  let passed = 0;
  mock.method(Date, 'now', () => 1_700_000_100_400 + passed);
  context.after(() => mock.reset());
  const seen = new Set<number>();
  for (; passed < 2000; passed += 100) seen.add(sessionDocument(session, 61_700 + passed).since);
  assert.deepEqual([...seen], [1_700_000_040]);
});

test('a session of a link names the link', () => {
  const document = sessionDocument({ ...session, kind: 'link', name: 'office' }, 1000);
  assert.equal(document.link, 'office');
  assert.equal('server' in document, false);
  assert.equal(document.uptime, 0);
});

test('a caller that RADIUS has let in', () => {
  const account = {
    source: 'radius',
    call: {
      accountingId: 'a1',
      server: 'home',
      peer: session.peer,
      called: session.localAddress,
      port: 0,
    },
    terms: ordinaryTerms,
    groups: [],
    note: undefined,
  } as const;
  assert.equal(sessionDocument({ ...session, account }, 1000).account, 'radius');
  assert.equal('groups' in sessionDocument({ ...session, account }, 1000), false);
  const anna = {
    ...account,
    source: 'local',
    groups: ['inet fw4 staff', 'ip filter nas'],
    note: '<b>\u202eAnna',
  } as const;
  const { groups, note } = sessionDocument({ ...session, account: anna }, 1000);
  assert.deepEqual([groups, note], [['staff', 'ip filter nas'], '<b>?Anna']);
  assert.equal('account' in sessionDocument(session, 1000), false);
});

test('a clock that is behind does not make a negative uptime', () => {
  assert.equal(sessionDocument(session, 0).uptime, 0);
});

test('every document of a session is JSON without loss', () => {
  const document = sessionDocument(session, 5000);
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
});

test('a cause is its code and its sentence with the detail', () => {
  assert.deepEqual(causeDocument(cause('PEER_DEAD', '3 echoes')), {
    code: 'PEER_DEAD',
    text: 'The peer stopped answering (no reply to LCP echo requests). (3 echoes)',
    detail: '3 echoes',
  });
  assert.deepEqual(causeDocument(cause('HANGUP')), {
    code: 'HANGUP',
    text: 'The other end ended the connection.',
  });
});

test('a RADIUS server: how it is and since when, and nothing of one that was never asked', () => {
  const common = { name: 'main', waiting: 0, sockets: 1, isDistrusted: false };
  const silent = { ...common, state: 'unknown', heard: undefined, roundTrip: undefined } as const;
  assert.deepEqual(radiusServerDocument(silent, 5000), {
    name: 'main',
    state: 'unknown',
    waiting: 0,
    distrusted: false,
  });
  const heard = { ...common, state: 'alive', waiting: 2, heard: 2000, roundTrip: 12.6 } as const;
  assert.deepEqual(radiusServerDocument({ ...heard, isDistrusted: true }, 5000), {
    name: 'main',
    state: 'alive',
    waiting: 2,
    round_trip: 13,
    heard: 3,
    distrusted: true,
  });
});
