import assert from 'node:assert/strict';
import test from 'node:test';
import { Secret } from '../../src/crypto/secret.ts';
import { PppLink } from '../../src/ppp/link.ts';
import type { LinkOptions } from '../../src/ppp/options.ts';
import { clientOptions, serverOptions } from '../support/link.ts';

test('options with which a link could not do what it is asked to are our own misuse', () => {
  const identity = clientOptions().identity!;
  const wrong: Partial<LinkOptions>[] = [
    { mru: 127 },
    { mru: 1501 },
    { mru: 1400.5 },
    { authenticatePeer: { methods: [], name: 'x' } },
    { authenticatePeer: { methods: ['pap'], name: 'x'.repeat(256) } },
    { identity: { ...identity, username: 'ü'.repeat(128) } },
    { identity: { ...identity, secret: Secret.fromPassword('x'.repeat(256)) } },
    { mppe: { policy: 'required', strengths: [], stateful: false } },
  ];
  for (const options of wrong)
    assert.throws(() => new PppLink({ ...serverOptions(), ...options }, () => 0), RangeError);
});
