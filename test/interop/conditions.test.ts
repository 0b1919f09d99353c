/** The real peers under bad conditions and under load: reordering, refusals, two callers, a vanishing server, 200 MB. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Gateway, linkFiles, serverAddress, serverFiles } from './gateway.ts';
import { Guest } from './guest.ts';
import { Namespace } from './namespace.ts';
import { account, dial, endPeers, ping, startPptpd } from './peers.ts';

const megabyte = 1_000_000;
/** A user-mode guest moves 2 to 6 MB/s here; a slow machine may take ten times as long. */
const transferCeiling = 900_000;

let namespace: Namespace;
let serverGuest: Guest;
let clientGuest: Guest;
let secondGuest: Guest;

before(async () => {
  namespace = await Namespace.create();
  serverGuest = await Guest.boot(namespace, 1);
  [clientGuest, secondGuest] = await Promise.all([
    Guest.boot(namespace, 2),
    Guest.boot(namespace, 3),
  ]);
});

after(async () => {
  await namespace.remove();
});

/** Ends what a test started, also when it failed. */
async function end(gateway: Gateway): Promise<void> {
  await Promise.all([
    gateway.stop(),
    ...[serverGuest, clientGuest, secondGuest].map((guest) => endPeers(guest)),
  ]);
}

/** Sends `size` octets from the guest to the gateway's side through the tunnel; both ends' SHA-256. */
async function upload(
  guest: Guest,
  address: string,
  size: number,
): Promise<[sent: string, received: string]> {
  const key = randomBytes(16).toString('hex');
  const receiver = namespace.start('sh', ['-c', `nc -l -N ${address} 5001 | sha256sum`]);
  await listening(address);
  const stream = `head -c ${size} /dev/zero | openssl enc -aes-128-ctr -K ${key} -iv ${'0'.repeat(32)}`;
  const sent = await guest.run(
    `${stream} | nc -N ${address} 5001 && ${stream} | sha256sum`,
    transferCeiling,
  );
  return [digest(sent), digest((await receiver.ended).output)];
}

/** The other way: the guest fetches. */
async function download(
  guest: Guest,
  address: string,
  size: number,
): Promise<[sent: string, received: string]> {
  const stream = `head -c ${size} /dev/zero | openssl enc -aes-128-ctr -K ${randomBytes(16).toString('hex')} -iv ${'0'.repeat(32)}`;
  const sender = namespace.start('sh', [
    '-c',
    `${stream} | nc -l -N ${address} 5002; ${stream} | sha256sum`,
  ]);
  await listening(address);
  const received = await guest.run(`nc -d ${address} 5002 | sha256sum`, transferCeiling);
  return [digest((await sender.ended).output), digest(received)];
}

async function listening(address: string): Promise<void> {
  await namespace.exec('sh', [
    '-c',
    `until ss -Hltn src ${address} | grep -q :500; do sleep 0.1; done`,
  ]);
}

function digest(output: string): string {
  return /[0-9a-f]{64}/.exec(output)?.[0] ?? `no digest in: ${output}`;
}

/**
 * Makes a guest's line lose one GRE packet of 5,000 each way, and delay some to it behind others: with the queue of their
 * own, which is slow. What comes from it pptp-linux swaps itself (see below).
 */
async function spoilLine(guest: Guest): Promise<void> {
  const { tap } = guest;
  await namespace.tc('qdisc', 'add', 'dev', tap, 'root', 'handle', '1:', 'htb', 'default', '1');
  for (const [minor, rate] of Object.entries({ 1: '10gbit', 2: '2mbit' }))
    // prettier-ignore
    await namespace.tc('class', 'add', 'dev', tap, 'parent', '1:', 'classid', `1:${minor}`, 'htb', 'rate', rate);
  await namespace.nft(`table netdev line {
    chain from { type filter hook ingress device "${tap}" priority 0; ip protocol gre numgen random mod 5000 < 1 counter drop; }
    chain to { type filter hook egress device "${tap}" priority 0
      ip protocol gre numgen random mod 5000 < 1 counter drop
      ip protocol gre numgen random mod 200 < 1 meta priority set 1:2
    }
  }`);
}

