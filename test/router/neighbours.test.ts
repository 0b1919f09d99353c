/** The kernel's ARP: a device at the other end of a veth, in a namespace of its own. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NETLINK_ROUTE, netlinkRequest } from '../../src/native/netlink.ts';
import { KernelNeighbours, parseNeighbour } from '../../src/router/neighbours.ts';
import { readOwnNetworks } from '../../src/router/own-networks.ts';
import { parseAddress } from '../../src/wire/ip.ts';
import { inNamespace } from '../native/namespace.ts';

const address = (text: string) => parseAddress(text)!;
const run = (command: string) => {
  const [program, ...words] = command.split(' ');
  return execFileSync(program!, words, { encoding: 'utf8' });
};
const netlink = (request: Uint8Array) => netlinkRequest(NETLINK_ROUTE, request);

inNamespace('neighbours', import.meta.url, () => {
  const host = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
  after(() => host.kill());
  const failures: unknown[] = [];
  const neighbours = new KernelNeighbours(
    netlink,
    () => readOwnNetworks(netlink),
    (error) => failures.push(error),
  );
  const inHost = (command: string) => run(`nsenter --net=/proc/${host.pid}/ns/net ${command}`);
  const isOwnNamespace = () => {
    const name = (pid: number | string) => run(`readlink /proc/${pid}/ns/net`);
    return name(host.pid!) !== name('self');
  };

  /** Until somebody is known to have it. */
  async function answer(text: string): Promise<string> {
    for (;;) {
      const holder = neighbours.holder(address(text));
      if (holder !== undefined) return holder;
      await sleep(20);
    }
  }

  test('who has an address answers, nobody else does, and what the owner has entered stays', async () => {
    while (!isOwnNamespace()) await sleep(10);
    run(`ip link add lan type veth peer name eth0 netns ${host.pid}`);
    run('ip address add 192.168.1.1/24 dev lan');
    run('ip link set lan up');
    inHost('ip link set eth0 address 02:00:00:00:00:07 up');
    inHost('ip address add 192.168.1.50/24 dev eth0');
    for (const last of [50, 51]) neighbours.ask(address(`192.168.1.${last}`));
    assert.equal(await answer('192.168.1.50'), '02:00:00:00:00:07 on lan');
    assert.equal(neighbours.holder(address('192.168.1.51')), undefined);

    inHost('ip address del 192.168.1.50/24 dev eth0');
    neighbours.ask(address('192.168.1.50')); // what was known is forgotten
    assert.equal(neighbours.holder(address('192.168.1.50')), undefined);
    inHost('ip address add 192.168.1.51/24 dev eth0');
    neighbours.ask(address('192.168.1.51'));
    assert.equal(await answer('192.168.1.51'), '02:00:00:00:00:07 on lan');

    run('ip neighbour replace 192.168.1.60 lladdr 02:00:00:00:00:60 dev lan nud permanent');
    neighbours.ask(address('192.168.1.60'));
    assert.equal(neighbours.holder(address('192.168.1.60')), '02:00:00:00:00:60 on lan');
    assert.match(run('ip neighbour show 192.168.1.60'), /PERMANENT/);
    assert.deepEqual(failures, []);
  });

  test('a device that begins to use an address is seen without being asked', async () => {
    neighbours.ask(address('192.168.1.70'));
    assert.equal(neighbours.holder(address('192.168.1.70')), undefined);
    inHost('ip address add 192.168.1.70/24 dev eth0');
    inHost('ping -c 1 -W 5 -I 192.168.1.70 192.168.1.1');
    assert.equal(await answer('192.168.1.70'), '02:00:00:00:00:07 on lan');
  });

  test('addresses of no network of ours, and other ends of tunnels, have no neighbours', () => {
    run('ip tuntap add ppp mode tun');
    run('ip address add 100.64.0.2 peer 100.64.0.1 dev ppp');
    for (const text of ['203.0.113.9', '100.64.0.1']) {
      neighbours.ask(address(text));
      assert.equal(neighbours.holder(address(text)), undefined);
    }
    assert.equal(readFileSync('/proc/net/arp', 'latin1').includes('100.64.0.1'), false);
    assert.deepEqual(failures, []);
  });
});

test('a kernel that does not take it is reported, and nobody is known to have the address', () => {
  const failures: unknown[] = [];
  const own = {
    device: 'lan',
    index: 1,
    address: address('192.168.1.1'),
    network: { address: address('192.168.1.0'), length: 24 },
  };
  const refuse = () => {
    throw new Error('EPERM');
  };
  const neighbours = new KernelNeighbours(
    refuse,
    () => [own],
    (error) => failures.push(error),
  );
  neighbours.ask(address('192.168.1.9'));
  assert.equal(neighbours.holder(address('192.168.1.9')), undefined);
  assert.equal(failures.length, 2);
});

test('answers that make no sense are no entries', () => {
  for (const octets of [[], [1, 2, 3], Array<number>(28).fill(0xff), Array<number>(40).fill(0)])
    assert.equal(parseNeighbour(Uint8Array.from(octets), 1), undefined);
});
