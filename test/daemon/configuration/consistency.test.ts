/** Faults between options and between sections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { files, only, refusal, warnings } from './parsed.ts';

const ip = (text: string) => parseAddress(text)!;

const server = (name: string, ...lines: string[]) =>
  `config interface '${name}'\noption proto 'pptpserver'\n${lines.join('\n')}\n`;
const subnet = (third: number) => [
  `option localip '192.168.${third}.1'`,
  `option network '192.168.${third}.0/24'`,
];

test('a range without a network is served by proxy ARP on the local address alone', () => {
  const found = only(
    'server',
    parseConfiguration({
      network: server(
        'home',
        "option localip '192.168.1.1'",
        "list range '192.168.1.200-192.168.1.209'",
        "list range '192.168.1.220'",
      ),
    }),
  );
  assert.deepEqual(
    [found['network'], found['proxyArp'], found['pool']],
    [
      { address: ip('192.168.1.1'), length: 32 },
      true,
      [
        { first: ip('192.168.1.200'), last: ip('192.168.1.209') },
        { first: ip('192.168.1.220'), last: ip('192.168.1.220') },
      ],
    ],
  );
});

test('a server needs addresses, not too many, and inside its network', () => {
  assert.deepEqual(refusal(files('server', '', ['network'])), [
    "error: network, section 'home', option 'network': is required (or range): the addresses for callers",
  ]);
  assert.deepEqual(refusal(files('server', "list range '10.0.0.0-10.1.0.0'", ['network'])), [
    "error: network, section 'home', option 'range', value '10.0.0.0-10.1.0.0': expected at most 65536 addresses",
  ]);
  assert.deepEqual(refusal(files('server', "list range '192.168.99.250-192.168.99.255'")), [
    "error: network, section 'home', option 'range', value '192.168.99.250-192.168.99.255': expected addresses inside network, 192.168.99.1-192.168.99.254",
  ]);
  assert.deepEqual(refusal(files('server', "option localip '192.168.98.1'", ['localip'])), [
    "error: network, section 'home', option 'localip', value '192.168.98.1': expected an address inside network, 192.168.99.1-192.168.99.254",
  ]);
});

test('at most two servers of names are told to callers (RFC 1877)', () => {
  for (const option of ['client_dns', 'client_wins'])
    assert.deepEqual(refusal(files('server', `option ${option} '10.0.0.1 10.0.0.2 10.0.0.3'`)), [
      `error: network, section 'home', option '${option}', value '10.0.0.1 10.0.0.2 10.0.0.3': expected at most two addresses`,
    ]);
});

test('weak login methods are a warning, ones that give no keys are refused where keys are required', () => {
  for (const kind of ['server', 'link'] as const) {
    const place = `network, section '${kind === 'server' ? 'home' : 'office'}'`;
    assert.deepEqual(warnings(files(kind, "list auth 'mschap-v2'\nlist auth 'mschap'")), [
      `warning: ${place}, option 'auth', value 'mschap': these login methods are weak: a listener can learn the password`,
    ]);
    assert.deepEqual(warnings(files(kind, "list auth 'eap'\nlist auth 'mschap-v2'")), []);
    assert.deepEqual(refusal(files(kind, "list auth 'pap'\nlist auth 'chap'")), [
      `error: ${place}, option 'mppe', value 'required': login by pap or chap gives no keys to encrypt with: expected auth mschap-v2, or mppe off`,
    ]);
    for (const policy of ['optional', 'off'])
      assert.equal(warnings(files(kind, `list auth 'pap'\noption mppe '${policy}'`)).length, 1);
  }
});

test('holdoff_max is never below holdoff', () => {
  const found = only(
    'link',
    parseConfiguration(files('link', "option holdoff '600'\noption holdoff_max '60'")),
  );
  assert.deepEqual([found['holdoff'], found['holdoffMax']], [600_000, 600_000]);
});

test('two servers live side by side', () => {
  const { servers } = parseConfiguration({
    network:
      server('a', ...subnet(1), "list listen 'eth0'") +
      server('b', ...subnet(2)) +
      server('c', ...subnet(3), "option port '1724'"),
  });
  assert.deepEqual(
    servers.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
});

test('servers that cannot be told apart are refused', () => {
  const pair = (one: string[], two: string[]) =>
    refusal({ network: server('a', ...one) + server('b', ...two) });
  assert.deepEqual(pair(subnet(1), subnet(2)), [
    "error: network, section 'b', option 'listen', value '': server 'a' listens everywhere on port 1723 too: say what each listens on",
  ]);
  assert.deepEqual(
    pair([...subnet(1), "list listen 'eth0'"], [...subnet(2), "option listen 'eth1 eth0'"]),
    [
      "error: network, section 'b', option 'listen', value 'eth0': server 'a' listens there on port 1723 too",
    ],
  );
  assert.deepEqual(pair([...subnet(1), "option listen 'eth0 eth0'"], [...subnet(2)]), [
    "error: network, section 'a', option 'listen', value 'eth0': is there twice",
  ]);
});

test('servers that share addresses are refused', () => {
  const apart = "option port '1724'";
  assert.deepEqual(
    refusal({
      network:
        server('a', ...subnet(1)) +
        server('b', "option localip '192.168.1.1'", "list range '192.168.1.9'", apart),
    }),
    [
      "error: network, section 'b', option 'localip', value '192.168.1.1': the address is also that of server 'a'",
      "error: network, section 'b', option 'range': shares addresses with server 'a'",
    ],
  );
  assert.deepEqual(
    refusal({
      network:
        server('a', ...subnet(1)) +
        server('b', "option localip '192.168.2.1'", "option network '192.168.0.0/16'", apart),
    }),
    ["error: network, section 'b', option 'network': shares addresses with server 'a'"],
  );
});

test('two interfaces cannot have one device', () => {
  const link = (name: string) =>
    `config interface '${name}'\noption proto 'pptpgw'\noption server 'x'\noption username 'u'\noption password 'p'\noption pppname 'vpn0'\n`;
  assert.deepEqual(refusal({ network: link('one') + link('two') }), [
    "error: network, section 'two', option 'pppname', value 'vpn0': the device vpn0 is also that of section 'one'",
  ]);
});

const user = (section: string, ...lines: string[]) =>
  `config user '${section}'\noption password 'geheim'\n${lines.join('\n')}\n`;

test('users differ in name and address', () => {
  assert.deepEqual(
    refusal({
      network: server('home', ...subnet(1)),
      pptp_users:
        user('one', "option username 'anna'", "option ipaddr '192.168.1.5'") +
        user('two', "option username 'anna'", "option ipaddr '192.168.1.5'") +
        user('three', "option username 'bert'", "option ipaddr '192.168.1.1'"),
    }),
    [
      "error: pptp_users, section 'two', option 'username', value 'anna': is also the name of user section 'one'",
      "error: pptp_users, section 'two', option 'ipaddr', value '192.168.1.5': is also the address of user section 'one'",
      "error: pptp_users, section 'three', option 'ipaddr', value '192.168.1.1': is the address of server 'home'",
    ],
  );
});

test('a server that a user names and that is not there is a warning', () => {
  assert.deepEqual(
    warnings({ pptp_users: user('one', "option username 'anna'", "list server 'lab'") }),
    ["warning: pptp_users, section 'one', option 'server', value 'lab': there is no such server"],
  );
});

test("a user's own encryption and login methods beside those of the servers", () => {
  const told = (network: string, user: string) => warnings({ network, pptp_users: users(user) });
  const users = (lines: string) =>
    `config user 'anna'\noption username 'anna'\noption password 'x'\n${lines}\n`;
  const home = (...lines: string[]) => server('home', ...subnet(99), ...lines);
  assert.deepEqual(told(home(), "option mppe 'required'\nlist auth 'mschap-v2'"), []);
  assert.deepEqual(told(home(), "option mppe 'off'"), [
    "warning: pptp_users, section 'anna', option 'mppe', value 'off': weaker than server 'home' has it (required): this user's traffic may pass unencrypted",
  ]);
  assert.deepEqual(told(home("option mppe 'off'"), "option mppe 'optional'"), []);
  assert.deepEqual(told(home(), "option mppe 'off'\nlist server 'other'").length, 2);
  assert.deepEqual(told(home(), "list auth 'mschap'"), [
    "warning: pptp_users, section 'anna', option 'auth', value 'mschap': these login methods are weak: a listener can learn the password",
    "warning: pptp_users, section 'anna', option 'auth', value 'mschap': server 'home' allows none of these: no login there",
  ]);
  assert.deepEqual(told(home("option auth 'mschap-v2 chap'"), "option auth 'chap'").slice(-1), [
    "warning: pptp_users, section 'anna', option 'auth', value 'chap': server 'home': no keys for the encryption that is required",
  ]);
  assert.deepEqual(
    refusal({
      network: home(),
      pptp_users: users("option auth 'chap pap'\noption mppe 'required'"),
    }),
    [
      "error: pptp_users, section 'anna', option 'mppe', value 'required': login by chap or pap gives no keys to encrypt with: expected auth mschap-v2, or mppe off",
    ],
  );
});

test('a user is in so many groups, and has so many hours', () => {
  const many = (option: string, word: (n: number) => string) =>
    Array.from({ length: 65 }, (_, n) => `list ${option} '${word(n)}'`).join('\n');
  assert.deepEqual(
    refusal(
      files('user', `${many('group', (n) => `g${n}`)}\n${many('hours', () => '08:00-09:00')}`),
    ),
    [
      "error: pptp_users, section 'anna', option 'group', value '65 sets': expected at most 16",
      "error: pptp_users, section 'anna', option 'hours', value '65 times': expected at most 64",
    ],
  );
});

test('what an answer to DHCPINFORM has no room for is a warning, of the server or of the user', () => {
  const routes = (count: number) =>
    Array.from({ length: count }, (_, n) => `list client_route '10.${n}.1.0/24'`);
  const texts = (ofServer: number, ofUser: number) => ({
    network: server('home', ...subnet(1), "option domain 'office.lan'", ...routes(ofServer)),
    pptp_users: user('one', "option username 'anna'", ...routes(ofUser)),
  });
  assert.deepEqual(warnings(texts(25, 25)), []);
  for (const [ofServer, ofUser, whose] of [
    [40, 0, "network, section 'home'"],
    [0, 40, "pptp_users, section 'one'"],
  ] as const) {
    const [warning, ...others] = warnings(texts(ofServer, ofUser));
    assert.deepEqual(others, []);
    assert.ok(warning!.startsWith(`warning: ${whose}, option 'client_route'`), warning);
    assert.match(warning!, /more than an answer to DHCPINFORM has room for/);
  }
});
