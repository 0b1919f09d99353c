/**
 * A link with `ipv6 auto` to the real pppd, behind which radvd and Kea give addresses and prefixes: the machine gets an address
 * and a default route by the kernel's own means, and its LAN a network by dhcpcd.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, linkFiles } from './gateway.ts';
import { Guest, quote } from './guest.ts';
import { Namespace, type Running } from './namespace.ts';
import { endPeers, startPptpd } from './peers.ts';

/** A host beyond the server. */
const BEYOND = '2001:db8:f::1';
/** The network of the link, and what is delegated out of. */
const LINK = '2001:db8:a:1::';
const POOL = '2001:db8:d00::';
const DELEGATED = 60;

const radvd = `interface ppp0 {
  AdvSendAdvert on;
  AdvOtherConfigFlag on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 10;
  prefix ${LINK}/64 { AdvOnLink off; AdvAutonomous on; };
};
`;
const kea = JSON.stringify({
  Dhcp6: {
    'interfaces-config': { interfaces: ['ppp0'] },
    'server-id': { type: 'EN', 'enterprise-id': 1, identifier: '01', persist: false },
    'lease-database': { type: 'memfile', persist: false },
    loggers: [{ name: 'kea-dhcp6', severity: 'INFO', output_options: [{ output: 'stdout' }] }],
    subnet6: [
      {
        subnet: `${LINK}/64`,
        interface: 'ppp0',
        'pd-pools': [{ prefix: POOL, 'prefix-len': 48, 'delegated-len': DELEGATED }],
      },
    ],
  },
});

/** Debian's dhcpcd, the prefix of DHCPv6 for lan0. The rest is the kernel's: no router is looked for, and no script changes this machine. */
const dhcpcd = `duid
script /bin/true
ipv6only
nodev
noipv6rs
allowinterfaces pptp-office lan0
interface pptp-office
  ia_pd 1/::/${DELEGATED} lan0/1/64
`;

const SIZE = 5_000_000;
const transferCeiling = 300_000;

let namespace: Namespace;
let lan: Namespace;
let guest: Guest;

before(async () => {
  [namespace, lan] = await Promise.all([Namespace.create(), Namespace.create()]);
  guest = await Guest.boot(namespace, 1);
  await namespace.ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', lan.name); // prettier-ignore
  await namespace.ip('link', 'set', 'lan0', 'up');
  await lan.ip('link', 'set', 'lan0', 'up');
  await namespace.exec('sysctl', ['-qw', 'net.ipv6.conf.all.forwarding=1']);
});

after(async () => {
  await Promise.all([namespace, lan].map((each) => each.remove()));
});

const digest = (output: string) => /[0-9a-f]{64}/.exec(output)?.[0] ?? `no digest in: ${output}`;
const pings = async (from: Namespace, to: string) => {
  const words = ['-6', '-n', '-c', '3', '-i', '0.2', '-W', '20', to];
  return Number(/(\d+) received/.exec((await from.exec('ping', words)).output)?.[1] ?? 0);
};

/** Asks until the answer has it. */
async function shown(
  where: Namespace,
  wanted: RegExp,
  ...words: string[]
): Promise<RegExpExecArray> {
  for (;;) {
    const found = wanted.exec(await where.ip(...words));
    if (found !== null) return found;
  }
}

/** A router on the device of the call. */
async function startAdvertiser(): Promise<void> {
  await guest.run(
    `sysctl -qw net.ipv6.conf.all.forwarding=1
ip address add ${BEYOND}/128 dev lo
ip route add ${LINK}/64 dev ppp0
ip route add ${POOL}/48 dev ppp0
mkdir -p /run/radvd /run/kea
printf '%s' ${quote(radvd)} >/run/radvd.conf
chmod 644 /run/radvd.conf
printf '%s' ${quote(kea)} >/run/kea.conf`,
  );
  guest.start('exec radvd -n -m stderr -u root -C /run/radvd.conf -p /run/radvd/pid', 'radvd');
}

/** With an address of its own: of a point-to-point device Kea 2.2 takes the peer's address for its own. */
async function startDelegator(): Promise<void> {
  await guest.run('ip address add fe80::547/64 dev ppp0 nodad');
  const folders = 'KEA_PIDFILE_DIR=/run/kea KEA_LOCKFILE_DIR=/run/kea';
  const server = guest.start(`${folders} exec kea-dhcp6 -c /run/kea.conf`, 'kea-dhcp6');
  await server.log.waitFor(/DHCP6_STARTED/);
  assert.match(await guest.run("ss -Hlun 'sport = 547'"), /:547 /);
}

/** @param text the configuration of dhcpcd, whose other files are its own */
function startDhcpcd(text: string): Running {
  const file = join(namespace.folder, 'dhcpcd.conf');
  writeFileSync(file, text);
  const folders = 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib/dhcpcd';
  return namespace.start('sh', ['-c', `${folders} && exec dhcpcd -B -d --config ${file}`]);
}

test('an address and a default route by router advertisements; a network for the LAN by DHCPv6', async (t) => {
  const pptpd = await startPptpd(guest, 'greedy-mppe');
  const gateway = await Gateway.start(
    namespace,
    linkFiles(pptpd.address, { ipv6: 'auto', defaultroute: '1' }),
  );
  t.after(() => Promise.all([gateway.stop(), endPeers(guest)]));
  await gateway.command('dial', 'office');
  await pptpd.log.waitFor(/^remote LL address/);
  await startAdvertiser();
  const addresses = ['-6', 'address', 'show', 'dev', 'pptp-office'];
  const [, identifier] = await shown(namespace, /inet6 fe80::(\S+)\/64/, ...addresses);
  const [, own] = await shown(namespace, /inet6 (2001:\S+)\/64/, ...addresses);
  assert.equal(own, `${LINK.slice(0, -1)}${identifier}`, 'the identifier is that of IPV6CP');
  const routes = await namespace.ip('-6', 'route', 'show', 'dev', 'pptp-office');
  assert.match(routes, /^default via fe80::\S+ proto ra metric 1 /m);
  assert.equal(await pings(namespace, BEYOND), 3);

  await startDelegator();
  const client = startDhcpcd(dhcpcd);
  const [, network] = await shown(
    namespace,
    /inet6 (2001:db8:d\S*)1\/64/,
    '-6',
    'address',
    'show',
    'dev',
    'lan0',
  );
  await lan.ip('address', 'add', `${network}9/64`, 'dev', 'lan0', 'nodad');
  await lan.ip('-6', 'route', 'add', 'default', 'via', `${network}1`);
  assert.equal(await pings(lan, BEYOND), 3);

  // 5 MB to the host on the LAN, of zeros that are encrypted: nothing on the way can guess them.
  const stream = `head -c ${SIZE} /dev/zero | openssl enc -aes-128-ctr -K ${randomBytes(16).toString('hex')} -iv ${'0'.repeat(32)}`;
  guest.start(`${stream} | nc -6 -l -N ${BEYOND} 5001`, 'nc');
  await guest.run("until ss -Hltn 'sport = 5001' | grep -q .; do sleep 0.1; done");
  const words = ['-c', `nc -6 -d ${BEYOND} 5001 | sha256sum`];
  const { output } = await lan.exec('sh', words, transferCeiling);
  assert.equal(digest(output), digest(await guest.run(`${stream} | sha256sum`)));
  await client.kill();
});
