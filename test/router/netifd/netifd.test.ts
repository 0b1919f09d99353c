/**
 * The Router port on a bus with a stub of netifd and procd, and a daemon that does what it is told. With UBUS_SOCKET set
 * the bus is the real ubusd.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { supervisorMethods } from '../../../src/daemon/methods/links.ts';
import { Netifd } from '../../../src/router/netifd/netifd.ts';
import type { KernelRoute } from '../../../src/router/route-table.ts';
import type { SupervisedDaemon } from '../../../src/router/router.ts';
import { kernel } from '../../../src/daemon/engine/kernel.ts';
import { Upkeep } from '../../../src/router/upkeep.ts';
import { UbusError } from '../../../src/ubus-js/index.ts';
import { cause } from '../../../src/wire/cause.ts';
import { formatAddress } from '../../../src/wire/ip.ts';
import { StubNetifd } from '../../support/stub-netifd.ts';
import { ip, net } from '../../support/world.ts';
import { client, onEachBus } from '../../ubus-js/bus.ts';
import { formatIpv6Prefix, type Ipv6Prefix } from '../../../src/wire/ipv6.ts';
import { caller, link } from './networks.ts';

const UpdateLink = 0;
const HostDependency = 6;

/** What was asked of it, in order; a test waits for the next word. */
class Daemon implements SupervisedDaemon {
  readonly words: string[] = [];
  readonly #waiting = new Set<() => void>();

  start(name: string, fresh: boolean): void {
    this.say(`start ${name}${fresh ? ' fresh' : ''}`);
  }

  stop(name: string): void {
    this.say(`stop ${name}`);
  }

  givenIpv6(link: string, prefixes: readonly Ipv6Prefix[]): void {
    const texts = prefixes.map(
      ({ address, length }) => `${Buffer.from(address).toString('hex')}/${length}`,
    );
    this.say(['given', link, ...texts].join(' '));
  }

  assignedIpv6(server: string, prefixes: readonly Ipv6Prefix[]): void {
    this.say(['assigned', server, ...prefixes.map(formatIpv6Prefix)].join(' '));
  }

  isOurs(_name: string, proto: string): boolean {
    return proto.startsWith('pptp');
  }

  /** Takes out what it was told up to this word. */
  async until(word: string): Promise<string[]> {
    while (!this.words.includes(word))
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    return this.words.splice(0, this.words.indexOf(word) + 1);
  }

