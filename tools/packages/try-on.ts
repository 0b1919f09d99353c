/**
 * Tries the packages of one CPU, unpacked in a root folder in which the only C library is that of the runtime, beside a
 * static busybox. Runs in network and mount namespaces of its own. Usage: try-on.ts ROOT CPU BUSYBOX
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const [root = '', cpu = '', busybox = ''] = process.argv.slice(2);
const HOME = '/usr/lib/pptp-gateway-node';
const PROGRAM = '/usr/lib/pptp-gateway/pptp-gateway.js';
const NAME = 'vpn.example.net';
const ADDRESS = '192.0.2.7';
const PATIENCE = 300_000; // ms; an emulated CPU is slow

const emulator = { x86_64: undefined, aarch64: 'qemu-aarch64-static', arm: 'qemu-arm-static' }[cpu];
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
/** As procd does it to every service whose output it logs; the library is the system's. */
const PRELOAD = 'LD_PRELOAD=/lib/libsetlbf.so';
const execute = promisify(execFile);

// Without binfmt_misc a script cannot start a foreign program: there the emulator is started with Node's binary.
const node = emulator === undefined ? [`${HOME}/node`] : [`/bin/${emulator}`, `${HOME}/bin/node`];
const HIDE_EMULATOR = '/tmp/hide-emulator.cjs';
const gateway =
  emulator === undefined
    ? ['/usr/bin/pptp-gateway']
    : [...node, '--require', HIDE_EMULATOR, PROGRAM];
/** The emulator has a thread of its own, which blocks every signal: nobody can make it give up its capabilities. */
const hideEmulator = `
const fs = require('fs');
const { readdirSync } = fs;
const blocked = (tid) => /^SigBlk:\\s*(.*)$/m.exec(fs.readFileSync('/proc/self/task/' + tid + '/status', 'latin1'))[1];
fs.readdirSync = (path, ...more) =>
  readdirSync(path, ...more).filter((name) => path !== '/proc/self/task' || !blocked(name).startsWith('fffffff'));
require('module').syncBuiltinESMExports();
`;

/** For iproute2, which the package depends on: busybox knows no -batch, and changes one thing of a device at a time. */
const IP = `#!/bin/sh
one() {
  case "$*" in
    'link set dev '*' mtu '*' up') /bin/busybox ip link set dev "$4" mtu "$6" && /bin/busybox ip link set dev "$4" up ;;
    *) /bin/busybox ip "$@" ;;
  esac
}
[ "$1" = -batch ] || { one "$@"; exit; }
while read -r line; do one $line || exit; done
`;

function furnish(): void {
  const libraries = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /(^|\/)(libc|ld-|ld)[.-].*so/.test(file) && !`/${file}`.startsWith(HOME),
  );
  assert.deepEqual(libraries, [], 'the root folder has another C library');
  for (const folder of ['bin', 'sbin', 'dev', 'proc', 'var/run', 'tmp', 'etc', 'lib'])
    mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const applet of ['sh', 'cat']) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'sbin/ip'), IP, { mode: 0o755 });
  if (emulator !== undefined) copyFileSync(`/usr/bin/${emulator}`, join(root, 'bin', emulator));
  writeFileSync(join(root, 'etc/openwrt_release'), "DISTRIB_ID='OpenWrt'\n");
  writeFileSync(join(root, 'etc/resolv.conf'), 'nameserver 127.0.0.1\n');
  writeFileSync(join(root, 'lib/libsetlbf.so'), 'not for this loader\n');
  writeFileSync(
    join(root, 'etc/config/network'),
    "config interface 'home'\n\toption proto 'pptpserver'\n\toption localip '192.168.99.1'\n\toption network '192.168.99.0/24'\n",
  );
  writeFileSync(join(root, HIDE_EMULATOR), hideEmulator);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', join(root, 'tmp/key.pem'), '-out', join(root, 'tmp/cert.pem')],
      ...['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-days', '2'],
    ],
    { stdio: 'ignore' },
  );
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  execFileSync('mount', ['--rbind', '/dev', join(root, 'dev')]);
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
}

const chroot = [root, ...(emulator === undefined ? ['/bin/busybox', 'env', PRELOAD] : [])];

/** What it prints. A complaint on stderr is a failure. */
async function run(command: readonly string[], ...more: string[]): Promise<string> {
  const { stdout, stderr } = await execute('chroot', [...chroot, ...command, ...more], {
    env,
    timeout: PATIENCE,
  });
  assert.equal(stderr, '', `${more.join(' ')} complains`);
  return stdout.trim();
}

