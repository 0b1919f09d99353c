/** How a request ends (ubusmsg.h, enum ubus_msg_status): a name's place in the list is its number on the wire. */
const names = [
  'OK',
  'INVALID_COMMAND',
  'INVALID_ARGUMENT',
  'METHOD_NOT_FOUND',
  'NOT_FOUND',
  'NO_DATA',
  'PERMISSION_DENIED',
  'TIMEOUT',
  'NOT_SUPPORTED',
  'UNKNOWN_ERROR',
  'CONNECTION_FAILED',
  'NO_MEMORY',
  'PARSE_ERROR',
  'SYSTEM_ERROR',
] as const;

export type Status = Exclude<(typeof names)[number], 'OK'>;

/** A request failed, or octets are malformed (PARSE_ERROR): decoders return it, calls reject with it, handlers throw it. */
export class UbusError extends Error {
  override readonly name = 'UbusError';
  readonly status: Status;

  /** @param message what the other side is told besides the status */
  constructor(status: Status, message: string = sentences[status]) {
    super(message);
    this.status = status;
  }
}

export function statusCode(status: Status | 'OK'): number {
  return names.indexOf(status);
}

export function statusName(code: number): Status | 'OK' {
  return names[code] ?? 'UNKNOWN_ERROR';
}

export function parseError(reason: string): UbusError {
  return new UbusError('PARSE_ERROR', reason);
}

const sentences: Readonly<Record<Status, string>> = {
  INVALID_COMMAND: 'invalid command',
  INVALID_ARGUMENT: 'invalid argument',
  METHOD_NOT_FOUND: 'there is no such method',
  NOT_FOUND: 'not found',
  NO_DATA: 'no response',
  PERMISSION_DENIED: 'permission denied',
  TIMEOUT: 'no answer in time',
  NOT_SUPPORTED: 'not supported',
  UNKNOWN_ERROR: 'unknown error',
  CONNECTION_FAILED: 'there is no connection to ubus',
  NO_MEMORY: 'out of memory',
  PARSE_ERROR: 'message cannot be parsed',
  SYSTEM_ERROR: 'system error',
};
