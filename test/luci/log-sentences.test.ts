/** What the daemon's own log writes is shown in sentences, whatever peers call themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Log } from '../../src/daemon/reports/log.ts';
import type { RelayEvent } from '../../src/daemon/relays/relay-event.ts';
import type { SessionEvent } from '../../src/session/ports.ts';
import { cause, causeCodes } from '../../src/wire/cause.ts';
import { session } from '../daemon/status.ts';
import { luci } from './luci.ts';

const { of: sentence } = luci().module('pptp-gateway.log-sentences');

function logged(event: SessionEvent | RelayEvent): string {
  const log = new Log(() => undefined);
  log.level = 'debug';
  log.event(event);
  return log.recent().log[0]!.text;
}

const shown = (event: SessionEvent | RelayEvent): string => sentence(logged(event));
const { peer } = session;
const link = { ...session, kind: 'link', name: 'office', mppe: 'none', routes: [] } as const;
const call = {
  relay: 'dmz',
  id: 4,
  client: peer,
  server: session.localAddress,
  clientCallId: 1,
  serverCallId: 2,
  since: 0,
  traffic: { rxOctets: 2_000_000, rxPackets: 3, txOctets: 5, txPackets: 6 },
  control: undefined,
};
const ban = { server: 'home', address: peer, since: 0, until: 600_000, tries: 5, username: 'eve' };
const lost = cause('PEER_DEAD', '3 echoes');

test('every event is a sentence, with units and without codes', () => {
  const cases: [SessionEvent | RelayEvent, RegExp][] = [
    [
      { what: 'session-up', session },
      /^anna has connected to the server home from 203\.0\.113\.9, and has the address 192\.168\.99\.10\. Networks behind: 10\.1\.0\.0\/16, 10\.2\.0\.0\/16\. Login by MS-CHAPv2, encryption: MPPE 128\.$/,
    ],
    [
      { what: 'session-up', session: link },
      /^The link office has connected to 203\.0\.113\.9 as anna, and has the address 192\.168\.99\.1\. Login by MS-CHAPv2, encryption: none\.$/,
    ],
    [
      { what: 'session-down', session, cause: cause('USER_REQUEST') },
      /^anna from 203\.0\.113\.9 is no longer connected to the server home\. The connection was ended on request\. Received .*K.*, sent .*K.*\.$/,
    ],
    [
      { what: 'session-down', session: link, cause: lost },
      /^The link office is no longer connected to 203\.0\.113\.9\. The peer stopped answering .* \(3 echoes\) Received /,
    ],
    [
      { what: 'caller-refused', server: 'home', peer, cause: cause('SOURCE_BANNED') },
      /^The server home has turned a caller from 203\.0\.113\.9 away\. Too many failed logins/,
    ],
    [
      {
        what: 'auth-failed',
        server: 'home',
        peer,
        username: 'eve',
        cause: cause('PEER_AUTH_FAILED'),
      },
      /^eve from 203\.0\.113\.9 could not log in to the server home\. The caller gave a wrong/,
    ],
    [{ what: 'link-state', link: 'office', state: 'connecting' }, /^Link office: connecting\.$/],
    [
      { what: 'link-state', link: 'office', state: 'waiting', cause: lost, retryIn: 5250 },
      /^Link office: not connected, will try again\. The peer stopped .* \(3 echoes\) Next attempt in 5 s\.$/,
    ],
    [
      { what: 'server-trouble', server: 'home', username: 'anna', cause: lost },
      /^Server home, anna: The peer stopped/,
    ],
    [
      { what: 'server-trouble', server: 'home', username: undefined, cause: lost },
      /^Server home: The peer stopped/,
    ],
    [
      { what: 'banned', ban },
      /^The server home has locked 203\.0\.113\.9 out, for 600.s, after 5 failed logins, the last one as eve\.$/,
    ],
    [
      { what: 'unbanned', ban, why: 'lifted' },
      /^203\.0\.113\.9 is no longer locked out by the server home: it was unbanned\.$/,
    ],
    [
      { what: 'relay-call-up', call },
      /^203\.0\.113\.9 calls the server 192\.168\.99\.1 through the passthrough dmz\.$/,
    ],
    [
      { what: 'relay-call-down', call, cause: cause('HANGUP') },
      /^The call of 203\.0\.113\.9 to the server 192\.168\.99\.1 through the passthrough dmz has ended\. The other end ended the connection\. Received /,
    ],
    [
      {
        what: 'relay-refused',
        relay: 'dmz',
        client: peer,
        server: undefined,
        cause: cause('SOURCE_BANNED'),
      },
      /^The passthrough dmz has turned 203\.0\.113\.9 away\. Too many/,
    ],
    [
      { what: 'relay-refused', relay: 'dmz', client: peer, server: peer, cause: cause('HANGUP') },
      /^The passthrough dmz has turned 203\.0\.113\.9 away, who called 203\.0\.113\.9\. The other/,
    ],
  ];
  for (const [event, expected] of cases) {
    assert.match(shown(event), expected);
    assert.doesNotMatch(shown(event), /\b[A-Z]+_[A-Z_]+\b|octets|packets|\brx\b|\btx\b/);
  }
  assert.deepEqual(
    new Set(cases.map(([{ what }]) => what)).size,
    new Set([...cases.map(([{ what }]) => what), 'session-up']).size,
  );
});

test('no cause stays a code', () => {
  for (const code of causeCodes)
    for (const detail of [undefined, 'a "quoted" (detail)', 'rx 1 octets 2 packets'])
      for (const event of [
        { what: 'session-down', session, cause: cause(code, detail) },
        { what: 'link-state', link: 'office', state: 'down', cause: cause(code, detail) },
      ] as const) {
        assert.notEqual(shown(event), logged(event));
        assert.ok(!shown(event).includes(code), shown(event));
        if (detail !== undefined) assert.ok(shown(event).includes(`(${detail})`), shown(event));
      }
});

test('a name stays a name, whatever it says', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.constantFrom('a": login failed X "y', '\\', '"', ': up local', '%s %d', 'a\nb'),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      ),
      (username) => {
        const event = { what: 'auth-failed', server: 'home', peer, username, cause: lost } as const;
        assert.ok(shown(event).includes(' from 203.0.113.9 could not log in to the server home. '));
      },
    ),
  );
});

test('what the daemon says of itself, and what is not known here', () => {
  assert.equal(sentence('pptp-gateway 1.0.0 is running'), 'The service runs, version 1.0.0.');
  assert.equal(sentence('configuration read again'), 'The settings were read again.');
  assert.match(
    sentence('server vpn: listening on port 1723 of all networks, 192.168.99.1 on pptps-vpn'),
    /^The server vpn is ready for callers, on port 1723 of all networks\. Its own address is/,
  );
  assert.match(
    sentence(
      'relay dmz: inbound from eth1 to eth0 br-lan, backend relay (chosen by option backend)',
    ),
    /^The passthrough dmz works, from eth1 to eth0 br-lan\. Done by: relay of pptp-gateway\.$/,
  );
  assert.equal(sentence('counted stray: gre'), 'counted stray: gre');
});
