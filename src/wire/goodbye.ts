/**
 * Why an end: what we tell the peer, in the data of Terminate-Request (RFC 1661 §5.5) and the text of Call-Disconnect-Notify
 * (RFC 2637 §2.13), and what it tells us there. Both are free text for the other end's log.
 */
import type { CauseCode } from './cause.ts';
import { readU32 } from './octets.ts';
import { readable, textFromOctets } from './text.ts';

const words: Readonly<Partial<Record<CauseCode, string>>> = {
  USER_REQUEST: 'ended on request',
  SHUTDOWN: 'shutting down',
  CONFIG_CHANGED: 'the settings were changed',
  REPLACED: 'replaced by a new login',
  INTERFACE_DOWN: 'the interface was taken down',
  IDLE_TIMEOUT: 'idle for too long',
  CONNECT_TIME: 'the time of the session is over',
  PEER_DEAD: 'no answer to echo requests',
  LOOPBACK: 'looped back',
  NEGOTIATION_FAILED: 'no agreement',
  AUTH_METHOD_REFUSED: 'no common login method',
  EAP_NOT_PASSED_ON: 'EAP cannot be passed on',
  AUTH_TIMEOUT: 'the login took too long',
  HANDSHAKE_TIMEOUT: 'the login took too long',
  PEER_AUTH_FAILED: 'authentication failed',
  SERVER_NOT_TRUSTED: 'the server did not prove itself',
  ACCOUNT_DISABLED: 'the account is disabled',
  ACCOUNT_EXPIRED: 'the account has expired',
  OUTSIDE_HOURS: 'not at this time of day',
  QUOTA_USED_UP: 'the quota of this month is used up',
  SOURCE_NOT_ALLOWED: 'calls from this address are not allowed',
  SOURCE_DENIED: 'calls from this address are not allowed',
  MPPE_REQUIRED: 'encryption (MPPE) is required',
  MPPE_NO_KEYS: 'encryption (MPPE) is required',
  CCP_TIMEOUT: 'encryption (MPPE) is required',
  IPCP_TIMEOUT: 'no agreement on IP addresses',
  IPCP_FAILED: 'no agreement on IP addresses',
  ADDRESS_REFUSED: 'this address cannot be used here',
  ADDRESS_IN_USE: 'this address is in use here',
  POOL_EMPTY: 'no address is left',
  TOO_MANY_SESSIONS: 'too many sessions',
  DEVICE_FAILED: 'no tunnel device',
};

/** Windows' Terminate-Request: a magic number, this, and the number of an error (as in "error 732"). */
const WINDOWS = 0x003ccd74;

/** In a few words, ASCII; '': nothing to say. */
export function goodbye({ code }: { readonly code: CauseCode }): string {
  return words[code] ?? '';
}

/** The peer's words; undefined: it said nothing that a person could read. */
export function peersGoodbye(data: Uint8Array): string | undefined {
  if (data.length === 12 && readU32(data, 4) === WINDOWS)
    return `Windows error ${readU32(data, 8)}`;
  return readable(textFromOctets(data).text);
}
