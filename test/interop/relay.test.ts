/**
 * Passthrough between real peers: the namespace of the taps is a router that masquerades, pptpd is in one guest, and the
 * callers are in two others. The outcome is printed as a table at the end.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import type { RelayDocument } from '../../src/daemon/reports/documents.ts';
import { Gateway, linkFiles, relayFiles, serverAddress, serverFiles } from './gateway.ts';
import { Guest } from './guest.ts';
import { Namespace } from './namespace.ts';
import { dial, endPeers, ping, startPptpd, type Call, type Pptpd } from './peers.ts';
import { printTable } from './table.ts';

const megabyte = 1_000_000;
/** User-mode guests move 1 to 6 MB/s; a loaded machine may take ten times as long. */
const transferCeiling = 900_000;

let namespace: Namespace;
let server: Guest;
let first: Guest;
let second: Guest;
const rows: string[][] = [['DIRECTION', 'BACKEND', 'WHAT', 'RESULT']];

before(async () => {
  namespace = await Namespace.create();
  server = await Guest.boot(namespace, 1);
  [first, second] = await Promise.all([Guest.boot(namespace, 2), Guest.boot(namespace, 3)]);
});

afterEach(async () => {
  await Promise.all([server, first, second].map((guest) => endPeers(guest)));
  await namespace.exec('nft', ['flush', 'ruleset']);
});

after(async () => {
  await namespace.remove();
  printTable('Passthrough with ppp 2.4.9, pptpd 1.4.0 and pptp-linux 1.10.0', rows);
});

/** Masquerading towards one guest, and a firewall as OpenWrt's: from outside nothing that was not asked for or marked. */
async function masquerade(lan: readonly string[], wan: readonly string[]): Promise<void> {
  const names = (devices: readonly string[]) =>
    `{ ${devices.map((name) => `"${name}"`).join(', ')} }`;
  const script = `table ip firewall {
    chain postrouting { type nat hook postrouting priority srcnat; oifname ${names(wan)} masquerade; }
    chain forward {
      type filter hook forward priority filter; policy drop;
      ct state established,related accept
      meta mark & 0xff000000 == 0x17000000 accept
      iifname ${names(lan)} oifname ${names(wan)} accept
    }
  }`;
  const { code, output } = await namespace.exec('sh', ['-c', `nft -f - <<'end'\n${script}\nend\n`]);
  assert.equal(code, 0, output);
}

/** Sends octets through the tunnel, from guest to guest; both ends' SHA-256. */
async function transfer(
  from: Guest,
  to: Guest,
  address: string,
  port: number,
  size: number,
): Promise<[sent: string, received: string]> {
  const receiver = to.start(`nc -l -N ${address} ${port} | sha256sum`);
  await to.run(`until ss -Hltn src ${address} | grep -q :${port}; do sleep 0.1; done`);
  const stream = `head -c ${size} /dev/zero | openssl enc -aes-128-ctr -K ${randomBytes(16).toString('hex')} -iv ${'0'.repeat(32)}`;
  const sent = await from.run(
    `${stream} | nc -N ${address} ${port} && ${stream} | sha256sum`,
    transferCeiling,
  );
  return [digest(sent), digest((await receiver.ended).output)];
}

function digest(output: string): string {
  return /[0-9a-f]{64}/.exec(output)?.[0] ?? `no digest in: ${output}`;
}

async function relay(gateway: Gateway): Promise<RelayDocument> {
  const { relays } = await gateway.status();
  assert.equal(relays.length, 1);
  return relays[0]!;
}

