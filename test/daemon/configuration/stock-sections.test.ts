/** Sections of the stock client (proto pptp) work as they stand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import type { ClientLinkOptions } from '../../../src/session/options.ts';
import { plain, refusal, told } from './parsed.ts';

const section = (lines: string, proto = 'pptp') =>
  `config interface 'vpn'\n\toption proto '${proto}'\n\toption server 'vpn.example.com'\n\toption username 'anna'\n\toption password 'geheim'\n${lines}\n`;

function link(lines: string, proto = 'pptp'): { link: ClientLinkOptions; warnings: string[] } {
  const { links, warnings } = parseConfiguration({ network: section(lines, proto) });
  assert.equal(links.length, 1);
  return { link: links[0]!, warnings: warnings.map(told) };
}

const security = ({ link: { auth, mppe } }: { link: ClientLinkOptions }) => [
  auth,
  mppe.policy,
  mppe.strengths,
  mppe.stateful,
];

test('the smallest one has the defaults of the stock client, but our encryption and MTU', () => {
  const stock = link('');
  assert.deepEqual(stock.warnings, []);
  assert.equal(stock.link.device, 'pptp-vpn');
  assert.deepEqual(stock.link.keepalive, { failures: 5, interval: 1000 });
  assert.deepEqual(stock.link.ipv6Client, {
    peerDns: true,
    requestPrefix: undefined,
    noRelease: false,
    sourceFilter: true,
    delegate: true,
  });
  assert.deepEqual([stock.link.ipv6, stock.link.mtu, stock.link.maxFail], [true, 1400, 0]);
  assert.deepEqual(security(stock), [['mschap-v2'], 'required', [128], false]);
  const ours = link('', 'pptpgw');
  assert.deepEqual(ours.link.keepalive, { failures: 3, interval: 30_000 });
  assert.deepEqual([ours.link.ipv6, ours.link.ipv6Client], [false, undefined]);
});

test('one with every option that LuCI and netifd know', () => {
  const { link: found, warnings } = link(`	option interface 'a_name_of_20_letters'
	option keepalive '5,10'
	option keepalive_adaptive '0'
	option demand '600'
	option mtu '1460'
	option ipv6 'auto'
	option reqprefix '60'
	option norelease '1'
	option sourcefilter '0'
	option delegate '0'
	option defaultroute '0'
	option peerdns '0'
	list dns '192.0.2.53'
	option dns_metric '5'
	option metric '10'
	option ip4table '7'
	option ip6table '7'
	option ip6class 'wan'
	option force_link '1'
	option auto '1'
	option zone 'wan'
	option type 'x'
	option checkup_interval '5'
	option authfail '1'
	option persist '1'
	option maxfail '3'
	option holdoff '0'
	option pppname 'vpn0'
	option unnumbered 'lan'
	option connect '/etc/up.sh'
	option disconnect '/etc/down.sh "$LINK"'`);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    { ...plain(found), secret: undefined, auth: undefined, mppe: undefined },
    {
      kind: 'link',
      name: 'vpn',
      device: 'vpn0',
      port: 1723,
      auth: undefined,
      mppe: undefined,
      mtu: 1460,
      ipv6: true,
      keepalive: { failures: 5, interval: 10_000, always: true },
      rates: { up: 0, down: 0, burst: 50 },
      server: 'vpn.example.com',
      username: 'anna',
      secret: undefined,
      routes: [],
      defaultRoute: false,
      metric: 10,
      hostRoute: true,
      peerDns: false,
      bindDevice: 'a_name_of_20_letters',
      auto: true,
      blockOnAuthFailure: true,
      maxFail: 0, // netifd started pppd anew after each failure
      holdoff: 1000,
      holdoffMax: 300_000,
      demand: 600_000,
      unnumbered: 'lan',
      ipv6Client: {
        peerDns: false,
        requestPrefix: '60',
        noRelease: true,
        sourceFilter: false,
        delegate: false,
      },
      ipv6Routes: [],
      commands: { up: '/etc/up.sh', down: '/etc/down.sh "$LINK"' },
      verbose: false,
      quota: undefined,
    },
  );
});

test('pppd_options: encryption', () => {
  for (const [words, expected] of [
    ["option pppd_options 'mppe required,no40,no56,stateless'", ['required', [128], false]],
    ["option pppd_options 'mppe required no40 no56 stateless'", ['required', [128], false]],
    [
      "list pppd_options 'mppe required,no40,no56'\nlist pppd_options 'debug'",
      ['required', [128], false],
    ],
    ["option pppd_options 'nomppe'", ['off', [128], false]],
    ["option pppd_options 'require-mppe'", ['required', [128], false]], // never 40 unless it is named
    ["option pppd_options 'require-mppe-40'", ['required', [40], false]],
    ["option pppd_options 'mppe required,no128'", ['required', [56, 40], false]],
    ["option pppd_options 'require-mppe mppe-stateful'", ['required', [128], true]],
    ["option pppd_options 'nomppe'\noption mppe 'required'", ['required', [128], false]], // ours is above it
  ] as const)
    assert.deepEqual(security(link(words)).slice(1), expected, words);
  assert.deepEqual(
    refusal({ network: section("option pppd_options 'mppe required,no128,no56,no40'") }),
    [
      "error: network, section 'vpn', option 'mppe_strength', value '': expected at least one of 128, 56, 40",
    ],
  );
});

test('pppd_options: login methods are only ever narrowed', () => {
  const methods = (lines: string) => link(lines).link.auth;
  assert.deepEqual(
    methods("option pppd_options 'refuse-eap refuse-pap refuse-chap refuse-mschap'"),
    ['mschap-v2'],
  );
  assert.deepEqual(methods("option pppd_options 'require-chap'"), ['mschap-v2']);
  assert.deepEqual(
    methods("list auth 'chap'\nlist auth 'mschap-v2'\noption pppd_options 'refuse-chap'"),
    ['chap', 'mschap-v2'],
  );
  assert.deepEqual(refusal({ network: section("option pppd_options 'refuse-mschap-v2'") }), [
    "error: network, section 'vpn', option 'auth', value '': expected at least one method",
  ]);
});

test('pppd_options: sizes and echoes stand above the options, as with pppd', () => {
  const words =
    'mtu 1450 mru 1430 lcp-echo-failure 3 lcp-echo-interval 60 lcp-echo-adaptive +ipv6 holdoff 9 debug';
  const { link: found, warnings } = link(
    `option mtu '1300'\noption keepalive '5 1'\noption keepalive_adaptive '0'\noption pppd_options '${words}'`,
  );
  assert.deepEqual(warnings, []);
  assert.deepEqual(found.keepalive, { failures: 3, interval: 60_000 });
  assert.deepEqual(
    [found.mtu, found.ipv6, found.ipv6Client, found.holdoff, found.verbose],
    [1430, true, undefined, 9000, true],
  );
  assert.equal(link("option pppd_options 'lcp-echo-failure 0'").link.keepalive, undefined);
  assert.equal(link("option pppd_options 'noipv6'").link.ipv6, false);
});

test('pppd_options: unknown words are warnings with the word, and no secret', () => {
  const { warnings } = link("option pppd_options 'noauth shiny password geheim mtu big'");
  assert.deepEqual(warnings, [
    "warning: network, section 'vpn', option 'pppd_options', value 'shiny': means nothing here; the word is ignored",
    "warning: network, section 'vpn', option 'pppd_options', value 'password': means nothing here; the word is ignored",
    "warning: network, section 'vpn', option 'pppd_options', value 'mtu': what follows this word is not understood; the word is ignored",
  ]);
});

test('an MTU that no device of ours can have is cut', () => {
  const { link: found, warnings } = link("option mtu '9000'");
  assert.equal(found.mtu, 1500);
  assert.deepEqual(warnings, [
    "warning: network, section 'vpn', option 'mtu', value '9000': counts as 1500",
  ]);
});

test('while the stock client is installed its sections are none of our business', () => {
  const network = section("option mtu 'x'") + section('', 'pptpgw').replace("'vpn'", "'office'");
  const { links } = parseConfiguration({ network }, { stockClient: true });
  assert.deepEqual(
    links.map(({ name }) => name),
    ['office'],
  );
});

test('two sections whose long names come to one device name are refused, both named', () => {
  const one = 'headquarters_1287'; // the FNV-1a sums of both end with cde1
  const two = 'headquarters_2000';
  const named = (name: string) => section('').replace("'vpn'", `'${name}'`);
  const [line, ...more] = refusal({ network: named(one) + named(two) });
  assert.deepEqual(more, []);
  assert.match(
    line!,
    new RegExp(`section '${two}'.*the device pptp-headqucde1 is also that of section '${one}'`),
  );
});
