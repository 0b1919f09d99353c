/**
 * The whole daemon on netifd: real devices in network namespaces, the stub of netifd on a bus of our own, and its handlers
 * run as netifd does it: the shell script of the package under busybox ash. The test is the kernel's part of netifd: it
 * carries out what was announced.
 *
 *     office 198.18.1.1 ---- 198.18.1.2 router (netifd)
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import type {
  LinkDocument,
  SessionDocument,
  StatusDocument,
} from '../../src/daemon/reports/documents.ts';
import { Lab, type Gateway } from '../../tools/lab.ts';
import { library } from '../openwrt/netifd-library.ts';
import { ShellBench } from '../openwrt/shell-bench.ts';
import { root } from './cli/program.ts';
import { StubNetifd } from '../support/stub-netifd.ts';
import { client, serve } from '../ubus-js/bus.ts';

const lab = new Lab('netifd');
let office: Gateway;
let officeSide: string;
let routerSide: string;

const link = (options: string) => `config interface 'office'
	option proto 'pptpgw'
	option server '198.18.1.1'
	option username 'anna'
	option password 'secret of anna'
	option defaultroute '0'
	option holdoff '1'
	option holdoff_max '1'
	list route '192.168.99.0/24'
${options}`;

const server = `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.77.1'
	option network '192.168.77.0/24'
`;

before(async () => {
  officeSide = lab.namespace('office');
  routerSide = lab.namespace('router');
  lab.join('outer', [
    [officeSide, '198.18.1.1/30'],
    [routerSide, '198.18.1.2/30'],
  ]);
  office = await lab.gateway('office', officeSide, {
    network: `config interface 'vpn'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
config interface 'six'
	option proto 'pptpserver'
	option localip '192.168.98.1'
	option network '192.168.98.0/24'
	option port '1724'
	option ipv6 '1'
`,
    pptp_users: `config user
	option username 'anna'
	option password 'secret of anna'
	option ipaddr '192.168.99.77'
config user
	option username 'bert'
	option password 'secret of anna'
	option ipaddr '192.168.98.77'
`,
  });
});

after(() => lab.close());

interface Router {
  readonly netifd: StubNetifd;
  readonly gateway: Gateway;
  /** Exit codes and errors of the handlers' scripts, in order. */
  readonly scripts: string[];
  /** Waits for netifd's state, and does in the kernel what was announced. */
  readonly up: (name: string, local: string) => Promise<void>;
}

async function router(context: TestContext, network: string): Promise<Router> {
  const { path } = await serve(context);
  const bus = await client(context, path);
  const netifd = new StubNetifd(bus);
  netifd.upstream = { device: 'outer', address: '198.18.1.2', mask: 30 };
  netifd.start();
  const scripts = await handlers(context, netifd, (called, args) =>
    bus.call('pptp', called, args, { timeout: 5_000 }),
  );
  const name = `router-${path.split('/').at(-2)}`;
  const gateway = await lab.gateway(
    name, routerSide, { network, pptp_users: '' }, '--router', 'netifd', '--ubus', path,
  ); // prettier-ignore
  context.after(() => gateway.process.stop());
  while ((await bus.lookup('pptp')).length === 0);
  const up = async (of: string, local: string) => {
    const address = () => (netifd.link(of)['ipaddr'] as { ipaddr: string }[] | undefined)?.[0];
    await netifd.until(() => netifd.state(of) === 'up' && address()?.ipaddr === local);
    await carryOut(netifd, of);
  };
  return { netifd, gateway, scripts, up };
}

/** The script of the package calls `ubus`, which passes the call on to the test over TCP. */
async function handlers(
  context: TestContext,
  netifd: StubNetifd,
  call: (called: string, args: { interface: string }) => Promise<unknown>,
): Promise<string[]> {
  const bench = new ShellBench(context);
  bench.write('lib/functions.sh', '');
  bench.write('lib/netifd/netifd-proto.sh', library);
  const ubus = createServer((socket) => {
    socket.setEncoding('utf8').once('data', (words: string) => {
      const [, called = '', args = '{}'] = /^-t 4 call pptp (\w+) (.*)$/m.exec(words) ?? [];
      call(called, JSON.parse(args) as { interface: string }).then(
        () => socket.end('0\n'),
        () => socket.end('4\n'),
      );
    });
  });
  await new Promise<void>((resolve) => ubus.listen(0, '127.0.0.1', resolve));
  context.after(() => ubus.close());
  const { port } = ubus.address() as AddressInfo;
  bench.command('ubus', `exit "$(echo "$*" | /bin/busybox nc 127.0.0.1 ${port})"`);
  const scripts: string[] = [];
  netifd.script = async (called, { name, proto }) => {
    const verb = called.replace('link_', '');
    const ran = await bench.start(
      `cd /lib/netifd/proto && ./pptp-gateway.sh ${proto} ${verb} ${name} '{}'`,
    );
    scripts.push(`${proto} ${verb} ${ran.code ?? 'killed'}${ran.stdout}${ran.stderr}`);
  };
  return scripts;
}

