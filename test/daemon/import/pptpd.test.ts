import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { importPptpd, type Imported } from '../../../src/daemon/import/pptpd.ts';
import type { PptpdFiles } from '../../../src/daemon/import/pptpd-files.ts';
import { Secret } from '../../../src/crypto/secret.ts';
import { parseUci } from '../../../src/router/uci.ts';
import { formatAddress, formatPrefix, formatRange } from '../../../src/wire/ip.ts';

const fresh = {
  network:
    "config interface 'lan'\n\toption proto 'static'\n\toption ipaddr '192.168.1.1'\n\toption netmask '255.255.255.0'\n",
  pptp: "config pptp 'globals'\n\toption log_level 'info'\n",
  pptp_users: '# nobody yet\n',
};

function imported(
  files: string | Partial<PptpdFiles>,
  before: Imported['texts'] = fresh,
): Imported {
  const some = typeof files === 'string' ? { pptpd: files } : files;
  return importPptpd({ pptpd: '', options: undefined, chapSecrets: undefined, ...some }, before);
}

/** The one server and the users as the daemon would have them once it is switched on. */
function parsed({ texts }: Imported) {
  const network = texts.network.replace("\toption disabled '1'\n", '');
  const { servers, users, warnings } = parseConfiguration({ ...texts, network });
  assert.deepEqual(warnings, []);
  assert.equal(servers.length, 1);
  return { server: servers[0]!, users };
}

const stock = `config service 'pptpd'
	option 'enabled' '1'
	option 'localip' '192.168.0.1'
	option 'remoteip' '192.168.0.20-30'
	option logwtmp '0'

config 'login'
	option 'username' 'user1'
	option 'password' 'password1'
	option 'remoteip' '192.168.0.25'

config 'login'
	option 'username' 'user2'
	option 'password' "it's \\"hard\\""
`;
const stockOptions = `#debug
#logfile /tmp/pptp-server.log
172.16.1.1:
auth
name "pptp-server"
lcp-echo-failure 3
lcp-echo-interval 60
default-asyncmap
mtu 1482
mru 1482
nobsdcomp
nodeflate
#noproxyarp
#nomppc
#mppe no40
proxyarp
require-mschap-v2
refuse-chap
refuse-mschap
refuse-eap
refuse-pap
ms-dns 192.168.1.1
#plugin radius.so
#radius-config-file /etc/radius.conf
`;

test('the files as pptpd of OpenWrt has them', () => {
  const result = imported({ pptpd: stock, options: stockOptions });
  assert.deepEqual(
    [result.server, result.users, result.warnings],
    [
      'pptpd',
      2,
      [
        'pptpd is still switched on, and only one can have TCP port 1723: /etc/init.d/pptpd stop; /etc/init.d/pptpd disable',
      ],
    ],
  );
  assert.equal(parseConfiguration(result.texts).servers.length, 0); // it is switched off
  const { server, users } = parsed(result);
  assert.deepEqual(
    {
      network: formatPrefix(server.network),
      pool: server.pool.map(formatRange),
      proxyArp: server.proxyArp,
      local: formatAddress(server.localAddress),
      auth: server.auth,
      mppe: server.mppe,
      mtu: server.mtu,
      keepalive: server.keepalive,
      dns: server.dns.map(formatAddress),
    },
    {
      network: '192.168.0.0/24',
      pool: ['192.168.0.20-192.168.0.30'],
      proxyArp: false,
      local: '192.168.0.1',
      auth: ['mschap-v2'],
      mppe: { policy: 'required', strengths: [128], stateful: false, askStateful: false },
      mtu: 1482,
      keepalive: { failures: 3, interval: 60_000 },
      dns: ['192.168.1.1'],
    },
  );
  assert.deepEqual(
    users.map(({ section, username, servers, address }) => [
      section,
      username,
      servers,
      address && formatAddress(address),
    ]),
    [
      ['user1', 'user1', ['pptpd'], '192.168.0.25'],
      ['user2', 'user2', ['pptpd'], undefined],
    ],
  );
  assert.ok(users[1]!.secret.equals(Secret.fromPassword('it\'s "hard"')));
});

test('what stands in our files stays as it is', () => {
  const { texts } = imported(stock);
  for (const file of ['network', 'pptp_users'] as const)
    assert.ok(texts[file].startsWith(fresh[file]), file);
  assert.equal(
    texts.pptp,
    "config pptp 'globals'\n\tlist imported 'pptpd'\n\toption log_level 'info'\n",
  );
});

