/** `make demo-upgrade`: a transfer through a tunnel while its server becomes another program three times. */
import { writeFileSync, chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Lab, node } from './lab.ts';

const MEGABYTES = 30;
const bundle = resolve(import.meta.dirname, '../dist/pptp-gateway.js');
const lab = new Lab('demo-upgrade');
const taker = `
  const hash = require('crypto').createHash('sha256');
  require('net').createServer((socket) => {
    console.log('begun');
    socket.on('data', (octets) => hash.update(octets));
    socket.on('end', () => { console.log('digest ' + hash.digest('hex')); process.exit(); });
  }).listen(5000, '192.168.99.1', () => console.log('listening'));`;
const giver = `
  const crypto = require('crypto');
  const hash = crypto.createHash('sha256');
  const socket = require('net').connect(5000, '192.168.99.1');
  let left = ${MEGABYTES}e6;
  const go = () => {
    for (; left > 0; left -= 1e4) {
      const octets = crypto.randomBytes(1e4);
      hash.update(octets);
      if (!socket.write(octets)) { left -= 1e4; socket.once('drain', go); return; }
    }
    socket.end(() => console.log('digest ' + hash.digest('hex')));
  };
  socket.on('connect', go);`;
const say = (text: string) => process.stdout.write(`${text}\n`);
const users = `config user\n\toption username 'anna'\n\toption password 'secret of anna'\n`;

try {
  const router = lab.namespace('router');
  const far = lab.namespace('far');
  lab.join('wan', [
    [router, '203.0.113.1/24'],
    [far, '203.0.113.2/24'],
  ]);
  const launcher = join(lab.dir, 'launcher');
  writeFileSync(launcher, `#!/bin/sh\nexec ${node.join(' ')} ${bundle} "$@"\n`);
  chmodSync(launcher, 0o755);
  lab.launcher = ['env', `PPTP_GATEWAY_LAUNCHER=${launcher}`];
  const home = await lab.gateway('home', router, {
    network: `config interface 'vpn'\n\toption proto 'pptpserver'\n\toption localip '192.168.99.1'\n\toption network '192.168.99.0/24'\n`,
    pptp_users: users,
    pptp: '',
  });
  const office = await lab.gateway(
    'office',
    far,
    {
      network: `config interface 'office'\n\toption proto 'pptpgw'\n\toption server '203.0.113.1'\n\toption username 'anna'\n\toption password 'secret of anna'\n\toption defaultroute '0'\n`,
      pptp_users: '',
      pptp: '',
    },
    '--dial',
  );
  await office.process.line(/link office: up/);
  say(`anna is connected; ${MEGABYTES} MB go through the tunnel (process ${home.process.pid})`);
  const take = lab.start(router, process.execPath, '-e', taker);
  await take.line(/listening/);
  const started = performance.now();
  const give = lab.start(far, process.execPath, '-e', giver);
  await take.line(/begun/);
  for (let n = 1; n <= 3; n++) {
    const from = home.process.output.length;
    const { code, output } = await home.command('upgrade');
    if (code !== 0) throw new Error(output);
    const line = await home.process.line(/upgrade from .* sessions go on.*/, from);
    say(`upgrade ${n}: ${line}`);
  }
  const sent = await give.line(/digest \S+/);
  const isSame = (await take.line(/digest \S+/)) === sent;
  const seconds = (performance.now() - started) / 1000;
  say(
    `${MEGABYTES} MB in ${seconds.toFixed(1)} s, ${isSame ? 'every octet as it was' : 'NOT as it was'}`,
  );
  const [session] = await home.json<{ id: number; uptime: number; lost: number }[]>('sessions');
  say(
    `session ${session?.id ?? '?'} is ${session?.uptime ?? 0} s old, still process ${home.process.pid}`,
  );
  if (!isSame || session === undefined) process.exitCode = 1;
} finally {
  await lab.close();
}
