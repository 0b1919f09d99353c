/**
 * The keys that sign a feed: of an elliptic curve for apk, Ed25519 for opkg, both in one file that is nobody else's to read.
 * `make feed-key` makes it once: node --import tsx tools/packages/feed-keys.ts FILE
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface FeedKeys {
  readonly apk: KeyObject;
  readonly opkg: KeyObject;
}

/** @throws Error: there is such a file already; keys that routers trust are not to be lost */
export function makeFeedKeys(file: string): void {
  const pem = { format: 'pem', type: 'pkcs8' } as const;
  const keys = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem),
    generateKeyPairSync('ed25519').privateKey.export(pem),
  ];
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, keys.join(''), { mode: 0o600, flag: 'wx' });
}

/** @throws Error: it cannot be read, or does not hold the two keys */
export function readFeedKeys(file: string): FeedKeys {
  const keys = readFileSync(file, 'latin1')
    .split(/(?<=-----END PRIVATE KEY-----\n)/)
    .filter((text) => text.trim() !== '')
    .map((text) => createPrivateKey(text));
  const of = (type: string) => keys.find(({ asymmetricKeyType }) => asymmetricKeyType === type);
  const [apk, opkg] = [of('ec'), of('ed25519')];
  if (apk === undefined || opkg === undefined)
    throw new Error(`${file}: not the two keys of a feed (make feed-key)`);
  return { apk, opkg };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file = ''] = process.argv;
  makeFeedKeys(file);
  process.stdout.write(`The feed's keys are in ${file}: keep it, and keep it to yourself.\n`);
}
