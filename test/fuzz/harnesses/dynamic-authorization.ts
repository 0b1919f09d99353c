/**
 * RFC 5176: whatever comes from an address that is believed, only what is authentic is answered, once, in the right form, and acted
 * upon once; a session that is meant is one that all attributes fit.
 */
import assert from 'node:assert/strict';
import { md5 } from '../../../src/crypto/md5.ts';
import { hmacMd5 } from '../../../src/crypto/hmac-md5.ts';
import { DynamicAuthorization } from '../../../src/radius/dynamic-authorization.ts';
import { ErrorCause } from '../../../src/radius/dynamic-request.ts';
import { openAnswer } from '../../../src/radius/sealing.ts';
import { SharedSecret } from '../../../src/radius/shared-secret.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import { toLatin1, writeU16, writeU32 } from '../../../src/wire/octets.ts';
import { radiusAttributes } from '../../../src/wire/radius-attributes.ts';
import { accounted } from '../../radius/accounting-world.ts';
import { harness } from '../harness.ts';
import { joined, type Random } from '../random.ts';

const secret = new SharedSecret('fuzz');
const WALL = 1_800_000_000_000;
const from = { address: '192.0.2.1', port: 9 };
const sessions = [
  accounted('s1', { username: 'anna' }),
  accounted('s2', { username: 'anna' }),
  accounted('s3', { username: 'bert', call: { port: 8 } }),
];
const types = Object.values(radiusAttributes).map(({ type }) => type);

type Datagram = {
  readonly code: number;
  readonly attributes: Uint8Array;
  /** Off our clock, s; undefined: it does not say. */
  readonly off: number | undefined;
  readonly isSigned: boolean;
  readonly isSealed: boolean;
  /** As one before. */
  readonly again: number | undefined;
  readonly outcome: number;
};

function attribute(random: Random): Uint8Array {
  const value = random.pick([
    () => [1, toLatin1(random.pick(['anna', 'bert', 'zoe']))],
    () => [44, toLatin1(random.pick(['s1', 's2', 's3', 's4']))],
    () => [random.pick([5, 8, 27, 28, 85, 49, 6]), u32(random.pick([0, 2, 7, 8, 17, 600]))],
    () => [random.pick([24, 25, 33, 11, 18]), random.anyOctets(60)],
    () => [random.pick(types), random.anyOctets(40)],
    () => [26, joined(u32(random.pick([14988, 311, 9])), random.anyOctets(20))],
    () => [random.below(256), random.anyOctets(8)],
  ])() as [number, Uint8Array];
  const length = random.chance(30) ? random.edgy(256) : value[1].length + 2;
  return joined(Uint8Array.of(value[0], length), value[1]);
}

function u32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  writeU32(octets, 0, value);
  return octets;
}

function datagram(random: Random): Datagram {
  return {
    code: random.chance(12) ? random.below(256) : random.pick([40, 43]),
    attributes: joined(...random.list(random.chance(20) ? 60 : 4, () => attribute(random))),
    off: random.chance(8) ? undefined : random.pick([0, 0, 0, -1, 5, -299, 300, -301, 1000]),
    isSigned: !random.chance(6),
    isSealed: !random.chance(8),
    again: random.chance(4) ? random.below(4) : undefined,
    outcome: random.below(3),
  };
}

function packet({ code, attributes, off, isSigned, isSealed }: Datagram, nth: number): Uint8Array {
  const time = off === undefined ? [] : [Uint8Array.of(55, 6), u32(WALL / 1000 + off)];
  const proof = isSealed ? [Uint8Array.of(80, 18), new Uint8Array(16)] : [];
  const octets = joined(
    Uint8Array.of(code, nth),
    new Uint8Array(18),
    ...proof,
    ...time,
    attributes,
  );
  writeU16(octets, 2, octets.length);
  if (isSealed) octets.set(hmacMd5(secret.octets, octets), 22);
  octets.set(md5(octets, isSigned ? secret.octets : new Uint8Array()), 4);
  return octets;
}

export const dynamicAuthorization = harness({
  name: 'dynamic-authorization',
  generate: (random) => ({
    isStrict: !random.chance(3),
    datagrams: random.list(5, () => datagram(random)),
  }),
  run({ isStrict, datagrams }) {
    const machine = new DynamicAuthorization(
      {
        clients: new Map([[from.address, { name: 'main', secret }]]),
        nas: { identifier: 'gateway', isOwnAddress: (address) => address === 1 },
        window: 300_000,
        needsMessageAuthenticator: isStrict,
        needsEventTimestamp: isStrict,
      },
      {
        random: (length) => new Uint8Array(length),
        count: () => undefined,
        wallClock: () => WALL,
        session: (id) => sessions.find((one) => one.call.sessionId === id),
        sessions: () => sessions,
      },
    );
    const sent: { octets: Uint8Array; isSigned: boolean; code: number; acts: number }[] = [];
    for (const [nth, one] of datagrams.entries()) {
      const before = one.again === undefined ? undefined : sent[one.again];
      const which = before ?? {
        octets: packet(one, nth),
        isSigned: one.isSigned,
        code: one.code,
        acts: 0,
      };
      sent.push(which);
      machine.handleDatagram(which.octets, from, 1000 + nth);
      let answers = 0;
      for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
        if (output.kind === 'warning') continue;
        assert.ok(which.isSigned && (which.code === 40 || which.code === 43), 'not authentic');
        if (output.kind === 'send') {
          assert.equal(++answers, 1);
          assert.deepEqual(output.to, from);
          checkAnswer(output.octets, which);
        } else {
          assert.equal(++which.acts, 1, 'done twice');
          assert.ok(output.sessions.length > 0);
          assert.equal(output.wanted.kind, which.code === 40 ? 'disconnect' : 'change');
          const { SessionContextNotFound, ResourcesUnavailable } = ErrorCause;
          machine.handleDone(
            output.request,
            [undefined, SessionContextNotFound, ResourcesUnavailable][one.outcome],
          );
        }
      }
    }
    assert.equal(machine.nextTimeout(), undefined);
  },
});

function checkAnswer(octets: Uint8Array, asked: { octets: Uint8Array; code: number }): void {
  const opened = openAnswer(octets, asked.octets.slice(4, 20), secret);
  if (typeof opened === 'string' || isMalformed(opened)) assert.fail(JSON.stringify(opened));
  const { code, identifier, faults, skipped, attributes } = opened.packet;
  assert.ok(opened.hasMessageAuthenticator && faults.length + skipped === 0);
  assert.equal(identifier, asked.octets[1]);
  assert.ok(code === asked.code + 1 || code === asked.code + 2, `code ${code}`);
  const names = attributes.map(({ name }) => name);
  assert.equal(names.includes('Error-Cause'), code === asked.code + 2);
  const allowed = ['Message-Authenticator', 'Error-Cause', 'Proxy-State', 'State'];
  assert.ok(names.every((name) => allowed.includes(name)));
}
