/** What a server's options make of each of its sessions. */
import type { Ipv4 } from '../../wire/brand.ts';
import type { Gateway } from '../gateway.ts';
import type { ServerOptions } from '../options.ts';
import { OWN_NAME } from '../own-name.ts';
import { SERVER_INTERFACE_IDENTIFIER } from '../ports.ts';
import type { SessionSettings } from '../session.ts';

/** @param peer outside address of the caller */
export function sessionSettings(
  { name, device, proxyArp, mtu, auth, mppe, ipv6, ...options }: ServerOptions,
  peer: Ipv4,
  gateway: Gateway,
  isIdentifierTaken: (identifier: Uint8Array) => boolean,
): SessionSettings {
  const { keepalive, localAddress, accounts } = options;
  return {
    tunnel: {
      name,
      device,
      role: 'caller',
      peer,
      defaultRoute: false,
      metric: 0,
      proxyArp,
      ipv6Client: undefined,
      ipv6Routes: [],
    },
    peerDns: false,
    link: {
      mru: mtu,
      authenticatePeer: {
        methods: auth,
        name: OWN_NAME,
        eap: accounts.includes('radius') ? 'pass-through' : 'local',
      },
      mppe,
      ip: { localAddress, requestDns: false },
      ipv6,
      interfaceIdentifier: SERVER_INTERFACE_IDENTIFIER,
      isIdentifierTaken,
      ...(keepalive === undefined ? {} : { keepalive }),
      random: gateway.random,
      count: (what) => gateway.count(`ppp: ${what}`),
    },
  };
}
