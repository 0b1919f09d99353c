import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { importPptpd, type Imported } from '../../../src/daemon/import/pptpd.ts';
import { parseUci } from '../../../src/router/uci.ts';
import {
  formatAddress,
  formatPrefix,
  formatRange,
  parsePrefix,
  type Prefix,
} from '../../../src/wire/ip.ts';

const fresh = {
  network:
    "config interface 'lan'\n\toption proto 'static'\n\toption ipaddr '192.168.1.1'\n\toption netmask '255.255.255.0'\n",
  pptp: "config pptp 'globals'\n\toption log_level 'info'\n",
  pptp_users: '# nobody yet\n',
};

interface Files {
  readonly pptpd?: string | undefined;
  readonly options?: string;
  readonly chapSecrets?: string;
  /** By their paths. */
  readonly others?: Readonly<Record<string, string>>;
  readonly networks?: readonly Prefix[];
}

/** What every import says that has several addresses. */
const open =
  'callers reach each other, and one user may be on with several devices, as with pptpd: see the options isolate and max_per_user';

function imported(files: string | Files, before: Imported['texts'] = fresh): Imported {
  const some = typeof files === 'string' ? { pptpd: files } : { pptpd: '', ...files };
  const texts: Readonly<Record<string, string | undefined>> = {
    '/etc/ppp/options.pptpd': some.options ?? 'require-mschap-v2\nname pptp-server\n',
    '/etc/ppp/chap-secrets': some.chapSecrets,
    ...some.others,
  };
  const read = (path: string) => texts[path] && octets(texts[path]);
  const pptpd = some.pptpd === undefined ? undefined : octets(some.pptpd);
  return importPptpd({ pptpd, read, hostname: 'router', networks: some.networks ?? [] }, before);
}

/** As files have it: an octet is a character. */
const octets = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** The one server and the users as the daemon would have them once it is switched on. */
function parsed({ texts }: Imported) {
  const network = texts.network.replace("\toption disabled '1'\n", '');
  const { servers, users, warnings } = parseConfiguration({ ...texts, network });
  assert.deepEqual(
    warnings.filter(({ message }) => !message.startsWith('nobody can log in')),
    [],
  );
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
	option 'password' '"it is \\"hard\\""'
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
        open,
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
  assert.equal(users[1]!.secret.password, 'it is "hard"');
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
  assert.deepEqual(result.warnings, [open]);
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
    open,
  ]);
  const said = (options: string, lines = '') =>
    imported({ pptpd: service + lines, options }).warnings.filter((text) => text !== open);
  assert.deepEqual(said('require-pap\n'), [
    'options.pptpd: the weak login method pap is not taken over: name it in the option auth if you must',
  ]);
  assert.deepEqual(said('auth\n'), [
    'options.pptpd demands no login method: only mschap-v2 is taken over; name others in the option auth if you must',
  ]);
  assert.deepEqual(said('noauth\n'), ['callers did not have to log in (noauth); here they do']);
  const forty =
    'callers that only have keys of 40 bits can no longer call: name them in the option mppe_strength if you must';
  const mppe = (words: string) => said('require-mschap-v2\n', `\toption mppe '${words}'\n`);
  assert.deepEqual(mppe('required'), [forty]);
  assert.deepEqual(mppe('require-mppe'), [forty]);
  assert.deepEqual(mppe('require-mppe nomppe-40'), []);
  assert.deepEqual(mppe('require-mppe-128'), []);
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

