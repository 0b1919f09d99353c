import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallId, Ipv4, Slot } from '../../src/wire/brand.ts';
import { formatAddress, parseAddress } from '../../src/wire/ip.ts';

test('a number with a name is refused where another is wanted, which the compiler sees', () => {
  const callId: CallId = 5;
  const slot: Slot = 6;
  const address: Ipv4 = parseAddress('0.0.0.7')!;
  // @ts-expect-error a call id is no address
  assert.equal(formatAddress(callId), '0.0.0.5');
  // @ts-expect-error a slot is no call id
  const wrong: CallId = slot;
  const sum: number = callId + wrong + address;
  assert.equal(sum, 18);
});