test('once is enough: also when the server was renamed or deleted, or our globals were', () => {
  const { texts } = imported(stock);
  for (const again of [
    texts,
    { ...texts, network: fresh.network },
    { ...texts, network: texts.network.replace("'pptpd'", "'vpn'") },
    { ...texts, pptp: '' },
    { ...texts, pptp: "config pptp 'globals'\n\toption imported 'l2tp pptpd'\n", network: '' },
  ]) {
    const result = imported(stock, again);
    assert.deepEqual([result.server, result.users, result.texts], [undefined, 0, again]);
  }
});

test('our file may be missing, and the name may be taken by another interface', () => {
  const result = imported(stock, {
    network: "config interface 'pptpd'\n\toption proto 'static'\n",
    pptp: '',
    pptp_users: '',
  });
  assert.equal(result.server, 'pptpd_2');
  assert.equal(result.texts.pptp, "config pptp 'globals'\n\tlist imported 'pptpd'\n");
  assert.deepEqual(
    parsed(result).users.map(({ servers }) => servers),
    [['pptpd_2'], ['pptpd_2']],
  );
});

test('a pool inside the LAN', () => {
  const result = imported(`config service 'pptpd'
	option enabled '0'
	option localip '192.168.1.1'
	option remoteip '192.168.1.234-238,192.168.1.245'
`);
  assert.deepEqual(result.warnings, []);
  const { server } = parsed(result);
  assert.deepEqual(
    [formatPrefix(server.network), server.proxyArp, server.pool.map(formatRange)],
    ['192.168.1.1/32', true, ['192.168.1.234-192.168.1.238', '192.168.1.245-192.168.1.245']],
  );
});

test('the words of mppe: a list, one option with commas or blanks, of forks, none', () => {
  const mppe = (lines: string) => {
    const { server } = parsed(
      imported(
        `config service 'pptpd'\n\toption localip '10.0.0.1'\n\toption remoteip '10.0.0.2-9'\n${lines}\n`,
      ),
    );
    return [server.mppe.policy, server.mppe.strengths, server.mppe.stateful];
  };
  const strong = ['required', [128], false];
  assert.deepEqual(mppe(''), strong);
  assert.deepEqual(
    mppe("list mppe 'required'\nlist mppe 'no40'\nlist mppe 'no56'\nlist mppe 'stateless'"),
    strong,
  );
  assert.deepEqual(mppe("option mppe 'required,no40,no56,stateless'"), strong);
  assert.deepEqual(mppe("option mppe 'required no40 no56 stateless'"), strong);
  assert.deepEqual(mppe("list mppe 'required,no40,no56,stateless'"), strong);
  assert.deepEqual(mppe("option mppe '1'"), strong);
  assert.deepEqual(mppe("option mppe 'required,no128'"), ['required', [56, 40], false]);
  assert.deepEqual(mppe("option mppe 'no40'"), ['optional', [128], false]);
  assert.deepEqual(mppe("option mppe '0'"), ['off', [128], false]);
});

test('what is weak is said', () => {
  const service =
    "config service 'pptpd'\n\toption localip '10.0.0.1'\n\toption remoteip '10.0.0.2-9'\n";
  assert.deepEqual(imported(`${service}option mppe 'optional,no128'\n`).warnings, [
    'encryption is optional, as pptpd had it: see the option mppe',
    'keys of 56 or 40 bits are taken over: anyone can break them',
  ]);
  assert.deepEqual(imported({ pptpd: service, options: 'require-pap\n' }).warnings, [
    'options.pptpd: the weak login method pap is not taken over: name it in the option auth if you must',
  ]);
});

test("the example in pptpd's package is nobody's account", () => {
  const login = (username: string, password: string) =>
    `config login\n\toption username '${username}'\n\toption password '${password}'\n`;
  const found = imported(stock + login('youruser', 'yourpass') + login('anna', 'yourpass'));
  assert.deepEqual(
    parsed(found).users.map(({ username }) => username),
    ['user1', 'user2', 'anna'],
  );
  assert.ok(found.warnings.some((text) => text.includes('left out, it is the example')));
});

test('users of chap-secrets that are for this server alone, and not twice', () => {
  const chapSecrets = `#USERNAME  PROVIDER  PASSWORD  IPADDRESS
"CORP\\\\anna" pptp-server "a b#c" 10.0.0.5
user1 pptp-server password1 *
provider * geheim *
other isp geheim *
`;
  const result = imported({ pptpd: stock, chapSecrets });
  assert.deepEqual(result.warnings.slice(0, 2), [
    'chap-secrets line 4: not taken over, it is not for pptp-server alone',
    'chap-secrets line 5: not taken over, it is not for pptp-server alone',
  ]);
  const { users } = parsed(result);
  assert.deepEqual(
    users.map(({ section, username }) => [section, username]),
    [
      ['user1', 'user1'],
      ['user2', 'user2'],
      ['CORP_anna', 'CORP\\anna'],
    ],
  );
  assert.ok(users[2]!.secret.equals(Secret.fromPassword('a b#c')));
  assert.equal(users[2]!.address && formatAddress(users[2]!.address), '10.0.0.5');
});

