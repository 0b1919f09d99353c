/**
 * The daemon's own control socket: JSON, one object a line. (The ubus protocol takes its place on the same seam: methods
 * have the names, arguments and results of the ubus object `pptp`.)
 *
 *     > {"id":1,"method":"disconnect","params":{"username":"anna"}}
 *     < {"id":1,"result":{"ended":1}}
 *     < {"id":2,"error":{"status":"NOT_FOUND","message":"…"}}
 */

export const defaultSocketPath = '/var/run/pptp-gateway/control.sock';

/** Longest line either way, octets. 4,096 sessions with all counters fit. */
export const MAX_LINE = 8 << 20;

export type Status = 'INVALID_ARGUMENT' | 'METHOD_NOT_FOUND' | 'NOT_FOUND' | 'FAILED';

export class MethodError extends Error {
  override readonly name = 'MethodError';
  readonly status: Status;

  constructor(status: Status, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly status: Status; readonly message: string } };

/** Longest request, characters. */
export const MAX_REQUEST = 64 << 10;

/** Splits a stream into lines; undefined once a line has more than `longest` characters. */
export class LineReader {
  private rest = '';
  private readonly longest: number;
  private readonly decoder = new TextDecoder();

  constructor(longest = MAX_LINE) {
    this.longest = longest;
  }

  push(octets: Uint8Array): string[] | undefined {
    this.rest += this.decoder.decode(octets, { stream: true });
    const lines = this.rest.split('\n');
    this.rest = lines.pop()!;
    return this.rest.length > this.longest ? undefined : lines.filter((line) => line !== '');
  }
}

/** undefined: not a request. */
export function parseRequest(line: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, method, params = {} } = value as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof id !== 'number' || typeof method !== 'string') return undefined;
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined;
  return { id, method, params: params as Record<string, unknown> };
}
