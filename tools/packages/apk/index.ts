/** The index of a repository, packages.adb: what apk must know of each package, signed once for all of them. */
import type { KeyObject } from 'node:crypto';
import { decode, encode, type Value } from './adb.ts';
import { deflated, readContainer, schemaIds, signature, writeContainer } from './container.ts';
import { readApk } from './package.ts';
import { byOctets, indexSchema, type Info } from './schemas.ts';

/** @param packages the .apk files @param key the private key; undefined: unsigned */
export function indexOf(packages: readonly Uint8Array[], key: KeyObject | undefined): Buffer {
  const infos = packages
    .map((octets): Info => {
      const { info, hash } = readApk(octets);
      return { ...info, hashes: hash, fileSize: octets.length };
    })
    .sort((a, b) => byOctets(a.name ?? '', b.name ?? ''));
  const data = encode(indexSchema, { packages: infos });
  const signatures = key === undefined ? [] : [signature(schemaIds.index, data, key)];
  return deflated(writeContainer(schemaIds.index, { data, signatures }));
}

/** @throws Error: it is no index */
export function readIndex(octets: Uint8Array): Value<typeof indexSchema> {
  const { schema, data } = readContainer(octets);
  if (schema !== schemaIds.index) throw new Error('no index');
  return decode(indexSchema, data);
}
