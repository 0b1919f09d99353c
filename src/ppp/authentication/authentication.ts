/**
 * Both directions of authentication on one link (RFC 1661 §3.5): the peer logs in to us, we log in to the peer.
 */
import { PppProtocol } from '../../wire/ppp-frame.ts';
import type { LcpPolicy } from '../lcp.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';
import type { LinkOptions } from '../options.ts';
import { Authenticator } from './authenticator.ts';
import { Login } from './login.ts';

export interface Authentication {
  /** undefined: the peer need not log in. */
  readonly authenticator: Authenticator | undefined;
  /** undefined: we need not. */
  readonly login: Login | undefined;
}

/** As LCP has agreed. */
export function beginAuthentication(
  { peerMethod, ownMethod }: Pick<LcpPolicy, 'peerMethod' | 'ownMethod'>,
  options: LinkOptions,
  now: number,
): Authentication {
  const { authenticatePeer, identity } = options;
  return {
    authenticator:
      peerMethod && authenticatePeer
        ? new Authenticator(peerMethod, authenticatePeer.name, options, now)
        : undefined,
    login: ownMethod && identity ? new Login(ownMethod, identity, options, now) : undefined,
  };
}

export function isComplete({ authenticator, login }: Authentication): boolean {
  const isPeerIn = authenticator === undefined || authenticator.admitted !== undefined;
  return isPeerIn && login?.isAccepted !== false;
}

/** Responses and Authenticate-Requests are for the authenticator, everything else for our login. */
export function sideOf(
  { authenticator, login }: Authentication,
  protocol: number,
  payload: Uint8Array,
): Authenticator | Login | undefined {
  return payload[0] === (protocol === PppProtocol.Pap ? 1 : 2) ? authenticator : login;
}

/**
 * Where MPPE's keys come from. As with pppd MS-CHAP must have run in exactly one direction: with two nobody knows whose
 * count.
 */
export function keysOf({ authenticator, login }: Authentication): MppeKeySource | undefined {
  const peers = authenticator?.admitted?.keys;
  const own = login?.keys;
  return peers !== undefined && own !== undefined ? undefined : (peers ?? own);
}
