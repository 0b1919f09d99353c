/** IpRoute with the real `ip`, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { kernel } from '../../src/daemon/engine/kernel.ts';
import { IpRoute } from '../../src/router/iproute.ts';
import { Journal } from '../../src/router/journal.ts';
import { RouterError } from '../../src/router/router.ts';
import { readSurroundings } from '../../src/router/surroundings.ts';
import { Upkeep } from '../../src/router/upkeep.ts';
import { parsePrefix } from '../../src/wire/ip.ts';
import { parseIpv6Prefix } from '../../src/wire/ipv6.ts';
import { inNamespace } from '../native/namespace.ts';
import { takeDescriptors } from '../support/descriptors.ts';
import { address, caller, ip, link, makeNetworks, server } from '../support/router-networks.ts';

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);

/** The routes as `ip` shows them, of one device; without what depends on a carrier. */
function routes(device: string): string[] {
  return ip(`route show dev ${device}`)
    .split('\n')
    .map((line) => line.replace(/ linkdown/, '').trim())
    .filter((line) => line !== '' && !line.includes('proto kernel'));
}

function hostRoutes(): string[] {
  return ip('-N route show proto 147')
    .split('\n')
    .map((line) => line.replace(/ linkdown| scope \w+/g, '').trim())
    .filter((line) => line !== '');
}