/** Both callers are up at once: pings, 50 MB each at the same time, and nothing of one reaches the other. */
async function bothAtOnce(pptpd: Pptpd, calls: readonly [Call, Call]): Promise<string> {
  const [one, two] = await Promise.all(calls.map((call) => call.up()));
  assert.notEqual(one!.local, two!.local);
  assert.deepEqual(
    await Promise.all([ping(first, pptpd.inner), ping(second, pptpd.inner)]),
    [3, 3],
  );
  for (const call of calls) await call.log.waitFor(/MPPE 128-bit stateless compression enabled/);
  const started = performance.now();
  const transfers = await Promise.all([
    transfer(first, server, pptpd.inner, 5001, 50 * megabyte),
    transfer(second, server, pptpd.inner, 5002, 50 * megabyte),
  ]);
  for (const [sent, received] of transfers) assert.equal(received, sent);
  const took = (performance.now() - started) / 1000;
  return `both up with MPPE-128, 3 of 3 pings each, 2 x 50 MB with matching hash in ${took.toFixed(0)} s`;
}

for (const backend of ['ebpf', 'relay', 'helper'] as const) {
  test(`outbound, backend ${backend}: two callers behind the router reach one pptpd outside`, async (t) => {
    await masquerade(['tap2', 'tap3'], ['tap1']);
    const pptpd = await startPptpd(server, 'mppe128');
    const gateway = await Gateway.start(
      namespace,
      relayFiles({ src: ['tap2', 'tap3'], dest: 'tap1', backend }),
    );
    t.after(() => gateway.stop());
    const result = await bothAtOnce(pptpd, [
      dial(first, pptpd.address, 'mppe128'),
      dial(second, pptpd.address, 'mppe128'),
    ]);
    const document = await relay(gateway);
    assert.equal(document.backend, backend);
    assert.equal(document.state, 'up');
    assert.deepEqual(document.calls.map(({ client }) => client).sort(), [
      first.address,
      second.address,
    ]);
    for (const call of document.calls) {
      assert.equal(call.server, pptpd.address);
      if (backend !== 'helper')
        assert.ok(call.rx_bytes! > 50 * megabyte && call.tx_packets! > 1000, JSON.stringify(call));
    }
    rows.push(['outbound', backend, 'two pptp-linux to one pptpd', result]);
  });

  test(`inbound, backend ${backend}: two callers outside reach a pptpd behind the router`, async (t) => {
    await masquerade(['tap1'], ['tap2', 'tap3']);
    const pptpd = await startPptpd(server, 'mppe128');
    const gateway = await Gateway.start(
      namespace,
      relayFiles({
        direction: 'inbound',
        src: ['tap2', 'tap3'],
        dest: 'tap1',
        dest_ip: server.address,
        backend,
      }),
    );
    t.after(() => gateway.stop());
    const result = await bothAtOnce(pptpd, [
      dial(first, first.gateway, 'mppe128'),
      dial(second, second.gateway, 'mppe128'),
    ]);
    const document = await relay(gateway);
    assert.equal(document.backend, backend);
    assert.equal(document.calls.length, 2, JSON.stringify(document));
    // The server sees the router with one backend, the callers themselves with the other.
    const peers = await server.run(
      "ss -Htn 'sport = 1723' | awk '{print $5}' | sed 's/:.*//' | sort -u",
    );
    assert.equal(
      peers.trim(),
      backend !== 'helper' ? server.gateway : `${first.address}\n${second.address}`,
    );
    rows.push(['inbound', backend, 'two pptp-linux to a pptpd inside', result]);
  });
}

test('outbound: our own client and server are at work on the same router meanwhile', async (t) => {
  await masquerade(['tap2', 'tap3'], ['tap1']);
  const pptpd = await startPptpd(server, 'mppe128');
  const ownServer = serverFiles({ listen: ['tap3'] });
  const ownLink = linkFiles(pptpd.address, {});
  const gateway = await Gateway.start(namespace, {
    ...ownServer,
    network: `${ownServer['network']!}${ownLink['network']!}`,
    ...relayFiles({ src: ['tap2', 'tap3'], dest: 'tap1', backend: 'relay' }, false),
  });
  t.after(() => gateway.stop());
  // Through the router to pptpd; to the router's own server, though its network is relayed; and the router itself.
  const through = dial(first, pptpd.address, 'mppe128');
  await through.up();
  const toUs = dial(second, second.gateway, 'mppe128');
  await toUs.up();
  const { code, output } = await gateway.command('dial', 'office');
  assert.equal(code, 0, output);
  assert.deepEqual(
    await Promise.all([
      ping(first, pptpd.inner),
      ping(second, serverAddress),
      gateway.ping(pptpd.inner),
    ]),
    [3, 3, 3],
  );
  const [sent, received] = await transfer(first, server, pptpd.inner, 5001, 10 * megabyte);
  assert.equal(received, sent);
  const { relays, links, servers } = await gateway.status();
  assert.deepEqual([relays[0]!.calls.length, links[0]!.state, servers[0]!.sessions], [1, 'up', 1]);
  rows.push([
    'outbound',
    'relay',
    'own client and server meanwhile',
    'all three up, 3 of 3 pings each',
  ]);
});

