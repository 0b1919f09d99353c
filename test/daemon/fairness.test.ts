/**
 * A session that is sent more than its line carries fills the one socket of all: the others must not feel it.
 *
 *     heavy 198.18.1.2 ---- 10 Mbit/s ---- 198.18.1.1 server 198.18.2.1 ---- 198.18.2.2 light
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import { Lab } from '../../tools/lab.ts';

const lab = new Lab('fairness');
after(() => lab.close());

/** 1200-octet datagrams, 50 Mbit/s, until it is stopped. */
const flood = (address: string) => `const s = require('node:dgram').createSocket('udp4');
const octets = Buffer.alloc(1172);
setInterval(() => { for (let n = 0; n < 26; n++) s.send(octets, 9, '${address}', () => {}); }, 5);
console.log('flooding');`;

test('a flood over a slow line costs another session no packet and neither of them its LCP echoes', async () => {
  const server = lab.namespace('server');
  const sides = { heavy: lab.namespace('heavy'), light: lab.namespace('light') };
  lab.join('slow', [
    [server, '198.18.1.1/30'],
    [sides.heavy, '198.18.1.2/30'],
  ]);
  lab.join('fast', [
    [server, '198.18.2.1/30'],
    [sides.light, '198.18.2.2/30'],
  ]);
  const shape = 'qdisc add dev slow root tbf rate 10mbit burst 15kb limit 16mb'.split(' ');
  assert.equal((await lab.run(server, 'tc', ...shape)).code, 0);
  const gateway = await lab.gateway('server', server, {
    network: `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
	option keepalive '3 1'
`,
    pptp_users: ['heavy', 'light']
      .map((name) => `config user\n\toption username '${name}'\n\toption password 'secret word'\n`)
      .join(''),
  });
  const dial = async (name: 'heavy' | 'light', address: string) => {
    const far = await lab.gateway(name, sides[name], {
      network: `config interface 'link'
	option proto 'pptpgw'
	option server '${address}'
	option username '${name}'
	option password 'secret word'
	option defaultroute '0'
	option keepalive '3 1'
`,
    });
    const { code, output } = await far.command('dial', 'link');
    assert.equal(code, 0, output);
  };
  await dial('heavy', '198.18.1.1');
  await dial('light', '198.18.2.1');
  const before = await gateway.json<SessionDocument[]>('sessions');
  const find = (name: string) => before.find(({ username }) => username === name)!;

  const flooding = lab.start(server, process.execPath, '-e', flood(find('heavy').address));
  await flooding.line(/flooding/);
  const { output } = await lab.run(
    server,
    ...(['ping', '-i', '0.1', '-c', '60', '-W', '3', find('light').address] as const),
  );
  await flooding.stop();
  const [, received] = /(\d+) received/.exec(output) ?? [];
  assert.ok(Number(received) >= 59, output);
  const now = await gateway.json<SessionDocument[]>('sessions');
  assert.deepEqual(
    now.map(({ id, username }) => [id, username]),
    before.map(({ id, username }) => [id, username]),
    'both sessions, which end after 3 s without an answer, are the same',
  );
  const heavy = now.find(({ username }) => username === 'heavy')!;
  assert.ok((heavy.drops['full'] ?? 0) > 1000, JSON.stringify(heavy.drops));
});