async function mendLine(guest: Guest): Promise<void> {
  await namespace.nft('delete table netdev line');
  await namespace.tc('qdisc', 'del', 'dev', guest.tap, 'root');
}

test('200 MB each way arrive unchanged over a line that loses and reorders', async (t) => {
  const gateway = await Gateway.start(namespace, serverFiles({}));
  t.after(() => end(gateway));
  const call = dial(clientGuest, clientGuest.gateway, 'mppe128', {
    pptp: '--test-type 1 --test-rate 500',
  });
  await call.up();
  await spoilLine(clientGuest);
  t.after(() => mendLine(clientGuest));
  const [sent, received] = await upload(clientGuest, serverAddress, 200 * megabyte);
  assert.equal(received, sent);
  const [back, fetched] = await download(clientGuest, serverAddress, 200 * megabyte);
  assert.equal(fetched, back);
  const line = await namespace.nft('list table netdev line');
  const lost = [...line.matchAll(/counter packets (\d+)/g)].map(([, packets]) => Number(packets));
  const classes = await namespace.tc('-s', 'class', 'show', 'dev', clientGuest.tap);
  const delayed = Number(/class htb 1:2 [^]*?Sent \d+ bytes (\d+) pkt/.exec(classes)?.[1]);
  const [session] = await gateway.sessions();
  const seen = `lost on the line from and to the caller: ${lost.join(' and ')}; ${JSON.stringify(session)}`;
  assert.equal(lost.length, 2);
  assert.ok(lost.every((packets) => packets > 0) && session!.lost > 0, seen);
  assert.ok(session!.reordered > 0 && delayed > 0, `${seen}, ${delayed} delayed`);
  assert.ok(session!.rx_bytes > 200 * megabyte && session!.tx_bytes > 200 * megabyte, seen);
  t.diagnostic(
    `MPPE-128, from the caller: ${session!.rx_packets} packets, ${lost[0]!} lost on the line, ${session!.lost} missed, ${session!.reordered} reordered; to it: ${lost[1]!} lost, ${delayed} through the slow queue`,
  );
});

// pptp(8): 1 swaps two packets, 2 holds ten back until after the eleventh, 3 sends ten in reverse. With 3, pptp-linux 1.10
// never sends the first of the ten (seen in captures: that sequence number is missing on the wire).
for (const type of [1, 2, 3]) {
  for (const variant of ['mppe128', 'mppe128-stateful'] as const) {
    test(`a ${variant} caller that reorders its packets (type ${type}) is understood`, async (t) => {
      const gateway = await Gateway.start(
        namespace,
        serverFiles({ mppe_stateful: variant === 'mppe128' ? '0' : 'ask' }),
      );
      t.after(() => end(gateway));
      const call = dial(clientGuest, clientGuest.gateway, variant, {
        pptp: `--test-type ${type} --test-rate 50`,
      });
      await call.up();
      const size = type === 3 ? megabyte / 2 : 4 * megabyte; // TCP limps with so many losses
      const [sent, received] = await upload(clientGuest, serverAddress, size);
      assert.equal(received, sent);
      const [session] = await gateway.sessions();
      const counts = JSON.stringify({
        lost: session!.lost,
        reordered: session!.reordered,
        drops: session!.drops,
      });
      t.diagnostic(counts);
      assert.ok(session!.reordered > 0, counts);
      if (type !== 3) assert.equal(session!.lost, 0, counts);
    });
  }
}

