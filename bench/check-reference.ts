/** The reference does the same work as we do: its MPPE, in each of its modes, gives the octets of the tests' slow twin. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { MppeTwinSender } from '../test/data-path/mppe/twin.ts';

const forwarder = resolve(import.meta.dirname, '../dist/bench/forwarder');
const COUNT = 300; // past the 256 where the count's low octet wraps
const LENGTH = 101;

/** @throws AssertionError */
export function checkReference(): void {
  const expected = encrypted();
  for (const mode of ['plain', 'pipelined', 'three']) {
    const output = execFileSync(forwarder, ['--vectors', mode, String(COUNT), String(LENGTH)], {
      encoding: 'utf8',
    });
    assert.deepEqual(output.trim().split('\n'), expected, `the ${mode} reference differs`);
  }
}

/** Packet n is LENGTH - n % 3 octets of a counter, the start key is octets 0 to 15. */
function encrypted(): string[] {
  const startKey = Uint8Array.from({ length: 16 }, (_, i) => i);
  const sender = new MppeTwinSender({ startKey, bits: 128, stateful: false });
  return Array.from({ length: COUNT }, (_, n) => {
    const plain = Uint8Array.from({ length: LENGTH - (n % 3) }, (_, i) => n * LENGTH + i);
    return Buffer.from(sender.encrypt(plain).subarray(2)).toString('hex'); // after the header
  });
}
