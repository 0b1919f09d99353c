/**
 * Both directions of authentication on one link (RFC 1661 §3.5): the peer logs in to us, we log in to the peer.
 */
import { PppProtocol } from '../../wire/ppp-frame.ts';
import type { LcpPolicy } from '../lcp.ts';
import type { MppeKeySource } from '../mppe-key-source.ts';
import type { AuthMethod, LinkOptions } from '../options.ts';
import { Authenticator } from './authenticator.ts';
import { EapAuthenticator } from './eap-authenticator.ts';
import { EapLogin } from './eap-login.ts';
import { Login } from './login.ts';

export type PeerLogin = Authenticator | EapAuthenticator;
export type OwnLogin = Login | EapLogin;

export interface Authentication {
  /** undefined: the peer need not log in. */
  readonly authenticator: PeerLogin | undefined;
  /** undefined: we need not. */
  readonly login: OwnLogin | undefined;
}

/** As LCP has agreed. */
export function beginAuthentication(
  policy: Pick<LcpPolicy, 'peerMethod' | 'ownMethod' | 'peerMru'>,
  options: LinkOptions,
  now: number,
): Authentication {
  return {
    authenticator: authenticatorOf(policy, options, now),
    login: loginOf(policy.ownMethod, options, now),
  };
}

/** What a side that is done goes on with. */
type SavedSide<Side extends { save(): unknown }> = NonNullable<ReturnType<Side['save']>>;

export interface SavedAuthentication {
  readonly authenticator: SavedSide<Authenticator> | SavedSide<EapAuthenticator> | undefined;
  readonly login: SavedSide<Login> | SavedSide<EapLogin> | undefined;
}

/** undefined: a side is not done, or begins again. */
export function saveAuthentication({
  authenticator,
  login,
}: Authentication): SavedAuthentication | undefined {
  const saved = { authenticator: authenticator?.save(), login: login?.save() };
  const isWhole =
    (saved.authenticator === undefined) === (authenticator === undefined) &&
    (saved.login === undefined) === (login === undefined);
  return isWhole ? saved : undefined;
}

/** @param policy as it was saved @throws Error the options do not have such a login any more */
export function restoreAuthentication(
  saved: SavedAuthentication,
  policy: Parameters<typeof beginAuthentication>[0],
  options: LinkOptions,
  now: number,
): Authentication {
  const { authenticator, login } = beginAuthentication(policy, options, now);
  const [peers, own] = [saved.authenticator, saved.login];
  if (peers !== undefined) {
    if (peers.method === 'eap' && authenticator?.method === 'eap') authenticator.restore(peers);
    else if (peers.method !== 'eap' && authenticator?.method === peers.method)
      authenticator.restore(peers);
    else throw new Error('a link whose peer must log in otherwise now');
  }
  if (own !== undefined) {
    if (own.method === 'eap' && login?.method === 'eap') login.restore(own);
    else if (own.method !== 'eap' && login?.method === own.method) login.restore(own);
    else throw new Error('a link with another login now');
  }
  return { authenticator, login };
}

function authenticatorOf(
  { peerMethod, peerMru }: Pick<LcpPolicy, 'peerMethod' | 'peerMru'>,
  { authenticatePeer, mru, random, count }: LinkOptions,
  now: number,
): PeerLogin | undefined {
  if (peerMethod === undefined || authenticatePeer === undefined) return undefined;
  const { name, eap = 'local' } = authenticatePeer;
  return peerMethod === 'eap'
    ? new EapAuthenticator({ name, eap, peerMru: Math.min(peerMru, mru), random, count }, now)
    : new Authenticator(peerMethod, name, { random, count }, now);
}

function loginOf(
  method: AuthMethod | undefined,
  { identity, ...options }: LinkOptions,
  now: number,
): OwnLogin | undefined {
  if (method === undefined || identity === undefined) return undefined;
  return method === 'eap'
    ? new EapLogin(identity, options, now)
    : new Login(method, identity, options, now);
}

export function isComplete({ authenticator, login }: Authentication): boolean {
  const isPeerIn = authenticator === undefined || authenticator.admitted !== undefined;
  return isPeerIn && login?.isAccepted !== false;
}

/** Responses, also EAP's, password changes and Authenticate-Requests are for the authenticator, everything else for our login. */
export function sideOf(
  { authenticator, login }: Authentication,
  protocol: number,
  payload: Uint8Array,
): PeerLogin | OwnLogin | undefined {
  const [code = 0] = payload;
  const isChange = protocol === PppProtocol.Chap && code === 7;
  return isChange || code === (protocol === PppProtocol.Pap ? 1 : 2) ? authenticator : login;
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
