import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { ConfigError } from '../../../src/daemon/configuration/problems.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { complete, files, plain, refusal, warnings } from './parsed.ts';

const ip = (text: string) => parseAddress(text)!;

/** DESIGN: the example of the configuration, all of it. */
const example = {
  network: `
config interface 'lan'
	option proto 'static'
	option ipaddr '192.168.1.1/24'

config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'   # or list range '192.168.99.10-192.168.99.60'
	list   listen 'wan'                # networks to accept on
	option port '1723'
	list   auth 'mschap-v2'            # weaker ones must be named: mschap chap pap
	option mppe 'required'             # required | optional | off
	list   mppe_strength '128'         # 128 56 40
	option mppe_stateful '0'
	option mtu '1400'
	option keepalive '3 30'            # failures, seconds between LCP echoes
	option idle_timeout '0'
	option session_timeout '0'
	option max_sessions '16'
	option max_per_user '1'
	option on_duplicate 'replace'      # replace (after authentication) | deny
	option isolate '1'
	list   client_dns '192.168.99.1'
	list   client_wins '192.168.1.5'
	option open_firewall '1'
	list   allow_from '0.0.0.0/0'
	option ban_after '5'
	option ban_time '600'

config interface 'office'
	option proto 'pptpgw'
	option server 'vpn.example.com'
	option username 'router7'
	option password 'geheim'
	option mppe 'required'
	list   auth 'mschap-v2'
	option defaultroute '0'
	list   route '10.20.0.0/16'
	option keepalive '3 30'
	option mtu '1400'
`,
  pptp_users: `
config user 'anna'
	option username 'anna'
	option password 'streng'           # or: option nthash '<32 hex digits>' (MS-CHAP only)
	list   server 'home'               # none: every server
	option ipaddr '192.168.99.10'
	list   route '10.1.0.0/16'         # the network behind this caller
	option max_sessions '1'
	option expires '2027-12-31'
`,
  pptp: `
config pptp 'globals'
	option log_level 'info'
	option max_sessions '64'
`,
};

test('the example of the design', () => {
  const { servers, links, users, limits, logLevel, warnings: none } = parseConfiguration(example);
  assert.deepEqual(none, []);
  assert.equal(logLevel, 'info');
  assert.deepEqual(limits, {
    maxSessions: 64,
    maxHalfOpen: 64,
    maxHalfOpenPerSource: 8,
    loginTimeout: 60_000,
  });
  const common = {
    port: 1723,
    auth: ['mschap-v2'],
    mppe: { policy: 'required', strengths: [128], stateful: false, askStateful: false },
    mtu: 1400,
    ipv6: false,
    keepalive: { failures: 3, interval: 30_000 },
    rates: { up: 0, down: 0, burst: 50 },
  };
  assert.deepEqual(servers.map(plain), [
    {
      kind: 'server',
      name: 'home',
      device: 'pptps-home',
      ...common,
      localAddress: ip('192.168.99.1'),
      network: { address: ip('192.168.99.0'), length: 24 },
      pool: [{ first: ip('192.168.99.1'), last: ip('192.168.99.254') }],
      proxyArp: false,
      listen: ['wan'],
      openFirewall: true,
      masquerade: false,
      idleTimeout: 0,
      sessionTimeout: 0,
      maxSessions: 16,
      maxPerUser: 1,
      onDuplicate: 'replace',
      isolate: true,
      dns: [ip('192.168.99.1')],
      nbns: [ip('192.168.1.5')],
      clientRoutes: [],
      domains: [],
      broadcastRelay: [],
      accounts: ['local'],
      allowFrom: [{ address: 0, length: 0 }],
      denyFrom: [],
      filterSets: [],
      ip6: { mode: 'own', prefixes: [], dns: [] },
      ban: { after: 5, time: 600_000 },
    },
  ]);
  const [{ secret: linkSecret, ...link }] = links as [(typeof links)[0]];
  assert.equal(linkSecret.password, 'geheim');
  assert.deepEqual(plain(link), {
    kind: 'link',
    name: 'office',
    device: 'pptp-office',
    ...common,
    server: 'vpn.example.com',
    username: 'router7',
    routes: [{ address: ip('10.20.0.0'), length: 16 }],
    defaultRoute: false,
    metric: 0,
    hostRoute: true,
    peerDns: true,
    bindDevice: undefined,
    auto: true,
    blockOnAuthFailure: false,
    maxFail: 0,
    holdoff: 5000,
    holdoffMax: 300_000,
    demand: 0,
    unnumbered: undefined,
    ipv6Client: undefined,
    ipv6Routes: [],
    commands: { up: undefined, down: undefined },
    verbose: false,
    quota: undefined,
  });
  const [{ secret: userSecret, ...user }] = users as [(typeof users)[0]];
  assert.equal(userSecret.password, 'streng');
  assert.deepEqual(plain(user), {
    section: 'anna',
    enabled: true,
    username: 'anna',
    servers: ['home'],
    address: ip('192.168.99.10'),
    routes: [{ address: ip('10.1.0.0'), length: 16 }],
    ip6: { prefixes: [], routes: [] },
    clientRoutes: [],
    domains: [],
    maxSessions: 1,
    auth: [],
    groups: [],
    hours: undefined,
    mppe: undefined,
    note: undefined,
    rates: {},
    mustChange: false,
    quota: undefined,
    expires: Date.UTC(2028, 0, 1) - 1,
  });
});

