/** The harness itself: pptp-linux in guests dials pptpd in another, through the namespace. Nothing of ours takes part. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Guest } from './guest.ts';
import { Namespace } from './namespace.ts';
import { dial, endPeers, negotiated, ping, startPptpd } from './peers.ts';
import { variantNames, variants, type Variant } from './variants.ts';

let namespace: Namespace;
let server: Guest;
let client: Guest;

before(async () => {
  namespace = await Namespace.create();
  [server, client] = await Promise.all([Guest.boot(namespace, 1), Guest.boot(namespace, 2)]);
});

afterEach(async () => {
  await Promise.all([endPeers(server), endPeers(client)]);
});

after(async () => {
  await namespace.remove();
});

for (const name of variantNames) {
  test(`${name}: pptp-linux dials pptpd`, async () => {
    const pptpd = await startPptpd(server, name);
    const call = dial(client, pptpd.address, name);
    const { peer } = await call.up();
    assert.equal(peer, pptpd.inner);
    await pptpd.log.waitFor(/^remote IP address/);
    // pppd never asks for stateful mode.
    const { auth, mppe }: Variant = variants[name];
    const expected = { auth, mppe: mppe && { ...mppe, stateful: false } };
    assert.deepEqual(negotiated(call.log.text), expected);
    assert.deepEqual(negotiated(pptpd.log.text), expected);
    assert.equal(await ping(client, peer), 3);
    assert.equal(await call.hangUp(), 5);
    await pptpd.log.waitFor(/^Connection terminated/);
    await pptpd.stop();
  });
}

test('a wrong password is refused', async () => {
  const pptpd = await startPptpd(server, 'mppe128');
  const call = dial(client, pptpd.address, 'mppe128', { password: 'wrong' });
  await assert.rejects(call.up(), /has ended; no line matches/);
  assert.match((await call.ended).output, /^MS-CHAP authentication failed/m);
});

test('a server that vanishes is noticed', async () => {
  const pptpd = await startPptpd(server, 'mppe128');
  const call = dial(client, pptpd.address, 'mppe128');
  await call.up();
  await pptpd.vanish();
  assert.match((await call.ended).output, /^Modem hangup/m); // its TCP connection was closed
});

test('a command reports its output and status, whatever it writes', async () => {
  assert.deepEqual(await client.exec("printf 'a:b=1\\\\\\n\\n 2'; echo three >&2; exit 3"), {
    code: 3,
    output: 'a:b=1\\\n\n 2three',
  });
  const { output } = await client.exec('seq 20000');
  assert.equal(output, Array.from({ length: 20000 }, (_, index) => index + 1).join('\n'));
});

test('the end of a guest ends its commands', async () => {
  const guest = await Guest.boot(namespace, 3);
  const sleeping = guest.start('exec sleep 1000');
  await guest.stop();
  assert.equal((await sleeping.ended).code, 255);
  await assert.rejects(guest.exec('true'), /guest3 has ended/);
});
