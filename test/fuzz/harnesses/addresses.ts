/** IPv4 addresses, prefixes and ranges: one text for each value. */
import assert from 'node:assert/strict';
import {
  formatAddress,
  formatPrefix,
  formatRange,
  parseAddress,
  parsePrefix,
  parseRange,
  prefixContains,
  prefixRange,
  rangeContains,
  rangeSize,
} from '../../../src/wire/ip.ts';
import { harness } from '../harness.ts';
import type { Random } from '../random.ts';

const words = [
  '.',
  '/',
  '-',
  '0',
  '00',
  '255',
  '256',
  '1',
  '32',
  '33',
  ' ',
  '\n',
  '127.0.0.1',
  '255.255.255.255',
  '1e1',
  '+1',
  '٣',
];

function text(random: Random): string {
  const address = () => formatAddress(random.edgy(0x1_0000_0000));
  const right = random.pick([
    address,
    () => `${address()}/${random.below(34)}`,
    () => `${address()}-${address()}`,
  ])();
  return random.chance(2) ? right : random.damagedText(right, words);
}

export const addresses = harness({
  name: 'addresses',
  generate: (random) => ({ text: text(random) }),
  run({ text: given }) {
    const address = parseAddress(given);
    if (address !== undefined) assert.equal(formatAddress(address), given);
    const prefix = parsePrefix(given);
    if (prefix !== undefined) {
      assert.deepEqual(parsePrefix(formatPrefix(prefix)), prefix);
      const range = prefixRange(prefix);
      assert.equal(rangeSize(range), 2 ** (32 - prefix.length));
      assert.ok(prefixContains(prefix, range.first) && prefixContains(prefix, range.last));
    }
    const range = parseRange(given);
    if (range === undefined) return;
    assert.ok(
      rangeContains(range, range.first) &&
        rangeContains(range, range.last) &&
        rangeSize(range) >= 1,
    );
    assert.deepEqual(parseRange(formatRange(range)), range);
    if (given.includes('-')) assert.equal(formatRange(range), given);
  },
});
