import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpAnswer, HttpRequest } from '../../../src/daemon/metrics/http-request.ts';

const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const whole = (text: string) => new HttpRequest().handleOctets(octets(text));
const get = (more = '') => `GET /metrics HTTP/1.1\r\nHost: router:9723\r\n${more}\r\n`;

test('what Prometheus and people ask is answered, in whatever pieces it comes', () => {
  const asked = get('User-Agent: Prometheus/2.42.0\r\nAccept: text/plain;q=0.5,*/*;q=0.1\r\n');
  assert.equal(whole(asked), 200);
  assert.equal(whole(asked.replaceAll('\r\n', '\n')), 200);
  assert.equal(whole('GET /metrics HTTP/1.0\r\n\r\n'), 200, 'there is no Host before 1.1');
  assert.equal(whole(`${asked}GET /other HTTP/1.1\r\n\r\n`), 200, 'what follows is not read');
  const request = new HttpRequest();
  const all = octets(asked);
  for (let at = 0; at < all.length - 1; at++)
    assert.equal(request.handleOctets(all.subarray(at, at + 1)), undefined);
  assert.equal(request.handleOctets(all.subarray(-1)), 200);
});

test('nothing else is', () => {
  for (const [text, status] of [
    ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['GET /../metrics HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['GET http://x/metrics HTTP/1.1\r\nHost: x\r\n\r\n', 404],
    ['POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 405],
    ['HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['get /metrics HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['GET /metrics HTTP/0.9\r\n\r\n', 505],
  ] as const)
    assert.equal(whole(text), status, text);
});

test('nonsense is refused', () => {
  for (const text of [
    '\r\n\r\n',
    'GET /metrics\r\n\r\n',
    'GET  /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
    ' GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /metrics HTTP/11\r\nHost: x\r\n\r\n',
    'GET /metrics HTTP/1.1 \r\nHost: x\r\n\r\n',
    'GET /metrics HTTP/1.1\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost: x\0\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n',
    '\x16\x03\x01\x02\0\x01\0\r\n\r\n',
    'G\0T /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  ])
    assert.equal(whole(text), 400, JSON.stringify(text));
});

test('what does not end is cut off, however it comes', () => {
  assert.equal(whole('A'.repeat(1_000_000)), 431);
  assert.equal(whole(get(`X: ${'y'.repeat(5_000)}\r\n`)), 431);
  assert.equal(whole(get('X: y\r\n'.repeat(1_000))), 431);
  const request = new HttpRequest();
  let answered = 0;
  for (let n = 0; n < 10_000 && answered === 0; n++)
    if (request.handleOctets(octets('a')) === 431) answered = n;
  assert.equal(answered, 4_096);
  assert.equal(whole('\0'.repeat(4_000)), undefined);
});

test('an answer says how long it is, and that it is the last', () => {
  const text = new TextDecoder().decode(httpAnswer(200, 'pptp_bans{a="ü"} 0\n'));
  const [head, body] = text.split('\r\n\r\n');
  assert.equal(body, 'pptp_bans{a="ü"} 0\n');
  assert.deepEqual(head!.split('\r\n'), [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain; version=0.0.4; charset=utf-8',
    'Content-Length: 20',
    'Connection: close',
  ]);
  const refused = new TextDecoder().decode(httpAnswer(405, 'nothing of this'));
  assert.match(refused, /^HTTP\/1.1 405 Method Not Allowed\r\n(.*\r\n)*Allow: GET\r\n/);
  assert.ok(!refused.includes('nothing of this'));
});