test('files that do not exist, and interfaces of others, are an empty configuration', () => {
  const other =
    "config interface 'wan'\n\toption proto 'dhcp'\n\toption server '!'\nconfig device\n";
  for (const texts of [{}, { network: '', pptp: '', pptp_users: '' }, { network: other }]) {
    const { servers, links, users, limits, logLevel, warnings: none } = parseConfiguration(texts);
    assert.deepEqual([servers, links, users, none], [[], [], [], []]);
    assert.deepEqual([limits.maxSessions, logLevel], [64, 'info']);
  }
});

test('all faults of all files come in one go, each with its place', () => {
  assert.deepEqual(
    refusal({
      network: `config interface 'home'
option proto 'pptpserver'
option localip '192.168.99.300'
option mtu '9000'
list auth 'eap-tls'
config interface 'office'
option proto 'pptpgw'
option username 'anna'
bogus
`,
      pptp: "config pptp 'globals'\noption log_level 'loud'\n",
      pptp_users: "config user 'anna'\noption username 'anna'\noption expires 'soon'\n",
    }),
    [
      'error: network:9: expected a line that begins with config, option or list',
      "error: network, section 'home', option 'auth', value 'eap-tls': expected mschap-v2 | eap | mschap | chap | pap",
      "error: network, section 'home', option 'mtu', value '9000': expected a whole number from 576 to 1500 (octets)",
      "error: network, section 'home', option 'localip', value '192.168.99.300': expected an IPv4 address",
      "error: network, section 'office', option 'server': is required: expected a host name or an IPv4 address",
      "error: network, section 'office', option 'password': is required: expected a password of 1 to 255 octets",
      "error: pptp_users, section 'anna', option 'expires', value 'soon': expected a date such as 2027-12-31",
      "error: pptp, section 'globals', option 'log_level', value 'loud': expected error | warning | info | debug",
    ],
  );
});

test('a section that is switched off may be half written', () => {
  const { servers, links, disabled } = parseConfiguration({
    network: `config interface 'home'
option proto 'pptpserver'
option disabled '1'
option mtu 'x'
config interface 'office'
option proto 'pptpgw'
option disabled 'yes'
`,
  });
  assert.deepEqual([servers, links], [[], []]);
  assert.deepEqual(disabled, [
    { name: 'home', kind: 'server' },
    { name: 'office', kind: 'link' },
  ]);
  assert.equal(parseConfiguration(files('server', "option disabled '0'")).servers.length, 1);
  assert.match(refusal(files('server', "option disabled 'maybe'"))[0]!, /option 'disabled'/);
});

test('an interface needs a name', () => {
  assert.deepEqual(refusal({ network: `config interface\n${complete.server}` }), [
    "error: network, section '@interface[0]': an interface needs a name of letters, digits and _",
  ]);
});

test('an unknown option is a warning with its name and without its value', () => {
  assert.deepEqual(warnings(files('user', "option frobnicate 'streng'")), [
    "warning: pptp_users, section 'anna', option 'frobnicate': unknown option; it is ignored",
  ]);
  for (const option of ['toString', 'constructor', '__defineGetter__', 'hasOwnProperty'])
    assert.match(warnings(files('server', `option ${option} '1'`))[0] ?? '', /unknown option/);
});

test('options that netifd has for every interface are no unknown ones', () => {
  assert.deepEqual(warnings(files('server', "option auto '1'\noption metric '5'")), []);
  assert.deepEqual(warnings(files('link', "option zone 'wan'\noption ip4table '7'")), []);
});

