/** What Prometheus is told, checked by its own promtool; and the dashboard asks for nothing else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { metricsText, type Measured } from '../../../src/daemon/metrics/metrics.ts';
import { Tally } from '../../../src/daemon/metrics/tally.ts';
import type { SessionStatus } from '../../../src/session/ports.ts';
import { cause } from '../../../src/wire/cause.ts';
import { session } from '../status.ts';

const docs = (name: string) =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const link: SessionStatus = { ...session, id: 8, kind: 'link', name: 'office', roundTrip: 40 };
const hostile = { ...session, id: 9, username: 'eve"} 1\nfaked{x="\\\ud800' };

/** Something of everything. */
function measured(more: Partial<Measured> = {}): Measured {
  const tally = new Tally();
  const { peer } = session;
  tally.note({ what: 'session-up', session });
  tally.note({ what: 'session-up', session: link });
  tally.note({ what: 'session-down', session, cause: cause('PEER_DEAD') });
  tally.note({ what: 'auth-failed', server: 'home', peer, username: 'eve', cause: cause('PEER_AUTH_FAILED') }); // prettier-ignore
  tally.note({ what: 'caller-refused', server: 'home', peer, cause: cause('SOURCE_BANNED') });
  tally.delayed(3);
  tally.delayed(250);
  const { rxOctets, txOctets, rxPackets, txPackets, lost, reordered, duplicates } =
    session.counters;
  return {
    tally,
    sessions: [session, link, hostile],
    servers: [{ name: 'home', maxSessions: 16 }],
    links: [
      { name: 'office', state: 'up' },
      { name: 'branch', state: 'waiting' },
    ],
    bans: 2,
    packets: {
      gre: { received: 10, sent: 20, truncated: 0, malformed: 1, overflow: 2, errors: { ENOBUFS: 3 } },
      calls: { rxOctets, txOctets, rxPackets, txPackets, lost, reordered, duplicates, drops: { overRate: 4, late: 5 } },
      flood_frames: 0,
    },
    waits: { received: [2, 30], sent: [0, 0] },
    counted: { 'caller refused: SOURCE_BANNED': 1, 'hook "failed"': 2 },
    radius: [
      { name: 'main', state: 'alive', waiting: 1, sockets: 1, heard: 5, roundTrip: 7.5, isDistrusted: false },
      { name: 'spare', state: 'unknown', waiting: 0, sockets: 0, heard: undefined, roundTrip: undefined, isDistrusted: false },
    ],
    resources: { resident: 50_000_000, heap: 9_000_000, processor: 1.5 },
    uptime: 60,
    now: 1_796_054_856,
    ...more,
  }; // prettier-ignore
}

const promtool = (text: string) =>
  execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
const namesIn = (text: string) =>
  new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!));

test('promtool has nothing to say against it, with sessions and without', () => {
  for (const perSession of [false, true]) {
    const text = metricsText(measured(), perSession);
    assert.equal(promtool(text), '');
    assert.equal(/pptp_session_/.test(text), perSession);
  }
  const nothing = { sessions: [], servers: [], links: [], radius: [], counted: {} };
  assert.equal(promtool(metricsText(measured({ ...nothing, tally: new Tally() }), true)), '');
  assert.throws(() => promtool('pptp_x{a="b" 1\n'), 'promtool does look at it');
});

test('numbers are where they belong', () => {
  const text = metricsText(measured(), true);
  for (const line of [
    'pptp_logins_total{server="home",result="accepted"} 1',
    'pptp_logins_total{server="home",result="PEER_AUTH_FAILED"} 1',
    'pptp_callers_refused_total{server="home",cause="SOURCE_BANNED"} 1',
    'pptp_sessions_ended_total{kind="server",name="home",cause="PEER_DEAD"} 1',
    'pptp_server_sessions{server="home"} 2',
    'pptp_link_up{link="office"} 1',
    'pptp_link_up{link="branch"} 0',
    // The session that has ended, and the two that go on.
    'pptp_received_bytes_total{kind="server",name="home"} 3',
    'pptp_sent_packets_total{kind="link",name="office"} 4',
    'pptp_dropped_packets_total{reason="overRate"} 4',
    'pptp_gre_errors_total{reason="ENOBUFS"} 3',
    'pptp_queue_wait_seconds_sum{direction="received"} 0.03',
    'pptp_event_loop_delay_seconds_count 2',
    'pptp_event_loop_delay_max_seconds 0.25',
    'pptp_round_trip_seconds{kind="link",name="office"} 0.04',
    'pptp_radius_up{radius="main"} 1',
    'pptp_radius_round_trip_seconds{radius="main"} 0.0075',
    'process_start_time_seconds 1796054796',
    'pptp_session_received_bytes_total{session="7",kind="server",name="home",username="anna",peer="203.0.113.9"} 1',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
  assert.ok(!text.includes('pptp_radius_up{radius="spare"}'), 'nobody has asked it');
});

test('a hostile name is a name', () => {
  const text = metricsText(measured(), true);
  assert.ok(text.includes('username="eve\\"} 1\\nfaked{x=\\"\\\\\ufffd"'));
  assert.ok(!/^faked/m.test(text));
});

test('counters never go back, also where a packet that was lost comes after all', () => {
  const tally = new Tally();
  const losing = (lost: number) => ({ ...session, counters: { ...session.counters, lost } });
  const lost = (sessions: readonly SessionStatus[]) => tally.traffic(sessions)[0]!.lost;
  assert.equal(lost([losing(5)]), 5);
  assert.equal(lost([losing(3)]), 5);
  tally.note({ what: 'session-down', session: losing(6), cause: cause('HANGUP') });
  assert.equal(lost([]), 6);
});

test('series are bounded, whatever comes', () => {
  const many = Array.from({ length: 4_096 }, (_, id) => ({ ...session, id }));
  const text = metricsText(measured({ sessions: many }), true);
  assert.equal([...text.matchAll(/^pptp_session_sent_bytes_total\{/gm)].length, 500);
  const tally = new Tally();
  for (let n = 0; n < 2_000; n++)
    tally.note({ what: 'session-down', session: { ...session, name: `s${n}` }, cause: cause('HANGUP') }); // prettier-ignore
  assert.equal(tally.ended.size, 1_000);
  assert.equal(tally.traffic([]).length, 1_000);
});

test('the dashboard and the page ask for what there is, and for nothing else', () => {
  const names = namesIn(metricsText(measured(), true));
  const known = (name: string) => names.has(name) || names.has(name.replace(/_(sum|count)$/, ''));
  const dashboard = JSON.parse(docs('grafana.json')) as {
    readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  }; // prettier-ignore
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length >= 12);
  for (const expr of queries) {
    const asked = [...expr.matchAll(/\b(?:pptp|process)_\w+/g)].map(([name]) => name);
    assert.ok(asked.length > 0, expr);
    for (const name of asked) assert.ok(known(name), `${name} in ${expr}`);
  }
  const page = docs('metrics.md');
  for (const name of names) assert.ok(page.includes(`\`${name}\``), `${name} is not in metrics.md`);
  for (const [, name] of page.matchAll(/`((?:pptp|process)_\w+)`/g))
    assert.ok(known(name!), `${name} is in metrics.md alone`);
});
