import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MPPE_WASM } from '../../../src/data-path/mppe/wasm/binary.ts';
import { compileWasm } from '../../../tools/build-wasm.ts';

test('the binary is what its source compiles to', () => {
  assert.equal(Buffer.from(compileWasm()).toString('base64'), MPPE_WASM);
});
