/** What a server is told of a call and of the login that wants to be let in: RFC 2865 §5, RFC 2868 §3, RFC 2548 §2, RFC 3579 §3.1. */
import type { Ipv4 } from '../wire/brand.ts';
import { malformed, type Malformed } from '../wire/codec.ts';
import { formatAddress } from '../wire/ip.ts';
import type { RadiusAttribute } from '../wire/radius-attributes.ts';
import { textFromOctets, textOf, type Text } from '../wire/text.ts';

/** RFC 2865 §5.6, §5.7, §5.41; RFC 2868 §3.1, §3.2 */
export const ServiceType = { Framed: 2 } as const;
export const FramedProtocol = { Ppp: 1 } as const;
const NAS_PORT_TYPE_VIRTUAL = 5;
const TUNNEL_TYPE_PPTP = 1;
const TUNNEL_MEDIUM_IPV4 = 1;
/** RFC 2868 §3: all attributes of the one tunnel. */
const TAG = 1;
const MAX_TEXT = 253;
/** RFC 2865 §5.2 */
const MAX_PASSWORD = 128;

/** A call and the router that it came to, the same in every packet about it. */
export interface RadiusCall {
  /** NAS-Identifier, 1..253 octets. */
  readonly nasIdentifier: string;
  readonly nasAddress: Ipv4;
  /** Unique among the calls of this router. */
  readonly port: number;
  /** The interface that the caller has called; may be empty, as the texts below. */
  readonly portId: string;
  /** Acct-Session-Id: unique, after a restart too. */
  readonly sessionId: string;
  /** Outer addresses. */
  readonly peer: Ipv4;
  readonly local: Ipv4;
  /** What the caller's machine calls itself. */
  readonly peerHostName: string;
  /** The connection that the call is one of, unique on this router. */
  readonly tunnelId: string;
  /** Connect-Info: how the call is made, for people. */
  readonly connectInfo: string;
}

/** How a caller proves who it is, as it came over PPP. Challenges are ours, identifiers those of the responses. */
export type RadiusLogin =
  | { readonly method: 'pap'; readonly password: Uint8Array }
  | {
      readonly method: 'chap';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      /** 16 octets */
      readonly response: Uint8Array;
    }
  | {
      readonly method: 'mschap';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      /** 24 octets */
      readonly ntResponse: Uint8Array;
    }
  | {
      readonly method: 'mschap-v2';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      /** 16 octets */
      readonly peerChallenge: Uint8Array;
      /** 24 octets */
      readonly ntResponse: Uint8Array;
    }
  /** The fields of a Change-Password packet: RFC 2759 §7. */
  | {
      readonly method: 'mschap-v2-change';
      readonly identifier: number;
      readonly challenge: Uint8Array;
      /** 516 octets */
      readonly encryptedPassword: Uint8Array;
      /** 16 octets */
      readonly encryptedHash: Uint8Array;
      readonly peerChallenge: Uint8Array;
      readonly ntResponse: Uint8Array;
    }
  /** An EAP packet as it came; `state` is that of the Access-Challenge that it answers. */
  | {
      readonly method: 'eap';
      readonly packet: Uint8Array;
      readonly state: Uint8Array | undefined;
      /** Octets of the longest packet that the caller takes: what the server has to say is cut to that (RFC 3579 §2.4). */
      readonly mtu: number;
    };

/** Attributes of an Access-Request. Malformed: no server could be asked this, since a value does not fit; it is a refusal. */
export function accessRequest(
  userName: Text,
  login: RadiusLogin,
  call: RadiusCall,
): RadiusAttribute[] | Malformed {
  const { length } = userName.octets;
  if (length === 0 && login.method !== 'eap') return malformed('too-short', 'no user name');
  if (length > MAX_TEXT) return malformed('too-long', `user name of ${length} octets`);
  if (login.method === 'pap' && login.password.length > MAX_PASSWORD)
    return malformed('too-long', `password of ${login.password.length} octets`);
  const named: RadiusAttribute[] = length === 0 ? [] : [{ name: 'User-Name', value: userName }];
  return [...named, ...proof(login), ...callAttributes(call)];
}

