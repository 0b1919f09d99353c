/** The tables of passthrough with the real kernel, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { relayShortcut } from '../../src/daemon/engine/kernel.ts';
import { NETLINK_NETFILTER, netlinkRequest } from '../../src/native/netlink.ts';
import { assignedByFirewall, installHelper, probeHelper } from '../../src/router/nat-helper.ts';
import { nft } from '../../src/router/nft-command.ts';
import { changeElements } from '../../src/router/nft-elements.ts';
import type { RelayRules } from '../../src/router/relay-rules.ts';
import { RelayTable } from '../../src/router/relay-table.ts';
import type { RelayWay } from '../../src/router/relay-way.ts';
import { RouterError } from '../../src/router/router.ts';
import { parsePrefix } from '../../src/wire/ip.ts';
import { inNamespace, ipv4 } from '../native/namespace.ts';
import { takeDescriptors } from '../support/descriptors.ts';

const netfilter = (request: Uint8Array) => netlinkRequest(NETLINK_NETFILTER, request);

const rules = (key: number, change: Partial<RelayRules> = {}): RelayRules => ({
  key,
  direction: 'outbound',
  src: ['lan'],
  dest: ['wan', 'ppp*'],
  clients: [],
  port: 4000 + key,
  hasShortcut: false,
  ...change,
});

const client = { address: ipv4('192.168.1.10'), local: ipv4('203.0.113.1') };
const server = { address: ipv4('203.0.113.1'), local: ipv4('198.51.100.2') };
const towardsServer = (toldCallId: number, callId = 7): RelayWay => ({
  relay: 1,
  towards: 'server',
  from: client,
  to: { ...server, callId, toldCallId },
});
const towardsClient = (toldCallId: number): RelayWay => ({
  relay: 1,
  towards: 'client',
  from: server,
  to: { ...client, callId: 9, toldCallId },
});

inNamespace('relay table', import.meta.url, () => {
  let table: RelayTable;
  const list = () => nft('list table ip pptp_gateway_relay');

  beforeEach(async () => {
    await nft('flush ruleset');
    table = new RelayTable(netfilter, relayShortcut());
  });

  test('this kernel has what it needs, and asking leaves nothing behind', async () => {
    await table.probe();
    assert.equal(await nft('list tables'), '');
  });

  test('rules name devices, clients and direction; without relays there is no table', async () => {
    const networks = [parsePrefix('192.168.1.0/24')!, parsePrefix('10.0.0.5')!];
    await table.install([rules(1, { clients: networks }), rules(2, { direction: 'inbound' })]);
    const text = await list();
    assert.match(
      text,
      /iifname "lan" ip saddr \{ 10\.0\.0\.5, 192\.168\.1\.0\/24 \} tcp dport 1723 fib daddr type unicast fib daddr oifname \{ "ppp\*", "wan" \}.*redirect to :4001/,
    );
    assert.match(
      text,
      /iifname "lan" tcp dport 1723 fib daddr \. iif type local .*redirect to :4002/,
    );
    await table.install([]);
    assert.equal(await nft('list tables'), '');
  });

  test('what a daemon before has left is cleared', async () => {
    await nft(
      'table ip pptp_gateway_relay { map id_of { type inet_service : inet_service; elements = { 1 : 2 }; }; }',
    );
    await table.install([rules(1)]);
    assert.doesNotMatch(await list(), /elements/);
  });

  test('ways come and go as elements, in octets of the kernel', async () => {
    await table.install([rules(1)]);
    await table.add(towardsServer(0x1234));
    const way = towardsClient(0xfedc);
    await table.add(way);
    const text = await list();
    assert.match(
      text,
      /192\.168\.1\.10 \. 203\.0\.113\.1 \. 0x1234 counter packets 0 bytes 0 : 203\.0\.113\.1/,
    );
    assert.match(
      text,
      /203\.0\.113\.1 \. 198\.51\.100\.2 \. 0xfedc counter packets 0 bytes 0 : 192\.168\.1\.10/,
    );
    assert.match(text, /0x1234 : 198\.51\.100\.2/);
    assert.match(text, /0xfedc : 0x9/);
    assert.match(text, /198\.51\.100\.2 \. 203\.0\.113\.1 \. 0x7/);
    assert.deepEqual(table.counters([way]), [{ packets: 0, octets: 0 }]);
    await table.remove(way);
    await table.remove(way); // once
    assert.doesNotMatch(await list(), /0xfedc/);
  });

  test('without descriptors a way that goes is remembered, and goes when there are some', async (t) => {
    await table.install([rules(1)]);
    const way = towardsServer(7, 0xfedc);
    await table.add(way);
    const giveBack = takeDescriptors(t);
    assert.equal(table.counters([way]), undefined);
    await assert.rejects(table.remove(way), RouterError);
    giveBack();
    assert.match(await list(), /0xfedc/);
    await table.look();
    assert.doesNotMatch(await list(), /0xfedc/);
  });

  test('two calls that the server gave one id share their guard', async () => {
    await table.install([rules(1)]);
    const [a, b] = [towardsServer(1), towardsServer(2)];
    await table.add(a);
    await table.add(b);
    await table.remove(a);
    assert.match(await list(), /198\.51\.100\.2 \. 203\.0\.113\.1 \. 0x7/);
    await table.remove(b);
    assert.doesNotMatch(await list(), /elements/);
  });

  test('elements of relays that stay survive a change', async () => {
    await table.install([rules(1), rules(2)]);
    await table.add(towardsServer(5));
    await table.install([rules(1), rules(3)]);
    const text = await list();
    assert.match(text, /0x5 counter/);
    assert.match(text, /to_server_3/);
    assert.doesNotMatch(text, /_2 /);
  });

  test('a table that was removed is made anew, with all that was in it', async () => {
    await table.install([rules(1)]);
    await table.add(towardsServer(5));
    await nft('flush ruleset');
    await table.add(towardsServer(6, 8));
    const text = await list();
    assert.match(text, /0x5 counter/);
    assert.match(text, /0x6 counter/);
    await nft('flush ruleset');
    await table.install([rules(1), rules(2)]);
    assert.match(await list(), /0x5 counter/);
  });

  test('what the kernel refuses has no effect and is a RouterError', async () => {
    await table.install([rules(1)]);
    const element = { set: 'id_of', key: Uint8Array.of(0, 1), data: Uint8Array.of(0, 2) };
    assert.throws(
      () =>
        changeElements(netfilter, 'pptp_gateway_relay', [
          { what: 'add', element },
          { what: 'add', element: { ...element, set: 'nothing' } },
        ]),
      (error) =>
        error instanceof RouterError && /no such table, map or element/.test(error.message),
    );
    assert.doesNotMatch(await list(), /elements/);
    assert.throws(
      () => changeElements(netfilter, 'nothing', [{ what: 'add', element }]),
      RouterError,
    );
  });

  test('a thousand ways: each in less than a millisecond or so', async (t) => {
    await table.install([rules(1)]);
    const before = performance.now();
    const ways = Array.from({ length: 1000 }, (_, i) => towardsServer(i + 1, i + 1));
    for (const way of ways) await table.add(way);
    t.diagnostic(`${((performance.now() - before) / 1000).toFixed(3)} ms each`);
    assert.equal(table.counters(ways)?.length, 1000);
    assert.match(await list(), /0x3e8 : 0x3e8/);
  });

  test('the helper is assigned to what is configured and nothing else', async (t) => {
    try {
      await probeHelper();
    } catch (error) {
      t.skip(error instanceof Error ? error.message : String(error));
      return;
    }
    assert.equal(await nft('list tables'), '');
    const common = { src: ['lan'], dest: ['wan'], clients: [], servers: [], server: undefined };
    await installHelper([
      { ...common, direction: 'outbound', servers: [parsePrefix('203.0.113.0/24')!] },
      {
        ...common,
        direction: 'inbound',
        src: ['wan'],
        dest: ['lan'],
        server: ipv4('192.168.1.10'),
      },
    ]);
    const text = await nft('list table ip pptp_gateway_helper');
    assert.match(
      text,
      /iifname "lan" oifname "wan" ip daddr 203\.0\.113\.0\/24 tcp dport 1723 ct state new ct helper set "pptp"/,
    );
    assert.match(
      text,
      /iifname "wan" fib daddr \. iif type local tcp dport 1723 .*dnat to 192\.168\.1\.10/,
    );
    assert.equal(text.match(/ct helper pptp/g)?.length, 1);
    await installHelper([]);
    assert.equal(await nft('list tables'), '');
    assert.equal(await assignedByFirewall(), false);
    await nft(
      'table inet fw4 { ct helper pptp { type "pptp" protocol tcp; }; chain h { type filter hook prerouting priority filter; tcp dport 1723 ct helper set "pptp"; }; }',
    );
    assert.equal(await assignedByFirewall(), true);
  });
});
