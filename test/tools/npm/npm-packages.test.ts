/**
 * The packages for npm: each is installed from its archive into an empty folder, without the network, and the example of its
 * README runs there. ubus-js talks to the real ubusd where UBUS_SOCKET names its socket, else to this project's own bus.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Lab } from '../../../tools/lab.ts';
import { npmPackages, packAll } from '../../../tools/npm/pack.ts';
import { UbusServer } from '../../../src/ubus-js/index.ts';

const root = join(import.meta.dirname, '../../..');
const lab = new Lab('npm');
after(() => lab.close());
const archives = packAll(join(lab.dir, 'archives'));

/** A folder with the package in it, and the example of its README as example.js. */
function installed(folder: string): string {
  const home = join(lab.dir, folder);
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', archives.get(folder)!], {
    cwd: home,
    env: { ...process.env, npm_config_cache: join(lab.dir, 'cache') },
    stdio: 'pipe',
  });
  const readme = readFileSync(
    join(home, 'node_modules/@pptp-gateway', folder, 'README.md'),
    'utf8',
  );
  const [, example] = /^```js\n(.*?)^```$/ms.exec(readme) ?? [];
  writeFileSync(join(home, 'example.js'), example ?? 'throw new Error("no example")');
  return home;
}

test('the same sources are the same octets, wherever they are packed', () => {
  const again = packAll(join(lab.dir, 'again'));
  const hash = (path = '') => createHash('sha256').update(readFileSync(path)).digest('hex');
  for (const [folder, archive] of archives) assert.equal(hash(again.get(folder)), hash(archive));
});

test('ubus-js: an object on a bus, and a call of it', async () => {
  const namespace = lab.namespace('ubus');
  const home = installed('ubus-js');
  let path = process.env['UBUS_SOCKET'];
  let bus: UbusServer | undefined;
  if (path === undefined) bus = await UbusServer.listen((path = join(lab.dir, 'ubus/ubus.sock')));
  try {
    const { code, output } = await lab.run(
      namespace,
      'env',
      ...[`UBUS_SOCKET=${path}`, process.execPath, join(home, 'example.js')],
    );
    assert.deepEqual({ code, output }, { code: 0, output: "{ greeting: 'hello anna' }\n" });
  } finally {
    bus?.close();
  }
});

test('tun-tap: every address of a network answers a ping', async () => {
  const namespace = lab.namespace('tun');
  const example = lab.start(namespace, process.execPath, join(installed('tun-tap'), 'example.js'));
  await example.line(/^try: ping 192\.0\.2\.7 \(device tun\d+\)$/m);
  for (const address of ['192.0.2.7', '192.0.2.254']) {
    const ping = await lab.run(namespace, 'ping', '-c', '3', '-i', '0.2', '-W', '5', address);
    assert.match(ping.output, /3 received/);
  }
  await example.stop();
});

test('raw-socket: GRE between two namespaces', async () => {
  const [server, client] = [lab.namespace('server'), lab.namespace('client')];
  lab.join('outer', [
    [server, '198.18.0.2/24'],
    [client, '198.18.0.1/24'],
  ]);
  const program = join(installed('raw-socket'), 'example.js');
  const echo = lab.start(server, process.execPath, program);
  await echo.line(/answering/);
  const asked = await lab.run(client, process.execPath, program, '198.18.0.2');
  assert.deepEqual(asked, { code: 0, output: 'hello GRE\n' });
  await echo.stop();
});

test('both addons in one process, with one arena', async () => {
  const home = join(lab.dir, 'tun-tap');
  execFileSync(
    'npm',
    ['install', '--offline', '--no-audit', '--no-fund', archives.get('raw-socket')!],
    {
      cwd: home,
      env: { ...process.env, npm_config_cache: join(lab.dir, 'cache') },
      stdio: 'pipe',
    },
  );
  writeFileSync(
    join(home, 'both.js'),
    `import { IoContext as Tuns, TunDevice } from '@pptp-gateway/tun-tap';
import { GreSocket, IoContext as Sockets } from '@pptp-gateway/raw-socket';
const arena = new ArrayBuffer(1 << 16);
const tun = new TunDevice(new Tuns(arena), 'both');
const gre = new GreSocket(new Sockets(arena));
console.log(tun.name, gre.counters().sent);
gre.close();
tun.close();
`,
  );
  const both = await lab.run(lab.namespace('both'), process.execPath, join(home, 'both.js'));
  assert.deepEqual(both, { code: 0, output: 'both 0\n' });
});

test('the types are those of a program that uses them', () => {
  const home = join(lab.dir, 'ubus-js');
  writeFileSync(
    join(home, 'typed.ts'),
    `import { UbusClient, type Value } from '@pptp-gateway/ubus-js';
const ubus = await UbusClient.connect('/nowhere');
const answer: Readonly<Record<string, Value>> | undefined = await ubus.call('a', 'b');
console.log(answer);
// @ts-expect-error a path is a string
await UbusClient.connect(1);
`,
  );
  execFileSync(
    join(root, 'node_modules/.bin/tsc'),
    [
      ...['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'],
      ...['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), 'typed.ts'],
    ],
    { cwd: home, stdio: 'inherit' },
  );
});

test('nothing but what a package needs is in it', () => {
  for (const { folder, native } of npmPackages) {
    const files = readdirSync(join(lab.dir, folder, 'node_modules/@pptp-gateway', folder));
    assert.deepEqual(files.toSorted(), [
      ...['LICENSE', 'README.md', 'index.js'],
      ...(native ? ['native', 'native.node'] : []),
      ...['package.json', 'types'],
    ]);
  }
});
