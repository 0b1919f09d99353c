import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Log, levels, type Level } from '../../../src/daemon/reports/log.ts';
import type { SessionEvent } from '../../../src/session/ports.ts';
import { cause } from '../../../src/wire/cause.ts';
import { session } from '../status.ts';

function logged(events: readonly SessionEvent[], level: Level = 'debug'): string[] {
  const lines: string[] = [];
  const log = new Log((line) => lines.push(line));
  log.level = level;
  for (const event of events) log.event(event);
  return lines;
}

const peer = session.peer;
const events: readonly SessionEvent[] = [
  { what: 'session-up', session },
  { what: 'session-down', session, cause: cause('PEER_DEAD', '3 echoes') },
  { what: 'caller-refused', server: 'home', peer, cause: cause('SOURCE_BANNED') },
  { what: 'auth-failed', server: 'home', peer, username: 'eve', cause: cause('PEER_AUTH_FAILED') },
  { what: 'link-state', link: 'office', state: 'connecting' },
  {
    what: 'link-state',
    link: 'office',
    state: 'waiting',
    cause: cause('CONNECT_REFUSED'),
    retryIn: 5250,
  },
  { what: 'step', link: 'office', step: 'tcp', detail: '203.0.113.9' },
];

test('one line a fact, keys in a fixed order', () => {
  assert.deepEqual(logged(events), [
    'pptp info: server home session 7 user "anna" peer 203.0.113.9: up local 192.168.99.1 address 192.168.99.10 routes 10.1.0.0/16,10.2.0.0/16 auth mschap-v2 mppe mppe-128 mtu 1400\n',
    'pptp info: server home session 7 user "anna" peer 203.0.113.9: down PEER_DEAD "The peer stopped answering (no reply to LCP echo requests). (3 echoes)" rx 1 octets 3 packets tx 2 octets 4 packets lost 5\n',
    'pptp warning: server home caller 203.0.113.9: refused SOURCE_BANNED "Too many failed logins from this address: it is locked out for a while."\n',
    'pptp warning: server home caller 203.0.113.9 user "eve": login failed PEER_AUTH_FAILED "The caller gave a wrong user name or password."\n',
    'pptp info: link office: connecting\n',
    'pptp warning: link office: waiting CONNECT_REFUSED "The server refuses connections to TCP port 1723: no PPTP server runs there, or a firewall rejects it." next attempt in 5.3 s\n',
    'pptp debug: link office: tcp ok 203.0.113.9\n',
  ]);
});

test('a level shows itself and what is worse', () => {
  const shown = (level: Level) =>
    new Set(logged(events, level).map((line) => /^pptp (\w+):/.exec(line)![1]));
  assert.deepEqual(shown('error'), new Set());
  assert.deepEqual(shown('warning'), new Set(['warning']));
  assert.deepEqual(shown('info'), new Set(['info', 'warning']));
  assert.deepEqual(shown('debug'), new Set(['info', 'warning', 'debug']));
  assert.deepEqual(levels, ['error', 'warning', 'info', 'debug']);
});

test('every step of a verbose link is told, and of no other one', () => {
  const lines: string[] = [];
  const log = new Log((line) => lines.push(line));
  log.verbose = new Set(['office']);
  for (const link of ['office', 'home']) log.event({ what: 'step', link, step: 'lcp', detail: '' });
  assert.deepEqual(lines, ['pptp info: link office: lcp ok\n']);
});

test('no name of a peer breaks the line, ends its quotes or steers a terminal', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      'anna" peer 10.0.0.1: up',
      'a\nb',
      'a\r\nJan  1 root: x',
      '\u001b[2J\u001b]0;x\u0007',
      '\u009b31m',
      'a\u2028b\u2029c',
      '\u202egnp.exe\u2066',
      '\\',
      '\\"',
      '\0',
    ),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(hostile, (username) => {
      const [line, ...more] = logged([
        { what: 'auth-failed', server: 'home', peer, username, cause: cause('PEER_AUTH_FAILED') },
      ]);
      assert.deepEqual(more, []);
      // eslint-disable-next-line no-control-regex -- that is what must not be there
      assert.match(line!, /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*\n$/);
      // What follows the quoted name is always the same, and the quoted name is one JSON text.
      const [, quoted] =
        /^pptp warning: server home caller 203\.0\.113\.9 user (.*): login failed PEER_AUTH_FAILED "The/.exec(
          line!,
        )!;
      assert.match(quoted!, /^"(?:[^"\\]|\\.)*"$/);
    }),
    { numRuns: 500 },
  );
});

test('a name is no longer than any account has it: syslog may cut lines', () => {
  const username = '\u0001'.repeat(5_000);
  const [line] = logged([
    { what: 'auth-failed', server: 'home', peer, username, cause: cause('PEER_AUTH_FAILED') },
  ]);
  assert.ok(line!.length < 1_000);
  assert.match(line!, /…": login failed PEER_AUTH_FAILED "/);
});

test('a line of our own is one line too', () => {
  const lines: string[] = [];
  new Log((line) => lines.push(line)).line('error', 'ip: first\nsecond');
  assert.deepEqual(lines, ['pptp error: ip: first?second\n']);
});

test('the last lines are kept, not more than there is room for, and not below the level', () => {
  const log = new Log(() => undefined);
  const recent = (after?: number) => log.recent(after).log;
  log.line('debug', 'not told');
  for (let i = 0; i < 600; i++) log.line('info', `line ${i}`);
  assert.deepEqual(
    [recent().length, recent()[0]!.text, recent().at(-1)!.text],
    [500, 'line 100', 'line 599'],
  );
  const { next } = log.recent();
  assert.deepEqual(recent(next), []);
  log.line('info', 'one more');
  assert.deepEqual(
    recent(next).map(({ text }) => text),
    ['one more'],
  );
  assert.equal(recent(next - 3).length, 4);
  assert.equal(recent(9999).length, 500, 'of a daemon that is another one now: all');
  for (let i = 0; i < 50; i++) log.line('warning', 'x'.repeat(10_000));
  assert.equal(recent().length, 20);
});
