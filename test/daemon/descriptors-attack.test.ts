/**
 * One address opens connections, sends what is no PPTP and never closes its side, to a daemon with few descriptors that
 * runs hooks: nobody who is there notices, others get in, nothing is left.
 *
 *     bad 198.18.1.2 ---- 198.18.1.1 server 198.18.2.1 ---- 198.18.2.2 good
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import { Lab } from '../../tools/lab.ts';

const lab = new Lab('few');
after(() => lab.close());

const program = resolve(import.meta.dirname, '../../dist/pptp-gateway.js');
const CONNECTIONS = 400;

/** 80 connections in a second, as many as fit in all of the daemon's patience with one. */
const attack = `const { connect } = require('node:net');
let opened = 0;
const timer = setInterval(() => {
  if (opened === ${CONNECTIONS}) { console.log('all opened'); clearInterval(timer); return; }
  opened++;
  connect({ port: 1723, host: '198.18.1.1', allowHalfOpen: true })
    .on('error', () => undefined).resume().write('GET / HTTP/1.0\\r\\n\\r\\n');
}, 12);
setInterval(() => undefined, 1000);`;

/** Hooks in a mount namespace of its own, and no more descriptors than \$1. */
const setUp = (scratch: string) => `set -e
mount -t tmpfs none ${scratch}
mkdir ${scratch}/upper ${scratch}/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=${scratch}/upper,workdir=${scratch}/work /etc
for way in up down; do
  mkdir -p /etc/pptp/session-$way.d
  printf '#!/bin/sh\\necho hook $ACTION $USERNAME\\n' >/etc/pptp/session-$way.d/1
  chmod 755 /etc/pptp/session-$way.d/1
done
limit=$1; shift
exec prlimit --nofile=$limit:$limit "$@"`;

const user = (name: string) =>
  `config user\n\toption username '${name}'\n\toption password 'secret word'\n\tlist route '10.${name.length}.0.0/16'\n`;
const link = (name: string) => `config interface '${name}'
	option proto 'pptpgw'
	option server '198.18.2.1'
	option username '${name}'
	option password 'secret word'
	option defaultroute '0'
	option auto '0'
	option maxfail '1'
`;

test('with 64 and with 256 descriptors', async () => {
  const server = lab.namespace('server');
  const sides = { bad: lab.namespace('bad'), good: lab.namespace('good') };
  lab.join('bad', [
    [server, '198.18.1.1/30'],
    [sides.bad, '198.18.1.2/30'],
  ]);
  lab.join('good', [
    [server, '198.18.2.1/30'],
    [sides.good, '198.18.2.2/30'],
  ]);
  const dir = join(lab.dir, 'server');
  const scratch = join(lab.dir, 'scratch');
  for (const folder of [dir, scratch]) mkdirSync(folder);
  writeFileSync(
    join(dir, 'network'),
    `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
`,
  );
  writeFileSync(join(dir, 'pptp'), '');
  writeFileSync(join(dir, 'pptp_users'), ['anna', 'berta'].map(user).join(''), { mode: 0o600 });
  const good = await lab.gateway('good', sides.good, { network: ['anna', 'berta'].map(link).join('') }); // prettier-ignore
  for (const limit of [64, 256]) {
    const socket = join(dir, 'run', 'ubus.sock');
    const node = [process.execPath, program];
    const daemon = lab.start(
      server,
      'unshare',
      ...['--mount', 'sh', '-c', setUp(scratch), 'sh', String(limit)],
      ...[...node, 'run', '--config-dir', dir, '--socket', socket],
    );
    await daemon.line(/is running/);
    const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
    const sessions = async () => {
      const { output } = await lab.run(
        server,
        ...([process.execPath, program, '--socket', socket, 'sessions', '--json'] as const),
      );
      return (JSON.parse(output) as { sessions: SessionDocument[] }).sessions.map(
        ({ id, username }) => `${id} ${username}`,
      );
    };
    const routes = async () => (await lab.run(server, 'ip', 'route')).output;
    const cycle = async () => {
      const dialled = await good.command('dial', 'berta');
      assert.equal(dialled.code, 0, dialled.output);
      const from = daemon.output.length;
      assert.equal((await good.command('hangup', 'berta')).code, 0);
      await daemon.line(/hook down berta/, from);
    };
    const dialled = await good.command('dial', 'anna');
    assert.equal(dialled.code, 0, dialled.output);
    await daemon.line(/hook up anna/);
    const before = { sessions: await sessions(), routes: await routes(), open: descriptors() };

    const attacker = lab.start(sides.bad, process.execPath, '-e', attack);
    let most = 0;
    const watch = setInterval(() => {
      if (existsSync(`/proc/${daemon.pid}/fd`)) most = Math.max(most, descriptors());
    }, 20);
    let cycles = 0;
    try {
      do {
        await cycle();
        cycles++;
      } while (!attacker.output.includes('all opened'));
    } finally {
      clearInterval(watch);
    }
    assert.ok(most <= limit - 8, `${most} descriptors`);
    await cycle();
    assert.deepEqual(await sessions(), before.sessions, 'nobody was thrown out');
    assert.equal(await routes(), before.routes);
    assert.equal(daemon.output.match(/hook up berta/g)?.length, cycles + 1);
    assert.doesNotMatch(daemon.output, /warning: hook|EMFILE/);
    await attacker.stop();
    while (descriptors() > before.open) await new Promise((done) => setTimeout(done, 50));
    await good.command('hangup', 'anna');
    assert.equal((await daemon.stop()).code, 0);
  }
});