const ip = (...words: string[]) => lab.run(routerSide, 'ip', ...words);
const ping = (address: string) => lab.run(routerSide, 'ping', '-c', '1', '-W', '3', address);
const devices = async () => (await ip('-br', 'link')).output;
const linkOf = async (gateway: Gateway): Promise<LinkDocument> =>
  (await gateway.json<StatusDocument>('status')).links[0]!;

/** What netifd does in the kernel: addresses in, the old ones out, device up, routes in. */
async function carryOut(netifd: StubNetifd, name: string): Promise<void> {
  type Announced = {
    ifname: string;
    ipaddr: { ipaddr: string; mask: string; ptp?: string }[];
    routes: { target: string; netmask: string }[];
  };
  const { ifname: device, ipaddr, routes } = netifd.link(name) as unknown as Announced;
  await ip('address', 'flush', 'dev', device);
  for (const { ipaddr: local, mask, ptp } of ipaddr)
    await ip('address', 'add', ...(ptp === undefined ? [`${local}/${mask}`] : [local, 'peer', ptp]), 'dev', device); // prettier-ignore
  await ip('link', 'set', device, 'up');
  for (const { target, netmask } of routes)
    await ip('route', 'replace', `${target}/${netmask}`, 'dev', device);
}

test('a link: up with its routes, lost, up again, and down', async (context) => {
  const { netifd, gateway, scripts, up } = await router(
    context,
    link("\toption keepalive '3 1'\n"),
  );
  netifd.configure('office');
  netifd.up('office');
  await up('office', '192.168.99.77');
  assert.deepEqual(netifd.link('office')['routes'], [{ target: '192.168.99.0', netmask: '24' }]);
  assert.equal((await ping('192.168.99.1')).code, 0);
  const first = (await linkOf(gateway)).session?.id;

  const from = gateway.process.output.length;
  assert.equal((await office.command('disconnect', 'anna')).code, 0);
  await gateway.process.line(/link office: up/, from);
  await up('office', '192.168.99.77');
  assert.equal((await ping('192.168.99.1')).code, 0);
  assert.notEqual((await linkOf(gateway)).session?.id, first);

  netifd.down('office');
  await netifd.until(() => netifd.state('office') === 'down');
  assert.doesNotMatch(await devices(), /pptp-office/);
  await gateway.process.line(/link office: down INTERFACE_DOWN/, from);
  assert.deepEqual(await office.json<SessionDocument[]>('sessions'), []);
  assert.deepEqual(scripts, [
    'pptpgw setup 0', 'pptpgw teardown 0', 'pptpgw setup 0', 'pptpgw teardown 0',
  ]); // prettier-ignore
});

test('a DMZ and a firewall that know nothing of it: GRE passes by the static includes and the set', async (context) => {
  const include = (name: string) =>
    readFileSync(
      join(root, 'openwrt/pptp-gateway/files/usr/share/nftables.d', name, 'pptp-gateway.nft'),
      'utf8',
    );
  const firewall = join(lab.dir, 'fw4.nft');
  writeFileSync(
    firewall,
    `table inet fw4 {
${include('table-pre')}
chain input { type filter hook input priority filter; policy drop; iif lo accept
${include('chain-pre/input')}
ct state established,related accept
iifname pptp-office accept
}
chain output { type filter hook output priority filter; policy drop;
${include('chain-pre/output')}
ct state established,related accept
meta l4proto != gre accept
}
chain dstnat { type nat hook prerouting priority dstnat; iifname "outer" dnat ip to 192.168.1.2; }
}
`,
  );
  const nft = (...words: string[]) => lab.run(routerSide, 'nft', ...words);
  assert.deepEqual(await nft('-f', firewall), { code: 0, output: '' });
  context.after(() => nft('flush', 'ruleset'));
  const { netifd, up } = await router(context, link(''));
  netifd.configure('office');
  netifd.up('office');
  await up('office', '192.168.99.77');
  assert.equal((await ping('192.168.99.1')).code, 0);
  const set = () => nft('list', 'set', 'inet', 'fw4', 'pptp_gateway_calls');
  assert.match((await set()).output, /elements = \{ 198\.18\.1\.1 \. 198\.18\.1\.2 \}/);
  netifd.down('office');
  while (/elements/.test((await set()).output));
});

