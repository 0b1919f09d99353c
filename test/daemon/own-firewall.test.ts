/**
 * Firewall and NAT of the router itself, of plain Linux, around our own calls: what its owner may well have.
 *
 *     far 203.0.113.1 ---- wan  203.0.113.2 router 192.168.1.1 ---- lan 192.168.1.2 inside
 *         198.51.100.1 --- wan2 198.51.100.2
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Lab, type Gateway } from '../../tools/lab.ts';

const lab = new Lab('firewall');
const stray = join(import.meta.dirname, 'stray-gre.ts');
let router: string;
let far: string;
let inside: string;
const gateways: Gateway[] = [];

const users = `config user
	option username 'anna'
	option password 'secret of anna'
`;
const server = (network: string) => `config interface 'home'
	option proto 'pptpserver'
	option localip '${network}.1'
	option network '${network}.0/24'
`;
const link = (options = '', host = '203.0.113.1') => `config interface 'office'
	option proto 'pptpgw'
	option server '${host}'
	option username 'anna'
	option password 'secret of anna'
	option defaultroute '0'
${options}`;

before(async () => {
  router = lab.namespace('router');
  far = lab.namespace('far');
  inside = lab.namespace('inside');
  lab.join('wan', [
    [router, '203.0.113.2/24'],
    [far, '203.0.113.1/24'],
  ]);
  lab.join('wan2', [
    [router, '198.51.100.2/24'],
    [far, '198.51.100.1/24'],
  ]);
  lab.join('lan', [
    [router, '192.168.1.1/24'],
    [inside, '192.168.1.2/24'],
  ]);
  await run(inside, 'ip', 'route', 'add', 'default', 'via', '192.168.1.1');
  await run(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
});

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.process.stop()));
  await run(router, 'nft', 'flush ruleset');
});

after(() => lab.close());

async function run(namespace: string, ...command: readonly [string, ...string[]]): Promise<string> {
  const { code, output } = await lab.run(namespace, ...command);
  assert.equal(code, 0, output);
  return output;
}

let number = 0;
async function gateway(namespace: string, network: string, ...words: string[]): Promise<Gateway> {
  const files = { network, pptp_users: users, pptp: '' };
  const started = await lab.gateway(`gateway${++number}`, namespace, files, ...words);
  gateways.push(started);
  return started;
}

/** A link of `from` to a server in `to`, up. */
async function dial(from: string, to: string, network = link()): Promise<Gateway> {
  await gateway(to, server('192.168.99'));
  const client = await gateway(from, network, '--dial');
  assert.match(await client.process.line(/link office: (up|\w+ [A-Z_]{6,})/), /: up/);
  await run(from, 'ping', '-c', '1', '-W', '5', '192.168.99.1');
  return client;
}

const DMZ = `table ip dmz {
	chain prerouting { type nat hook prerouting priority dstnat; tcp dport 1723 accept; iifname "wan*" dnat to 192.168.1.2; }
	chain postrouting { type nat hook postrouting priority srcnat; oifname "wan*" masquerade; }
}`;
const tables = () => run(router, 'nft', 'list', 'tables');

test('a DMZ does not take GRE of our own client away', async () => {
  await run(router, 'nft', DMZ);
  const client = await dial(router, far);
  assert.match(await tables(), /table ip pptp_gateway_calls/);
  await client.process.stop();
  assert.doesNotMatch(await tables(), /pptp_gateway/);
});

test('nor that of callers; the table goes with the last of them', async () => {
  await run(router, 'nft', DMZ);
  const client = await dial(far, router, link('', '203.0.113.2'));
  assert.match(await tables(), /table ip pptp_gateway_calls/);
  await client.process.stop();
  while (/pptp_gateway/.test(await tables()));
});

test('an entry of before, that connection tracking still has, does not either', async () => {
  await run(router, 'nft', DMZ);
  // The far end goes on with a call of before: it is sent on to the inside, and the entry never gets old.
  const old = lab.start(far, process.execPath, '--import', 'tsx', stray, '203.0.113.2');
  await old.line(/sent/);
  await dial(router, far);
  await old.stop();
});

test('nftables started anew: what is ours is there again within seconds, with the call', async () => {
  await run(router, 'nft', DMZ);
  const client = await dial(router, far);
  await run(router, 'nft', 'flush ruleset');
  await client.process.line(/table pptp_gateway_calls: had gone, and is put back/);
  await run(router, 'nft', DMZ);
  await run(router, 'ping', '-c', '1', '-W', '5', '192.168.99.1');
  assert.match(await run(router, 'nft', 'list', 'ruleset'), /203\.0\.113\.1 \. 203\.0\.113\.2/);
});

