/** One HTTP request (RFC 9112), of which only `GET /metrics` is answered with more than a number. No input and output here. */
import { CONTENT_TYPE } from './exposition.ts';

/** Octets of request line and header. */
const MOST = 4096;

const reasons = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
} as const;
export type HttpStatus = keyof typeof reasons;

export class HttpRequest {
  #text = '';

  /** @returns what to answer; undefined: it is not whole yet. Nothing is read after that. */
  handleOctets(octets: Uint8Array): HttpStatus | undefined {
    const room = MOST + 1 - this.#text.length;
    for (const octet of octets.subarray(0, room)) this.#text += String.fromCharCode(octet);
    const end = /\r?\n\r?\n/.exec(this.#text);
    if (end !== null) return judge(this.#text.slice(0, end.index).split(/\r?\n/));
    return this.#text.length > MOST ? 431 : undefined;
  }
}

/** A method and a header's name are tokens (RFC 9110 §5.6.2). */
const REQUEST = /^([!#$%&'*+.^_`|~\w-]+) (\S+) HTTP\/(\d)\.(\d)$/;
const FIELD = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

function judge([line = '', ...fields]: readonly string[]): HttpStatus {
  const [, method, target, major, minor] = REQUEST.exec(line) ?? [];
  if (major === undefined) return 400;
  if (major !== '1') return 505;
  const names = fields.map((field) => FIELD.exec(field)?.[1]?.toLowerCase());
  if (names.includes(undefined)) return 400;
  const hosts = names.filter((name) => name === 'host').length;
  if (hosts > 1 || (hosts === 0 && minor !== '0')) return 400; // RFC 9112 §3.2
  if (target !== '/metrics') return 404;
  return method === 'GET' ? 200 : 405;
}

/** The connection ends after it. @param body of 200 */
export function httpAnswer(status: HttpStatus, body = ''): Uint8Array {
  const text = status === 200 ? body : `${reasons[status]}\n`;
  const content = new TextEncoder().encode(text);
  const head = [
    `HTTP/1.1 ${status} ${reasons[status]}`,
    `Content-Type: ${status === 200 ? CONTENT_TYPE : 'text/plain; charset=utf-8'}`,
    `Content-Length: ${content.length}`,
    ...(status === 405 ? ['Allow: GET'] : []),
    'Connection: close',
  ];
  const octets = new TextEncoder().encode(`${head.join('\r\n')}\r\n\r\n`);
  const whole = new Uint8Array(octets.length + content.length);
  whole.set(octets);
  whole.set(content, octets.length);
  return whole;
}
