import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { errnoName, IoError } from '../../src/native/io-error.ts';

test('carries number, name and system call, and says all three', () => {
  const error = new IoError(constants.errno.EPERM, 'TUNSETIFF', 'pptps-home');
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'IoError');
  assert.equal(error.errno, 1);
  assert.equal(error.code, 'EPERM');
  assert.equal(error.syscall, 'TUNSETIFF');
  assert.equal(error.message, 'TUNSETIFF pptps-home: operation not permitted (EPERM)');
});

test('knows the names of the errors that packets meet', () => {
  for (const name of ['ENOBUFS', 'EPERM', 'ENOPROTOOPT', 'ENETUNREACH', 'EMSGSIZE'] as const) {
    assert.equal(errnoName(constants.errno[name]), name);
  }
  assert.equal(errnoName(77), 'EBADFD');
  assert.equal(errnoName(4000), 'E4000');
});
