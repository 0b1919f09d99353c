/** Addresses that no host can have, or that the router has elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clashes, keptFrom } from '../../../src/daemon/configuration/clashes.ts';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { formatRange } from '../../../src/wire/ip.ts';
import { ip, net } from '../../support/world.ts';
import { complete, files, refusal, warnings } from './parsed.ts';

const server = (...lines: string[]) =>
  `config interface 'home'\noption proto 'pptpserver'\n${lines.join('\n')}\n`;
const lan = `config interface 'lan'\noption proto 'static'\noption ipaddr '192.168.1.1'\noption netmask '255.255.255.0'\n`;
const own = (localip: string, network: string, ...more: string[]) =>
  server(`option localip '${localip}'`, `option network '${network}'`, ...more);
const range = (localip: string, ...ranges: string[]) =>
  server(`option localip '${localip}'`, ...ranges.map((text) => `list range '${text}'`));

const place = (option: string, value: string) =>
  `network, section 'home', option '${option}', value '${value}'`;

test('localip, ranges and fixed addresses that no host can have are refused', () => {
  for (const [address, why] of [
    ['0.0.0.0', 'means "this network"'],
    ['127.0.0.1', 'is a loopback address'],
    ['224.0.0.1', 'is a multicast address'],
    ['240.0.0.1', 'is a reserved address'],
    ['255.255.255.255', 'is the broadcast address'],
  ] as const) {
    assert.deepEqual(refusal({ network: range(address, '192.168.1.9') }), [
      `error: ${place('localip', address)}: ${why}`,
    ]);
    assert.deepEqual(refusal({ network: range('192.168.1.1', address) }), [
      `error: ${place('range', `${address}-${address}`)}: expected addresses that hosts can have: one of these ${why}`,
    ]);
    assert.deepEqual(
      refusal({ network: server(), ...files('user', `option ipaddr '${address}'`) }).at(-1),
      `error: pptp_users, section 'anna', option 'ipaddr', value '${address}': ${why}`,
    );
  }
  assert.ok(
    refusal({ network: own('127.9.0.1', '127.9.0.0/24') }).some((line) =>
      line.includes("option 'network'"),
    ),
  );
});

test('a range that holds localip', () => {
  assert.deepEqual(warnings({ network: range('10.0.0.1', '10.0.0.1-10.0.0.9') }), [
    `warning: ${place('range', '10.0.0.1-10.0.0.9')}: 10.0.0.1 is localip: no caller gets it`,
  ]);
  assert.deepEqual(refusal({ network: range('10.0.0.1', '10.0.0.1') }), [
    `error: ${place('range', '10.0.0.1-10.0.0.1')}: no address is left for callers: this is localip`,
  ]);
});

test('a network that an interface of the router has', () => {
  const taken =
    'interface lan has 192.168.1.0/24: callers could not be reached; expected a network that the router does not have, or only a range for a part of a LAN';
  assert.deepEqual(refusal({ network: lan + own('192.168.1.254', '192.168.1.0/24') }), [
    `error: ${place('network', '192.168.1.0/24')}: ${taken}`,
  ]);
  assert.deepEqual(
    refusal({
      network: lan + own('192.168.0.1', '192.168.0.0/16', "list range '192.168.1.10-192.168.1.20'"),
    }),
    [`error: ${place('network', '192.168.0.0/16')}: ${taken}`],
  );
  assert.deepEqual(refusal({ network: lan + own('192.168.1.1', '192.168.1.0/24') }), [
    `error: ${place('localip', '192.168.1.1')}: is the address of interface lan`,
  ]);
  assert.deepEqual(warnings({ network: lan + own('192.168.0.1', '192.168.0.0/16') }), [
    `warning: ${place('network', '192.168.0.0/16')}: interface lan has 192.168.1.0/24: callers get no addresses of it`,
  ]);
  assert.deepEqual(warnings({ network: lan + own('192.168.1.129', '192.168.1.128/25') }), [
    `warning: ${place('network', '192.168.1.128/25')}: is a part of 192.168.1.0/24, which interface lan has: what has such an address there is out of reach`,
  ]);
  const off = lan.replace('option proto', "option disabled '1'\noption proto");
  assert.deepEqual(warnings({ network: off + own('192.168.1.254', '192.168.1.0/24') }), []);
  assert.deepEqual(warnings({ network: lan + own('192.168.2.1', '192.168.2.0/24') }), []);
  const short = `config interface 'lan'\nlist ipaddr '10.0.0.1/24'\nlist ipaddr '192.168.2.9/24'\n`;
  assert.match(
    refusal({ network: short + own('192.168.2.1', '192.168.2.0/24') })[0]!,
    /interface lan/,
  );
});

test('a part of the LAN by proxy ARP is meant so; only the addresses of the router itself are not', () => {
  assert.deepEqual(
    warnings({ network: lan + range('192.168.1.1', '192.168.1.200-192.168.1.220') }),
    [],
  );
  assert.deepEqual(warnings({ network: lan + range('10.9.9.9', '192.168.1.1-192.168.1.20') }), [
    `warning: ${place('range', '192.168.1.1-192.168.1.20')}: interface lan has 192.168.1.1: no caller gets it`,
  ]);
  assert.deepEqual(warnings({ network: lan + range('10.9.9.9', '192.168.1.200-192.168.2.20') }), [
    `warning: ${place('range', '192.168.1.200-192.168.2.20')}: only a part of it is in 192.168.1.0/24, which interface lan has`,
  ]);
  assert.deepEqual(refusal({ network: lan + range('10.9.9.9', '192.168.1.1') }), [
    `error: ${place('range', '192.168.1.1-192.168.1.1')}: is the address of interface lan, and there is no other`,
  ]);
});

test('what callers must not get', () => {
  const kept = (network: string, address: string, prefix: string) => {
    const { servers } = parseConfiguration({ network });
    const other = { name: 'x', address: ip(address), network: net(prefix) };
    return keptFrom(servers[0]!, [other]).map(formatRange);
  };
  assert.deepEqual(kept(own('10.0.0.1', '10.0.0.0/16'), '10.0.5.1', '10.0.5.0/24'), [
    '10.0.5.1-10.0.5.1',
    '10.0.5.0-10.0.5.255',
  ]);
  assert.deepEqual(
    kept(
      range('192.168.1.1', '192.168.1.0/24'.replace('/24', '-192.168.1.255')),
      '192.168.1.1',
      '192.168.1.0/24',
    ),
    ['192.168.1.1-192.168.1.1', '192.168.1.0-192.168.1.0', '192.168.1.255-192.168.1.255'],
  );
});

test('an address of a tunnel of ours inside the network', () => {
  const { servers } = parseConfiguration({ network: own('10.0.0.1', '10.0.0.0/24') });
  const other = { name: 'device ppp0', address: ip('10.0.0.9'), network: net('203.0.113.1/32') };
  assert.deepEqual(
    clashes(servers[0]!, [other]).map(({ severity, message }) => [severity, message]),
    [['warning', 'device ppp0 has 10.0.0.9: no caller gets it']],
  );
});

test('a route of a link that leads to its own server', () => {
  const link = (...lines: string[]) => ({
    network: `config interface 'office'\n${complete.link.replace('vpn.example.com', '203.0.113.9')}${lines.join('\n')}\n`,
  });
  const route = (value: string) => `network, section 'office', option 'route', value '${value}'`;
  assert.deepEqual(refusal(link("list route '203.0.113.9'")), [
    `error: ${route('203.0.113.9/32')}: the server itself would be looked for inside the tunnel`,
  ]);
  assert.deepEqual(warnings(link("list route '203.0.113.0/24'")), []);
  assert.deepEqual(warnings(link("list route '203.0.113.0/24'", "option nohostroute '1'")), [
    `warning: ${route('203.0.113.0/24')}: the server itself would be looked for inside the tunnel, unless other rules than the main routing table keep it outside (nohostroute)`,
  ]);
});

test('a network behind a caller that is in the network of a server', () => {
  const network = own('10.0.0.1', '10.0.0.0/24');
  const users = (route: string) => ({ network, ...files('user', `list route '${route}'`) });
  for (const route of ['10.0.0.0/24', '10.0.0.64/26'])
    assert.deepEqual(refusal(users(route)), [
      `error: pptp_users, section 'anna', option 'route', value '${route}': is in the network of server 'home'`,
    ]);
  assert.deepEqual(warnings(users('10.0.0.0/8')), []);
});
