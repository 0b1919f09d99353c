/** An answer without Message-Authenticator, as older servers and careless proxies send it. */
import { md5 } from '../../src/crypto/md5.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { attributeCipher } from '../../src/radius/hiding.ts';
import { encodeRadiusPacket, type RadiusPacket } from '../../src/wire/radius.ts';

export function unsigned(answer: RadiusPacket, secretText = 'testing123'): Uint8Array {
  const secret = new SharedSecret(secretText);
  const cipher = attributeCipher(secret, answer.authenticator, () => new Uint8Array(2));
  const octets = encodeRadiusPacket(answer, cipher);
  octets.set(md5(octets, secret.octets), 4);
  return octets;
}
