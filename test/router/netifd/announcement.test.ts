/** What netifd is told, as tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkAnnouncement, serverAnnouncement } from '../../../src/router/netifd/announcement.ts';
import { zoneOf } from '../../../src/router/netifd/child-interface.ts';
import { chooseDefaultRoute } from '../../../src/router/netifd/default-route.ts';
import { errorCode } from '../../../src/router/netifd/error-codes.ts';
import { parseDump } from '../../../src/router/netifd/interface-status.ts';
import { firewallRules } from '../../../src/router/netifd/procd-firewall.ts';
import { routeConflicts } from '../../../src/router/route-conflicts.ts';
import { parseRoutes, wayTo } from '../../../src/router/route-table.ts';
import { encodeTable } from '../../../src/ubus-js/index.ts';
import { causeCodes } from '../../../src/wire/cause.ts';
import { formatPrefix } from '../../../src/wire/ip.ts';
import { parseIpv6Prefix } from '../../../src/wire/ipv6.ts';
import { ip, net } from '../../support/world.ts';
import { link } from './networks.ts';

test('a link: the capture of the real notify_proto', () => {
  const announcement = linkAnnouncement(
    { ...link, device: 'tunV', localAddress: ip('10.91.0.2'), peerAddress: ip('10.91.0.1') },
    [net('10.92.0.0/16')],
    'none',
  );
  const { dns, ...captured } = announcement;
  assert.deepEqual(dns, []);
  // V7 of the facts: the octets that the real netifd understood, after action.
  const octets = encodeTable({ action: 0, ...captured });
  const expected = `85000014
      00066163 74696f6e 00000000 00000000 87000011 00076c69 6e6b2d75 70000000 01000000 83000015 00066966 6e616d65
      00000000 74756e56 00000000 8100005c 00066970 61646472 00000000 8200004c 00000000 8300001a 00066970 61646472
      00000000 31302e39 312e302e 32000000 8300000f 00046d61 736b0000 33320000 83000016 00037074 70000000 31302e39
      312e302e 31000000 81000048 0006726f 75746573 00000000 82000038 00000000 8300001a 00067461 72676574 00000000
      31302e39 322e302e 30000000 83000013 00076e65 746d6173 6b000000 31360000`;
  assert.equal(Buffer.from(octets).toString('hex'), expected.replaceAll(/\s/g, ''));
});

test('a link with everything', () => {
  const announcement = linkAnnouncement(
    {
      ...link,
      dns: [ip('10.7.0.53')],
      ipv6: { local: Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 9), peer: new Uint8Array(8) },
      ipv6Routes: [parseIpv6Prefix('2001:db8:1::/48')!],
    },
    [],
    'halves',
  );
  assert.deepEqual(announcement['routes'], [
    { target: '0.0.0.0', netmask: '1' },
    { target: '128.0.0.0', netmask: '1' },
  ]);
  assert.deepEqual(announcement['dns'], ['10.7.0.53']);
  assert.deepEqual(announcement['ip6addr'], [{ ipaddr: 'fe80::200:0:0:9', mask: '64' }]);
  assert.deepEqual(announcement['routes6'], [{ target: '2001:db8:1::', netmask: '48' }]);
  const silent = linkAnnouncement(
    { ...link, ipv6Routes: [parseIpv6Prefix('fd00::/8')!] },
    [],
    'none',
  );
  assert.equal(silent['routes6'], undefined, 'the peer speaks no IPv6');
  assert.deepEqual(linkAnnouncement(link, [], 'whole')['routes'], [
    { target: '0.0.0.0', netmask: '0' },
  ]);
});

test('a server with IPv6: an address in each network that netifd has not assigned, and routes to callers', () => {
  const [network, ofCaller] = ['2001:db8:5:100::/56', '2001:db8:5:101::/64'].map((text) =>
    parseIpv6Prefix(text)!,
  );
  const server = {
    name: 'home',
    device: 'pptps-home',
    localAddress: ip('192.168.99.1'),
    prefixLength: 24,
    mtu: 1400,
    ipv6: true,
    ipv6Networks: [network!],
    masquerade: false,
  };
  const told = serverAnnouncement(server, [], [network!], [ofCaller!]);
  assert.deepEqual(told['ip6addr'], [
    { ipaddr: 'fe80::1', mask: '64' },
    { ipaddr: '2001:db8:5:100::1', mask: '128' },
  ]);
  assert.deepEqual(told['routes6'], [
    { target: '2001:db8:5:100::', netmask: '56' },
    { target: '2001:db8:5:101::', netmask: '64' },
  ]);
});

test('a server', () => {
  const server = {
    name: 'home',
    device: 'pptps-home',
    localAddress: ip('192.168.99.1'),
    prefixLength: 24,
    mtu: 1400,
    ipv6: false,
    ipv6Networks: [],
    masquerade: false,
  };
  assert.deepEqual(serverAnnouncement(server, [{ prefix: net('10.1.0.0/16'), mtu: 1300 }]), {
    'link-up': true,
    ifname: 'pptps-home',
    ipaddr: [{ ipaddr: '192.168.99.1', mask: '24' }],
    routes: [{ target: '10.1.0.0', netmask: '16', mtu: 1300 }],
  });
});

const dump = parseDump({
  interface: [
    {
      interface: 'wan', proto: 'dhcp', up: true, pending: false, l3_device: 'eth1', metric: 5,
      'ipv4-address': [{ address: '203.0.113.2', mask: 24 }],
      route: [
        { target: '0.0.0.0', mask: 0, nexthop: '203.0.113.1' },
        { target: '0.0.0.0', mask: 0, nexthop: '203.0.113.1', table: 100, metric: 9 },
      ],
    },
    { interface: 'lan', up: true, l3_device: 'br-lan', 'ipv4-address': [{ address: '192.168.1.1', mask: 24 }] },
    { interface: 'office', up: true, metric: 0, route: [{ target: '0.0.0.0', mask: 0 }], data: { zone: 'vpn' } },
    'nonsense', { no: 'name' },
    { interface: 'odd', 'ipv4-address': [{ address: 'x', mask: 24 }, 3], route: 'none' },
  ],
}); // prettier-ignore

test('a dump, and whatever else may be in it', () => {
  assert.deepEqual(
    dump.map(({ name, device, defaultRoutes, zone }) => [name, device, defaultRoutes, zone]),
    [
      ['wan', 'eth1', [{ metric: 5 }], undefined],
      ['lan', 'br-lan', [], undefined],
      ['office', undefined, [{ metric: 0 }], 'vpn'],
      ['odd', undefined, [], undefined],
    ],
  );
  assert.deepEqual(parseDump({}), []);
});

test('the default route: halves while an upstream has one of the same metric, or none is seen', () => {
  const choose = (metric: number, defaultRoute = true, interfaces = dump) =>
    chooseDefaultRoute({ name: 'office', defaultRoute, metric }, interfaces);
  assert.equal(choose(5), 'halves');
  assert.equal(choose(0), 'whole', 'its own does not count');
  assert.equal(choose(0, true, []), 'halves');
  assert.equal(choose(5, false), 'none');
});

test('routes that would take something away are left out', () => {
  const conflicts = (routes: string[], server?: { address: number; hostRoute: boolean }) =>
    routeConflicts('office', routes.map(net), server, dump).map(
      ({ route, what }) => `${formatPrefix(route)}: ${what}`,
    );
  assert.deepEqual(
    conflicts(['192.168.1.0/24', '192.168.1.7/32', '192.168.0.0/16', '10.0.0.0/8']),
    [
      '192.168.1.0/24: interface lan has 192.168.1.1/24',
      '192.168.1.7/32: interface lan has 192.168.1.1/24',
    ],
  );
  const server = { address: ip('198.51.100.9'), hostRoute: true };
  const inside = 'the PPTP server itself would be looked for inside the tunnel';
  assert.deepEqual(conflicts(['198.51.100.0/24', '198.51.100.9/32'], server), [
    `198.51.100.9/32: ${inside}`,
  ]);
  assert.deepEqual(conflicts(['198.51.100.0/24'], { ...server, hostRoute: false }), [
    `198.51.100.0/24: ${inside}`,
  ]);
});

test('error codes are what netifd may keep: names of one word, and only for what went wrong', () => {
  for (const code of causeCodes) assert.match(errorCode(code) ?? 'NONE', /^[A-Z0-9_]+$/);
  assert.equal(errorCode('AUTH_TOPEER_FAILED'), 'AUTH_TOPEER_FAILED');
  assert.equal(errorCode('RESOLVE_FAILED'), 'PEER_RESOLVE_FAIL');
  assert.equal(errorCode('USER_REQUEST'), undefined);
});

test('firewall rules of servers: any zone, or the devices of their networks', () => {
  const server = {
    name: 'home',
    port: 1723,
    listen: [],
    openFirewall: true,
    allowFrom: [],
    denyFrom: [],
  };
  const deviceOf = (network: string) => ({ wan: 'eth1', wan2: 'eth1', lan: 'br-lan' })[network];
  const rule = {
    type: 'rule', name: 'PPTP server home', family: 'ipv4', src: '*', proto: 'tcp', dest_port: '1723', target: 'ACCEPT',
  }; // prettier-ignore
  assert.deepEqual(firewallRules([server], deviceOf), [rule]);
  assert.deepEqual(firewallRules([{ ...server, openFirewall: false }], deviceOf), []);
  assert.deepEqual(
    firewallRules([{ ...server, listen: ['wan', 'wan2', 'absent'], allowFrom: [net('10.0.0.0/8')] }], deviceOf),
    [{ ...rule, device: 'eth1', src_ip: ['10.0.0.0/8'] }],
  ); // prettier-ignore
  const denies = (allow: readonly string[], ...deny: readonly string[]) =>
    firewallRules([{ ...server, allowFrom: allow.map((each) => net(each)), denyFrom: deny.map((each) => net(each)) }], deviceOf); // prettier-ignore
  const denied = { ...rule, src_ip: ['10.0.0.0/8', '!10.1.0.0/16', '!10.9.9.9/32'] };
  assert.deepEqual(denies(['10.0.0.0/8'], '10.1.0.0/16', '10.9.9.9/32'), [denied]);
  assert.deepEqual(denies([], '10.1.0.0/16'), [{ ...rule, src_ip: ['!10.1.0.0/16'] }]);
  assert.deepEqual(denies([], '0.0.0.0/0'), [], 'for nobody');
});

test('the zone of a network', () => {
  const text = `config zone
	option name 'wan'
	list network 'wan'
	list network 'office'
config zone
	option name 'lan'
	option network 'lan guest'
`;
  assert.equal(zoneOf('office', text), 'wan');
  assert.equal(zoneOf('guest', text), 'lan');
  assert.equal(zoneOf('gue', text), undefined);
});

test("the kernel's routes", () => {
  const routes = parseRoutes(
    `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth1	00000000	017100CB	0003	0	0	0	00000000	0	0	0
br-lan	0001A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth1	0A6433C6	017100CB	0007	0	0	0	FFFFFFFF	0	0	0
eth2	00000000	00000000	0001	0	0	7	00000000	0	0	0
lo	0000007F	00000000	0201	0	0	0	000000FF	0	0	0
`,
  );
  assert.deepEqual(
    routes.map(({ prefix, device }) => `${formatPrefix(prefix)} ${device}`),
    ['0.0.0.0/0 eth1', '192.168.1.0/24 br-lan', '198.51.100.10/32 eth1', '0.0.0.0/0 eth2'],
  );
  assert.equal(wayTo(ip('9.9.9.9'), routes)?.gateway, ip('203.0.113.1'));
  assert.equal(wayTo(ip('9.9.9.9'), routes, 'eth2')?.metric, 7);
  assert.equal(wayTo(ip('192.168.1.9'), routes)?.device, 'br-lan');
});