test('outbound: what a killed daemon leaves behind is cleared by the next start', async (t) => {
  await masquerade(['tap2', 'tap3'], ['tap1']);
  const pptpd = await startPptpd(server, 'mppe128');
  const files = relayFiles({ src: ['tap2', 'tap3'], dest: 'tap1', backend: 'relay' });
  const killed = await Gateway.start(namespace, files);
  const call = dial(first, pptpd.address, 'mppe128');
  await call.up();
  const moving = transfer(first, server, pptpd.inner, 5001, 50 * megabyte).catch(() => undefined);
  while ((await relay(killed)).calls[0]!.rx_bytes! < megabyte);
  await killed.running.kill('KILL');
  await killed.running.ended;
  await call.ended; // its control connection is gone
  const left = await namespace.exec('nft', ['list', 'table', 'ip', 'pptp_gateway_relay']);
  assert.match(left.output, /counter packets [1-9]/, 'the rules and the elements of the call');
  await endPeers(server);
  // Without it TCP waits for minutes before it gives up.
  await Promise.all([server, first].map((guest) => guest.exec("pkill '^nc$'")));
  await moving;

  const again = await startPptpd(server, 'mppe128');
  const gateway = await Gateway.start(namespace, files);
  t.after(() => gateway.stop());
  const { output } = await namespace.exec('nft', ['list', 'table', 'ip', 'pptp_gateway_relay']);
  assert.doesNotMatch(output, /elements/);
  await dial(first, again.address, 'mppe128').up();
  assert.equal(await ping(first, again.inner), 3);
  assert.equal(await gateway.stop(), 0);
  assert.doesNotMatch((await namespace.exec('nft', ['list', 'tables'])).output, /pptp_gateway/);
  rows.push([
    'outbound',
    'relay',
    'daemon killed amid a transfer',
    'call ended; rules left, cleared by the next start; then up again',
  ]);
});

test('outbound: a server whose processes are killed, and a caller that vanishes', async (t) => {
  await masquerade(['tap2', 'tap3'], ['tap1']);
  const pptpd = await startPptpd(server, 'mppe128');
  const gateway = await Gateway.start(
    namespace,
    relayFiles({ src: ['tap2', 'tap3'], dest: 'tap1', backend: 'relay' }),
  );
  t.after(() => gateway.stop());
  const calls = [dial(first, pptpd.address, 'mppe128'), dial(second, pptpd.address, 'mppe128')];
  await Promise.all(calls.map((call) => call.up()));
  await endPeers(first, 'KILL');
  await gateway.running.log.waitFor(
    new RegExp(`client ${first.address} .*: down (HANGUP|CONTROL_LOST)`),
  );
  assert.equal(await ping(second, pptpd.inner), 3);
  assert.equal((await relay(gateway)).calls.length, 1);
  await pptpd.vanish();
  await gateway.running.log.waitFor(
    new RegExp(`client ${second.address} .*: down (HANGUP|CONTROL_LOST)`),
  );
  const { calls: left, connections } = await relay(gateway);
  assert.deepEqual([left.length, connections], [0, 0]);
  const { output } = await namespace.exec('nft', ['list', 'table', 'ip', 'pptp_gateway_relay']);
  assert.doesNotMatch(output, /elements/);
  rows.push([
    'outbound',
    'relay',
    'a caller vanishes, a server is killed',
    'noticed at once, the other call undisturbed, no element left',
  ]);
});
