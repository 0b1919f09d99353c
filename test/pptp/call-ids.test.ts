import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { CallIds } from '../../src/pptp/call-ids.ts';

describe('call ids', () => {
  it('are unique and never 0', () => {
    const ids = new CallIds(randomBytes);
    const taken = Array.from({ length: 5000 }, () => ids.take()!);
    assert.equal(new Set(taken).size, taken.length);
    assert.ok(taken.every((callId) => ids.isUsed(callId)));
    let next = 0;
    const zeroFirst = new CallIds(() => Uint8Array.of(0, next++));
    assert.equal(zeroFirst.take(), 1);
  });

  it('rest before they are used again', () => {
    let next = 0;
    const sequence = [5, 5, 6, 5, 7];
    const ids = new CallIds(() => Uint8Array.of(0, sequence[next++]!));
    assert.equal(ids.take(), 5);
    ids.release(5);
    assert.equal(ids.isUsed(5), false);
    assert.deepEqual([ids.take(), ids.take()], [6, 7]);
  });

  it('are used again when many others have been given back since', () => {
    let wanted: Uint8Array | undefined = undefined;
    const ids = new CallIds(() => wanted ?? randomBytes(2));
    const first = ids.take()!;
    ids.release(first);
    for (let i = 0; i < 8_192; i++) ids.release(ids.take()!);
    wanted = Uint8Array.of(first >> 8, first);
    assert.equal(ids.take(), first);
  });

  it('come to an end', () => {
    const ids = new CallIds(randomBytes);
    for (let i = 0; i < 32_768; i++) assert.notEqual(ids.take(), undefined);
    assert.equal(ids.take(), undefined);
  });
});