/** A DNS server that knows the IPv4 address of NAME, and nothing else (RFC 1035 §4). */
async function serveNames(): Promise<() => void> {
  const labels = NAME.split('.').map((label) => String.fromCharCode(label.length) + label);
  const wanted = Buffer.from(`${labels.join('')}\0\0\u0001`); // type A
  const answer = Buffer.concat([
    Buffer.from('c00c' + '0001' + '0001' + '0000003c' + '0004', 'hex'),
    Buffer.from(ADDRESS.split('.').map(Number)),
  ]);
  const socket = createSocket('udp4', (query, from) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const found = question.subarray(0, wanted.length).equals(wanted);
    const header = [
      query.subarray(0, 2),
      Buffer.from(`81800001000${found ? 1 : 0}00000000`, 'hex'),
    ];
    const response = [...header, question, ...(found ? [answer] : [])];
    socket.send(Buffer.concat(response), from.port, from.address);
  });
  socket.bind(53, '127.0.0.1');
  await once(socket, 'listening');
  return () => {
    socket.close();
  };
}

/** A server and a client with a certificate that is checked, as RadSec does it. */
const tls = `
const { readFileSync } = require('fs');
const tls = require('tls');
const [key, cert] = ['/tmp/key.pem', '/tmp/cert.pem'].map((file) => readFileSync(file));
const server = tls.createServer({ key, cert }, (socket) => socket.end('hello')).listen(0, '127.0.0.1', () => {
  const client = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: '${NAME}', ca: cert });
  client.on('data', (data) => { console.log(client.getProtocol(), client.authorized, String(data)); server.close(); });
});`;

async function tryNode(): Promise<void> {
  const makefile = join(import.meta.dirname, '../../openwrt/pptp-gateway-node/Makefile');
  const version = /^PKG_VERSION:=(.*)$/m.exec(readFileSync(makefile, 'utf8'))?.[1];
  assert.equal(await run(node, '-p', 'process.version'), `v${version}`);
  assert.equal(await run(node, '-p', 'process.execPath'), `${HOME}/bin/node`);
  if (emulator === undefined) {
    const child =
      'require("child_process").execFileSync(process.execPath, ["-p", "6 * 7"]).toString().trim()';
    assert.equal(await run(node, '-p', child), '42');
  }
  // English and time zones are in what is left of ICU's data; other languages fall back to it.
  const texts = `[
    new Intl.DateTimeFormat("en-US", { dateStyle: "full", timeStyle: "long", timeZone: "Europe/Berlin" }).format(0),
    new Date(0).toLocaleDateString("de-DE", { timeZone: "UTC" }),
    (1234567.5).toLocaleString("en"), "Å".normalize("NFD").length, new URL("http://bücher.example").host,
    new Intl.PluralRules("en").select(1), "i".toLocaleUpperCase("en"), ["b", "a"].sort(new Intl.Collator("en").compare),
  ].join("; ")`;
  assert.equal(
    await run(node, '-p', texts.replaceAll('\n', ' ')),
    'Thursday, January 1, 1970 at 1:00:00 AM GMT+1; 1/1/1970; 1,234,567.5; 2; xn--bcher-kva.example; one; I; a,b',
  );
  assert.equal(await run(node, '-e', tls), 'TLSv1.3 true hello');
  const stop = await serveNames();
  const lookup = (name: string) =>
    `require("dns").lookup("${name}", (error, address) => console.log(error ? error.code : address))`;
  assert.equal(await run(node, '-e', lookup(NAME)), ADDRESS);
  assert.equal(await run(node, '-e', lookup('nobody.example.net')), 'ENOTFOUND');
  stop();
  const names = await run(
    node,
    '-p',
    'Object.keys(require("/usr/lib/pptp-gateway/native.node")).join()',
  );
  assert.match(names, /\bopenTun\b/);
}

/** A daemon with a server, asked for its status; then told to end. */
async function tryGateway(): Promise<string> {
  const daemon = spawn('chroot', [...chroot, ...gateway, 'run'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.on('data', (text: Buffer) => {
      log += text.toString();
    });
  const ended = once(daemon, 'exit') as Promise<[number | null, string | null]>;
  try {
    const until = Date.now() + PATIENCE;
    for (;;) {
      await delay(200);
      try {
        return await run(gateway, 'status');
      } catch (error) {
        if (daemon.exitCode !== null || Date.now() > until)
          throw new Error(`no status of the daemon: ${(error as Error).message}\n${log}`, {
            cause: error,
          });
      }
    }
  } finally {
    daemon.kill('SIGTERM');
    const [code, signal] = await ended;
    assert.deepEqual([code, signal], [0, null], `the daemon did not end well:\n${log}`);
  }
}

furnish();
await tryNode();
const status = await tryGateway();
process.stdout.write(
  `${cpu}${emulator === undefined ? '' : ' (emulated)'}: Node, names, addon, daemon\n${status}\n`,
);
