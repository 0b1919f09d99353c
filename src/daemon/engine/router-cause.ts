/** What failures around the engine mean for a session. */
import { errorCode, errorText } from '../../platform/errors.ts';
import { RouterError } from '../../router/router.ts';
import { cause, type Cause, type CauseCode } from '../../wire/cause.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';

/** A RouterError says itself what it means, unless it is any failure of a command. */
export function routerCause(error: unknown, otherwise: CauseCode): Cause {
  if (error instanceof Fatal && error.exitCode === ExitCode.PortInUse)
    return cause('PORT_IN_USE', error.message);
  const isNamed = error instanceof RouterError && error.code !== 'DEVICE_FAILED';
  return cause(isNamed ? error.code : otherwise, errorText(error));
}

const connectCauses: Readonly<Record<string, CauseCode>> = {
  ECONNREFUSED: 'CONNECT_REFUSED',
  ETIMEDOUT: 'CONNECT_TIMEOUT',
  EHOSTUNREACH: 'HOST_UNREACHABLE',
  ENETUNREACH: 'NO_ROUTE',
  EADDRNOTAVAIL: 'BIND_FAILED',
};

/** Why a TCP connection could not be made. No error: it was made, and the peer has closed it before a word was said. */
export function connectCause(error: unknown): Cause {
  if (error === undefined) return cause('CONTROL_REFUSED', 'TCP closed by the peer');
  return cause(connectCauses[errorCode(error) ?? ''] ?? 'CONNECT_FAILED', errorText(error));
}
