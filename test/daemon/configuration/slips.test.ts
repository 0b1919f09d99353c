/** What owners write by mistake, and the sentence that each of these gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  nothingToRun,
  parseConfiguration,
} from '../../../src/daemon/configuration/configuration.ts';
import { complete, files, refusal, warnings, type Files } from './parsed.ts';

const inHome = "network, section 'home'";

test('a misspelt option near a known one is an error with the nearest word', () => {
  for (const [kind, wrong, meant] of [
    ['server', 'alow_from', 'allow_from'],
    ['server', 'allowfrom', 'allow_from'],
    ['server', 'Allow_From', 'allow_from'],
    ['server', 'mut', 'mtu'],
    ['server', 'iddle_timeout', 'idle_timeout'],
    ['link', 'defautroute', 'defaultroute'],
    ['user', 'passwort', 'password'],
    ['user', 'ipadr', 'ipaddr'],
    ['user', 'exipres', 'expires'],
    ['globals', 'loglevel', 'log_level'],
    ['radius', 'secrets', 'secret'],
    ['nas', 'identifer', 'identifier'],
  ] as const)
    for (const value of ['1', ''])
      assert.ok(
        refusal(files(kind, `option ${wrong} '${value}'`)).some((line) =>
          line.endsWith(`option '${wrong}': there is no such option: did you mean ${meant}?`),
        ),
        wrong,
      );
});

test('and refuses its section, not the daemon', () => {
  const network = `config interface 'home'\n${complete.server}option alow_from '10.0.0.0/8'\n`;
  const link = `config interface 'office'\n${complete.link}`;
  const found = parseConfiguration({ network: network + link }, { leaveOut: true });
  assert.deepEqual([found.servers.length, found.links.length], [0, 1]);
  assert.deepEqual(
    found.faults.map(({ option }) => option),
    ['alow_from'],
  );
  // What was in force stays so.
  const before = parseConfiguration(files('server', "list allow_from '10.0.0.0/8'"));
  const [server] = parseConfiguration({ network }, { leaveOut: true, before }).servers;
  assert.equal(server, before.servers[0]);
  const globals = { ...files('server'), ...files('globals', "option loglevel 'debug'") };
  assert.equal(parseConfiguration(globals, { leaveOut: true }).servers.length, 1);
});

test("netifd's general options, of interfaces and their devices, are no slips", () => {
  const general = ['mtu6', 'txqueuelen', 'macaddr', 'ip6hint', 'zone', 'igmpversion', 'metric'];
  for (const kind of ['server', 'link'] as const)
    assert.deepEqual(warnings(files(kind, general.map((o) => `option ${o} '1'`).join('\n'))), []);
});

test('a protocol near ours is said; those of others are theirs', () => {
  const proto = (name: string) => ({
    network: `config interface 'x'\n\toption proto '${name}'\n`,
  });
  for (const [name, meant] of [
    ['pptpsever', 'pptpserver'],
    ['pptp-server', 'pptpserver'],
    ['PPTPserver', 'pptpserver'],
    ['ptpgw', 'pptpgw'],
    ['pptpqw', 'pptpgw'],
    ['pptpclient', 'pptpserver (a server) or pptpgw (a link)'],
  ] as const)
    assert.deepEqual(refusal(proto(name)), [
      `error: network, section 'x', option 'proto', value '${name}': there is no such protocol: did you mean ${meant}?`,
    ]);
  for (const name of [
    'pppoe',
    'ppp',
    'l2tp',
    'static',
    'dhcp',
    'dhcpv6',
    'wireguard',
    '3g',
    'none',
  ])
    assert.deepEqual(warnings(proto(name)), [], name);
  assert.deepEqual(
    parseConfiguration(proto('pptpsever'), { leaveOut: true }).faults.length,
    1,
    'a daemon with nothing else to run starts all the same',
  );
});

test('a server whose callers are nobody', () => {
  const nobody = `warning: ${inHome}: nobody can log in: there is no user in pptp_users who is enabled and may call it`;
  const home = files('server').network!;
  const user = (lines: string) => ({ network: home, pptp_users: files('user', lines).pptp_users! });
  const both = (texts: Files) => warnings(texts);
  assert.deepEqual(both(user('')), []);
  assert.deepEqual(both(user("option enabled '0'")), [nobody]);
  assert.deepEqual(both({ network: home, pptp_users: '' }), [nobody]);
  assert.deepEqual(both(user("list server 'home'")), []);
  assert.equal(both(user("list server 'other'")).includes(nobody), true);
  const radius = {
    ...files('radius'),
    ...files('server', "list accounts 'radius'"),
    pptp_users: '',
  };
  assert.deepEqual(both(radius), []);
});

test('nothing to run', () => {
  assert.equal(
    nothingToRun(parseConfiguration({ network: '' })),
    'nothing to run: there is no server, link or passthrough',
  );
  assert.match(
    nothingToRun(parseConfiguration(files('server', "option disabled '1'"))) ?? '',
    /; switched off: server 'home'$/,
  );
  assert.equal(nothingToRun(parseConfiguration(files('link'))), undefined);
});

test('host bits, a port beside the host, localip in the range', () => {
  assert.deepEqual(warnings(files('link', "list route '10.1.2.3/16'")), [
    "warning: network, section 'office', option 'route', value '10.1.2.3/16': is an address inside the network: counts as 10.1.0.0/16",
  ]);
  assert.deepEqual(warnings(files('link', "option route '10.1.0.0/16 10.9.9.9'")), []);
  assert.match(
    warnings(files('user', "list route '10.1.2.3/24'"))[0] ?? '',
    /counts as 10\.1\.2\.0\/24/,
  );
  assert.deepEqual(warnings(files('link', "option ipv6 '1'\nlist ip6route '2001:db8::9/48'")), [
    "warning: network, section 'office', option 'ip6route', value '2001:db8::9/48': is an address inside the network: counts as 2001:db8::/48",
  ]);
  assert.deepEqual(warnings(files('link', "list ip6route '2001:db8::9'")), [
    "warning: network, section 'office', option 'ip6route': has no effect without IPv6 over the link: option ipv6",
  ]);
  assert.match(
    refusal(files('link', "list ip6route '10.0.0.0/8'")).join(),
    /expected an IPv6 network/,
  );
  assert.deepEqual(refusal(files('link', "option server 'vpn.example.com:1723'", ['server'])), [
    "error: network, section 'office', option 'server', value 'vpn.example.com:1723': expected a host name or an IPv4 address; the port has an option of its own: port",
  ]);
  for (const server of ['2001:db8::1', '[2001:db8::1]', '[2001:db8::1]:1723'])
    assert.deepEqual(refusal(files('link', `option server '${server}'`, ['server'])), [
      `error: network, section 'office', option 'server', value '${server}': expected a host name or an IPv4 address; PPTP needs IPv4: ask the other side for a name or an address of IPv4`,
    ]);
  assert.match(warnings(files('server', "list range '192.168.99.1-192.168.99.9'"))[0] ?? '', /192\.168\.99\.1 is localip: no caller gets it/); // prettier-ignore
});

test('what is empty, and what is said twice', () => {
  assert.deepEqual(warnings(files('server', "option mtu ''")), [
    `warning: ${inHome}, option 'mtu': is empty: counts as if it were not there`,
  ]);
  const [twice = '', ...rest] = warnings(files('link', "option password 'other'"));
  assert.match(twice, /option 'password': stands here twice: what line 5 says does not count$/);
  assert.deepEqual(rest, []);
  const user = (name: string, secret: string) =>
    `config user '${name}'\noption username '${name}'\noption ${secret}\n`;
  const same = (...users: string[]) => warnings({ ...files('server'), pptp_users: users.join('') });
  const said = (name: string) =>
    `warning: pptp_users, section '${name}', option 'password': another user has the same password: whoever knows one can log in as both`;
  assert.deepEqual(same(user('a', "password 'x'"), user('b', "password 'y'")), []);
  assert.deepEqual(same(user('a', "password 'password'"), user('b', "password 'password'")), [said('b')]); // prettier-ignore
  assert.deepEqual(
    same(
      user('a', "nthash '8846F7EAEE8FB117AD06BDD830B7586C'"),
      user('b', "password 'password'"),
      user('c', "password 'x'"),
    ),
    [said('b')],
  );
});