  say(word: string): void {
    this.words.push(word);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

interface Router {
  readonly netifd: Netifd;
  readonly stub: StubNetifd;
  readonly daemon: Daemon;
  readonly warnings: string[];
  /** Scripts for nft. */
  readonly scripts: string[];
  /** What a restart of fw4 brings back. */
  readonly kept: () => string | undefined;
  readonly commands: string[];
  readonly routes: KernelRoute[];
  readonly upkeep: Upkeep;
}

const wan: KernelRoute = {
  prefix: net('0.0.0.0/0'),
  device: 'eth1',
  gateway: ip('203.0.113.1'),
  metric: 0,
};

onEachBus((bus) => {
  async function router(
    context: TestContext,
    prepare: (stub: StubNetifd) => void = () => undefined,
  ): Promise<Router> {
    const path = await bus(context);
    const stub = new StubNetifd(await client(context, path));
    stub.start();
    context.after(() => stub.stop());
    prepare(stub);
    const daemon = new Daemon();
    const warnings: string[] = [];
    const scripts: string[] = [];
    const commands: string[] = [];
    const routes = [wan];
    const upkeep = new Upkeep((text) => warnings.push(text));
    context.after(() => upkeep.close());
    const folders = { config: '/nowhere', state: mkdtempSync(join(tmpdir(), 'netifd-')) };
    const own = await client(context, path);
    const netifd = new Netifd(own, daemon, (text) => warnings.push(text), folders, upkeep, kernel, {
      nftJson: () => Promise.resolve({ nftables: [] }), // the set is empty
      nft: (script) => {
        scripts.push(script);
        return Promise.resolve();
      },
      prepareDevice: () => Promise.resolve(),
      forgetMasqueraded: (device, address) => {
        commands.push(`forget ${formatAddress(address)} of ${device}`);
        return Promise.resolve();
      },
      around: () => ({
        networks: [
          {
            device: 'br-lan',
            index: 2,
            address: ip('192.168.1.1'),
            network: net('192.168.1.0/24'),
          },
          { device: 'tun7', index: 3, address: ip('10.8.0.1'), network: net('10.8.0.1/32') },
        ],
        resolvers: [],
      }),
      hostRoutes: {
        ip: (...words) => {
          commands.push(words.join(' '));
          return Promise.resolve('');
        },
        routes: () => Promise.resolve(routes),
      },
    });
    context.after(async () => {
      await netifd.close();
      rmSync(folders.state, { recursive: true });
    });
    own.add({ path: 'pptp', methods: supervisorMethods(netifd.supervisor) });
    while ((await own.lookup('pptp')).length === 0);
    const kept = () => {
      const file = join(folders.state, 'firewall.nft');
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    };
    return { netifd, stub, daemon, warnings, scripts, kept, commands, routes, upkeep };
  }

  /** A router whose link is set up. */
  async function setUp(context: TestContext): Promise<Router> {
    const made = await router(context);
    made.stub.configure('office');
    made.stub.up('office');
    await made.daemon.until('start office fresh');
    return made;
  }

  async function connected(context: TestContext, network = link): Promise<Router> {
    const made = await setUp(context);
    await made.netifd.tunnelUp(network);
    await made.stub.until(() => made.stub.state('office') === 'up');
    return made;
  }

  test('a link: host dependency, link up with routes and DNS, loss, and the setup that follows', async (context) => {
    const { netifd, stub, daemon, routes, commands } = await setUp(context);
    await netifd.hostRoute('office', ip('198.51.100.10'), undefined);
    assert.deepEqual(stub.notified('office', HostDependency), [
      { interface: 'office', action: 6, host: '198.51.100.10' },
    ]);
    assert.deepEqual(commands, ['route replace 198.51.100.10/32 via 203.0.113.1 dev eth1']);
    routes.push({ ...wan, prefix: net('198.51.100.10/32') });
    await netifd.tunnelUp({ ...link, routes: [net('10.20.0.0/16')], dns: [ip('10.7.0.53')] });
    assert.equal(stub.state('office'), 'up');
    const { routes: told, dns } = stub.link('office');
    assert.deepEqual(told, [{ target: '10.20.0.0', netmask: '16' }]);
    assert.deepEqual(dns, ['10.7.0.53']);

    await netifd.tunnelDown(link);
    await netifd.releaseHostRoute('office');
    assert.deepEqual(await daemon.until('start office'), [
      'stop office',
      'stop office',
      'start office',
    ]);
    assert.equal(stub.notified('office', UpdateLink).length, 2, 'up and down, once each');
    assert.equal(commands.at(-1), 'route del 198.51.100.10/32 dev eth1');
  });

  test('a default route becomes two halves while the upstream has one of the same metric', async (context) => {
    const { stub, netifd } = await connected(context, { ...link, defaultRoute: true });
    const targets = () =>
      (stub.link('office')['routes'] as { target: string; netmask: string }[]).map(
        ({ target, netmask }) => `${target}/${netmask}`,
      );
    assert.deepEqual(targets(), ['0.0.0.0/1', '128.0.0.0/1']);
    stub.upstream = { ...stub.upstream!, metric: 20 };
    netifd.handleConnected();
    await stub.until(() => targets().join() === '0.0.0.0/0');
    assert.equal(stub.state('office'), 'up');
  });

  test('a link that dials on demand: the placeholder is up, and its addresses change in place, there and back', async (context) => {
    const { netifd, stub, daemon, commands } = await setUp(context);
    const placeholder = {
      ...link,
      localAddress: ip('10.64.64.64'),
      peerAddress: ip('10.64.64.64'),
      dns: [],
    };
    const addresses = () => stub.link('office')['ipaddr'];
    for (const network of [placeholder, link, placeholder]) {
      await netifd.tunnelUp(network);
      assert.equal(stub.state('office'), 'up');
      const local = network === link ? '10.7.0.2' : '10.64.64.64';
      const ptp = network === link ? '10.7.0.1' : '10.64.64.64';
      assert.deepEqual(addresses(), [{ ipaddr: local, mask: '32', ptp }]);
      assert.deepEqual(stub.link('office')['dns'], network.dns.map(formatAddress));
    }
    assert.equal(stub.notified('office', UpdateLink).length, 3);
    assert.deepEqual(commands, [
      'forget 10.64.64.64 of pptp-office',
      'forget 10.7.0.2 of pptp-office',
    ]);
    await netifd.tunnelDown(placeholder);
    assert.deepEqual(await daemon.until('start office'), [
      'stop office',
      'stop office',
      'start office',
    ]);
  });

  test('ifdown while it dials: nothing is announced any more', async (context) => {
    const { netifd, stub, daemon } = await setUp(context);
    stub.down('office');
    await daemon.until('stop office');
    await assert.rejects(netifd.hostRoute('office', ip('198.51.100.10'), undefined), {
      code: 'INTERFACE_DOWN',
    });
    await assert.rejects(netifd.tunnelUp(link), { code: 'INTERFACE_DOWN' });
    await stub.until(() => stub.state('office') === 'down');
    await netifd.tunnelDown(link);
    assert.deepEqual(stub.notified('office', UpdateLink), []);
  });

  test('ifup during the teardown, and ifdown at once again', async (context) => {
    const { stub, daemon } = await connected(context);
    stub.down('office');
    stub.up('office');
    assert.equal(stub.state('office'), 'teardown');
    assert.deepEqual(await daemon.until('start office fresh'), [
      'stop office',
      'start office fresh',
    ]);
    stub.down('office');
    await daemon.until('stop office');
    await stub.until(() => stub.state('office') === 'down');
  });

  test('the upstream is lost while the host dependency is asked for', async (context) => {
    const { netifd, stub, daemon } = await setUp(context);
    stub.upstream = undefined;
    await assert.rejects(netifd.hostRoute('office', ip('198.51.100.10'), undefined), {
      code: 'NO_ROUTE',
      message: /198\.51\.100\.10 yet: waiting for the upstream/,
    });
    await daemon.until('stop office');
    await stub.until(() => stub.state('office') === 'down');
    stub.upstreamUp({ device: 'eth1', address: '203.0.113.2', mask: 24, metric: 0 });
    await daemon.until('start office fresh');
  });

  test('the upstream of the option interface must be up: netifd sets the link up when it is', async (context) => {
    const { netifd, stub, daemon } = await setUp(context);
    await assert.rejects(netifd.hostRoute('office', ip('198.51.100.10'), 'wwan'), {
      code: 'NO_ROUTE',
      message: /through wwan yet: waiting for the upstream/,
    });
    assert.equal(stub.notified('office', HostDependency).at(-1)?.['ifname'], 'wwan');
    await daemon.until('stop office');
    await stub.until(() => stub.state('office') === 'down');
    stub.upstreamUp(stub.upstream!);
    await daemon.until('start office fresh');
    await netifd.hostRoute('office', ip('198.51.100.10'), 'wan');
    assert.equal(stub.notified('office', HostDependency).at(-1)?.['ifname'], 'wan');
    assert.equal(netifd.deviceOf('wan'), 'eth1');
  });

  test("a host route that was there before is somebody else's and stays", async (context) => {
    const { netifd, routes, commands } = await setUp(context);
    routes.push({ ...wan, prefix: net('198.51.100.10/32') });
    await netifd.hostRoute('office', ip('198.51.100.10'), undefined);
    await netifd.releaseHostRoute('office');
    assert.deepEqual(commands, []);
  });

  test('a host route that netifd brings back is ours still; another upstream gets another route', async (context) => {
    const { netifd, commands, routes } = await setUp(context);
    const server = ip('198.51.100.10');
    await netifd.hostRoute('office', server, 'wan');
    routes.push({ ...wan, prefix: net('198.51.100.10/32') });
    await netifd.hostRoute('office', server, undefined);
    const made = 'route replace 198.51.100.10/32 via 203.0.113.1 dev eth1';
    const gone = 'route del 198.51.100.10/32 dev eth1';
    assert.deepEqual(commands, [made, gone], 'the list of routes still has it');
    await netifd.releaseHostRoute('office');
    assert.deepEqual(commands.splice(0), [made, gone, gone]);
    await netifd.hostRoute('office', server, undefined); // the route is there: its network has come up again
    await netifd.releaseHostRoute('office');
    assert.deepEqual(commands, [gone]);
  });

  test('a device that vanished: netifd tears down and sets up, fresh', async (context) => {
    const { stub, daemon } = await connected(context);
    stub.deviceGone('office');
    assert.deepEqual(await daemon.until('start office fresh'), [
      'stop office',
      'start office fresh',
    ]);
  });

  test('adoption: interfaces that wait when the daemon starts', async (context) => {
    const { daemon } = await router(context, (stub) => {
      stub.configure('office');
      stub.configure('other', 'dhcp');
      stub.up('office');
      stub.up('other');
    });
    await daemon.until('start office fresh');
    assert.ok(!daemon.words.some((word) => word.includes('other')));
  });

  test('netifd is started anew: links that are up are announced again, servers too', async (context) => {
    const { netifd, stub, daemon, routes } = await setUp(context);
    await netifd.hostRoute('office', ip('198.51.100.10'), undefined);
    routes.push({ ...wan, prefix: net('198.51.100.10/32') });
    await netifd.tunnelUp(link);
    stub.stop();
    routes.pop(); // it went with the flush of the upstream
    stub.start();
    stub.up('office'); // its handler calls setup
    await stub.until(() => stub.state('office') === 'up');
    await stub.until(() => stub.notified('office', HostDependency).length === 2);
    assert.equal(stub.link('office')['ifname'], 'pptp-office');
    assert.ok(!daemon.words.includes('stop office'));
    await netifd.tunnelDown(link);
    await daemon.until('start office');
  });

  test('a loss while netifd is away is told when it is back', async (context) => {
    const { netifd, stub, daemon } = await connected(context);
    stub.refusals.set(UpdateLink, new UbusError('TIMEOUT'));
    await netifd.tunnelDown(link);
    await stub.until(() => stub.notified('office', UpdateLink).length === 2);
    assert.equal(stub.state('office'), 'up', 'it did not hear');
    netifd.handleConnected();
    await daemon.until('start office');
  });

  test('netifd refuses: one clear failure with a stable code', async (context) => {
    const { netifd, stub } = await setUp(context);
    stub.refusals.set(UpdateLink, new UbusError('INVALID_ARGUMENT'));
    await assert.rejects(netifd.tunnelUp(link), {
      code: 'NETIFD_REFUSED',
      message: 'interface office: netifd does not take it over: invalid argument',
    });
  });

  test('errors are shown; one that blocks takes the interface down for good, until somebody wants it', async (context) => {
    const { netifd, stub, daemon } = await setUp(context);
    netifd.linkFailed('office', cause('CONNECT_TIMEOUT'), false);
    await stub.until(() => stub.errors('office').includes('CONNECT_TIMEOUT'));
    assert.equal(stub.state('office'), 'setup');
    netifd.linkFailed('office', cause('AUTH_TOPEER_FAILED'), true);
    await daemon.until('stop office');
    await stub.until(() => stub.state('office') === 'down');
    assert.deepEqual(
      [stub.errors('office'), stub.isAutostart('office')],
      [['AUTH_TOPEER_FAILED'], false],
    );
    await netifd.supervisor.revive('office');
    await daemon.until('start office fresh');
    await netifd.supervisor.revive('office'); // nothing to revive
  });

  test('dial and hangup go through netifd; an interface that it does not know is named', async (context) => {
    const { netifd, stub, daemon } = await setUp(context);
    await netifd.supervisor.dial('office');
    assert.deepEqual(
      await daemon.until('start office fresh'),
      ['start office fresh'],
      'skips the pause',
    );
    await netifd.supervisor.hangup('office');
    await daemon.until('stop office');
    assert.deepEqual(
      stub.calls
        .filter(({ path }) => path === 'network.interface.office')
        .map(({ method }) => method),
      ['up', 'down'],
    );
    await assert.rejects(netifd.supervisor.dial('nowhere'), /netifd knows no interface nowhere/);
  });

  test('dial and hangup leave interfaces alone that are no links of ours', async (context) => {
    const { netifd, stub } = await setUp(context);
    stub.configure('home', 'pptpserver');
    for (const name of ['wan', 'home'])
      for (const ask of ['dial', 'hangup'] as const)
        await assert.rejects(netifd.supervisor[ask](name), {
          message: `${name} is no link of pptp-gateway`,
        });
    assert.ok(stub.calls.every(({ method }) => method !== 'up' && method !== 'down'));
  });

  test('a section that is deleted while it dials', async (context) => {
    const { netifd, stub, daemon } = await setUp(context);
    stub.delete('office');
    await daemon.until('stop office');
    await assert.rejects(netifd.tunnelUp(link), { code: 'INTERFACE_DOWN' });
  });

  test('routes that would take something away are left out, with a line and a code', async (context) => {
    const { stub, warnings } = await connected(context, {
      ...link,
      routes: [net('192.168.1.0/24'), net('10.20.0.0/16')],
    });
    assert.deepEqual(stub.link('office')['routes'], [{ target: '10.20.0.0', netmask: '16' }]);
    assert.deepEqual(warnings, [
      'interface office: route 192.168.1.0/24 is left out: interface lan has 192.168.1.1/24',
    ]);
    await stub.until(() => stub.errors('office').includes('ROUTE_CONFLICT'));
  });

  test('an address that the kernel has of somebody whom netifd does not know', async (context) => {
    const { netifd } = await setUp(context);
    await assert.rejects(netifd.tunnelUp({ ...link, localAddress: ip('10.8.0.1') }), {
      code: 'ADDRESS_IN_USE',
      message: /10\.8\.0\.1, which tun7 has/,
    });
  });

  test("what the peer says to be inside takes nobody's place, nor is this router its own name server", async (context) => {
    const { netifd, stub, warnings } = await setUp(context);
    const dns = [ip('192.168.1.1'), ip('192.0.2.53')];
    await netifd.tunnelUp({ ...link, peerAddress: ip('8.8.8.8'), dns, defaultRoute: false });
    const shown = stub.link('office');
    assert.deepEqual(
      (shown['ipaddr'] as { ptp?: string }[]).map(({ ptp }) => ptp),
      [undefined],
    );
    assert.deepEqual(shown['dns'], ['192.0.2.53']);
    assert.match(warnings[0]!, /no route to 8\.8\.8\.8, .* public address/);
  });

  test('an address that this router has already', async (context) => {
    const { netifd } = await setUp(context);
    await assert.rejects(netifd.tunnelUp({ ...link, localAddress: ip('192.168.1.1') }), {
      code: 'ADDRESS_IN_USE',
      message: /192\.168\.1\.1, which interface lan has/,
    });
  });

  test('IPv6: a DHCPv6 client comes and goes with IPV6CP and the link', async (context) => {
    const ipv6Client = {
      peerDns: true,
      requestPrefix: 'auto',
      noRelease: true,
      sourceFilter: true,
      delegate: false,
    };
    const { netifd, stub } = await connected(context, { ...link, ipv6Client });
    const added = () => stub.calls.find(({ method }) => method === 'add_dynamic');
    const ipv6 = { local: new Uint8Array(8).fill(1), peer: new Uint8Array(8).fill(2) };
    await netifd.tunnelUp({ ...link, mtu: 1300, ipv6Client });
    assert.equal(added(), undefined, 'the peer speaks no IPv6');
    await netifd.tunnelUp({ ...link, ipv6, ipv6Client });
    assert.deepEqual(added()?.args, {
      name: 'office_6',
      proto: 'dhcpv6',
      device: '@office',
      extendprefix: '1',
      reqprefix: 'auto',
      norelease: true,
      sourcefilter: true,
      delegate: false,
      defaultroute: false,
      metric: 0,
      peerdns: true,
    });
    const path = 'network.interface.office_6';
    const removals = () =>
      stub.calls.filter((call) => call.path === path && call.method === 'remove').length;
    await netifd.tunnelUp({ ...link, ipv6Client });
    assert.equal(removals(), 1, 'IPV6CP is closed again');
    await netifd.tunnelUp({ ...link, ipv6, ipv6Client });
    await netifd.tunnelDown(link);
    await stub.until(() => removals() === 2);
  });

  test('IPv6: what the DHCPv6 client has got, and later, is told; link-local addresses are not', async (context) => {
    const ipv6Client = {
      peerDns: true,
      requestPrefix: undefined,
      noRelease: false,
      sourceFilter: true,
      delegate: true,
    };
    const ipv6 = { local: new Uint8Array(8).fill(1), peer: new Uint8Array(8).fill(2) };
    const { stub, daemon } = await connected(context, { ...link, ipv6, ipv6Client });
    await stub.until(() => stub.state('office_6') !== undefined);
    const address = '20010db800ff00000000000000000002/128';
    stub.give('office_6', 'pptp-office', ['2001:db8:ff::2/128', 'fe80::2/64'], []);
    await daemon.until(`given office ${address}`);
    stub.give('office_6', 'pptp-office', ['2001:db8:ff::2/128'], ['2001:db8:1::/56']);
    await daemon.until(`given office ${address} 20010db8000100000000000000000000/56`);
    stub.give('office_6', 'eth9', ['2001:db8:ff::2/128'], []);
    await daemon.until('given office');
  });

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

  test('a server: address, and routes of callers that come and go', async (context) => {
    const { netifd, stub, daemon } = await router(context);
    stub.configure('home', 'pptpserver');
    stub.up('home');
    await daemon.until('start home fresh');
    await netifd.serverUp(server);
    assert.deepEqual(stub.link('home')['ipaddr'], [{ ipaddr: '192.168.99.1', mask: '24' }]);
    const routes = () => stub.link('home')['routes'] as { target: string; mtu?: number }[];
    await netifd.tunnelUp(caller);
    assert.equal(stub.notified('home', UpdateLink).length, 1, 'an ordinary caller is nothing new');
    const site = { ...caller, peerAddress: ip('192.168.99.11'), routes: [net('10.1.0.0/16')] };
    const small = { ...caller, peerAddress: ip('192.168.99.12'), mtu: 1300 };
    await Promise.all([netifd.tunnelUp(site), netifd.tunnelUp(small)]);
    assert.deepEqual(
      routes().map(({ target, mtu }) => [target, mtu]),
      [['10.1.0.0', undefined], ['192.168.99.12', 1300]],
    ); // prettier-ignore
    await netifd.tunnelDown(site);
    assert.deepEqual(routes().map(({ target }) => target), ['192.168.99.12']); // prettier-ignore
    await netifd.serverUp({ ...server, ipv6: true });
    assert.deepEqual(stub.link('home')['ip6addr'], [{ ipaddr: 'fe80::1', mask: '64' }]);
    assert.deepEqual(routes().map(({ target }) => target), ['192.168.99.12']); // prettier-ignore
    assert.equal(stub.state('home'), 'up', 'the interface stays');
    stub.down('home');
    await daemon.until('stop home');
    netifd.serverDown(server);
    await netifd.tunnelDown(small);
    await netifd.tunnelDown(caller);
  });

  test('a server: what netifd assigns of the prefixes of the router, of which it says nothing itself', async (context) => {
    const { netifd, stub, daemon } = await router(context);
    stub.configure('home', 'pptpserver');
    stub.up('home');
    await daemon.until('start home fresh');
    stub.assign('home', ['2001:db8:200:40::/60', 'fd12:3456:789a:40::/60']);
    await netifd.serverUp(server);
    await daemon.until('assigned home 2001:db8:200:40::/60 fd12:3456:789a:40::/60');
    stub.assign('home', ['2001:db8:300:40::/60']);
    stub.configure('wan6', 'dhcpv6');
    stub.give('wan6', 'eth1', [], ['2001:db8:300::/48']);
    await daemon.until('assigned home 2001:db8:300:40::/60');
    stub.assign('home', []);
    netifd.supervisor.review();
    await daemon.until('assigned home');
    stub.down('home');
    await daemon.until('stop home');
    netifd.serverDown(server);
    assert.ok(!daemon.words.some((word) => word.startsWith('assigned')));
  });

  test("servers' ports are opened as procd's data, and again when procd is started anew", async (context) => {
    const { netifd, stub } = await router(context);
    const served = {
      name: 'home',
      port: 1723,
      listen: [],
      openFirewall: true,
      allowFrom: [],
      denyFrom: [],
    };
    netifd.serversConfigured([served]);
    await stub.until(() => stub.serviceData !== undefined);
    const told = () =>
      (stub.serviceData?.['firewall'] as { dest_port: string }[] | undefined) ?? [];
    assert.deepEqual(told().map((rule) => rule.dest_port), ['1723']); // prettier-ignore
    stub.serviceData = undefined;
    stub.stop();
    stub.start();
    await stub.until(() => told().length === 1);
    netifd.serversConfigured([]);
    await stub.until(() => stub.serviceData !== undefined && told().length === 0);
    // procd forgets the rules of a service that ends, and leaves them in the firewall.
    netifd.serversConfigured([served]);
    await stub.until(() => told().length === 1);
    await netifd.close();
    assert.equal(told().length, 0);
  });

  test('GRE of peers is let in while somebody needs it', async (context) => {
    const { netifd, scripts, kept } = await router(context);
    const path = {
      peer: ip('198.51.100.10'),
      local: ip('203.0.113.2'),
      peerPort: 1723,
      localPort: 40000,
    };
    const element = 'element inet fw4 pptp_gateway_calls { 198.51.100.10 . 203.0.113.2 }';
    await netifd.admit(path);
    assert.equal(kept(), `add ${element}\n`);
    await netifd.admit({ ...path });
    netifd.dismiss(path);
    assert.equal(
      scripts.join('').startsWith(`flush set inet fw4 pptp_gateway_calls\nadd ${element}\n`),
      true,
    );
    assert.doesNotMatch(scripts.join(''), /delete/);
    assert.notEqual(kept(), undefined);
    netifd.dismiss(path);
    await netifd.close();
    assert.equal(kept(), undefined);
    assert.ok(scripts.join('').includes(`delete ${element}`));
  });

  test('what goes without a word of netifd is put back: the host route, and elements of the set', async (context) => {
    const { netifd, scripts, commands, routes, upkeep, warnings } = await setUp(context);
    await netifd.hostRoute('office', ip('198.51.100.10'), undefined);
    await netifd.admit({
      peer: ip('198.51.100.10'),
      local: ip('203.0.113.2'),
      peerPort: 1723,
      localPort: 40000,
    });
    const added = /add element inet fw4 pptp_gateway_calls/;
    const before = { commands: commands.length, scripts: scripts.length };
    upkeep.changed(['routes', 'nftables']);
    const until = async (list: string[], from: number, wanted: RegExp) => {
      while (!list.slice(from).some((each) => wanted.test(each)))
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(scripts, before.scripts, added);
    await until(commands, before.commands, /route replace 198\.51\.100\.10\/32/);
    await until(warnings, 0, /the elements of the firewall's set: had gone, and is put back/);
    assert.equal(routes.length, 1);
  });
});
