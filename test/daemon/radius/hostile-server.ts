/**
 * A stand-in for a RADIUS server, as a program on UDP port 1812: how it misbehaves is the name of the user who logs in. Says "answered NAME"
 * when all of it has been sent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { hmacMd5 } from '../../../src/crypto/hmac-md5.ts';
import { md5 } from '../../../src/crypto/md5.ts';
import { datagrams } from '../../../src/platform/platform.ts';
import { attributeCipher } from '../../../src/radius/hiding.ts';
import { sealAnswer } from '../../../src/radius/sealing.ts';
import { SharedSecret } from '../../../src/radius/shared-secret.ts';
import {
  decodeRadiusPacket,
  RadiusCode,
  type DecodedRadiusPacket,
} from '../../../src/wire/radius.ts';
import { radiusValue, type RadiusAttribute } from '../../../src/wire/radius-attributes.ts';
import { ok } from '../../wire/sample.ts';
import { password } from '../link-text.ts';
import { HOSTILE_SECRET } from './hostile-secret.ts';
import { proofOf } from './stand-in.ts';

const secret = new SharedSecret(HOSTILE_SECRET);
const random = (length: number) => new Uint8Array(length);
/** False answers before the true one (as many as the kernel keeps for us), and after it. */
const BEFORE = 200;
const AFTER = 5_000;
/** Longer than any answer is waited for, ms. */
const LATE = 6_000;

interface Asked {
  readonly request: DecodedRadiusPacket;
  /** Acceptance, as it should be, and with this besides. */
  readonly accept: (...more: readonly RadiusAttribute[]) => Uint8Array;
  /** The same with octets that are no attributes, or none that there are. */
  readonly acceptRaw: (raw: readonly number[]) => Uint8Array;
}

type Answer = (asked: Asked) => Uint8Array | readonly Uint8Array[] | Promise<Uint8Array>;

const answers: Readonly<Record<string, Answer>> = {
  truncated: ({ accept }) => accept().subarray(0, 30),
  oversize: ({ accept }) => {
    const octets = new Uint8Array(5000);
    octets.set(accept());
    octets.set([5000 >> 8, 5000 & 255], 2);
    return octets;
  },
  pastend: ({ acceptRaw }) => acceptRaw([18, 200, 65]),
  forged: ({ accept }) => changed(accept()),
  // MS-MPPE-Send-Key (RFC 2548 §2.4.2) of 16 octets and no salt.
  unsalted: ({ acceptRaw }) => acceptRaw([26, 24, 0, 0, 1, 55, 16, 18, ...new Uint8Array(16)]),
  strange: ({ acceptRaw }) => acceptRaw([26, 9, 0, 1, 134, 159, 1, 3, 7, 200, 3, 9]),
  late: async ({ accept }) => {
    await sleep(LATE);
    return accept();
  },
  challenge: ({ request }) =>
    sealed(request, RadiusCode.AccessChallenge, [{ name: 'State', value: Uint8Array.of(1) }]),
  flood: ({ accept }) => {
    const wrong = changed(accept());
    return [
      ...Array.from({ length: BEFORE }, () => wrong),
      accept(),
      ...Array.from({ length: AFTER }, () => wrong),
    ];
  },
};

function changed(octets: Uint8Array): Uint8Array {
  octets[4]! ^= 1;
  return octets;
}

function sealed(
  { identifier, authenticator }: DecodedRadiusPacket,
  code: number,
  attributes: readonly RadiusAttribute[],
): Uint8Array {
  return sealAnswer({ code, identifier, attributes }, authenticator, secret, random);
}

/** With a Message-Authenticator, and right in all but what is in it. */
function sealedRaw(
  request: DecodedRadiusPacket,
  attributes: readonly RadiusAttribute[],
  raw: readonly number[],
): Uint8Array {
  const whole = sealed(request, RadiusCode.AccessAccept, attributes);
  const octets = Uint8Array.from([...whole, ...raw]);
  octets.set([octets.length >> 8, octets.length & 255], 2);
  octets.set(request.authenticator, 4);
  octets.fill(0, 22, 38); // it is the first attribute
  octets.set(hmacMd5(secret.octets, octets), 22);
  octets.set(md5(octets, secret.octets), 4);
  return octets;
}

const listener = await datagrams.listen(1812, {
  datagram: (octets, from) => {
    const cipher = attributeCipher(secret, octets.slice(4, 20), random);
    const request = ok(decodeRadiusPacket(octets, cipher));
    if (request.code === RadiusCode.StatusServer) {
      listener.send(sealed(request, RadiusCode.AccessAccept, []), from);
      return;
    }
    const name = radiusValue(request.attributes, 'User-Name')!.text;
    const proof =
      radiusValue(request.attributes, 'MS-CHAP2-Response') === undefined
        ? []
        : [proofOf(request, password)];
    const accept = (...more: readonly RadiusAttribute[]) =>
      sealed(request, RadiusCode.AccessAccept, [...proof, ...more]);
    const acceptRaw = (raw: readonly number[]) => sealedRaw(request, proof, raw);
    const answer = answers[name] ?? (() => accept());
    void Promise.resolve(answer({ request, accept, acceptRaw })).then((made) => {
      for (const each of made instanceof Uint8Array ? [made] : made) listener.send(each, from);
      process.stdout.write(`answered ${name}\n`);
    });
  },
  failed: () => undefined,
});
process.stdout.write('ready\n');
