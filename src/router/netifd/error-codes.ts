/**
 * The codes that netifd keeps and LuCI shows (notify_proto action 3): our own causes, by the name that OpenWrt has for the
 * same thing where it has one. Causes that the stock PPP handler knows already carry its names (wire/cause.ts).
 */
import type { CauseCode } from '../../wire/cause.ts';

const named: Partial<Record<CauseCode, string>> = {
  RESOLVE_FAILED: 'PEER_RESOLVE_FAIL', // LuCI's own
};

/** What somebody or the router itself decided: nothing that went wrong. */
const silent: ReadonlySet<CauseCode> = new Set<CauseCode>([
  'USER_REQUEST',
  'SHUTDOWN',
  'CONFIG_CHANGED',
  'INTERFACE_DOWN',
  'CONTROL_COLLISION',
]);

/** undefined: nothing to show. */
export function errorCode(code: CauseCode): string | undefined {
  return silent.has(code) ? undefined : (named[code] ?? code);
}
