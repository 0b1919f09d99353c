import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineReader, MAX_LINE, parseRequest } from '../../../src/daemon/control/protocol.ts';

const octets = (text: string) => new TextEncoder().encode(text);

test('lines come out whole, however the stream is cut', () => {
  const line = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .map((text) => text.replaceAll('\n', '.'));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat({ max: 7 })), (lines, cuts) => {
      const stream = octets(lines.map((text) => `${text}\n`).join(''));
      const reader = new LineReader();
      const found: string[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const length = 1 + (cuts[i % Math.max(1, cuts.length)] ?? 0);
        found.push(...reader.push(stream.subarray(at, at + length))!);
        at += length;
      }
      assert.deepEqual(found, lines);
    }),
  );
});

test('what is not finished by a line end is kept; empty lines are nothing', () => {
  const reader = new LineReader();
  assert.deepEqual(reader.push(octets('\n\nab')), []);
  assert.deepEqual(reader.push(octets('c\n\n')), ['abc']);
});

test('a line longer than the limit is refused', () => {
  const reader = new LineReader();
  const half = octets('x'.repeat(MAX_LINE / 2));
  assert.deepEqual(reader.push(half), []);
  assert.deepEqual(reader.push(half), []);
  assert.equal(reader.push(octets('x')), undefined);
});

test('requests', () => {
  assert.deepEqual(parseRequest('{"id":1,"method":"status"}'), {
    id: 1,
    method: 'status',
    params: {},
  });
  assert.deepEqual(parseRequest('{"id":0,"method":"dial","params":{"interface":"office"},"x":1}'), {
    id: 0,
    method: 'dial',
    params: { interface: 'office' },
  });
});

test('anything else is no request, and never throws', () => {
  for (const line of [
    '',
    'x',
    'null',
    '1',
    '"status"',
    '[]',
    '{}',
    '{"id":"1","method":"status"}',
    '{"id":1}',
    '{"id":1,"method":null}',
    '{"id":1,"method":"status","params":null}',
    '{"id":1,"method":"status","params":[]}',
    '{"id":1,"method":"status","params":"x"}',
    '{"id":1,"method":"status"} {}',
    '['.repeat(100_000),
  ])
    assert.equal(parseRequest(line), undefined, line.slice(0, 60));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const request = parseRequest(line);
      assert.ok(request === undefined || typeof request.method === 'string');
    }),
  );
});