test('two callers at once, each with its own address', async (t) => {
  const gateway = await Gateway.start(
    namespace,
    serverFiles({}, [account, { user: 'bob', password: 'b0bby' }]),
  );
  t.after(() => end(gateway));
  const calls = [
    dial(clientGuest, clientGuest.gateway, 'mppe128'),
    dial(secondGuest, secondGuest.gateway, 'mppe128', { user: 'bob', password: 'b0bby' }),
  ];
  const [first, second] = await Promise.all(calls.map((call) => call.up()));
  assert.notEqual(first!.local, second!.local);
  assert.deepEqual(
    await Promise.all([ping(clientGuest, serverAddress), ping(secondGuest, serverAddress)]),
    [3, 3],
  );
  assert.deepEqual((await gateway.sessions()).map(({ username }) => username).sort(), [
    'alice',
    'bob',
  ]);
  await Promise.all(calls.map((call) => call.hangUp()));
});

test('a caller with a wrong password is refused, and told so', async (t) => {
  const gateway = await Gateway.start(namespace, serverFiles({}));
  t.after(() => end(gateway));
  const call = dial(clientGuest, clientGuest.gateway, 'mppe128', { password: 'Gu3ssed' });
  await call.ended; // its status is a race between the Failure and the end of the call (pppd 2.4.9)
  assert.match(call.log.text, /E=691/);
  await gateway.running.log.waitFor(/user "alice": login failed PEER_AUTH_FAILED/);
  assert.doesNotMatch(gateway.running.log.text, /Gu3ssed/);
});

test('our wrong password is refused by pptpd', async (t) => {
  const pptpd = await startPptpd(serverGuest, 'mppe128');
  const gateway = await Gateway.start(namespace, linkFiles(pptpd.address, { password: 'Gu3ssed' }));
  t.after(() => end(gateway));
  assert.equal((await gateway.command('dial', 'office')).code, 76);
  assert.equal((await gateway.status()).links[0]?.cause?.code, 'AUTH_TOPEER_FAILED');
});

test('no encryption, no link: a caller without MPPE', async (t) => {
  const gateway = await Gateway.start(namespace, serverFiles({}));
  t.after(() => end(gateway));
  const call = dial(clientGuest, clientGuest.gateway, 'noccp');
  await call.ended;
  await gateway.running.log.waitFor(/refused MPPE_REQUIRED/);
  assert.doesNotMatch(call.log.text, /local {2}IP address/);
});

test('no encryption, no link: a pptpd without MPPE', async (t) => {
  const pptpd = await startPptpd(serverGuest, 'noccp');
  const gateway = await Gateway.start(namespace, linkFiles(pptpd.address, {}));
  t.after(() => end(gateway));
  await gateway.command('dial', 'office');
  assert.equal((await gateway.status()).links[0]?.cause?.code, 'MPPE_REQUIRED');
});

test('a server whose processes are killed is noticed, and dialled again when it is back', async (t) => {
  const pptpd = await startPptpd(serverGuest, 'mppe128');
  const gateway = await Gateway.start(namespace, linkFiles(pptpd.address, {}));
  t.after(() => end(gateway));
  assert.equal((await gateway.command('dial', 'office')).code, 0);
  await pptpd.vanish();
  await gateway.running.log.waitFor(/down (CONTROL_LOST|HANGUP)/);
  const from = gateway.running.log.lines.length;
  await startPptpd(serverGuest, 'mppe128');
  await gateway.running.log.waitFor(/link office: up/, from);
  assert.equal(await gateway.ping(pptpd.inner), 3);
});

test('a server behind a dead wire is noticed by LCP echo', async (t) => {
  const pptpd = await startPptpd(serverGuest, 'mppe128');
  const gateway = await Gateway.start(namespace, linkFiles(pptpd.address, { keepalive: '3 1' }));
  t.after(async () => {
    await namespace.ip('link', 'set', serverGuest.tap, 'up');
    await end(gateway);
  });
  assert.equal((await gateway.command('dial', 'office')).code, 0);
  await namespace.ip('link', 'set', serverGuest.tap, 'down');
  await gateway.running.log.waitFor(/down PEER_DEAD/);
});
