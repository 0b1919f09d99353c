/**
 * Names of the LAN as callers find them, and the other way round: Samba's nmbd and nmblookup, avahi-daemon, and own octets.
 *
 *     lan 192.168.1.10 ---- 192.168.1.1  server  198.18.1.1 ---- 198.18.1.2  one
 *                                               198.18.2.1 ---- 198.18.2.2  two
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Lab, type Gateway, type Program } from '../../tools/lab.ts';

const lab = new Lab('bcast');
after(() => lab.close());

const server = (own: string) => ({
  network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
${own}`,
  pptp_users: ['anna', 'bert']
    .map(
      (name, n) =>
        `config user\n\toption username '${name}'\n\toption password 'secret word'\n\toption ipaddr '192.168.99.${11 + n}'\n`,
    )
    .join(''),
});
const link = (address: string, username: string) => ({
  network: `config interface 'link'
	option proto 'pptpgw'
	option server '${address}'
	option username '${username}'
	option password 'secret word'
	option defaultroute '0'
	list route '192.168.1.0/24'
	list route '192.168.99.0/24'
`,
});
const RELAY = "\tlist broadcast_relay 'lan'\n";

/** Says what comes to a UDP port: from where, and its octets. */
const EAR = `
const [port, address] = process.argv.slice(1);
const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (octets, from) => console.log('heard', from.address, octets.toString('hex')));
socket.bind(Number(port), () => {
  if (address !== undefined) socket.addMembership('224.0.0.251', address);
  console.log('listening');
});`;
/** Sends octets several times from an address and a port. */
const MOUTH = `
const [address, port, to, hex, times] = process.argv.slice(1);
const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
socket.bind(Number(port), address, async () => {
  socket.setBroadcast(true);
  socket.setMulticastInterface(address);
  socket.setMulticastLoopback(false);
  socket.setMulticastTTL(255);
  for (let n = 0; n < Number(times); n++) {
    const octets = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from([n >> 8, n & 255])]);
    await new Promise((resolve) => socket.send(octets, Number(port), to, resolve));
  }
  socket.close();
});`;

async function ear(namespace: string, port: number, ...more: readonly string[]): Promise<Program> {
  const program = lab.start(namespace, process.execPath, '-e', EAR, String(port), ...more);
  await program.line(/listening/);
  return program;
}

const heard = ({ output }: Program) =>
  [...output.matchAll(/^heard (\S+) (\S*)$/gm)].map(([, from, hex]) => ({ from, hex }));

function say(namespace: string, from: string, port: number, to: string, hex: string, times = 1) {
  const words = [from, String(port), to, hex, String(times)];
  return lab.run(namespace, process.execPath, '-e', MOUTH, ...words);
}

