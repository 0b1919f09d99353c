/**
 * Why anything ended: the one list of causes.
 *
 * A cause's code goes unchanged to the log, ubus, netifd and LuCI. Each has a whole sentence that tells the
 * router's owner what happened and, where there is something to do, what to do. Names that the stock PPP handler of
 * OpenWrt already sends (AUTH_TOPEER_FAILED, PEER_DEAD, ...) keep their name. `disconnectCode` is RFC 3145 §3's number.
 */

interface CauseEntry {
  readonly sentence: string;
  /** PPP Disconnect Code of RFC 3145 §3; absent where the RFC has none. */
  readonly disconnectCode?: number;
}

const table = {
  // The owner or the program decided.
  USER_REQUEST: { sentence: 'The connection was ended on request.', disconnectCode: 3 },
  SHUTDOWN: { sentence: 'pptp-gateway is stopping.', disconnectCode: 2 },
  CONFIG_CHANGED: { sentence: 'The settings of this connection were changed.', disconnectCode: 2 },
  REPLACED: {
    sentence: 'The same user has logged in again from elsewhere, so this older session was ended.',
    disconnectCode: 2,
  },
  INTERFACE_DOWN: {
    sentence:
      'The interface was taken down: somebody did so, its settings changed, or the network it goes through is down.',
    disconnectCode: 2,
  },
  IDLE_TIMEOUT: {
    sentence:
      'No traffic for longer than allowed (option idle_timeout of a server, demand of a link).',
    disconnectCode: 4,
  },
  CONNECT_TIME: { sentence: 'The session lasted longer than session_timeout.', disconnectCode: 5 },

  // Reaching the peer.
  RESOLVE_FAILED: {
    sentence:
      'The name of the server could not be resolved: check the name and the DNS settings of the router.',
  },
  IPV6_ONLY: { sentence: 'The server has only IPv6 addresses; PPTP needs IPv4.' },
  ADDRESS_IMPOSSIBLE: {
    sentence:
      'The name of the server leads to an address that no server can have: a DNS filter answers so for names that it blocks.',
  },
  NO_ROUTE: { sentence: 'There is no route to the server: is the Internet connection up?' },
  HOST_UNREACHABLE: {
    sentence:
      'The way there is known, but no machine answers at the address of the server: it is switched off, or the address is wrong.',
  },
  CONNECT_REFUSED: {
    sentence:
      'The server refuses connections to TCP port 1723: no PPTP server runs there, or a firewall rejects it.',
  },
  CONNECT_TIMEOUT: {
    sentence:
      'The server does not answer on TCP port 1723: wrong address, server off, or a firewall drops it.',
  },
  CONNECT_FAILED: { sentence: 'The TCP connection to the server failed.' },
  PORT_IN_USE: {
    sentence:
      'Another program of this router listens on the TCP port of the server: the old pptpd, perhaps.',
  },
  BIND_FAILED: { sentence: 'The local address or port could not be used.' },

  // Control connection and call (RFC 2637).
  CONTROL_TIMEOUT: {
    sentence: 'TCP 1723 answers, but no PPTP message came: this may not be a PPTP server.',
    disconnectCode: 1,
  },
  CONTROL_REFUSED: { sentence: 'The peer refused the PPTP control connection.', disconnectCode: 1 },
  CONTROL_VERSION: { sentence: 'The peer speaks another version of PPTP.', disconnectCode: 1 },
  CONTROL_MALFORMED: {
    sentence: 'The peer sent a PPTP control message that is not valid.',
    disconnectCode: 1,
  },
  CONTROL_LOST: { sentence: 'The PPTP control connection (TCP) was lost.', disconnectCode: 1 },
  CONTROL_ECHO_TIMEOUT: {
    sentence: 'The peer no longer answers on the PPTP control connection.',
    disconnectCode: 1,
  },
  CONTROL_COLLISION: {
    sentence:
      'Both ends opened a control connection at the same time; the other one is used (RFC 2637 section 3.1.3).',
  },
  CALL_REFUSED: {
    sentence:
      'The server accepted the connection but refused the call: it may be full or not allow this client.',
    disconnectCode: 1,
  },
  CALL_TIMEOUT: {
    sentence: 'The server did not answer the request for a call.',
    disconnectCode: 1,
  },
  HANGUP: { sentence: 'The other end ended the connection.', disconnectCode: 1 },
  GRE_BLOCKED: {
    sentence:
      'TCP 1723 answers, but no GRE packet came back: a firewall or NAT on the way drops protocol 47.',
    disconnectCode: 1,
  },

  // PPP link (RFC 1661).
  LCP_TIMEOUT: {
    sentence:
      'GRE packets arrive, but the peer does not answer the negotiation of the PPP link: perhaps GRE from here (protocol 47) does not reach it.',
    disconnectCode: 6,
  },
  NEGOTIATION_FAILED: {
    sentence: 'The two ends could not agree on the settings of the PPP link.',
    disconnectCode: 7,
  },
  PEER_DEAD: {
    sentence: 'The peer stopped answering (no reply to LCP echo requests).',
    disconnectCode: 6,
  },
  LOOPBACK: { sentence: 'The link leads back to this router itself.', disconnectCode: 9 },
  PEER_TERMINATED: { sentence: 'The peer ended the PPP link.', disconnectCode: 3 },

  // Login.
  AUTH_TOPEER_FAILED: {
    sentence:
      'The server refused the login: wrong user name or password, account locked, or already in use.',
    disconnectCode: 14,
  },
  LOGIN_DENIED: {
    sentence:
      'The server knows this user, but does not let them in: the account is disabled or expired, or there is no room for one more session.',
    disconnectCode: 15,
  },
  AUTH_METHOD_REFUSED: {
    sentence: 'The two ends share no allowed login method: see the option auth.',
    disconnectCode: 13,
  },
  EAP_NOT_PASSED_ON: {
    sentence: 'What the RADIUS server says to the caller by EAP cannot be passed on.',
    disconnectCode: 13,
  },
  AUTH_TIMEOUT: { sentence: 'The login was not completed in time.', disconnectCode: 12 },
  PEER_AUTH_FAILED: {
    sentence: 'The caller gave a wrong user name or password.',
    disconnectCode: 14,
  },
  SERVER_NOT_TRUSTED: {
    sentence: 'The server could not prove that it knows the password: it may be an impostor.',
    disconnectCode: 14,
  },
  ACCOUNT_DISABLED: { sentence: 'The account is disabled.', disconnectCode: 15 },
  ACCOUNT_EXPIRED: { sentence: 'The account has expired.', disconnectCode: 15 },
  OUTSIDE_HOURS: {
    sentence: 'The user may not be logged in at this time (option hours).',
    disconnectCode: 15,
  },
  QUOTA_USED_UP: {
    sentence:
      'What the user or the link may move in a month is used up (option quota_month); it goes on when the next period begins.',
    disconnectCode: 15,
  },
  USER_LIMIT: { sentence: 'The user already has as many sessions as allowed.', disconnectCode: 15 },
  PASSWORD_EXPIRED: {
    sentence:
      'The password was right, but must be changed first, which the caller can do with mschap-v2 (option must_change, or so the RADIUS server says).',
    disconnectCode: 15,
  },
  PASSWORD_NOT_STORED: {
    sentence:
      'The new password of a caller was not kept; the old one is still the right one. The daemon must be able to write to pptp_users; a RADIUS server says itself why it refuses.',
    disconnectCode: 15,
  },
  SOURCE_NOT_ALLOWED: {
    sentence: 'Callers from this address are not allowed (option allow_from).',
  },
  SOURCE_DENIED: {
    sentence: 'Callers from this address are refused (option deny_from).',
  },
  SOURCE_BANNED: {
    sentence: 'Too many failed logins from this address: it is locked out for a while.',
  },

  // RADIUS.
  RADIUS_NO_ANSWER: {
    sentence:
      'No RADIUS server answers: is it running, is this router among its clients, with the same secret, and does a firewall let UDP through?',
    disconnectCode: 12,
  },
  RADIUS_UNREACHABLE: {
    sentence: 'No RADIUS server can be reached: the details say what the system reports.',
    disconnectCode: 12,
  },
  RADIUS_WRONG_SECRET: {
    sentence:
      'Wrong secret: the answers of the RADIUS server do not verify. Compare option secret with what the server has for this router.',
    disconnectCode: 12,
  },
  RADIUS_UNSIGNED: {
    sentence:
      'The RADIUS server answers without Message-Authenticator: update it, or what stands between (a proxy), or see option message_authenticator.',
    disconnectCode: 12,
  },
  RADIUS_BUSY: {
    sentence:
      'More logins wait for the RADIUS servers than they can answer in time: are they slow, or is somebody guessing passwords?',
    disconnectCode: 12,
  },
  RADIUS_NOT_PROVEN: {
    sentence:
      'The RADIUS server accepted the login without the proof that the caller checks (MS-CHAP2-Success is missing or wrong): see its configuration for MS-CHAP.',
    disconnectCode: 12,
  },
  RADIUS_UNUSABLE: {
    sentence:
      'The RADIUS server gave an answer that this login cannot use: the details say what is wrong with it.',
    disconnectCode: 15,
  },

  // Encryption.
  MPPE_REQUIRED: {
    sentence:
      'Encryption is required here, but the peer does not offer MPPE of an allowed strength.',
    disconnectCode: 11,
  },
  MPPE_NO_KEYS: {
    sentence:
      'Encryption is required here, but the login method used gives no MPPE keys: use mschap-v2.',
    disconnectCode: 11,
  },
  CCP_TIMEOUT: {
    sentence: 'Encryption is required here, but the peer did not negotiate it in time.',
    disconnectCode: 10,
  },

  // Addresses.
  IPCP_TIMEOUT: {
    sentence: 'The peer did not negotiate IP addresses in time.',
    disconnectCode: 16,
  },
  IPCP_FAILED: { sentence: 'The two ends could not agree on IP addresses.', disconnectCode: 17 },
  ADDRESS_IN_USE: { sentence: 'The address is already in use on this router.', disconnectCode: 18 },
  POOL_EMPTY: {
    sentence: 'No free address is left in the pool of the server.',
    disconnectCode: 18,
  },

  ADDRESS_REFUSED: {
    sentence: 'The peer gave this router an address that it cannot have.',
    disconnectCode: 17,
  },
  ADDRESS_TAKEN: {
    sentence:
      'Another device of the local network has the address: choose a range that no device and no DHCP server there uses.',
    disconnectCode: 18,
  },
  NETWORK_CONFLICT: {
    sentence:
      'The router has these addresses on another interface, too: choose another network for the tunnels, or another one there.',
    disconnectCode: 18,
  },
  ROUTE_LOOP: {
    sentence:
      'A network behind the caller holds the very address that the call comes from: all packets to it would go in circles.',
    disconnectCode: 18,
  },

  // Resources of this machine.
  TOO_MANY_SESSIONS: {
    sentence: 'The server has as many sessions as allowed (option max_sessions).',
    disconnectCode: 2,
  },
  TOO_MANY_HALF_OPEN: { sentence: 'Too many connections that have not logged in yet.' },
  HANDSHAKE_TIMEOUT: {
    sentence: 'The caller did not complete the connection in time.',
    disconnectCode: 2,
  },
  DEVICE_FAILED: {
    sentence: 'The tunnel device could not be created or configured.',
    disconnectCode: 2,
  },
  CONFIG_INVALID: {
    sentence:
      'The settings of this interface are wrong: the system log names the option and the value.',
  },
  NETIFD_REFUSED: {
    sentence: 'netifd did not take over the addresses and routes of the connection.',
    disconnectCode: 2,
  },
  ROUTE_CONFLICT: {
    sentence:
      'A route of this interface is left out, because it leads to a network or address that is in use elsewhere on this router.',
  },

  // Passthrough.
  RELAY_LOOP: {
    sentence:
      'The destination is an address of this router itself, so the connection would go in circles.',
  },
  CLIENT_NOT_ALLOWED: {
    sentence: 'PPTP of this client is not passed through (option client).',
  },
  DESTINATION_NOT_ALLOWED: {
    sentence:
      'The server is not among those that may be called through the router (option server).',
  },
  WRONG_NETWORK: {
    sentence: 'The way to the server does not lead through the networks of the option dest.',
  },
  TOO_MANY_CONNECTIONS: {
    sentence:
      'As many PPTP connections pass through the router as allowed (options max_connections and max_per_client).',
  },
  FIREWALL_FAILED: {
    sentence:
      'The packet filter (nftables) does not take the rules that this needs: is the package nftables installed and its kernel modules loaded?',
  },
  HELPER_MISSING: {
    sentence:
      'The kernel has no connection tracking helper for PPTP: install kmod-nf-nathelper-extra, or use backend relay.',
  },
  NETWORK_MISSING: {
    sentence: 'A network or zone of the options src and dest has no device (yet).',
  },
  INTERNAL_ERROR: {
    sentence:
      'A fault in pptp-gateway itself ended this connection; the others go on. The system log says where it is: please report that.',
  },
  ACCOUNTING_LOST: {
    sentence:
      'No RADIUS server has taken accounting records for so long that there is no more room for them: those of the sessions that ended first are lost.',
  },
  ACCOUNTING_REFUSED: {
    sentence:
      'The RADIUS servers answer other accounting records, but not this one, so it was given up: their logs should say why.',
  },
  SERVICE_DIED: {
    sentence:
      'pptp-gateway was killed, or it crashed; its next start told the hooks of what had ended with it.',
  },
  SERVICE_NOT_RUNNING: { sentence: 'pptp-gateway is not running.' },
} as const satisfies Record<string, CauseEntry>;

export type CauseCode = keyof typeof table;

/** Why something ended. `detail` adds what is particular to this case (a result code, an errno, the peer's own words). */
export interface Cause {
  readonly code: CauseCode;
  readonly detail?: string;
}

export function cause(code: CauseCode, detail?: string): Cause {
  return detail === undefined ? { code } : { code, detail };
}

/** The sentence for the owner, with the detail in parentheses. */
export function describeCause({ code, detail }: Cause): string {
  return detail === undefined ? table[code].sentence : `${table[code].sentence} (${detail})`;
}

/** The number of RFC 3145 §3, or 0 ("no information available"). */
export function disconnectCode(code: CauseCode): number {
  const entry: CauseEntry = table[code];
  return entry.disconnectCode ?? 0;
}

export const causeCodes = Object.keys(table) as CauseCode[];