test('users of chap-secrets that are for this server or any, and not twice', () => {
  const chapSecrets = `#USERNAME  PROVIDER  PASSWORD  IPADDRESS
"CORP\\\\anna" pptp-server "a b#c" 192.168.0.22
user1 pptp-server password1 *
provider * geheim *
other isp geheim *
* pptp-server geheim *
`;
  const result = imported({ pptpd: stock, chapSecrets });
  assert.deepEqual(result.warnings.slice(0, -1), [
    'chap-secrets line 5: left out, it is for another server',
    'chap-secrets line 6: not taken over: any name could log in with this password, and here each has its own account',
    'chap-secrets line 3: left out, there is a section of this name',
    open,
  ]);
  const { users } = parsed(result);
  assert.deepEqual(
    users.map(({ section, username }) => [section, username]),
    [
      ['user1', 'user1'],
      ['user2', 'user2'],
      ['CORP_anna', 'CORP\\anna'],
      ['provider', 'provider'],
    ],
  );
  assert.equal(users[2]!.secret.password, 'a b#c');
  assert.equal(users[2]!.address && formatAddress(users[2]!.address), '192.168.0.22');
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
    "pptpd section '@login[0]': left out, there is no name",
    "pptpd section 'anna': left out, there is no password",
    "pptpd section '@login[5]': left out, it is for another server",
    "pptpd section '@login[3]': left out, there is a line of this name already",
    "pptpd, option 'remoteip', value 'nonsense': not understood and left out",
    "pptpd, option 'remoteip', value '10.0.0.300': not understood and left out",
    "pptpd, option 'localip': of several addresses 10.0.0.1 is used for all callers",
    "pptpd, option 'remoteip': only 5 addresses are taken over: pptpd let in no more callers",
    open,
    "the DNS server 'dns.example.com' is no IPv4 address and left out",
    "pptpd section '@login[2]': its address 10.0.0.1 belongs to another: it gets one from the pool",
    "pptpd section '@login[4]': what is no address among its addresses is not taken over",
    "pptpd section '@login[4]': left out, it may have none of the addresses for callers",
  ]);
  assert.deepEqual(
    parsed(result).users.map(({ username }) => username),
    ['bert'],
  );
});

test('without addresses the server is there to be filled in', () => {
  const result = imported("config service 'pptpd'\n");
  assert.deepEqual(result.warnings.slice(0, 2), [
    "pptpd, option 'localip': there is no address: fill in localip of the new server",
    "pptpd, option 'remoteip': there are no addresses for callers: fill in network or range of the new server",
  ]);
  assert.match(
    result.warnings.at(-1)!,
    /^once it is switched on: error: network, interface 'pptpd', option 'localip': is required/,
  );
  parseConfiguration(result.texts);
});

test('addresses that make no sense are left out, and never become a whole network', () => {
  for (const remoteip of [
    '10.0.0.30-20',
    '10.0.0.20-10.0.0.30',
    '10.0.0.0/24',
    '10.0.0.250-260',
    '*',
    '10.0.0.20-30 # office',
  ]) {
    const { texts, warnings } = imported(
      `config service\n\toption localip '10.0.0.1'\n\toption remoteip '${remoteip}'\n`,
    );
    assert.ok(
      warnings.includes(
        `pptpd, option 'remoteip', value '${remoteip}': not understood and left out`,
      ),
      remoteip,
    );
    assert.doesNotMatch(texts.network, /option network|list range/, remoteip);
  }
});

test('a network of its own never takes one along that the router has', () => {
  const { server } = parsed(
    imported(
      `config service\n\toption localip '192.168.0.1'\n\toption remoteip '192.168.2.10-20'\n`,
    ),
  );
  assert.deepEqual([formatPrefix(server.network), server.proxyArp], ['192.168.0.1/32', true]);
});

test('pptpd.conf: its addresses stand above those of the section, and limit the callers', () => {
  const conf = 'connections 30\nlocalip 10.9.0.1\nremoteip 10.9.0.10-100\nbcrelay br-lan\n';
  const result = imported({ pptpd: stock, others: { '/etc/pptpd.conf': conf } });
  const { server } = parsed(result);
  assert.deepEqual(
    [formatAddress(server.localAddress), server.pool.map(formatRange), server.maxSessions],
    ['10.9.0.1', ['10.9.0.10-10.9.0.39'], 30],
  );
  assert.deepEqual(result.warnings.slice(0, 2), [
    "pptpd.conf: 'bcrelay' is not taken over",
    "pptpd, option 'remoteip': only 30 addresses are taken over: pptpd let in no more callers",
  ]);
});