test('sections of unknown types are a warning, a second section of globals a fault', () => {
  assert.deepEqual(warnings({ pptp: "config rely 'branch'\n", pptp_users: 'config group\n' }), [
    "warning: pptp_users, section '@group[0]': sections of type 'group' are ignored here; known: user",
    "warning: pptp, section 'branch': sections of type 'rely' are ignored here; known: pptp, relay",
  ]);
  assert.deepEqual(refusal({ pptp: "config pptp 'globals'\nconfig pptp 'more'\n" }), [
    "error: pptp, section 'more': expected one section of type 'pptp'; there is 'globals' already",
  ]);
});

test('a user needs a password or a hash, not both', () => {
  assert.deepEqual(refusal(files('user', '', ['password'])), [
    "error: pptp_users, section 'anna', option 'password': is required (or nthash)",
  ]);
  const hash = '0123456789abcdef0123456789ABCDEF';
  assert.deepEqual(refusal(files('user', `option nthash '${hash}'`)), [
    "error: pptp_users, section 'anna', option 'password': expected password or nthash, not both",
  ]);
  const [user] = parseConfiguration(files('user', `option nthash '${hash}'`, ['password'])).users;
  assert.equal(user?.secret.kind, 'nt-hash');
  assert.equal(Buffer.from(user.secret.ntHash).toString('hex'), hash.toLowerCase());
});

test('no secret is in any fault, warning or printed configuration', () => {
  const secret = 'geheim!';
  const texts = [
    files('link', `option password '${secret}${'x'.repeat(256)}'`),
    files('link', `list password '${secret}'\nlist password '${secret}'`, ['password']),
    files('link', `option password '${secret}' '${secret}'`),
    files('link', `option password ${secret};${secret}`),
    files('link', `option password '${secret}`),
    files('link', `option pasword '${secret}'`),
    files('user', `option nthash '${secret}'`),
    files('user', `option nthash '${secret}'`, ['password']),
    files('user', `option password '${secret}'\noption ipaddr 'x'`),
  ];
  for (const text of texts) {
    let shown: string;
    try {
      shown = inspect(parseConfiguration(text), { depth: 9 });
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      shown = `${error.message}${inspect(error, { depth: 9 })}${JSON.stringify(error)}`;
    }
    assert.doesNotMatch(shown, /geheim!/, JSON.stringify(text));
  }
});

test('values cannot break the line of their fault', () => {
  const [line, ...more] = refusal(files('server', "option mtu '1\terror: all is lost\u001b[2J'"));
  assert.deepEqual(more, []);
  assert.match(line!, /value '1\?error: all is lost\?\[2J'/);
  // Several lines are somebody else's, where a quote is not closed: a password may be among them.
  const [cut, ...rest] = refusal(files('server', "option mtu '1\nerror: all is lost'"));
  assert.deepEqual(rest, []);
  assert.match(cut!, /there are several lines: is a quote not closed\?$/);
  assert.doesNotMatch(cut!, /all is lost/);
});

test('no text makes it throw anything but ConfigError', () => {
  const option = fc.constantFrom(
    ...['proto', 'localip', 'network', 'range', 'auth', 'mppe', 'mppe_strength', 'keepalive'],
    ...[
      'server',
      'username',
      'password',
      'nthash',
      'expires',
      'route',
      'mtu',
      'listen',
      'dns',
      'client_dns',
    ],
  );
  const value = fc.oneof(
    fc.constantFrom('pptpserver', 'pptpgw', '1', '0', '192.168.99.1', '192.168.99.0/24', 'pap'),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll("'", '')),
  );
  const line = fc
    .tuple(fc.constantFrom('option', 'list'), option, value)
    .map(([keyword, name, text]) => `${keyword} ${name} '${text}'\n`);
  const section = fc
    .tuple(fc.constantFrom('interface', 'user', 'pptp'), fc.constantFrom('', 'a', 'b'))
    .chain(([type, name]) =>
      fc.array(line, { maxLength: 8 }).map((all) => `config ${type} '${name}'\n${all.join('')}`),
    );
  const text = fc.array(section, { maxLength: 4 }).map((sections) => sections.join(''));
  fc.assert(
    fc.property(text, text, text, (network, pptp, users) => {
      try {
        parseConfiguration({ network, pptp, pptp_users: users });
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(error.problems.length > 0);
      }
    }),
    { numRuns: 300 },
  );
});
