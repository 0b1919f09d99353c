/**
 * `make feed`: what stands in dist/packages as repositories that routers install from, for each release of OpenWrt and each
 * architecture a folder with its packages and their signed index; beside them the public keys, and what is in the packages.
 * Usage: feed.ts KEYS     the file that `make feed-key` made
 */
import { createPublicKey } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { indexOf } from './apk/index.ts';
import { readFeedKeys } from './feed-keys.ts';
import { opkgIndex } from './opkg-index.ts';
import { fingerprint, publicKeyFile, signatureFile } from './usign.ts';

const APK_KEY = 'pptp-gateway.pem';
const [packages, feed] = ['dist/packages', 'dist/feed'].map((path) =>
  resolve(import.meta.dirname, '../..', path),
) as [string, string];

/** Of one architecture and those of all, in order of their names. */
function packagesOf(architecture: string, suffix: string): string[] {
  return [architecture, 'all']
    .flatMap((folder) => readdirSync(join(packages, folder)).map((name) => join(folder, name)))
    .filter((path) => path.endsWith(suffix))
    .map((path) => join(packages, path))
    .sort();
}

/** Copies them into a folder of their own. @returns the copies */
function layOut(files: readonly string[], folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return files.map((file) => {
    const copy = join(folder, file.slice(file.lastIndexOf('/') + 1));
    copyFileSync(file, copy);
    return copy;
  });
}

const [, , keyFile = ''] = process.argv;
const keys = readFeedKeys(keyFile);
rmSync(feed, { recursive: true, force: true });
const architectures = readdirSync(packages).filter((name) => name !== 'all');
for (const architecture of architectures) {
  const apks = join(feed, '25.12', architecture);
  const packed = layOut(packagesOf(architecture, '.apk'), apks).map((file) => readFileSync(file));
  writeFileSync(join(apks, 'packages.adb'), indexOf(packed, keys.apk));

  const ipks = join(feed, '24.10', architecture);
  const index = Buffer.from(opkgIndex(layOut(packagesOf(architecture, '.ipk'), ipks)));
  writeFileSync(join(ipks, 'Packages'), index);
  writeFileSync(join(ipks, 'Packages.gz'), gzipSync(index, { level: 9 }));
  writeFileSync(join(ipks, 'Packages.sig'), signatureFile(index, keys.opkg));
}
copyFileSync(resolve(packages, '../sbom.cdx.json'), join(feed, 'sbom.cdx.json'));
const publicKey = createPublicKey(keys.apk).export({ format: 'pem', type: 'spki' });
writeFileSync(join(feed, APK_KEY), publicKey);
const opkgKey = fingerprint(keys.opkg);
writeFileSync(join(feed, opkgKey), publicKeyFile(keys.opkg));

process.stdout
  .write(`${feed} is ready to be served at a URL of yours. On a router of architecture ARCH (${architectures.join(', ')}):
OpenWrt 25.12   ${APK_KEY} into /etc/apk/keys/
                echo URL/25.12/ARCH/packages.adb >/etc/apk/repositories.d/pptp-gateway.list
                apk update && apk add luci-app-pptp-gateway
OpenWrt 24.10   ${opkgKey} into /etc/opkg/keys/
                echo src/gz pptp_gateway URL/24.10/ARCH >>/etc/opkg/customfeeds.conf
                opkg update && opkg install luci-app-pptp-gateway pptp-gateway-node
`);