test('what callers could do they can do: several devices of one user, each other, as many as before', () => {
  const service = (remoteip: string) =>
    `config service\n\toption localip '10.0.0.1'\n\toption remoteip '${remoteip}'\n`;
  const { server } = parsed(imported(service('10.0.0.10-59')));
  assert.deepEqual([server.maxSessions, server.maxPerUser, server.isolate], [50, 50, false]);
  const one = imported(service('10.0.0.10'));
  assert.deepEqual(one.warnings, []);
  assert.deepEqual([parsed(one).server.maxPerUser, parsed(one).server.isolate], [1, true]);
  assert.ok(
    imported(service('10.0.0.10-89')).warnings.includes(
      'pptpd let in 80 callers, all servers and links together have 64 sessions: raise max_sessions of the globals in pptp',
    ),
  );
  const options = 'name pptp-server\nrequire-mschap-v2\nmaxconnect 3600\nidle 600\n+ipv6\n';
  const { server: timed } = parsed(imported({ pptpd: service('10.0.0.10'), options }));
  assert.deepEqual(
    [timed.sessionTimeout, timed.idleTimeout, timed.ipv6],
    [3_600_000, 600_000, true],
  );
});

test('the values of sections are read once more, as pppd reads what the init script writes', () => {
  const login = (username: string, password: string) =>
    `config login\n\toption username '${username}'\n\toption password '${password}'\n`;
  const password = (text: string) => {
    const { users } = parsed(imported(stock + login('anna', text)));
    const anna = users.find(({ username }) => username === 'anna');
    return (wanted: string) => anna?.secret.password === wanted;
  };
  assert.ok(password('"open sesame"')('open sesame'));
  assert.ok(password('a\\sb\\x41\\101')('a bAA'));
  assert.ok(password('open sesame')('open'));
  const cut = imported(stock + login('anna', 'p#w')).warnings;
  assert.ok(
    cut.includes(
      "pptpd section '@login[2]': left out, it has no addresses, so pppd gave it none: is there a # in its name or password?",
    ),
  );
  const broken = imported(stock + login('anna', "it'\\''s") + login('bert', 'geheim'));
  assert.ok(
    broken.warnings.includes(
      "pptpd section '@login[2]': left out, there is the end of a line in its name or password: a quote is not closed?",
    ),
  );
});

test('the addresses that a line allows', () => {
  const service = "config service\n\toption localip '10.0.0.1'\n\toption remoteip '10.0.0.10-13'\n";
  const fixed = (addresses: string) => {
    const result = imported({ pptpd: service, chapSecrets: `anna pptp-server pw ${addresses}\n` });
    const [user] = parsed(result).users;
    const address = user?.address === undefined ? 'pool' : formatAddress(user.address);
    return [user === undefined ? 'nobody' : address, result.warnings.slice(1)];
  };
  const none = 'chap-secrets line 1: left out, it may have none of the addresses for callers';
  const gets = (address: string) =>
    `chap-secrets line 1: of the addresses it may have it gets ${address} for good`;
  const cannotTell =
    'chap-secrets line 1: left out, which addresses it may have depends on names, or on numbers of devices';
  assert.deepEqual(fixed('*'), ['pool', []]);
  assert.deepEqual(fixed('10.0.0.0/24'), ['pool', []]);
  assert.deepEqual(fixed('10.0.0.99'), ['10.0.0.99', []]);
  assert.deepEqual(fixed('10.0.0.99 10.0.0.98'), ['10.0.0.99', [gets('10.0.0.99')]]);
  assert.deepEqual(fixed('!10.0.0.10 *'), ['10.0.0.11', [gets('10.0.0.11')]]);
  assert.deepEqual(fixed('10.0.0.12/31'), ['10.0.0.12', [gets('10.0.0.12')]]);
  assert.deepEqual(fixed('172.16.0.0/12'), ['nobody', [none]]);
  assert.deepEqual(fixed('-'), ['nobody', [none]]);
  assert.match(fixed('')[1]![0]!, /left out, it has no addresses/);
  assert.deepEqual(fixed('!office *'), ['nobody', [cannotTell]]);
  assert.deepEqual(fixed('10.0.0.0/24+'), ['nobody', [cannotTell]]);
  assert.deepEqual(fixed('* -- mtu 1000'), [
    'pool',
    ['chap-secrets line 1: options behind -- are not taken over'],
  ]);
});

