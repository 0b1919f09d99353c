/**
 * Global IPv6 of callers on plain Linux, with the kernel's SLAAC, rdisc6 and dhcpcd: a LAN behind a caller reaches a host far away
 * by a delegated prefix, prefixes change under sessions, and nobody sends what is not his.
 *
 *     lan ---- anna ---- (tunnel) ---- server ---- far 2001:db8:f::2
 *              bert ---- (tunnel) ----
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Lab, type Gateway } from '../../tools/lab.ts';

const FAR = '2001:db8:f::2';
const PREFIX = '2001:db8:5:100::/56';
const OTHER = '2001:db8:6:100::/56';
const SIZE = 50_000_000;
const password = 'correct horse battery';
const lab = new Lab('ipv6');
let server: Gateway;
let [serverSide, farSide, lanSide, annaSide, bertSide] = ['', '', '', '', ''];

const serverFiles = (prefix: string) => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option ipv6 '1'
	list ip6prefix '${prefix}'
	list ip6dns '2001:db8:f::53'
	option domain 'office.lan'
`,
  pptp_users: ['anna', 'bert']
    .map(
      (name) => `config user '${name}'
	option username '${name}'
	option password '${password} of ${name}'
`,
    )
    .join(''),
});

const linkFiles = (name: string, address: string) => ({
  network: `config interface 'one'
	option proto 'pptpgw'
	option server '${address}'
	option username '${name}'
	option password '${password} of ${name}'
	option defaultroute '0'
	option ipv6 '1'
`,
});

interface Session {
  readonly id: number;
  readonly username: string;
  readonly ipv6: readonly string[];
  readonly drops: Readonly<Record<string, number>>;
}

async function sessionOf(name: string): Promise<Session> {
  const { output } = await server.command('sessions', '--json');
  const { sessions } = JSON.parse(output) as { sessions: readonly Session[] };
  return sessions.find(({ username }) => username === name) ?? assert.fail(`no session: ${output}`);
}

/** Runs it until it says so; a command that never does is the test's time-out. */
async function until(side: string, wanted: RegExp, ...command: string[]): Promise<string> {
  for (;;) {
    const { output } = await lab.run(side, 'sh', '-c', command.join(' '));
    const found = wanted.exec(output);
    if (found !== null) return found[1] ?? found[0];
  }
}

const run = async (side: string, command: string): Promise<string> => {
  const { code, output } = await lab.run(side, 'sh', '-c', command);
  assert.equal(code, 0, `${command}: ${output}`);
  return output;
};

/** The kernel makes itself an address out of the next advertisement. @returns that in the prefix */
async function autoconfigured(side: string, prefix: string): Promise<string> {
  await run(side, 'sysctl -qw net.ipv6.conf.pptp-one.accept_ra=2');
  await run(side, 'rdisc6 -1 -r 5 -w 4000 pptp-one');
  const start = prefix.replace('::/64', ':');
  return until(
    side,
    new RegExp(`inet6 (${start}[0-9a-f:]+)/64 scope global dynamic`),
    'ip -6 address show dev pptp-one',
  );
}

before(async () => {
  [serverSide, farSide, lanSide] = ['server', 'far', 'lan'].map((name) => lab.namespace(name)) as [
    string,
    string,
    string,
  ];
  [annaSide, bertSide] = ['anna', 'bert'].map((name) => lab.namespace(name)) as [string, string];
  const outer = [annaSide, bertSide].entries();
  for (const [n, side] of outer)
    lab.join(`outer${n + 1}`, [
      [serverSide, `198.18.${n + 1}.1/30`],
      [side, `198.18.${n + 1}.2/30`],
    ]);
  lab.join('uplink', [
    [serverSide, '2001:db8:f::1/64'],
    [farSide, `${FAR}/64`],
  ]);
  lab.join('inner', [
    [annaSide, '192.168.5.1/24'],
    [lanSide, '192.168.5.2/24'],
  ]);
  for (const side of [serverSide, annaSide])
    await run(side, 'sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1');
  await run(farSide, 'ip -6 route add default via 2001:db8:f::1');
  server = await lab.gateway('server', serverSide, serverFiles(PREFIX));
  for (const [n, [name, side]] of [
    ['anna', annaSide] as const,
    ['bert', bertSide] as const,
  ].entries()) {
    const link = await lab.gateway(name, side, linkFiles(name, `198.18.${n + 1}.1`), '--dial');
    await link.process.line(/link one: up/);
  }
});

after(() => lab.close());

test("each caller has a /64 of its own, out of which the kernel makes itself an address; the first is the router's", async () => {
  const sessions = await Promise.all([sessionOf('anna'), sessionOf('bert')]);
  const prefixes = sessions.map(({ ipv6 }) => ipv6[0]!);
  for (const prefix of prefixes) assert.match(prefix, /^2001:db8:5:1[0-9a-f]{2}::\/64$/);
  assert.equal(new Set([...prefixes, '2001:db8:5:100::/64']).size, 3);
  const told = await run(annaSide, 'rdisc6 -1 -r 5 -w 4000 pptp-one');
  for (const line of [
    ` Prefix                   : ${prefixes[0]!}`,
    '  On-link                 :           No',
    '  Autonomous address conf.:          Yes',
    'Stateful other conf.      :          Yes',
    ' Recursive DNS server     : 2001:db8:f::53',
    ' DNS search list          : office.lan',
    ' MTU                      :         1396 bytes (valid)',
    ' from fe80::1',
  ])
    assert.ok(told.includes(line), `${line} in:\n${told}`);
  for (const [n, side] of [annaSide, bertSide].entries()) {
    await autoconfigured(side, prefixes[n]!);
    for (const target of ['fe80::1%pptp-one', '2001:db8:5:100::1', FAR])
      await run(side, `ping -6 -n -c 2 -i 0.2 -W 20 ${target}`);
  }
});