test('what is not understood is a warning, the rest is taken over', () => {
  const result = imported(
    `config service 'pptpd'
	option localip '10.0.0.1-5'
	option remoteip '10.0.0.20-30,nonsense,10.0.0.300'
	option shiny '1'
	list remotedns '10.0.0.1'
	list dnssvrs 'dns.example.com'
config login
	option username ''
	option password 'x'
config login 'anna'
	option username 'anna'
	option password ''
config login
	option username 'bert'
	option password 'geheim'
	option remoteip '10.0.0.1'
config login
	option username 'bert'
	option password 'geheim'
config login
	option username 'carl'
	option password 'geheim'
	option remoteip 'office'
	option group 'x'
config login
	option username 'ta\tb'
	option password 'geheim'
config magic
`,
  );
  assert.deepEqual(result.warnings, [
    "pptpd section 'pptpd', option 'shiny': not taken over",
    "pptpd section '@login[4]', option 'group': not taken over",
    "pptpd section '@magic[0]': not taken over",
    "pptpd, option 'localip': of several addresses 10.0.0.1 is used for all callers",
    "pptpd, option 'remoteip', value 'nonsense': not understood and left out",
    "pptpd, option 'remoteip', value '10.0.0.300': not understood and left out",
    "the DNS server 'dns.example.com' is no IPv4 address and left out",
    "pptpd section '@login[0]': left out, the name is not a user name of 1 to 128 octets without control characters",
    "pptpd section 'anna': left out, the password is not a password of 1 to 255 octets",
    "pptpd section '@login[2]': its address 10.0.0.1 belongs to another: it gets one from the pool",
    "pptpd section '@login[3]': left out, there is a user of this name",
    "pptpd section '@login[4]': its address is not understood: it gets one from the pool",
    "pptpd section '@login[5]': left out, the name is not a user name of 1 to 128 octets without control characters",
  ]);
  assert.deepEqual(
    parsed(result).users.map(({ username }) => username),
    ['bert', 'carl'],
  );
});

test('without addresses the server is there to be filled in', () => {
  const result = imported("config service 'pptpd'\n");
  assert.deepEqual(result.warnings.slice(0, 2), [
    "pptpd, option 'localip': there is no address: fill in localip of the new server",
    "pptpd, option 'remoteip': there are no addresses for callers: fill in network or range of the new server",
  ]);
  assert.match(
    result.warnings[2]!,
    /^once it is switched on: error: network, section 'pptpd', option 'localip': is required/,
  );
  parseConfiguration(result.texts);
});

test('users that are there already stay, and keep their addresses', () => {
  const before = {
    ...fresh,
    pptp_users:
      "config user 'user1'\n\toption username 'user1'\n\toption password 'mine'\n\toption ipaddr '192.168.0.40'\n",
  };
  const result = imported(stock, before);
  assert.deepEqual(
    result.warnings[0],
    "pptpd section '@login[0]': left out, there is a user of this name",
  );
  assert.ok(parsed(result).users[0]!.secret.equals(Secret.fromPassword('mine')));
});

test('a password that is no single line is refused, and no secret is in any warning', () => {
  const result = imported({
    pptpd: "config login\n\toption username 'anna'\n\toption password 'ge\nheim'\n",
    options: 'password geheim plugin geheim\ngeheim!\n',
    chapSecrets: 'bert pptp-server mein geheim wort\n',
  });
  assert.ok(
    result.warnings.includes(
      "pptpd section '@login[0]': left out, there is a control character in it",
    ),
  );
  assert.doesNotMatch(result.warnings.join('\n'), /geheim|mein|wort/);
});

test('no files make it throw, and what it writes is UCI', () => {
  const line = fc.constantFrom(
    "config service 'pptpd'",
    'config login',
    "\toption localip '10.0.0.1'",
    "\toption remoteip '10.0.0.2-9'",
    "\toption username 'a'",
    "\toption password 'b'",
    "\tlist mppe 'no40'",
    '\toption mppe',
    "'",
    'mppe',
    'name',
    'mtu 9',
    '"',
    '\\',
  );
  const text = fc
    .array(fc.oneof(line, fc.string({ unit: 'binary' })))
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, text, (pptpd, options, chapSecrets) => {
      const { texts } = imported({ pptpd, options, chapSecrets });
      for (const file of ['network', 'pptp', 'pptp_users'] as const)
        assert.deepEqual(parseUci(file, texts[file]).faults, []);
    }),
  );
});