describe('broadcasts between the LAN and callers', () => {
  const names = ['server', 'lan', 'one', 'two'] as const;
  let home: Gateway;
  let at: Record<(typeof names)[number], string>;

  before(async () => {
    at = Object.fromEntries(names.map((name) => [name, lab.namespace(name)])) as typeof at;
    lab.join('lan', [
      [at.server, '192.168.1.1/24'],
      [at.lan, '192.168.1.10/24'],
    ]);
    lab.join('outer1', [
      [at.server, '198.18.1.1/30'],
      [at.one, '198.18.1.2/30'],
    ]);
    lab.join('outer2', [
      [at.server, '198.18.2.1/30'],
      [at.two, '198.18.2.2/30'],
    ]);
    const ip = (where: keyof typeof at, ...words: string[]) => lab.run(at[where], 'ip', ...words);
    await lab.run(at.server, 'sysctl', '-w', 'net.ipv4.ip_forward=1');
    await ip('lan', 'route', 'add', 'default', 'via', '192.168.1.1');
    home = await lab.gateway('server', at.server, server(RELAY));
    for (const [name, address, username] of [
      ['one', '198.18.1.1', 'anna'],
      ['two', '198.18.2.1', 'bert'],
    ] as const) {
      const caller = await lab.gateway(name, at[name], link(address, username));
      assert.equal((await caller.command('dial', 'link')).code, 0);
      // As Windows, which sends its broadcasts into the tunnel.
      await ip(name, 'route', 'add', '255.255.255.255', 'dev', 'pptp-link');
      await ip(name, 'route', 'add', '224.0.0.0/4', 'dev', 'pptp-link');
    }
  });

  const counted = async () => {
    const { counted: all } = await home.json<{ counted: Record<string, number> }>('counters');
    return (name: string) => all[`broadcast of ${name}`] ?? 0;
  };

  test("a caller's nmblookup finds nmbd on the LAN", async () => {
    const dir = join(lab.dir, 'samba');
    mkdirSync(dir);
    const config = join(lab.dir, 'smb.conf');
    const folders = ['private', 'lock', 'state', 'cache', 'pid'].map((each) =>
      each === 'private' ? `private dir = ${dir}` : `${each} directory = ${dir}`,
    );
    writeFileSync(
      config,
      `[global]\nnetbios name = LANBOX\nworkgroup = HOUSE\ninterfaces = lan\nbind interfaces only = yes\nlocal master = no\ndns proxy = no\n${folders.join('\n')}\nncalrpc dir = ${dir}/ncalrpc\n`,
    );
    const nmbd = lab.start(
      at.lan,
      'nmbd',
      '-F',
      '--no-process-group',
      '-s',
      config,
      '-l',
      dir,
      '--debug-stdout',
      '-d',
      '2',
    );
    const asked = async () =>
      lab.run(
        at.one,
        'nmblookup',
        '-s',
        config,
        '-B',
        '255.255.255.255',
        '--option=interfaces=pptp-link',
        'LANBOX',
      );
    let found = await asked();
    while (!found.output.includes('192.168.1.10')) {
      assert.ok(nmbd.pid > 0);
      found = await asked(); // nmbd takes a while to have its name
    }
    assert.match(found.output, /192\.168\.1\.10 LANBOX<00>/);
    await nmbd.stop(); // its ports are wanted below
  });

  test("the LAN's nmblookup reaches callers, from its own address", async () => {
    const ears = [await ear(at.one, 137), await ear(at.two, 137)];
    await lab.run(at.lan, 'nmblookup', '-B', '192.168.1.255', 'CALLERBOX');
    for (const each of ears) {
      await each.line(/heard 192\.168\.1\.10/);
      assert.match(heard(each)[0]!.hex!, /0110000100000000000020/); // a query to everybody
      await each.stop();
    }
  });

  test('mDNS: a caller asks, avahi-daemon on the LAN answers', async () => {
    const config = join(lab.dir, 'avahi.conf');
    writeFileSync(
      config,
      '[server]\nhost-name=lanbox\nuse-ipv6=no\nenable-dbus=no\nallow-interfaces=lan\n[publish]\npublish-hinfo=no\npublish-workstation=no\n',
    );
    const avahi = lab.start(
      at.lan,
      'unshare',
      '-m',
      'sh',
      '-c',
      `mount -t tmpfs none /run && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f ${config}`,
    );
    await avahi.line(/Server startup complete/);
    const listening = await ear(at.one, 5353, '192.168.99.11');
    // lanbox.local, type A.
    const query = '000000000001000000000000066c616e626f78056c6f63616c0000010001';
    await say(at.one, '192.168.99.11', 5353, '224.0.0.251', query);
    await listening.line(/heard 192\.168\.1\.10 [0-9a-f]*c0a8010a/);
    await listening.stop();
    await avahi.stop();
  });

  test('callers are isolated, and a flood of one of them is cut', async () => {
    const [lan, two] = [await ear(at.lan, 138), await ear(at.two, 138)];
    const before = await counted();
    await say(at.one, '192.168.99.11', 138, '255.255.255.255', 'f100', 400);
    await lan.line(/heard 192\.168\.99\.11/);
    const fates = async () => {
      const now = await counted();
      return ['relayed', 'flood'].map(
        (fate) => now(`callers: ${fate}`) - before(`callers: ${fate}`),
      ) as [relayed: number, flood: number];
    };
    let [relayed, flood] = await fates();
    while (relayed + flood < 300) [relayed, flood] = await fates(); // a few may be lost on the way
    assert.ok(relayed < 100, `${relayed} relayed, ${flood} not`);
    // What comes behind it shows that nothing else was on its way.
    await say(at.lan, '192.168.1.10', 138, '192.168.1.255', 'e0d0');
    await two.line(/heard 192\.168\.1\.10 e0d0/);
    assert.deepEqual(
      heard(two).filter(({ from }) => from !== '192.168.1.10'),
      [],
    );
    for (const each of [lan, two]) await each.stop();
  });

  test('without isolation callers hear each other, but none hears itself', async () => {
    home.configure(server(`${RELAY}\toption isolate '0'\n`));
    assert.equal((await home.command('reload')).code, 0);
    // isolate starts the server anew: both dial again.
    await home.json('sessions');
    const [one, two] = [await ear(at.one, 138), await ear(at.two, 138)];
    for (let n = 0x1000; heard(two).length === 0; n++)
      await say(at.one, '192.168.99.11', 138, '255.255.255.255', n.toString(16));
    await say(at.lan, '192.168.1.10', 138, '192.168.1.255', 'e0d1');
    await one.line(/heard 192\.168\.1\.10 e0d1/);
    // Its own kernel lets it hear each once.
    const own = heard(one).map(({ hex }) => hex);
    assert.equal(new Set(own).size, own.length, own.join());
    for (const each of [one, two]) await each.stop();
  });

  test('switched off while it runs, nothing passes', async () => {
    home.configure(server("\toption isolate '0'\n"));
    assert.equal((await home.command('reload')).code, 0);
    const before = await counted();
    const lan = await ear(at.lan, 138);
    await say(at.one, '192.168.99.11', 138, '255.255.255.255', 'dead');
    await lab.run(at.one, 'ping', '-c', '1', '192.168.1.10'); // behind it on the same way
    assert.deepEqual(heard(lan), []);
    assert.equal((await counted())('callers: relayed'), before('callers: relayed'));
    await lan.stop();
  });
});
