/**
 * RFC 3748: packets, and what the two ends of a login make of anybody's. Nobody gets in without the password, no server is
 * taken for ours without it, and each end comes to an end.
 */
import assert from 'node:assert/strict';
import { Secret } from '../../../src/crypto/secret.ts';
import { EapAuthenticator } from '../../../src/ppp/authentication/eap-authenticator.ts';
import { EapLogin } from '../../../src/ppp/authentication/eap-login.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import { encodeControlPacket } from '../../../src/wire/control-packet.ts';
import {
  decodeEap,
  decodeEapMsChapV2Request,
  decodeEapMsChapV2Response,
  encodeEap,
  encodeEapMsChapV2Request,
  encodeEapMsChapV2Response,
  nakTypes,
} from '../../../src/wire/eap.ts';
import { writeU16 } from '../../../src/wire/octets.ts';
import { decodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { GRANT, PASSWORD, seededOctets } from '../../support/link.ts';
import { harness } from '../harness.ts';
import { joined, type Random } from '../random.ts';
import { same } from '../same.ts';

const types = [1, 2, 3, 4, 13, 25, 26, 254];

function packet(random: Random): { code: number; identifier: number; data: Uint8Array } {
  const type = random.chance(2) ? 26 : random.pick(types);
  const data = random.chance(6) ? random.anyOctets(60) : typed(random, type);
  const code = random.chance(10) ? random.below(256) : random.below(5);
  return { code, identifier: random.chance(4) ? random.below(256) : 0, data };
}

function typed(random: Random, type: number): Uint8Array {
  if (type !== 26) return joined(Uint8Array.of(type), random.anyOctets(20));
  const opCode = random.below(5);
  if (random.chance(4)) return Uint8Array.of(type, opCode);
  const size = opCode === 1 ? 16 : 49;
  const body = joined(
    Uint8Array.of(opCode, random.below(256), 0, 0, random.chance(10) ? random.below(256) : size),
    random.octets(random.chance(10) ? random.below(60) : size),
    random.anyOctets(12),
  );
  writeU16(body, 2, random.chance(10) ? random.edgy(0x10000) : body.length);
  return joined(Uint8Array.of(type), body);
}

export const eap = harness({
  name: 'eap',
  slow: true,
  generate: (random) => ({
    relays: random.chance(2),
    right: random.chance(2),
    steps: random.list(30, () => ({
      ...packet(random),
      toServer: random.chance(2),
      /** Of what the end expects next, 0; else just this one. */
      strange: random.chance(4),
      /** The two ends hear each other first. */
      talk: random.chance(3),
      pause: random.chance(6) ? random.below(4000) : 0,
    })),
  }),
  run({ relays, right, steps }) {
    for (const { code, identifier, data } of steps) checkCodec({ code, identifier, data });
    const ends = new Ends(relays, right);
    for (const { code, identifier, data, toServer, strange, talk, pause } of steps) {
      if (talk) ends.talk();
      ends.advance(pause);
      const expected = toServer ? ends.asked : identifier;
      ends.give(
        toServer,
        encodeControlPacket({ code, identifier: strange ? identifier : expected, data }),
      );
    }
    ends.finish();
  },
});

function checkCodec(fields: { code: number; identifier: number; data: Uint8Array }): void {
  const octets = encodeControlPacket(fields);
  const read = decodeEap(octets);
  if (isMalformed(read)) return;
  if (!('type' in read)) {
    assert.equal(encodeEap(read).length, 4);
    return;
  }
  assert.ok(same(encodeEap(read), octets));
  assert.ok(!nakTypes(read.data).includes(0));
  const request = decodeEapMsChapV2Request(read.data);
  if (!isMalformed(request)) assert.ok(same(encodeEapMsChapV2Request(request), read.data));
  const response = decodeEapMsChapV2Response(read.data);
  if (isMalformed(response)) return;
  const again = encodeEapMsChapV2Response(response);
  assert.ok(same(again, read.data.subarray(0, again.length)));
}

const secret = Secret.fromPassword(PASSWORD);
const password = Buffer.from(PASSWORD);

class Ends {
  readonly #right: boolean;
  readonly #server: EapAuthenticator;
  readonly #client: EapLogin;
  #now = 0;
  /** The identifier of the server's last Request. */
  asked = 0;
  /** What the two have sent and nobody has given. */
  readonly #sent: { toServer: boolean; payload: Uint8Array }[] = [];
  #frames = 0;
  #given = 0;
  readonly #failures = { server: 0, client: 0 };

  constructor(relays: boolean, right: boolean) {
    this.#right = right;
    const count = (what: string): void => {
      assert.ok(!what.includes(PASSWORD));
    };
    const own = right ? secret : Secret.fromPassword('guess');
    const how = relays ? 'pass-through' : 'local';
    this.#server = new EapAuthenticator(
      { name: 'gateway', eap: how, peerMru: 1400, random: seededOctets(1), count },
      0,
    );
    this.#client = new EapLogin(
      { username: 'User', secret: own },
      { random: seededOctets(2), count },
      0,
    );
    this.#drain();
  }

  give(toServer: boolean, payload: Uint8Array): void {
    this.#given++;
    (toServer ? this.#server : this.#client).handlePayload(PppProtocol.Eap, payload, this.#now);
    this.#drain();
  }

  talk(): void {
    for (const { toServer, payload } of this.#sent.splice(0)) this.give(toServer, payload);
  }

  advance(pause: number): void {
    const end = this.#now + pause;
    for (const side of [this.#server, this.#client])
      for (let next; (next = side.nextTimeout()) !== undefined && next <= end;) {
        side.handleTimeout(Math.max(next, this.#now));
        this.#drain();
        const after = side.nextTimeout();
        assert.ok(after === undefined || after > next, 'a deadline that does not go on');
      }
    this.#now = end;
  }

  finish(): void {
    this.advance(200_000);
    assert.equal(this.#server.nextTimeout(), undefined);
    assert.equal(this.#client.nextTimeout(), undefined);
    assert.ok(this.#failures.server <= 1 && this.#failures.client <= 1);
    assert.ok(this.#frames <= 60 + 12 * this.#given, `${this.#frames} frames`);
    const { admitted } = this.#server;
    if (admitted !== undefined) assert.ok(this.#right, 'admitted without the password');
    if (this.#client.isAccepted) assert.ok(this.#right, 'a server without the password is trusted');
  }

  #drain(): void {
    for (let output; (output = this.#server.poll()) !== undefined;)
      if (output.kind === 'transmit') this.#note(false, output.frame);
      else if (output.kind === 'failed') this.#failures.server++;
      else if (output.kind === 'login') {
        if (output.attempt.verify(secret)) this.#server.admit(GRANT, this.#now);
        else if (output.attempt.evidence.method !== 'eap')
          this.#server.refuse(undefined, this.#now);
        else this.#server.challenge('mschap-v2', this.#now);
      }
    for (let output; (output = this.#client.poll()) !== undefined;)
      if (output.kind === 'transmit') this.#note(true, output.frame);
      else if (output.kind === 'failed') this.#failures.client++;
  }

  #note(toServer: boolean, frame: Uint8Array): void {
    this.#frames++;
    assert.ok(!Buffer.from(frame).includes(password), 'the password in a frame');
    const read = decodePppFrame(frame);
    assert.ok(!isMalformed(read) && read.protocol === PppProtocol.Eap);
    const inner = decodeEap(read.payload);
    assert.ok(!isMalformed(inner));
    if (inner.kind === 'request') this.asked = inner.identifier;
    this.#sent.push({ toServer, payload: read.payload });
  }
}