function proof(login: RadiusLogin): RadiusAttribute[] {
  switch (login.method) {
    case 'pap':
      return [{ name: 'User-Password', value: login.password }];
    case 'chap': {
      const { identifier, response, challenge } = login;
      return [
        { name: 'CHAP-Password', value: { identifier, response } },
        { name: 'CHAP-Challenge', value: challenge },
      ];
    }
    case 'mschap': {
      const { identifier, ntResponse, challenge } = login;
      const lmResponse = new Uint8Array(24);
      return [
        { name: 'MS-CHAP-Challenge', value: challenge },
        { name: 'MS-CHAP-Response', value: { identifier, flags: 1, lmResponse, ntResponse } },
      ];
    }
    case 'mschap-v2': {
      const { identifier, peerChallenge, ntResponse, challenge } = login;
      return [
        { name: 'MS-CHAP-Challenge', value: challenge },
        { name: 'MS-CHAP2-Response', value: { identifier, flags: 0, peerChallenge, ntResponse } },
      ];
    }
    case 'mschap-v2-change': {
      const { identifier, challenge, encryptedPassword, ...packet } = login;
      const { encryptedHash, peerChallenge, ntResponse } = packet;
      const change = { code: 7, identifier, encryptedHash, peerChallenge, ntResponse, flags: 0 };
      return [
        { name: 'MS-CHAP-Challenge', value: challenge },
        { name: 'MS-CHAP-NT-Enc-PW', value: { identifier, encryptedPassword } },
        { name: 'MS-CHAP2-CPW', value: change },
      ];
    }
    case 'eap': {
      const { packet, state, mtu } = login;
      const attributes: RadiusAttribute[] = [
        { name: 'EAP-Message', value: packet },
        { name: 'Framed-MTU', value: mtu },
      ];
      return state === undefined ? attributes : [...attributes, { name: 'State', value: state }];
    }
  }
}

/** Who we are and whose call it is: in Access- and Accounting-Requests alike. */
export function callAttributes(call: RadiusCall): RadiusAttribute[] {
  const { nasIdentifier, nasAddress, port, sessionId, tunnelId, peerHostName } = call;
  const peer = formatAddress(call.peer);
  const local = formatAddress(call.local);
  return [
    { name: 'NAS-Identifier', value: textOf(nasIdentifier) },
    { name: 'NAS-IP-Address', value: nasAddress },
    { name: 'NAS-Port', value: port },
    { name: 'NAS-Port-Type', value: NAS_PORT_TYPE_VIRTUAL },
    ...some('NAS-Port-Id', call.portId),
    { name: 'Service-Type', value: ServiceType.Framed },
    { name: 'Framed-Protocol', value: FramedProtocol.Ppp },
    { name: 'Calling-Station-Id', value: textOf(peer) },
    { name: 'Called-Station-Id', value: textOf(local) },
    ...some('Acct-Session-Id', sessionId),
    ...some('Connect-Info', call.connectInfo),
    { name: 'Tunnel-Type', value: { tag: TAG, value: TUNNEL_TYPE_PPTP } },
    { name: 'Tunnel-Medium-Type', value: { tag: TAG, value: TUNNEL_MEDIUM_IPV4 } },
    { name: 'Tunnel-Client-Endpoint', value: { tag: TAG, value: textOf(peer) } },
    { name: 'Tunnel-Server-Endpoint', value: { tag: TAG, value: textOf(local) } },
    ...someTagged('Tunnel-Assignment-Id', tunnelId),
    ...someTagged('Tunnel-Client-Auth-Id', peerHostName),
    { name: 'Tunnel-Server-Auth-Id', value: { tag: TAG, value: textOf(nasIdentifier) } },
  ];
}

/** RFC 2865 §5: an empty text is left out; a long one is cut. */
function some(
  name: 'NAS-Port-Id' | 'Acct-Session-Id' | 'Connect-Info',
  text: string,
): RadiusAttribute[] {
  return text === '' ? [] : [{ name, value: fitting(text) }];
}

function someTagged(
  name: 'Tunnel-Assignment-Id' | 'Tunnel-Client-Auth-Id',
  text: string,
): RadiusAttribute[] {
  return text === '' ? [] : [{ name, value: { tag: TAG, value: fitting(text) } }];
}

/** A tag takes one octet. */
function fitting(text: string): Text {
  return textFromOctets(textOf(text).octets.subarray(0, MAX_TEXT - 1));
}