const MULTI_WAN = `table ip wans {
	chain output { type route hook output priority mangle; tcp dport 1723 meta mark set 2; }
	chain postrouting { type nat hook postrouting priority srcnat; oifname "wan*" masquerade; }
}`;

for (const [choice, rule, ruleset] of [
  ['mark, with masquerading', 'fwmark 2', MULTI_WAN],
  ['port', 'ipproto tcp dport 1723', 'table ip wans { chain postrouting { type nat hook postrouting priority srcnat; oifname "wan*" masquerade; }; }'], // prettier-ignore
] as const)
  test(`several WANs, chosen by ${choice}: GRE goes where the control connection goes`, async (context) => {
    const rules = () => run(router, 'ip', 'rule', 'show');
    // A server behind both: the far end has its address on its loopback.
    await run(far, 'ip', 'address', 'add', '192.0.2.9/32', 'dev', 'lo');
    await run(router, 'ip', 'route', 'add', 'default', 'via', '203.0.113.1');
    await run(router, 'ip', 'route', 'add', 'default', 'via', '198.51.100.1', 'table', '2');
    await run(router, 'ip', 'rule', 'add', ...rule.split(' '), 'lookup', '2');
    await run(router, 'nft', ruleset);
    // Each provider takes its own addresses only.
    const providers = `table ip providers { chain prerouting { type filter hook prerouting priority raw; iifname "wan" ip saddr 198.51.100.0/24 drop; iifname "wan2" ip saddr 203.0.113.0/24 drop; }; }`;
    await run(far, 'nft', providers);
    context.after(async () => {
      await run(router, 'ip', 'rule', 'del', ...rule.split(' '), 'lookup', '2');
      await run(router, 'ip', 'route', 'flush', 'table', '2');
      await run(router, 'ip', 'route', 'del', 'default');
      await run(far, 'nft', 'flush ruleset');
      await run(far, 'ip', 'address', 'del', '192.0.2.9/32', 'dev', 'lo');
    });
    for (const options of ['\toption nohostroute 1\n', '']) {
      const client = await dial(router, far, link(options, '192.0.2.9'));
      assert.match(await rules(), /from 198\.51\.100\.2 to 192\.0\.2\.9 iif lo lookup 5910/);
      const { output } = await gateways.at(-2)!.command('sessions');
      assert.match(output, /198\.51\.100\.2/);
      await run(router, 'ip', 'rule', 'flush', 'protocol', '147');
      await client.process.line(/the ways of calls: had gone, and is put back/);
      await client.process.stop();
      assert.doesNotMatch(await rules(), /5910/);
      await gateways.at(-2)!.process.stop();
    }
  });

test('where the helper of the kernel follows the control connection, GRE is left to it', async () => {
  await run(
    router,
    'nft',
    `table ip filter {
	ct helper pptp { type "pptp" protocol tcp; }
	chain output { type filter hook output priority filter; tcp dport 1723 ct helper set "pptp"; }
	chain input { type filter hook input priority filter; policy drop; iif lo accept; ct state established,related accept; }
}`,
  );
  await dial(router, far);
  assert.doesNotMatch(await tables(), /pptp_gateway/);
});

test('without nft it goes on; what is lost to NAT is called so, not the way', async () => {
  await run(router, 'nft', DMZ);
  await gateway(far, server('192.168.99'));
  const { configDir, process: placeholder } = await gateway(router, link());
  await placeholder.stop(); // its folder serves
  const client = lab.start(
    router,
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount --bind /dev/null "$(command -v nft)" && exec "$@"',
    'sh',
    process.execPath,
    join(import.meta.dirname, '../../dist/pptp-gateway.js'),
    'run',
    '--dial',
    '--config-dir',
    configDir,
    '--socket',
    join(configDir, 'run/ubus.sock'),
  );
  const blocked = await client.line(/link office: .*GRE_BLOCKED.*/);
  assert.match(
    blocked,
    /NAT of this router itself: GRE of 203\.0\.113\.1 is sent on to 192\.168\.1\.2/,
  );
  assert.equal(client.output.match(/pptp_gateway_calls/g)?.length, 1);
  await client.stop();
});
