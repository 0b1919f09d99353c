/** What the kernel tells by itself, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { IoError } from '../../src/native/io-error.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkWatch } from '../../src/native/netlink.ts';
import { inNamespace, ip } from './namespace.ts';

/** RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, NFNLGRP_NFTABLES */
const LINK = 1;
const ADDRESS = 5;
const NFTABLES = 7;

/** Collects datagrams; `until` waits for one. */
function listen(protocol: number, groups: readonly number[]) {
  const heard: (Uint8Array | undefined)[] = [];
  let wake: () => void = () => undefined;
  const watch = new NetlinkWatch(protocol, groups, (datagram) => {
    heard.push(datagram?.slice());
    wake();
  });
  const until = async (wanted: (datagram: Uint8Array | undefined) => boolean) => {
    while (!heard.some(wanted)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { watch, heard, until };
}

const contains = (text: string) => (datagram: Uint8Array | undefined) =>
  datagram !== undefined && Buffer.from(datagram).includes(text);

inNamespace('Netlink', import.meta.url, () => {
  test('devices, addresses and nftables, of the groups that were asked for', async () => {
    const route = listen(NETLINK_ROUTE, [LINK, ADDRESS]);
    const netfilter = listen(NETLINK_NETFILTER, [NFTABLES]);
    ip('link add heard0 type veth peer name heard1');
    await route.until(contains('heard1\0'));
    ip('address add 192.0.2.1/24 dev heard0 label heard0:label');
    await route.until(contains('heard0:label\0'));
    execFileSync('nft', ['add table ip heard']);
    await netfilter.until(contains('heard\0'));
    assert.equal(netfilter.heard.some(contains('heard0\0')), false);
    netfilter.watch.close();
    netfilter.watch.close(); // once
    execFileSync('nft', ['add table ip unheard']);
    ip('link del heard0');
    const before = route.heard.length;
    await route.until((datagram) => route.heard.indexOf(datagram) >= before);
    assert.equal(netfilter.heard.some(contains('unheard\0')), false);
    route.watch.close();
  });

  test('more than the socket holds is told as such, and listening goes on', async () => {
    const { watch, heard, until } = listen(NETLINK_ROUTE, [ADDRESS]);
    ip('link add full0 type veth peer name full1');
    const commands = Array.from(
      { length: 4000 },
      (_, i) => `address add 10.9.${i >> 8}.${i & 255}/32 dev full0\n`,
    );
    execFileSync('ip', ['-batch', '-'], { input: commands.join('') }); // meanwhile nobody reads
    await until((datagram) => datagram === undefined);
    ip('address add 192.0.2.7/32 dev full0 label full0:after');
    await until(contains('full0:after\0'));
    assert.equal(heard.filter((datagram) => datagram === undefined).length, 1);
    assert.ok(heard.length < 4000);
    watch.close();
    ip('link del full0');
  });

  test('closed from within, it says nothing more', async () => {
    let calls = 0;
    const done = new Promise<void>((resolve) => {
      const watch = new NetlinkWatch(NETLINK_ROUTE, [LINK], () => {
        calls++;
        watch.close();
        resolve();
      });
    });
    ip('link add twice0 type veth peer name twice1'); // two messages
    await done;
    ip('link del twice0');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 1);
  });

  test('what the kernel refuses is an IoError', () => {
    assert.throws(
      () => new NetlinkWatch(31, [1], () => undefined),
      (error) => error instanceof IoError && error.code === 'EPROTONOSUPPORT',
    );
    assert.throws(() => new NetlinkWatch(NETLINK_ROUTE, [], () => undefined), RangeError);
  });
});
