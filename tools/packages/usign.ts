/**
 * Signatures as opkg checks them (usign's files, which are signify's): Ed25519, a comment line, and in base64 the algorithm
 * "Ed", eight octets that name the key, and the key or signature.
 */
import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';

const NAME_LENGTH = 8;

/** The name of the key's file in /etc/opkg/keys. @param key Ed25519, private or public */
export function fingerprint(key: KeyObject): string {
  return nameOf(publicOctets(key)).toString('hex');
}

/** The text of the public key's file. */
export function publicKeyFile(key: KeyObject): string {
  const octets = publicOctets(key);
  return file(`public key ${fingerprint(key)}`, nameOf(octets), octets);
}

/** The text of the signature's file. */
export function signatureFile(message: Uint8Array, key: KeyObject): string {
  const comment = `signed by key ${fingerprint(key)}`;
  return file(comment, nameOf(publicOctets(key)), sign(null, message, key));
}

function file(comment: string, name: Uint8Array, octets: Uint8Array): string {
  const content = Buffer.concat([Buffer.from('Ed'), name, octets]).toString('base64');
  return `untrusted comment: ${comment}\n${content}\n`;
}

/** usign takes it from chance; it only has to be another one for another key. */
function nameOf(publicKey: Uint8Array): Buffer {
  return createHash('sha512').update(publicKey).digest().subarray(0, NAME_LENGTH);
}

function publicOctets(key: KeyObject): Buffer {
  const { x = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({
    format: 'jwk',
  });
  return Buffer.from(x, 'base64url');
}
