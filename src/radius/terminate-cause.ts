/** Why a session ended, in RADIUS' words: Acct-Terminate-Cause, RFC 2866 §5.10. */
import type { CauseCode } from '../wire/cause.ts';

export const TerminateCause = {
  UserRequest: 1,
  LostCarrier: 2,
  LostService: 3,
  IdleTimeout: 4,
  SessionTimeout: 5,
  AdminReset: 6,
  AdminReboot: 7,
  PortError: 8,
  NasError: 9,
  NasRequest: 10,
  /** The access server went down without saying why. */
  NasReboot: 11,
  PortPreempted: 13,
  ServiceUnavailable: 15,
  UserError: 17,
} as const;

/** All causes, so that a new one does not compile without its number. Those that no session ends with are NasError. */
const terminateCauses: Record<CauseCode, keyof typeof TerminateCause> = {
  USER_REQUEST: 'AdminReset',
  SHUTDOWN: 'AdminReboot',
  CONFIG_CHANGED: 'AdminReset',
  REPLACED: 'PortPreempted',
  INTERFACE_DOWN: 'AdminReset',
  IDLE_TIMEOUT: 'IdleTimeout',
  CONNECT_TIME: 'SessionTimeout',

  RESOLVE_FAILED: 'NasError',
  IPV6_ONLY: 'NasError',
  ADDRESS_IMPOSSIBLE: 'NasError',
  NO_ROUTE: 'LostCarrier',
  HOST_UNREACHABLE: 'LostCarrier',
  CONNECT_REFUSED: 'NasError',
  CONNECT_TIMEOUT: 'NasError',
  CONNECT_FAILED: 'NasError',
  PORT_IN_USE: 'NasError',
  BIND_FAILED: 'NasError',

  CONTROL_TIMEOUT: 'LostCarrier',
  CONTROL_REFUSED: 'UserError',
  CONTROL_VERSION: 'UserError',
  CONTROL_MALFORMED: 'UserError',
  CONTROL_LOST: 'LostCarrier',
  CONTROL_ECHO_TIMEOUT: 'LostCarrier',
  CONTROL_COLLISION: 'NasRequest',
  CALL_REFUSED: 'NasError',
  CALL_TIMEOUT: 'LostCarrier',
  HANGUP: 'UserRequest',
  GRE_BLOCKED: 'LostCarrier',

  LCP_TIMEOUT: 'LostCarrier',
  NEGOTIATION_FAILED: 'UserError',
  PEER_DEAD: 'LostCarrier',
  LOOPBACK: 'PortError',
  PEER_TERMINATED: 'UserRequest',

  AUTH_TOPEER_FAILED: 'NasError',
  LOGIN_DENIED: 'NasError',
  AUTH_METHOD_REFUSED: 'UserError',
  AUTH_TIMEOUT: 'UserError',
  PEER_AUTH_FAILED: 'UserError',
  SERVER_NOT_TRUSTED: 'NasError',
  ACCOUNT_DISABLED: 'AdminReset',
  ACCOUNT_EXPIRED: 'AdminReset',
  USER_LIMIT: 'AdminReset',
  SOURCE_NOT_ALLOWED: 'AdminReset',
  SOURCE_BANNED: 'AdminReset',

  MPPE_REQUIRED: 'UserError',
  MPPE_NO_KEYS: 'UserError',
  CCP_TIMEOUT: 'UserError',

  IPCP_TIMEOUT: 'UserError',
  IPCP_FAILED: 'UserError',
  ADDRESS_IN_USE: 'ServiceUnavailable',
  POOL_EMPTY: 'ServiceUnavailable',
  ADDRESS_REFUSED: 'UserError',
  ADDRESS_TAKEN: 'ServiceUnavailable',
  NETWORK_CONFLICT: 'ServiceUnavailable',
  ROUTE_LOOP: 'ServiceUnavailable',

  TOO_MANY_SESSIONS: 'PortPreempted',
  TOO_MANY_HALF_OPEN: 'NasRequest',
  HANDSHAKE_TIMEOUT: 'UserError',
  DEVICE_FAILED: 'ServiceUnavailable',
  CONFIG_INVALID: 'NasError',
  NETIFD_REFUSED: 'ServiceUnavailable',
  ROUTE_CONFLICT: 'NasError',

  RELAY_LOOP: 'NasError',
  CLIENT_NOT_ALLOWED: 'NasError',
  DESTINATION_NOT_ALLOWED: 'NasError',
  WRONG_NETWORK: 'NasError',
  TOO_MANY_CONNECTIONS: 'NasError',
  FIREWALL_FAILED: 'NasError',
  HELPER_MISSING: 'NasError',
  NETWORK_MISSING: 'NasError',
  INTERNAL_ERROR: 'NasError',
  ACCOUNTING_LOST: 'NasError',
  ACCOUNTING_REFUSED: 'NasError',
  SERVICE_NOT_RUNNING: 'NasError',
};

export function terminateCauseOf(code: CauseCode): number {
  return TerminateCause[terminateCauses[code]];
}
