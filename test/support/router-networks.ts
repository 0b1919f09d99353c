/** The networks around a router on plain Linux, in the namespace that a test file has: devices, and tunnels on two of them. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { ServerInterface } from '../../src/router/router.ts';
import type { Tunnel } from '../../src/session/ports.ts';
import { parseAddress } from '../../src/wire/ip.ts';

export const address = (text: string) => parseAddress(text)!;

export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8', stdio: 'pipe' });
}

/** All of it anew: two TUN devices, a LAN, and a WAN with the default route. */
export function makeNetworks(): void {
  const present = ip('-brief link show');
  for (const device of ['tun0', 'tun1', 'wan0', 'lan0'])
    if (new RegExp(`^${device}\\b`, 'm').test(present)) ip(`link del ${device}`);
  for (const tun of ['tun0', 'tun1']) ip(`tuntap add ${tun} mode tun`);
  ip('link add wan0 type veth peer name wan1');
  ip('link add lan0 type veth peer name lan1');
  for (const device of ['wan0', 'wan1', 'lan0', 'lan1']) ip(`link set ${device} up`);
  ip('address add 198.51.100.2/24 dev wan0');
  ip('address add 192.168.1.1/24 dev lan0');
  ip('route add default via 198.51.100.1');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
}

export const server: ServerInterface = {
  name: 'home',
  device: 'tun0',
  localAddress: address('192.168.99.1'),
  prefixLength: 24,
  mtu: 1400,
  ipv6: false,
  ipv6Networks: [],
  masquerade: false,
};

export const caller: Tunnel = {
  name: 'home',
  device: 'tun0',
  role: 'caller',
  peer: address('203.0.113.77'),
  localAddress: address('192.168.99.1'),
  peerAddress: address('192.168.99.10'),
  routes: [],
  inform: undefined,
  mtu: 1400,
  defaultRoute: false,
  metric: 0,
  dns: [],
  ipv6: undefined,
  proxyArp: false,
  groups: [],
  ipv6Client: undefined,
  ipv6Routes: [],
};

export const link: Tunnel = {
  ...caller,
  name: 'office',
  device: 'tun1',
  role: 'link',
  localAddress: address('10.7.0.2'),
  peerAddress: address('10.7.0.1'),
};