test('a link that dials on demand', async (context) => {
  const { netifd, gateway, scripts, up } = await router(context, link("\toption demand '1'\n"));
  netifd.configure('office');
  netifd.up('office');
  await up('office', '10.64.64.64');
  assert.equal((await linkOf(gateway)).state, 'demand');
  for (const round of [1, 2]) {
    const from = gateway.process.output.length;
    const first = ping('192.168.99.1'); // its answer may come before the test has set the address
    await up('office', '192.168.99.77');
    await first;
    assert.equal((await ping('192.168.99.1')).code, 0, `round ${round}`);
    await gateway.process.line(/link office: demand IDLE_TIMEOUT/, from);
    await up('office', '10.64.64.64');
    assert.equal(netifd.state('office'), 'up');
  }
  netifd.down('office');
  await netifd.until(() => netifd.state('office') === 'down');
  assert.doesNotMatch(await devices(), /pptp-office/);
  assert.deepEqual(scripts, ['pptpgw setup 0', 'pptpgw teardown 0']);
});

test('a server: up, answers callers, and down', async (context) => {
  const { netifd, gateway, scripts, up } = await router(context, server);
  netifd.configure('home', 'pptpserver');
  netifd.up('home');
  await up('home', '192.168.77.1');
  const state = async () => (await gateway.json<StatusDocument>('status')).servers[0]?.state;
  assert.equal(await state(), 'listening');
  const answered = await office.command('check', '--server', '198.18.1.2');
  assert.match(answered.output, /gre +ok/);
  netifd.down('home');
  await netifd.until(() => netifd.state('home') === 'down');
  assert.equal(await state(), 'waiting');
  assert.doesNotMatch(await devices(), /pptps-home/);
  const refused = await office.command('check', '--server', '198.18.1.2');
  assert.match(refused.output, /tcp +failed/);
  assert.deepEqual(scripts, ['pptpserver setup 0', 'pptpserver teardown 0']);
});

test('ipv6 auto: what the DHCPv6 client of a link has got leaves by it, and no other source', async (context) => {
  const { netifd, gateway, up } = await router(
    context,
    link("\toption ipv6 'auto'\n\toption port '1724'\n\toption username 'bert'\n"),
  );
  netifd.configure('office');
  netifd.up('office');
  await up('office', '192.168.98.77');
  await netifd.until(() => netifd.state('office_6') !== undefined);
  netifd.give('office_6', 'pptp-office', ['2001:db8:ff::2/128'], ['2001:db8:1::/56']);
  for (const address of ['2001:db8:ff::2/128', '2001:db8:1:5::1/64', 'fd00::1/64'])
    await ip('address', 'add', address, 'dev', 'pptp-office', 'nodad');
  await ip('-6', 'route', 'add', '2001:db8:f::/64', 'dev', 'pptp-office');
  const send = async (source: string) => {
    const { output } = await lab.run(routerSide, 'ping', '-6', '-c', '1', '-W', '1', '-I', source, '2001:db8:f::1'); // prettier-ignore
    assert.match(output, /1 packets transmitted/);
    const [session] = await gateway.json<SessionDocument[]>('sessions');
    return session!.drops['badSource'] ?? 0;
  };
  while ((await send('fd00::1')) === 0); // the daemon has heard of it
  const before = await send('2001:db8:ff::2');
  assert.equal(await send('2001:db8:1:5::1'), before);
  assert.equal(await send('fd00::1'), before + 1);
  const [session] = await gateway.json<SessionDocument[]>('sessions');
  assert.equal(session!.drops['ipv6'], undefined);
});
