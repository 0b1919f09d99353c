/** What a client asks on its own. */
import { RadiusCode } from '../wire/radius.ts';
import { textOf } from '../wire/text.ts';
import type { RadiusClientOptions, RadiusRequest } from './client-options.ts';

/** How long a probe waits for its answer, ms. A refusal is often held back for a second. */
export const PROBE_TIME = 4_000;

/** RFC 5997 §3 */
export function statusRequest({ identity }: RadiusClientOptions, server: string): RadiusRequest {
  return { code: RadiusCode.StatusServer, attributes: identity(), within: PROBE_TIME, server };
}

/** A login that nobody has, with a password out of nothing: all that matters is how the answer is signed. */
export function secretCheckRequest(
  { identity, random }: RadiusClientOptions,
  server: string,
): RadiusRequest {
  return {
    code: RadiusCode.AccessRequest,
    attributes: [
      ...identity(),
      { name: 'User-Name', value: textOf('pptp-gateway-secret-check') },
      { name: 'User-Password', value: random(16).slice() },
    ],
    within: PROBE_TIME,
    server,
  };
}