test('callers do not reach each other, nor send from what is not theirs', async () => {
  const other = await autoconfigured(bertSide, (await sessionOf('bert')).ipv6[0]!);
  const before = await sessionOf('anna');
  const silence = await lab.run(
    annaSide,
    'ping',
    '-6',
    '-n',
    '-c',
    '2',
    '-i',
    '0.2',
    '-W',
    '1',
    other,
  );
  assert.match(silence.output, /2 packets transmitted, 0 received/);
  await run(annaSide, 'ip -6 address add 2001:db8:5:1ff::1/128 dev lo');
  const forged = await lab.run(
    annaSide,
    ...([
      'ping',
      '-6',
      '-n',
      '-c',
      '2',
      '-i',
      '0.2',
      '-W',
      '1',
      '-I',
      '2001:db8:5:1ff::1',
      FAR,
    ] as const),
  );
  assert.match(forged.output, /2 packets transmitted, 0 received/);
  const { drops } = await sessionOf('anna');
  assert.equal((drops['isolated'] ?? 0) - (before.drops['isolated'] ?? 0), 2);
  assert.equal((drops['badSource'] ?? 0) - (before.drops['badSource'] ?? 0), 2);
});

test('a LAN behind a caller reaches a host beyond by a prefix that dhcpcd was delegated, with 50 MB each way', async () => {
  const configuration = join(lab.dir, 'dhcpcd.conf');
  writeFileSync(
    configuration,
    'duid\nnoipv6rs\nscript /bin/true\ninterface pptp-one\n\tipv6only\n\tia_pd 1 inner/0\n',
  );
  // What it keeps is its own, not this machine's.
  const folders = 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib/dhcpcd';
  const command = `${folders} && exec dhcpcd -B -d -f ${configuration} pptp-one`;
  const client = lab.start(annaSide, 'unshare', '--mount', 'sh', '-c', command);
  const delegated = await client.line(/(?<=delegated prefix )2001:db8:5:1[0-9a-f]+::\/60/);
  assert.ok((await sessionOf('anna')).ipv6.includes(delegated));
  const network = delegated.replace('::/60', '');
  await client.line(/DHCPv6 DAD completed/);
  await run(lanSide, `ip -6 address add ${network}::9/64 dev inner nodad`);
  await run(lanSide, `ip -6 route add default via ${network}::1`);
  await run(lanSide, `ping -6 -n -c 2 -i 0.2 -W 20 ${FAR}`);
  // From the far end too: nothing of it is in the way.
  await run(farSide, `ping -6 -n -c 2 -i 0.2 -W 20 -M do -s ${1396 - 48} ${network}::9`);

  const key = randomBytes(16).toString('hex');
  const stream = `head -c ${SIZE} /dev/zero | openssl enc -aes-128-ctr -K ${key} -iv ${'0'.repeat(32)}`;
  const digest = (output: string) => /[0-9a-f]{64}/.exec(output)?.[0] ?? output;
  const expected = digest(await run(farSide, `${stream} | sha256sum`));
  for (const [from, to, address] of [
    [lanSide, farSide, FAR],
    [farSide, lanSide, `${network}::9`],
  ] as const) {
    const receiver = lab.start(to, 'sh', '-c', `nc -6 -l -N ${address} 5001 | sha256sum`);
    await until(to, /:5001/, 'ss -Hltn');
    await run(from, `${stream} | nc -6 -N ${address} 5001`);
    assert.equal(digest((await receiver.ended).output), expected);
  }
  client.signal('SIGALRM'); // it gives back what it has, and ends
  await client.ended;
});

test('another prefix takes the place of the old one, and no session ends', async () => {
  const [before] = await Promise.all([sessionOf('bert'), sessionOf('anna')]);
  const old = await autoconfigured(bertSide, before.ipv6[0]!);
  server.configure(serverFiles(OTHER));
  assert.equal((await server.command('reload')).code, 0);
  const now = await sessionOf('bert');
  assert.equal(now.id, before.id);
  const [own] = now.ipv6.filter((prefix) => prefix.startsWith('2001:db8:6:1'));
  assert.ok(own !== undefined, now.ipv6.join());
  // The kernel has heard of both: nothing was solicited.
  const address = await until(
    bertSide,
    new RegExp(`inet6 (${own.replace('::/64', ':')}[0-9a-f:]+)/64 scope global dynamic`),
    'ip -6 address show dev pptp-one',
  );
  const shown = await run(bertSide, 'ip -6 address show dev pptp-one');
  assert.match(shown, new RegExp(`inet6 ${old}/64 scope global deprecated`));
  assert.notEqual(address, old);
  await run(bertSide, `ping -6 -n -c 2 -i 0.2 -W 20 ${FAR}`);
  await run(bertSide, 'ping -6 -n -c 2 -i 0.2 -W 20 2001:db8:6:100::1');
  const addresses = await run(serverSide, 'ip -6 address show dev pptps-home scope global');
  assert.match(addresses, /2001:db8:6:100::1\/128/);
  assert.doesNotMatch(addresses, /2001:db8:5:/);
});

test('without IPv6 in the configuration nothing of it is left', async () => {
  const { network, pptp_users } = serverFiles(PREFIX);
  server.configure({ network: network.replace("ipv6 '1'", "ipv6 '0'"), pptp_users });
  assert.equal((await server.command('reload')).code, 0);
  // Sessions say goodbye, and their routes go with them.
  await until(
    serverSide,
    /^$/,
    'ip -6 address show dev pptps-home; ip -6 route show dev pptps-home',
  );
});
