/** What we put into the kernel stays there, with the real kernel, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { kernel, relayShortcut, watchKernel } from '../../src/daemon/engine/kernel.ts';
import { CALL_TABLE } from '../../src/router/call-table.ts';
import { IpRoute } from '../../src/router/iproute.ts';
import { Journal } from '../../src/router/journal.ts';
import { nft } from '../../src/router/nft-command.ts';
import { readSurroundings } from '../../src/router/surroundings.ts';
import { RelayTable } from '../../src/router/relay-table.ts';
import { Upkeep } from '../../src/router/upkeep.ts';
import { parsePrefix } from '../../src/wire/ip.ts';
import { inNamespace } from '../native/namespace.ts';
import { address, caller, ip, link, makeNetworks, server } from '../support/router-networks.ts';

async function until(wanted: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await wanted())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** With a network behind it, and an address in that of the LAN. */
const guest = {
  ...caller,
  peerAddress: address('192.168.1.200'),
  routes: [parsePrefix('10.1.0.0/16')!],
  proxyArp: true,
};

inNamespace('upkeep', import.meta.url, () => {
  let warnings: string[];
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-'));
  let upkeep: Upkeep;
  let router: IpRoute;
  let stop: () => void;
  const warned = (pattern: RegExp) => warnings.some((line) => pattern.test(line));

  beforeEach(() => {
    makeNetworks();
    warnings = [];
    const warn = (text: string) => warnings.push(text);
    upkeep = new Upkeep(warn);
    const watches = watchKernel(upkeep, warn);
    rmSync(folder, { recursive: true, force: true });
    const journal = new Journal(join(folder, 'journal'), warn);
    router = new IpRoute(warn, () => readSurroundings(kernel.route), kernel, upkeep, journal);
    stop = () => {
      upkeep.close();
      for (const watch of watches) watch.close();
    };
  });

  afterEach(async () => {
    await router.close();
    stop();
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await nft('flush ruleset');
  });

  test('addresses, routes and state of a server’s device', async () => {
    await router.serverUp(server);
    await router.tunnelUp(guest);
    const whole = () =>
      /inet 192\.168\.99\.1\/24/.test(ip('address show dev tun0')) &&
      /[<,]UP[,>]/.test(ip('link show dev tun0')) &&
      /10\.1\.0\.0\/16/.test(ip('route show dev tun0')) &&
      /192\.168\.1\.200/.test(ip('route show dev tun0'));
    assert.ok(whole());
    for (const damage of [
      'link set tun0 down',
      'address flush dev tun0',
      'route del 10.1.0.0/16 dev tun0',
      'route del 192.168.1.200 dev tun0',
    ]) {
      ip(damage);
      assert.ok(!whole(), damage);
      await until(whole);
    }
    await until(() => warned(/addresses and routes of tun0: had gone, and is put back/));
    assert.deepEqual(upkeep.problems(), []);
  });

  test('a proxy ARP entry goes with its device’s state, and comes back with it', async () => {
    await router.serverUp(server);
    await router.tunnelUp(guest);
    const proxied = () => /192\.168\.1\.200 dev lan0/.test(ip('neighbour show proxy'));
    assert.ok(proxied());
    ip('link set lan0 down');
    assert.ok(!proxied());
    ip('link set lan0 up');
    await until(proxied);
    await router.tunnelDown(guest);
    assert.ok(!proxied());
    ip('link set lan0 down');
    ip('link set lan0 up');
    await until(() => upkeepIdle());
    assert.ok(!proxied());
  });

  /** A device that comes back after everything else that happened before. */
  async function upkeepIdle(): Promise<boolean> {
    const before = warnings.length;
    ip('link set tun0 down');
    await until(() => warnings.length > before);
    return true;
  }

  test('a WAN that was away for a moment does not leave the server to its own tunnel', async () => {
    const way = () => ip('route get 203.0.113.9');
    await router.hostRoute('office', address('203.0.113.9'), undefined);
    await router.tunnelUp({ ...link, defaultRoute: true });
    assert.match(way(), /via 198\.51\.100\.1 dev wan0/);
    ip('link set wan0 down');
    ip('link set wan0 up');
    assert.match(way(), /dev tun1/);
    ip('route add default via 198.51.100.1'); // as a DHCP client does
    await until(() => /via 198\.51\.100\.1 dev wan0/.test(way()));
    // Longer, and another gateway afterwards.
    ip('link set wan0 down');
    await until(() =>
      upkeep.problems().some((line) => /there is no way to 203\.0\.113\.9/.test(line)),
    );
    ip('link set wan0 up');
    ip('route add default via 198.51.100.254');
    await until(() => /via 198\.51\.100\.254 dev wan0/.test(way()));
    await until(() => upkeep.problems().length === 0);
    await router.releaseHostRoute('office');
    assert.equal(ip('-N route show proto 147'), '');
  });

  test('the table of calls, as a whole and each of its parts', async () => {
    const path = {
      peer: address('203.0.113.77'),
      local: address('198.51.100.2'),
      peerPort: 1723,
      localPort: 40000,
    };
    await router.admit(path);
    const list = () => nft(`list table ip ${CALL_TABLE}`).catch(() => '');
    const whole = await list();
    assert.match(whole, /203\.0\.113\.77 \. 198\.51\.100\.2/);
    for (const damage of [
      'flush ruleset',
      `delete element ip ${CALL_TABLE} calls { 203.0.113.77 . 198.51.100.2 }`,
      `flush chain ip ${CALL_TABLE} output`,
    ]) {
      await nft(damage);
      await until(async () => (await list()) === whole);
    }
    router.dismiss(path);
    await until(async () => (await list()) === '');
    assert.ok(!upkeep.problems().length);
  });

  test('the relay’s table, with and without a call', async () => {
    const table = new RelayTable(kernel.netfilter, relayShortcut());
    upkeep.keep({ what: 'the relay', by: ['nftables'], look: () => table.look() });
    const rules = { key: 1, direction: 'outbound', src: ['lan0'], dest: ['wan0'], clients: [], port: 4001, hasShortcut: false } as const; // prettier-ignore
    await table.install([rules]);
    const list = () => nft('list table ip pptp_gateway_relay').catch(() => '');
    const empty = await list();
    await nft('flush ruleset');
    await until(async () => (await list()) === empty);
    await table.add({
      relay: 1,
      towards: 'server',
      from: { address: address('192.168.1.10'), local: address('203.0.113.1') },
      to: {
        address: address('203.0.113.1'),
        local: address('198.51.100.2'),
        callId: 7,
        toldCallId: 9,
      },
    });
    const whole = await list();
    for (const damage of [
      'flush ruleset',
      'flush map ip pptp_gateway_relay id_of',
      'flush chain ip pptp_gateway_relay postrouting',
    ]) {
      await nft(damage);
      await until(async () => (await list()) === whole);
    }
    await table.install([]);
    assert.equal(await list(), '');
  });

  test('whoever removes it again and again wins, and the owner is told', async () => {
    await router.serverUp(server);
    const shown = () => /192\.168\.99\.1/.test(ip('address show dev tun0'));
    for (let round = 1; round <= 6; round++) {
      ip('address flush dev tun0');
      await until(() => warnings.length === round);
      assert.ok(shown());
    }
    assert.match(warnings.at(-1)!, /addresses and routes of tun0: put back 5 times .* left alone/);
    assert.match(upkeep.problems().join(), /addresses and routes of tun0: somebody removes this/);
    ip('address flush dev tun0');
    await router.tunnelUp(guest); // other things go on
    await router.serverUp(server); // and what is made anew is looked after anew
    assert.deepEqual(upkeep.problems(), []);
    assert.ok(shown());
  });
});
