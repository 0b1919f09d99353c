/** IPv6 over a link to the real pppd: addresses and networks at both ends, pings both ways, and a transfer. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Gateway, linkFiles } from './gateway.ts';
import { Guest } from './guest.ts';
import { Namespace } from './namespace.ts';
import { endPeers, startPptpd } from './peers.ts';

/** A host in the network that is routed to us, and one behind the server. */
const OURS = '2001:db8:1:5::9';
const THEIRS = '2001:db8:f::1';
/** Of the tunnel: 1400 less what MPPE adds. */
const MTU = 1396;
const SIZE = 5_000_000;
const transferCeiling = 300_000;

let namespace: Namespace;
let guest: Guest;

before(async () => {
  namespace = await Namespace.create();
  guest = await Guest.boot(namespace, 1);
});

after(async () => {
  await namespace.remove();
});

const digest = (output: string) => /[0-9a-f]{64}/.exec(output)?.[0] ?? `no digest in: ${output}`;
const answered = (output: string) => Number(/(\d+) received/.exec(output)?.[1] ?? 0);
const words = (size: number, source: string, target: string) =>
  `-6 -n -c 3 -i 0.2 -W 20 -M do -s ${size - 48} -I ${source} ${target}`;

test('IPv6 both ways through a link with MPPE, up to the last octet that fits, and 5 MB each way', async (t) => {
  // greedy: it also speaks IPV6CP.
  const pptpd = await startPptpd(guest, 'greedy-mppe');
  const gateway = await Gateway.start(namespace, linkFiles(pptpd.address, { ipv6: '1' }));
  t.after(() => Promise.all([gateway.stop(), endPeers(guest)]));
  await gateway.command('dial', 'office');
  await pptpd.log.waitFor(/^remote LL address/);
  while ((await gateway.sessions()).length === 0);

  await guest.run(`ip address add ${THEIRS}/128 dev lo; ip route add 2001:db8:1::/56 dev ppp0`);
  await namespace.ip('address', 'add', `${OURS}/64`, 'dev', 'lo');
  await namespace.ip('-6', 'route', 'add', 'default', 'dev', 'pptp-office');

  const fromUs = async (size: number) =>
    answered((await namespace.exec('ping', words(size, OURS, THEIRS).split(' '))).output);
  const fromThem = async (size: number) =>
    answered((await guest.exec(`ping ${words(size, THEIRS, OURS)}`)).output);
  assert.deepEqual([await fromUs(100), await fromThem(100)], [3, 3]);
  assert.deepEqual([await fromUs(MTU), await fromThem(MTU)], [3, 3]);
  assert.equal(await fromUs(MTU + 1), 0);

  const stream = `head -c ${SIZE} /dev/zero | openssl enc -aes-128-ctr -K ${randomBytes(16).toString('hex')} -iv ${'0'.repeat(32)}`;
  const sender = namespace.start('sh', [
    '-c',
    `${stream} | nc -6 -l -N ${OURS} 5002; ${stream} | sha256sum`,
  ]);
  const receiver = namespace.start('sh', ['-c', `nc -6 -l -N ${OURS} 5001 | sha256sum`]);
  await namespace.exec('sh', [
    '-c',
    'until [ "$(ss -Hltn | grep -c :500[12])" = 2 ]; do sleep 0.1; done',
  ]);
  const fetched = await guest.run(`nc -6 -d ${OURS} 5002 | sha256sum`, transferCeiling);
  assert.equal(digest(fetched), digest((await sender.ended).output));
  const sent = await guest.run(
    `${stream} | nc -6 -N ${OURS} 5001 && ${stream} | sha256sum`,
    transferCeiling,
  );
  assert.equal(digest((await receiver.ended).output), digest(sent));
  const [after] = await gateway.sessions();
  // A packet may come before the device is there.
  const drops = Object.keys(after!.drops).filter((reason) => reason !== 'notAttached');
  assert.deepEqual(drops, []);
});
