import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectCause } from '../../../src/daemon/engine/router-cause.ts';

test('a TCP connection that fails says why, and one that the peer closes at once is a refusal', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  assert.deepEqual(connectCause(refused), {
    code: 'CONNECT_REFUSED',
    detail: 'connect ECONNREFUSED',
  });
  assert.equal(connectCause(new Error('read EIO')).code, 'CONNECT_FAILED');
  assert.deepEqual(connectCause(undefined), {
    code: 'CONTROL_REFUSED',
    detail: 'TCP closed by the peer',
  });
});
