/** What of a configuration with faults runs after a start, and after a reload. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  parseConfiguration,
  type Configuration,
} from '../../../src/daemon/configuration/configuration.ts';
import { ConfigError, type Problem } from '../../../src/daemon/configuration/problems.ts';
import { formatAddress } from '../../../src/wire/ip.ts';
import { told, type Files } from './parsed.ts';

const described = (problem: Problem) => told(problem).replace(/^error: /, '');

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

function usable(texts: Files) {
  const { servers, links, users, relays, faults, limits, logLevel } = parseConfiguration(texts, {
    leaveOut: true,
  });
  return {
    runs: [...servers, ...links, ...relays].map(({ name }) => name),
    users: users.map(({ section }) => section),
    faults: faults.map(described),
    limits,
    logLevel,
  };
}

test('a section with faults is left out, the others run', () => {
  const network = server('home', 99) + link('office', "option mtu 'abc'") + link('branch');
  const { runs, users, faults } = usable({
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
  assert.throws(() => parseConfiguration({ network }), ConfigError); // where nothing is left out
});

test('a server whose options do not fit each other is left out, though it could be read', () => {
  const network = server('home', 99, "option localip '192.168.98.1'") + server('lab', 97);
  assert.deepEqual(usable({ network }).runs, ['lab']);
});

test('globals with faults are the defaults', () => {
  const wrong = "config pptp 'globals'\n\toption log_level 'loud'\n\toption max_sessions '7'\n";
  const { runs, limits, logLevel, faults } = usable({ network: link('office'), pptp: wrong });
  assert.deepEqual([runs, logLevel, limits.maxSessions], [['office'], 'info', 64]);
  assert.equal(faults.length, 1);
});

test('of two that do not go together the first one runs; one that is gone is in nobody’s way', () => {
  const shared = (name: string) => link(name, "option pppname 'tun-x'");
  assert.deepEqual(usable({ network: shared('one') + shared('two') }).runs, ['one']);
  // two shares with one, three only with two, which is left out.
  const range = (name: string, from: string, to: string, localip: string, port: number) =>
    `config interface '${name}'\noption proto 'pptpserver'\noption localip '${localip}'\nlist range '${from}-${to}'\noption port '${port}'\n`;
  const network =
    range('one', '192.168.1.10', '192.168.1.20', '192.168.1.1', 1801) +
    range('two', '192.168.1.20', '192.168.1.30', '192.168.1.2', 1802) +
    range('three', '192.168.1.30', '192.168.1.40', '192.168.1.3', 1803);
  const { runs, faults } = usable({ network });
  assert.deepEqual(runs, ['one', 'three']);
  assert.equal(faults.length, 1);
  // The same, where the one in the way has a fault of its own.
  const faulty = shared('one') + "option mtu 'x'\n" + shared('two');
  assert.deepEqual(usable({ network: faulty }).runs, ['two']);
  assert.deepEqual(
    usable({
      network: link('office'),
      pptp_users: user('anna') + user('a2', "option username 'anna'"),
    }).users,
    ['anna'],
  );
});

test('text that is no UCI, and nothing left to run, refuse the whole', () => {
  const refused = (texts: Files, message: RegExp) =>
    assert.throws(() => usable(texts), { name: 'ConfigError', message });
  refused({ network: link('office') + "option x 'y\n" }, /^error: network line \d+: a quote/);
  refused({ network: link('office'), pptp_users: 'nonsense' }, /pptp_users line 1/);
  refused({ network: link('office', "option mtu 'abc'") }, /section 'office', option 'mtu'/);
  refused({ network: '', pptp_users: user('anna', "option expires 'x'") }, /option 'expires'/);
  assert.deepEqual(usable({ network: '' }).runs, []); // nothing is wrong there
});

describe('at a reload', () => {
  /** Takes these up one after the other. @returns what runs, with a word of each, and the faults of the last */
  function reloaded(...all: readonly Files[]) {
    let before: Configuration | undefined;
    for (const texts of all) before = parseConfiguration(texts, { leaveOut: true, before });
    const { servers, links, users, relays, faults } = before!;
    return {
      servers: servers.map(({ name, mtu }) => `${name} ${mtu}`),
      links: links.map(({ name, mtu }) => `${name} ${mtu}`),
      users: users.map(({ username, address }) => `${username} ${formatAddress(address ?? 0)}`),
      relays: relays.map(({ name }) => name),
      faults: faults.map(
        (fault) => `${described(fault)} ${fault.isKept === true ? '(kept)' : '(left out)'}`,
      ),
    };
  }
  const anna = "config user\n\toption username 'anna'\n\toption password 'geheim'\n";
  const relay = (name: string) =>
    `config relay '${name}'\n\toption direction 'inbound'\n\tlist src 'wan'\n\tlist dest 'lan'\n\toption dest_ip '192.168.1.5'\n`;

  test('a section with faults keeps its last good version; a new one is left out; the rest is taken up', () => {
    const good = { network: server('home', 99) + link('office', "option mtu '1300'") };
    const bad = {
      network:
        server('home', 99, "option mtu '1200'") +
        link('office', "option mtu 'abc'") +
        link('branch', "option mtu 'abc'"),
    };
    for (const history of [
      [good, bad],
      [good, bad, bad],
    ]) {
      const { servers, links, faults } = reloaded(...history);
      assert.deepEqual([servers, links], [['home 1200'], ['office 1300']]);
      assert.equal(faults.length, 2);
      assert.match(faults[0]!, /'office', option 'mtu'.*\(kept\)$/);
      assert.match(faults[1]!, /'branch', option 'mtu'.*\(left out\)$/);
    }
    assert.deepEqual(reloaded(good, bad, { network: link('branch') }).links, ['branch 1400']);
  });

  test('a user name that stands twice: who was there before stays, and every later change is taken up', () => {
    const twice = anna.replace('geheim', 'other') + anna; // the newer one stands first
    const { users, faults, links } = reloaded(
      { network: link('office'), pptp_users: anna },
      { network: link('office'), pptp_users: twice },
      { network: link('office', "option mtu '1300'"), pptp_users: twice + user('bert') },
    );
    assert.deepEqual([users, links], [['anna 0.0.0.0', 'bert 0.0.0.0'], ['office 1300']]);
    assert.equal(faults.length, 1);
    assert.match(faults[0]!, /section '@user\[0\]'.*is also the name of.*\(left out\)$/);
  });

  test('a server and an inbound passthrough: the older one stays, and the fault is of the younger', () => {
    const open = server('home', 0);
    const withServer = { network: link('office') + open };
    const both = { ...withServer, pptp: relay('dmz') };
    const relayLast = reloaded(withServer, both);
    assert.deepEqual([relayLast.servers, relayLast.relays], [['home 1400'], []]);
    assert.match(
      relayLast.faults[0]!,
      /^pptp, section 'dmz', option 'src'.*takes calls from everywhere/,
    );
    const serverLast = reloaded({ network: link('office'), pptp: relay('dmz') }, both);
    assert.deepEqual([serverLast.servers, serverLast.relays], [[], ['dmz']]);
    assert.match(
      serverLast.faults[0]!,
      /^network, section 'home': does not go with section 'dmz' of pptp, which was there before \(option src\)/,
    );
    assert.deepEqual(reloaded({ network: link('office') }, both).servers, ['home 1400']);
  });

  test('one that is changed so that it clashes goes on as it was; it gives up nothing meanwhile', () => {
    const at = (name: string, address: string) =>
      user(name, `option ipaddr '192.168.99.${address}'`);
    const before = { network: server('home', 99), pptp_users: at('anna', '10') + at('bert', '11') };
    const after = {
      network: server('home', 99),
      pptp_users: at('anna', '11') + at('bert', '11') + at('carl', '10'),
    };
    const { users, faults } = reloaded(before, after);
    assert.deepEqual(users, ['anna 192.168.99.10', 'bert 192.168.99.11']);
    assert.match(faults[0]!, /'anna', option 'ipaddr'.*\(kept\)$/);
    assert.match(faults[1]!, /'carl', option 'ipaddr'.*\(left out\)$/);
  });

  test('who was deleted or switched off does not stay by a fault of somebody else or their own', () => {
    const users = (...all: string[]) => all.map((name) => anna.replace('anna', name)).join('');
    const before = { network: link('office'), pptp_users: users('anna', 'bert', 'carl') };
    const shifted = users('anna', 'carl').replace(/'carl'\n/, "'carl'\n\toption expires 'x'\n");
    assert.deepEqual(reloaded(before, { network: link('office'), pptp_users: shifted }).users, [
      'anna 0.0.0.0',
      'carl 0.0.0.0',
    ]);
    const off = users('anna').replace('\n', "\n\toption enabled '0'\n\toption expires 'x'\n");
    assert.deepEqual(reloaded(before, { network: link('office'), pptp_users: off }).users, []);
  });

  test('a file that is no UCI stays as it was, the others are taken up', () => {
    const before = {
      network: server('home', 99),
      pptp_users: anna,
      pptp: "config pptp 'globals'\n\toption max_sessions '7'\n" + relay('dmz'),
    };
    const { servers, users, relays, faults } = reloaded(before, {
      network: server('home', 99, "option mtu '1200'"),
      pptp_users: 'nonsense',
      pptp: "config pptp 'globals'\n\toption max_sessions 'x'\n",
    });
    assert.deepEqual([servers, users, relays], [['home 1200'], ['anna 0.0.0.0'], []]);
    assert.match(faults.join('\n'), /pptp_users line 1: .*\(kept\)/);
    assert.match(faults.join('\n'), /'globals', option 'max_sessions'.*\(kept\)/);
    const first = parseConfiguration(before, { leaveOut: true });
    const wrong = { ...before, pptp: "config pptp 'globals'\n\toption max_sessions 'x'\n" };
    assert.equal(
      parseConfiguration(wrong, { leaveOut: true, before: first }).limits.maxSessions,
      7,
    );
  });

  test('a server that is switched off or has faults is no unknown server to its users', () => {
    const users = user('anna', "list server 'home'") + user('bert', "list server 'nowhere'");
    for (const network of [
      server('home', 99, "option disabled '1'"),
      server('home', 99, "option mtu 'x'") + link('office'),
    ]) {
      const { warnings } = parseConfiguration({ network, pptp_users: users }, { leaveOut: true });
      assert.deepEqual(
        warnings.map(({ section, value, username }) => [section, value, username]),
        [['bert', 'nowhere', 'bert']],
      );
    }
  });
});
