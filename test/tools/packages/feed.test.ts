/** The keys of a feed, and what opkg reads of it. usign itself has verified such signatures. */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFeedKeys, readFeedKeys } from '../../../tools/packages/feed-keys.ts';
import { fingerprint, publicKeyFile, signatureFile } from '../../../tools/packages/usign.ts';

const work = mkdtempSync(join(tmpdir(), 'pptp-feed-test-'));
after(() => {
  rmSync(work, { recursive: true });
});

test('the keys are made once, for nobody else to read', () => {
  const file = join(work, 'keys/feed.pem');
  makeFeedKeys(file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(work, 'keys')).mode & 0o777, 0o700);
  const { apk, opkg } = readFeedKeys(file);
  assert.equal(apk.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(opkg.asymmetricKeyType, 'ed25519');
  assert.throws(() => makeFeedKeys(file), /EEXIST/);
  const cut = join(work, 'cut.pem');
  writeFileSync(cut, apk.export({ format: 'pem', type: 'pkcs8' }));
  assert.throws(() => readFeedKeys(cut), /cut\.pem: not the two keys of a feed/);
});

test('usign’s files: a comment, then "Ed", the name of the key, and key or signature', () => {
  const file = join(work, 'usign.pem');
  makeFeedKeys(file);
  const { opkg } = readFeedKeys(file);
  const parts = (text: string) => {
    const [comment = '', content = '', rest] = text.split('\n');
    assert.match(comment, /^untrusted comment: /);
    assert.equal(rest, '');
    const octets = Buffer.from(content, 'base64');
    assert.equal(octets.toString('latin1', 0, 2), 'Ed');
    return { name: octets.toString('hex', 2, 10), octets: octets.subarray(10) };
  };
  const message = Buffer.from('Package: x\n');
  const key = parts(publicKeyFile(opkg));
  const signature = parts(signatureFile(message, opkg));
  assert.equal(key.name, fingerprint(opkg));
  assert.equal(signature.name, key.name);
  const x = key.octets.toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  assert.equal(verify(null, message, publicKey, signature.octets), true);
});