function proxies(): string[] {
  return ip('neighbour show proxy')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

inNamespace('iproute', import.meta.url, () => {
  let router: IpRoute;
  let warnings: string[];
  /** Nobody tells it of anything: test/router/upkeep.test.ts. Each test has its own, which puts nothing back in the next one. */
  let upkeep = new Upkeep(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'iproute-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(() => {
    upkeep.close();
    upkeep = new Upkeep(() => undefined);
    makeNetworks();
    ip('route flush proto 147');
    warnings = [];
    rmSync(folder, { recursive: true, force: true });
    const journal = new Journal(join(folder, 'journal'), (message) => warnings.push(message));
    const around = () => ({
      ...readSurroundings(kernel.route),
      resolvers: [address('10.53.0.1')],
    });
    router = new IpRoute((message) => warnings.push(message), around, kernel, upkeep, journal);
  });

  test('what cannot be undone for want of a descriptor is undone later, unless it is wanted again', async (t) => {
    await router.serverUp(server);
    const first = {
      ...caller,
      peerAddress: address('192.168.1.200'),
      routes: prefixes('10.1.0.0/16'),
      proxyArp: true,
    };
    const second = { ...caller, routes: prefixes('10.2.0.0/16') };
    await router.tunnelUp(first);
    await router.tunnelUp(second);
    await router.hostRoute('office', address('203.0.113.7'), undefined);
    const before = routes('tun0');
    assert.equal(proxies().length, 1);
    assert.equal(hostRoutes().length, 1);

    const giveBack = takeDescriptors(t);
    const down = [first, second].map((network) => router.tunnelDown(network));
    await Promise.all([...down, router.releaseHostRoute('office')]);
    giveBack();
    assert.deepEqual(routes('tun0'), before, 'nothing could be done');
    for (const what of [/^proxy ARP for 192\.168\.1\.200 on lan0: .*tried again/, /^route to 10\.1\.0\.0\/16 through tun0: .*EMFILE; it is tried again/, /^host route to 203\.0\.113\.7: .*again/])
      assert.ok(warnings.some((line) => what.test(line)), String(what)); // prettier-ignore
    await router.tunnelUp(second);
    await router.close();
    const wanted = before.filter((line) => line.startsWith('10.2.0.0/16'));
    assert.deepEqual(routes('tun0'), wanted);
    assert.deepEqual([proxies(), hostRoutes()], [[], []]);
  });

  test('a server gets its address and its network; twice is as good as once', async () => {
    await router.serverUp(server);
    await router.serverUp(server);
    const [shown] = JSON.parse(ip('-json address show dev tun0')) as [
      { mtu: number; flags: string[]; addr_info: { local: string; prefixlen: number }[] },
    ];
    assert.equal(shown.mtu, 1400);
    assert.ok(shown.flags.includes('UP'));
    assert.deepEqual(
      shown.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      ['192.168.99.1/24'],
    );
    assert.equal(readFileSync('/proc/sys/net/ipv4/conf/tun0/send_redirects', 'utf8'), '0\n');
    assert.equal(readFileSync('/proc/sys/net/ipv6/conf/tun0/accept_ra', 'utf8'), '0\n');
    assert.match(ip('route get 192.168.99.77'), /dev tun0/);
    assert.deepEqual(warnings, []);
  });

  test('a server whose MTU and IPv6 change keeps its device, its address and the routes of callers', async () => {
    const shown = () => {
      const [{ mtu, addr_info }] = JSON.parse(ip('-json address show dev tun0')) as [
        { mtu: number; addr_info: { local: string }[] },
      ];
      return [mtu, ...addr_info.map(({ local }) => local)];
    };
    await router.serverUp(server);
    await router.tunnelUp({ ...caller, routes: prefixes('10.1.0.0/16') });
    const before = routes('tun0');
    await router.serverUp({ ...server, mtu: 1396, ipv6: true });
    assert.deepEqual(shown(), [1396, '192.168.99.1', 'fe80::1']);
    await router.serverUp(server);
    assert.deepEqual(shown(), [1400, '192.168.99.1']);
    assert.deepEqual(routes('tun0'), before);
    assert.deepEqual(warnings, []);
  });

  test('a server on a machine that does not forward says so', async () => {
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
    await router.serverUp(server);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /server home: net\.ipv4\.ip_forward is 0/);
  });

  test('a caller inside the network of the server needs no route', async () => {
    await router.serverUp(server);
    await router.tunnelUp(caller);
    assert.deepEqual(routes('tun0'), []);
    await router.tunnelDown(caller);
    assert.deepEqual(warnings, []);
  });

  test('a caller from elsewhere, with a smaller MTU, or with networks behind it gets routes', async () => {
    await router.serverUp(server);
    const elsewhere = { ...caller, peerAddress: address('172.16.0.9') };
    const small = { ...caller, mtu: 1300 };
    const branch = {
      ...caller,
      peerAddress: address('192.168.99.11'),
      routes: prefixes('10.1.0.0/16', '10.2.3.4/32'),
    };
    await Promise.all([elsewhere, small, branch].map((network) => router.tunnelUp(network)));
    assert.deepEqual(routes('tun0').sort(), [
      '10.1.0.0/16 scope link mtu 1400',
      '10.2.3.4 scope link mtu 1400',
      '172.16.0.9 scope link mtu 1400',
      '192.168.99.10 scope link mtu 1300',
    ]);
    await Promise.all([elsewhere, small].map((network) => router.tunnelDown(network)));
    assert.deepEqual(routes('tun0').sort(), [
      '10.1.0.0/16 scope link mtu 1400',
      '10.2.3.4 scope link mtu 1400',
    ]);
    await router.tunnelDown(branch);
    assert.deepEqual(routes('tun0'), []);
    assert.deepEqual(warnings, []);
  });

  test('up and down of a caller may be repeated, and down may come first', async () => {
    await router.serverUp(server);
    const branch = { ...caller, routes: prefixes('10.1.0.0/16') };
    await router.tunnelDown(branch);
    await router.tunnelUp(branch);
    await router.tunnelUp(branch);
    assert.deepEqual(routes('tun0'), ['10.1.0.0/16 scope link mtu 1400']);
    await router.tunnelDown(branch);
    await router.tunnelDown(branch);
    assert.deepEqual(routes('tun0'), []);
    assert.deepEqual(warnings, []);
  });

  test('a network behind two callers stays until the last of them is gone', async () => {
    await router.serverUp(server);
    const one = { ...caller, routes: prefixes('10.1.0.0/16') };
    const two = { ...one, peerAddress: address('192.168.99.11') };
    await router.tunnelUp(one);
    await router.tunnelUp(two);
    await router.tunnelDown(one);
    assert.deepEqual(routes('tun0'), ['10.1.0.0/16 scope link mtu 1400']);
    await router.tunnelDown(two);
    assert.deepEqual(routes('tun0'), []);
  });

  test("the owner's route to the same network is there again when the caller is gone", async () => {
    ip('route add 10.1.0.0/16 via 198.51.100.7');
    await router.serverUp(server);
    const branch = { ...caller, routes: prefixes('10.1.0.0/16') };
    await router.tunnelUp(branch);
    assert.match(ip('route get 10.1.2.3'), /dev tun0/);
    await router.tunnelDown(branch);
    assert.match(ip('route get 10.1.2.3'), /via 198\.51\.100\.7/);
  });

  test('a caller whose device is gone is forgotten without a word', async () => {
    await router.serverUp(server);
    const branch = { ...caller, routes: prefixes('10.1.0.0/16') };
    await router.tunnelUp(branch);
    ip('link del tun0');
    await router.tunnelDown(branch);
    assert.deepEqual(warnings, []);
  });

  test('a caller that cannot be routed fails with a RouterError and leaves nothing', async () => {
    await router.serverUp(server);
    const broken = { ...caller, routes: prefixes('10.1.0.0/16'), mtu: -1 };
    await assert.rejects(router.tunnelUp(broken), (error) => {
      assert.ok(error instanceof RouterError);
      assert.match(error.message, /^ip route prepend 192\.168\.99\.10\/32 dev tun0 mtu -1: /);
      return true;
    });
    assert.deepEqual(routes('tun0'), []);
    await router.tunnelUp(caller);
  });

  test('proxy ARP is answered on the device of the LAN, and only while the caller is there', async () => {
    const inLan = { ...server, localAddress: address('192.168.1.1'), prefixLength: 32 };
    await router.serverUp(inLan);
    const guest = { ...caller, peerAddress: address('192.168.1.50'), proxyArp: true };
    await router.tunnelUp(guest);
    assert.deepEqual(proxies(), ['192.168.1.50 dev lan0 proxy']);
    assert.deepEqual(routes('tun0'), ['192.168.1.50 scope link mtu 1400']);
    await router.tunnelDown(guest);
    assert.deepEqual(proxies(), []);
    assert.deepEqual(routes('tun0'), []);
    assert.deepEqual(warnings, []);
  });

  test('proxy ARP for an address that no device has a network for is a warning', async () => {
    await router.serverUp(server);
    await router.tunnelUp({ ...caller, peerAddress: address('172.16.0.9'), proxyArp: true });
    assert.deepEqual(proxies(), []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /172\.16\.0\.9/);
  });

  test('a link gets its addresses, routes with a metric, and MTU', async () => {
    await router.tunnelUp({
      ...link,
      routes: prefixes('10.20.0.0/16', '10.30.0.0/16'),
      metric: 7,
      mtu: 1300,
    });
    const [shown] = JSON.parse(ip('-json address show dev tun1')) as [
      { mtu: number; addr_info: { local: string; address: string }[] },
    ];
    assert.equal(shown.mtu, 1300);
    assert.deepEqual(
      shown.addr_info.map((entry) => [entry.local, entry.address]),
      [['10.7.0.2', '10.7.0.1']],
    );
    assert.deepEqual(routes('tun1').sort(), [
      '10.20.0.0/16 scope link metric 7',
      '10.30.0.0/16 scope link metric 7',
    ]);
    assert.match(ip('route get 203.0.113.1'), /via 198\.51\.100\.1/);
  });

  test('other addresses take the place of those before; the routes stay', async () => {
    const placeholder = {
      ...link,
      routes: prefixes('10.20.0.0/16'),
      localAddress: address('10.64.64.64'),
      peerAddress: address('10.64.64.64'),
    };
    const agreed = { ...link, routes: placeholder.routes };
    const addresses = () =>
      (JSON.parse(ip('-json address show dev tun1')) as [{ addr_info: { local: string }[] }])[0]
        .addr_info.map(({ local }) => local); // prettier-ignore
    for (const [network, local] of [
      [placeholder, '10.64.64.64'],
      [agreed, '10.7.0.2'],
      [{ ...agreed, peerAddress: address('10.7.0.9') }, '10.7.0.2'],
      [placeholder, '10.64.64.64'],
    ] as const) {
      await router.tunnelUp(network);
      assert.deepEqual(addresses(), [local]);
      assert.deepEqual(routes('tun1'), ['10.20.0.0/16 scope link']);
    }
  });

  test('a default route is two halves, which leave the one of the upstream in place', async () => {
    await router.tunnelUp({ ...link, defaultRoute: true });
    await router.tunnelUp({ ...link, defaultRoute: true });
    assert.deepEqual(routes('tun1').sort(), ['0.0.0.0/1 scope link', '128.0.0.0/1 scope link']);
    for (const far of ['8.8.8.8', '203.0.113.1']) assert.match(ip(`route get ${far}`), /dev tun1/);
    ip('link del tun1');
    await router.tunnelDown({ ...link, defaultRoute: true });
    assert.match(ip('route get 8.8.8.8'), /via 198\.51\.100\.1/);
    assert.deepEqual(warnings, []);
  });

  describe('a link with IPv6', () => {
    const identifiers = (last: number) => ({
      local: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, last),
      peer: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1),
    });
    const ipv6Client = {
      peerDns: true,
      requestPrefix: undefined,
      noRelease: false,
      sourceFilter: true,
      delegate: true,
    };
    const switches = (...names: string[]) =>
      names.map((name) =>
        Number(readFileSync(`/proc/sys/net/ipv6/conf/tun1/${name}`, 'utf8').trim()),
      );
    const ours = () => ip('-6 -json route show dev tun1 proto 147').replaceAll(/\s/g, '') || '[]';
    const routes6 = () =>
      (JSON.parse(ours()) as { dst: string; metric: number }[]).map(
        ({ dst, metric }) => `${dst} ${metric}`,
      );
    const addresses = () =>
      ip('-6 -o address show dev tun1')
        .match(/(?<=inet6 )\S+/g)
        ?.sort() ?? [];
    const heeded = ['accept_ra', 'accept_ra_pinfo', 'autoconf', 'accept_ra_rt_info_max_plen'];
    const ipv6Routes = ['2001:db8:1::/48', '2001:db8:2::9/128'].map((text) =>
      parseIpv6Prefix(text)!,
    );

    test('auto: routers are heeded, also where IPv6 is off by default, and their default route where it is wanted', async () => {
      for (const [which, value] of [
        ['all', '1'],
        ['default', '1'],
      ] as const)
        // prettier-ignore
        writeFileSync(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`, value);
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Client });
      assert.deepEqual(addresses(), ['fe80::9/64']);
      assert.deepEqual(switches(...heeded, 'accept_ra_defrtr'), [2, 1, 1, 0, 0]);
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Client, defaultRoute: true });
      assert.deepEqual(switches('accept_ra_defrtr', 'ra_defrtr_metric'), [1, 1]);
      const metric = 700;
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Client, defaultRoute: true, metric }); // prettier-ignore
      assert.deepEqual(switches('ra_defrtr_metric'), [metric]);
      assert.deepEqual(warnings, []);
    });

    test('1: routers are not heeded; networks are there as long as the peer speaks IPv6', async () => {
      await router.tunnelUp({ ...link, ipv6Routes });
      assert.deepEqual([addresses(), routes6()], [[], []]);
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Routes });
      assert.deepEqual(switches('accept_ra'), [0]);
      assert.deepEqual(routes6().sort(), ['2001:db8:1::/48 1024', '2001:db8:2::9 1024']);
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Routes });
      assert.equal(routes6().length, 2, 'once each');
      await router.tunnelUp({ ...link, ipv6Routes });
      assert.deepEqual([addresses(), routes6()], [[], []]);
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Routes, metric: 7 });
      assert.deepEqual(routes6().sort(), ['2001:db8:1::/48 7', '2001:db8:2::9 7']);
      assert.deepEqual(warnings, []);
    });

    test('the device of a link that dials on demand keeps nothing of the session before, but what is the owner’s', async () => {
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Client, ipv6Routes });
      ip('-6 address add 2001:db8:f::9/64 dev tun1 valid_lft 900 preferred_lft 900');
      ip('-6 address add fd00:9::9/64 dev tun1');
      ip('-6 route add default dev tun1 proto ra');
      ip('-6 route add 2001:db8:9::/48 dev tun1');
      await router.tunnelUp({ ...link, ipv6: identifiers(9), ipv6Client, ipv6Routes, mtu: 1300 });
      assert.equal(addresses().length, 3, 'it is the same session');
      await router.tunnelUp({ ...link, ipv6: identifiers(8), ipv6Client, ipv6Routes });
      assert.deepEqual(addresses(), ['fd00:9::9/64', 'fe80::8/64']);
      assert.doesNotMatch(ip('-6 route show dev tun1'), /^default/m);
      assert.match(ip('-6 route show dev tun1'), /^2001:db8:9::\/48 /m);
      assert.equal(routes6().length, 2);
    });
  });

  test('of two links with a default route the first is in force again when the second goes', async () => {
    await router.tunnelUp({ ...link, defaultRoute: true });
    const second = {
      ...link,
      device: 'tun0',
      localAddress: address('10.8.0.2'),
      defaultRoute: true,
    };
    await router.tunnelUp(second);
    assert.match(ip('route get 8.8.8.8'), /dev tun0/);
    ip('link del tun0');
    assert.match(ip('route get 8.8.8.8'), /dev tun1/);
  });

  test('a device that does not exist is a RouterError that names the command', async () => {
    await assert.rejects(router.tunnelUp({ ...link, device: 'tun9' }), {
      name: 'RouterError',
      message: /^ip link set dev tun9 .*Cannot find device/,
    });
    await assert.rejects(router.serverUp({ ...server, device: 'tun9' }), { name: 'RouterError' });
    await router.tunnelUp(link); // a failure does not stop what comes after it
  });

  test('a host route goes the way of today, and away with its link', async () => {
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    assert.deepEqual(hostRoutes(), ['203.0.113.9 via 198.51.100.1 dev wan0']);
    await router.tunnelUp({ ...link, defaultRoute: true });
    assert.match(ip('route get 203.0.113.9'), /via 198\.51\.100\.1 dev wan0/);
    await router.hostRoute('office', address('203.0.113.10'), undefined);
    assert.equal(hostRoutes().length, 1); // the address before it is forgotten
    await router.releaseHostRoute('office');
    await router.releaseHostRoute('office');
    assert.deepEqual(hostRoutes(), []);
    assert.deepEqual(warnings, []);
  });

  test('a neighbour is pinned to its device: the halves of a default route must not catch it', async () => {
    ip('route del default');
    ip('route add default dev wan0'); // point to point, as PPPoE
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    await router.hostRoute('branch', address('198.51.100.9'), undefined);
    await router.tunnelUp({ ...link, defaultRoute: true });
    for (const far of ['203.0.113.9', '198.51.100.9'])
      assert.match(ip(`route get ${far}`), /dev wan0/);
  });

  test('two links to one server share its route until the last of them is gone', async () => {
    const shared = address('203.0.113.9');
    await router.hostRoute('one', shared, undefined);
    await router.hostRoute('two', shared, undefined);
    await router.releaseHostRoute('one');
    assert.equal(hostRoutes().length, 1);
    await router.releaseHostRoute('two');
    assert.deepEqual(hostRoutes(), []);
  });

  test('two links to one server by different devices: the one that stays has its way', async () => {
    ip('address add 192.0.2.2/24 dev wan1');
    ip('route add default via 192.0.2.1 dev wan1 metric 50');
    const shared = address('203.0.113.9');
    await router.hostRoute('one', shared, undefined);
    await router.hostRoute('two', shared, 'wan1');
    await router.releaseHostRoute('two');
    assert.deepEqual(hostRoutes(), ['203.0.113.9 via 198.51.100.1 dev wan0']);
    await router.hostRoute('two', shared, 'wan1');
    await router.releaseHostRoute('one');
    assert.deepEqual(hostRoutes(), ['203.0.113.9 via 192.0.2.1 dev wan1']);
    await router.releaseHostRoute('two');
    assert.deepEqual(hostRoutes(), []);
    assert.deepEqual(warnings, []);
  });

  test('a server whose address inside is the one outside too: no tunnel swallows itself or another', async () => {
    const outside = address('203.0.113.9');
    await router.hostRoute('office', outside, undefined);
    await router.tunnelUp({ ...link, peerAddress: outside });
    await router.hostRoute('other', outside, undefined);
    const second = { ...link, device: 'tun0', localAddress: address('10.7.0.3') };
    await router.tunnelUp({ ...second, peerAddress: outside });
    const way = /via 198\.51\.100\.1 dev wan0/;
    assert.match(ip('route get 203.0.113.9'), way);
    ip('link del tun1');
    await router.releaseHostRoute('office');
    assert.match(ip('route get 203.0.113.9'), way, 'the other link still needs it');
    await router.releaseHostRoute('other');
    assert.deepEqual(hostRoutes(), []);
    for (const line of warnings) assert.match(line, /no route to 203\.0\.113\.9/);
  });

  test('an address from the peer that takes nothing away has a route', async () => {
    await router.tunnelUp(link);
    assert.match(ip('route get 10.7.0.1'), /dev tun1/);
    assert.deepEqual(warnings, []);
  });

  const surprising = {
    '8.8.8.8': 'it is a public address, and no route of the link covers it',
    '10.53.0.1': 'it is a name server of this machine, and no route of the link covers it',
    '192.168.1.50': 'it is in the network 192.168.1.0/24 of lan0',
    '192.168.1.1': 'it is ours, on lan0',
    '127.0.0.1': 'it is ours, on lo',
    '203.0.113.77': 'it is where the tunnel itself leads to',
    '0.0.0.0': 'it is none',
  };
  for (const [text, why] of Object.entries(surprising))
    test(`a peer that says to be ${text} inside takes nobody's place`, async () => {
      const before = ip('route get 192.168.1.50') + ip('route get 8.8.8.8');
      await router.tunnelUp({ ...link, peerAddress: address(text) });
      assert.deepEqual(warnings, [
        `interface office: no route to ${text}, which the other end says to have inside the tunnel: ${why}`,
      ]);
      assert.equal(ip('route get 192.168.1.50') + ip('route get 8.8.8.8'), before);
      assert.doesNotMatch(ip('route show dev tun1'), new RegExp(text.replaceAll('.', '\\.')));
      assert.match(ip('address show dev tun1'), /inet 10\.7\.0\.2\/32/);
    });

  test('where the routes of the owner cover a surprising address it is routed', async () => {
    const peerAddress = address('8.8.8.8');
    await router.tunnelUp({ ...link, peerAddress, routes: prefixes('8.8.8.0/24') });
    assert.match(ip('route get 8.8.8.8'), /dev tun1/);
    ip('link del tun1');
    await router.tunnelDown({ ...link, peerAddress });
    ip('tuntap add tun1 mode tun');
    const resolver = address('10.53.0.1');
    await router.tunnelUp({ ...link, peerAddress: resolver, routes: prefixes('10.53.0.0/16') });
    assert.match(ip('route get 10.53.0.1'), /dev tun1/);
    assert.deepEqual(warnings, []);
  });

  for (const [text, device] of [
    ['127.0.0.1', 'lo'],
    ['198.51.100.2', 'wan0'],
    ['192.168.1.1', 'lan0'],
    ['192.168.99.1', 'tun0'],
  ] as const)
    test(`an address from the peer that we have already (${text}) is refused`, async () => {
      await router.serverUp(server);
      await assert.rejects(router.tunnelUp({ ...link, localAddress: address(text) }), (error) => {
        assert.ok(error instanceof RouterError);
        assert.equal(error.code, 'ADDRESS_IN_USE');
        assert.equal(error.message, `the peer gives the address ${text}, which ${device} has`);
        return true;
      });
      assert.doesNotMatch(ip('address show dev tun1'), /inet /);
    });

  test('a route into a network of ours, or to the server itself, is left out, others are there', async () => {
    await router.hostRoute('office', link.peer, undefined);
    const wanted = prefixes(
      '10.20.0.0/16',
      '192.168.1.128/25',
      '203.0.113.77/32',
      '192.168.0.0/16',
    );
    await router.tunnelUp({ ...link, routes: wanted });
    assert.deepEqual(routes('tun1').sort(), [
      '10.20.0.0/16 scope link',
      '192.168.0.0/16 scope link',
    ]);
    assert.deepEqual(warnings, [
      'interface office: route 192.168.1.128/25 is left out (ROUTE_CONFLICT): interface lan0 has 192.168.1.0/24',
      'interface office: route 203.0.113.77/32 is left out (ROUTE_CONFLICT): the PPTP server itself would be looked for inside the tunnel',
    ]);
    assert.match(ip('route get 192.168.1.200'), /dev lan0/);
  });

  test('a network behind a caller that is one of ours is left out', async () => {
    await router.serverUp(server);
    await router.tunnelUp({ ...caller, routes: prefixes('192.168.1.0/24', '10.20.0.0/16') });
    assert.deepEqual(routes('tun0'), [
      '10.20.0.0/16 scope link mtu lock 1400'.replace(' lock', ''),
    ]);
    assert.match(warnings[0]!, /192\.168\.1\.0\/24 is left out \(ROUTE_CONFLICT\)/);
  });

  test("a peer's route that the kernel made outlives the host route beside it", async () => {
    ip('address add 10.9.0.2 peer 203.0.113.9 dev lan0');
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    assert.match(ip('route get 203.0.113.9'), /dev lan0/);
    await router.releaseHostRoute('office');
    assert.match(ip('route get 203.0.113.9'), /dev lan0/);
    assert.deepEqual(hostRoutes(), []);
  });

  test('release and hold at once happen in order', async () => {
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    await Promise.all([
      router.releaseHostRoute('office'),
      router.hostRoute('office', address('203.0.113.9'), undefined),
    ]);
    assert.equal(hostRoutes().length, 1);
  });

  test("the owner's own host route is used and left alone", async () => {
    ip('route add 203.0.113.9/32 via 198.51.100.77');
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    assert.deepEqual(hostRoutes(), []);
    await router.releaseHostRoute('office');
    assert.match(ip('route get 203.0.113.9'), /via 198\.51\.100\.77/);
  });

  test('a route that a killed daemon left is replaced by the way of today', async () => {
    ip('route add 203.0.113.9/32 via 198.51.100.66 proto 147');
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    assert.deepEqual(hostRoutes(), ['203.0.113.9 via 198.51.100.1 dev wan0']);
    await router.releaseHostRoute('office');
    assert.deepEqual(hostRoutes(), []);
  });

  test('no way to the server is a RouterError', async () => {
    ip('route del default');
    await assert.rejects(router.hostRoute('office', address('203.0.113.9'), undefined), {
      name: 'RouterError',
      message: /203\.0\.113\.9.*unreachable/,
    });
    await assert.rejects(router.hostRoute('office', address('198.51.100.2'), undefined), {
      name: 'RouterError',
      message: /198\.51\.100\.2 is an address of this machine/,
    });
    ip('route add default via 198.51.100.1');
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    assert.equal(hostRoutes().length, 1);
  });

  test('a host route whose device is gone is released with a warning at most', async () => {
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    ip('link del wan0');
    await router.releaseHostRoute('office');
    assert.deepEqual(hostRoutes(), []);
  });
});
