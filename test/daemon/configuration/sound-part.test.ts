/** What of a configuration with faults runs after a start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { ConfigError, describeProblem } from '../../../src/daemon/configuration/problems.ts';
import type { Files } from './parsed.ts';

const server = (name: string, net: number, more = '') => `config interface '${name}'
	option proto 'pptpserver'
	option localip '192.168.${net}.1'
	option network '192.168.${net}.0/24'
	option port '${1723 + net}'
${more}
`;
const link = (name: string, more = '') => `config interface '${name}'
	option proto 'pptpgw'
	option server '203.0.113.9'
	option username 'anna'
	option password 'geheim'
${more}
`;
const user = (name: string, more = '') => `config user '${name}'
	option username '${name}'
	option password 'geheim'
${more}
`;

function sound(texts: Files) {
  const { servers, links, users, relays, faults, limits, logLevel } = parseConfiguration(texts, {
    leaveOut: true,
  });
  return {
    runs: [...servers, ...links, ...relays].map(({ name }) => name),
    users: users.map(({ section }) => section),
    faults: faults.map(describeProblem),
    limits,
    logLevel,
  };
}

test('a section with faults is left out, the others run', () => {
  const network = server('home', 99) + link('office', "option mtu 'abc'") + link('branch');
  const { runs, users, faults } = sound({
    network,
    pptp_users: user('anna') + user('bert', "option expires 'never'") + user('carl'),
  });
  assert.deepEqual(runs, ['home', 'branch']);
  assert.deepEqual(users, ['anna', 'carl']);
  assert.deepEqual(
    faults.map((fault) => fault.replace(/: expected.*/, '')),
    [
      "network, section 'office', option 'mtu', value 'abc'",
      "pptp_users, section 'bert', option 'expires', value 'never'",
    ],
  );
  assert.throws(() => parseConfiguration({ network }), ConfigError); // as a reload has it
});

test('a server whose options do not fit each other is left out, though it could be read', () => {
  const network = server('home', 99, "option localip '192.168.98.1'") + server('lab', 97);
  assert.deepEqual(sound({ network }).runs, ['lab']);
});

test('globals with faults are the defaults', () => {
  const wrong = "config pptp 'globals'\n\toption log_level 'loud'\n\toption max_sessions '7'\n";
  const { runs, limits, logLevel, faults } = sound({ network: link('office'), pptp: wrong });
  assert.deepEqual([runs, logLevel, limits.maxSessions], [['office'], 'info', 64]);
  assert.equal(faults.length, 1);
});

test('of two that do not go together the first one runs; one that is gone is in nobody’s way', () => {
  const shared = (name: string) => link(name, "option pppname 'tun-x'");
  assert.deepEqual(sound({ network: shared('one') + shared('two') }).runs, ['one']);
  // two shares with one, three only with two, which is left out.
  const range = (name: string, from: string, to: string, localip: string, port: number) =>
    `config interface '${name}'\noption proto 'pptpserver'\noption localip '${localip}'\nlist range '${from}-${to}'\noption port '${port}'\n`;
  const network =
    range('one', '192.168.1.10', '192.168.1.20', '192.168.1.1', 1801) +
    range('two', '192.168.1.20', '192.168.1.30', '192.168.1.2', 1802) +
    range('three', '192.168.1.30', '192.168.1.40', '192.168.1.3', 1803);
  const { runs, faults } = sound({ network });
  assert.deepEqual(runs, ['one', 'three']);
  assert.equal(faults.length, 1);
  // The same, where the one in the way has a fault of its own.
  const faulty = shared('one') + "option mtu 'x'\n" + shared('two');
  assert.deepEqual(sound({ network: faulty }).runs, ['two']);
  assert.deepEqual(
    sound({
      network: link('office'),
      pptp_users: user('anna') + user('a2', "option username 'anna'"),
    }).users,
    ['anna'],
  );
});

test('text that is no UCI, and nothing left to run, refuse the whole', () => {
  const refused = (texts: Files, message: RegExp) =>
    assert.throws(() => sound(texts), { name: 'ConfigError', message });
  refused({ network: link('office') + "option x 'y\n" }, /^error: network line \d+: a quote/);
  refused({ network: link('office'), pptp_users: 'nonsense' }, /pptp_users line 1/);
  refused({ network: link('office', "option mtu 'abc'") }, /section 'office', option 'mtu'/);
  refused({ network: '', pptp_users: user('anna', "option expires 'x'") }, /option 'expires'/);
  assert.deepEqual(sound({ network: '' }).runs, []); // nothing is wrong there
});