test('files that are not UTF-8: names are read as those on the wire, passwords octet by octet as pppd does', () => {
  const latin1 = Buffer.from('j\xfcrgen pptp-server gr\xfcn *\n', 'latin1').toString('latin1');
  const read = (path: string) => ({ '/etc/ppp/chap-secrets': latin1 })[path];
  const service =
    "config service\n\toption localip '10.0.0.1'\n\toption remoteip '10.0.0.10'\nlist mppe 'require-mppe-128'\n";
  const { texts } = importPptpd(
    { pptpd: service, read, hostname: 'pptp-server', networks: [] },
    fresh,
  );
  const { users } = parseConfiguration({
    pptp_users: Buffer.from(texts.pptp_users, 'latin1').toString('utf8'),
  });
  assert.equal(users[0]!.username, 'jürgen');
  assert.equal(users[0]!.secret.password, 'grün');
  const utf8 = imported({ pptpd: service, chapSecrets: 'jürgen pptp-server grün *\n' });
  assert.match(utf8.warnings.at(-1)!, /^chap-secrets line 1: its password has other letters/);
  const [user] = parseConfiguration({
    pptp_users: Buffer.from(utf8.texts.pptp_users, 'latin1').toString('utf8'),
  }).users;
  assert.equal(user!.username, 'jürgen');
  assert.equal(user!.secret.password, 'grÃ¼n');
});

test('users that are there already stay, and keep their addresses', () => {
  const before = {
    ...fresh,
    pptp_users:
      "config user 'user1'\n\toption username 'user1'\n\toption password 'mine'\n\toption ipaddr '192.168.0.40'\n",
  };
  const result = imported(stock, before);
  assert.deepEqual(
    result.warnings[1],
    "pptpd section '@login[0]': left out, there is a user of this name",
  );
  assert.equal(parsed(result).users[0]!.secret.password, 'mine');
});

test('a password that is no single line is refused, and no secret is in any warning', () => {
  const result = imported({
    pptpd: "config login\n\toption username 'anna'\n\toption password 'ge\nheim'\n",
    options: 'password geheim plugin geheim\ngeheim!\n',
    chapSecrets: 'bert pptp-server mein geheim wort\n',
  });
  assert.ok(result.warnings.some((text) => text.startsWith("pptpd section '@login[0]': left out")));
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

test('on Debian the addresses may be a part of the network that the machine is in', () => {
  const conf = 'option /etc/ppp/pptpd-options\nlocalip 192.168.0.1\nremoteip 192.168.0.234-238\n';
  const others = { '/etc/pptpd.conf': conf, '/etc/ppp/pptpd-options': 'name pptpd\nproxyarp\n' };
  const server = (...networks: string[]) =>
    parsed(
      imported({
        pptpd: undefined,
        others,
        networks: networks.map((text) => parsePrefix(text)!),
      }),
    ).server;
  assert.equal(server('10.0.0.0/8').proxyArp, false);
  assert.equal(formatPrefix(server('10.0.0.0/8').network), '192.168.0.0/24');
  assert.equal(server('10.0.0.0/8', '192.168.0.0/24').proxyArp, true);
});
