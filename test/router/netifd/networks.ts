/** Networks as sessions hand them to a router. */
import type { Tunnel } from '../../../src/session/ports.ts';
import { ip } from '../../support/world.ts';

export const link: Tunnel = {
  name: 'office',
  device: 'pptp-office',
  role: 'link',
  peer: ip('198.51.100.10'),
  localAddress: ip('10.7.0.2'),
  peerAddress: ip('10.7.0.1'),
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

export const caller: Tunnel = {
  ...link,
  name: 'home',
  device: 'pptps-home',
  role: 'caller',
  localAddress: ip('192.168.99.1'),
  peerAddress: ip('192.168.99.10'),
};
