/** Against FreeRADIUS, over UDP and TLS: every way to log in, accepted, refused and misunderstood. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { chapMd5Response } from '../../src/crypto/chap-md5.ts';
import { mppeStartKeys } from '../../src/crypto/mppe-keys.ts';
import { generateMsChapV1NtResponse } from '../../src/crypto/ms-chap-v1.ts';
import { generateAuthenticatorResponse, generateNtResponse } from '../../src/crypto/ms-chap-v2.ts';
import { hashNtPasswordHash, ntPasswordHash } from '../../src/crypto/password.ts';
import { readAccessAnswer, type AccessAnswer } from '../../src/radius/access-answer.ts';
import {
  accessRequest,
  callAttributes,
  type RadiusCall,
  type RadiusLogin,
} from '../../src/radius/access-request.ts';
import type { RadiusServerOptions } from '../../src/radius/client-options.ts';
import { SharedSecret } from '../../src/radius/shared-secret.ts';
import { RadiusCode } from '../../src/wire/radius.ts';
import { textOf } from '../../src/wire/text.ts';
import { inNamespace } from '../native/namespace.ts';
import { FREERADIUS_SECRET, FreeRadius } from '../support/freeradius.ts';
import { ok } from '../wire/sample.ts';
import { LiveClient } from './live.ts';
import { server as options } from './network.ts';

const users = `
anna Cleartext-Password := "hello"
	Framed-IP-Address = 10.8.0.5,
	Framed-Route = "10.20.0.0/16 0.0.0.0 1",
	Session-Timeout = 3600,
	Class = 0x0102,
	Reply-Message = "Welcome"
`;

const octets = (length: number) => new Uint8Array(randomBytes(length));
const nasCall: RadiusCall = {
  nasIdentifier: 'router',
  nasAddress: 0x7f000001,
  port: 7,
  portId: 'home',
  sessionId: '5f00-7',
  peer: 0xcb007109,
  local: 0xc6336401,
  peerHostName: 'laptop',
  tunnelId: '12',
  connectInfo: 'PPTP',
};

type Method = 'pap' | 'chap' | 'mschap' | 'mschap-v2';
const methods: readonly Method[] = ['pap', 'chap', 'mschap', 'mschap-v2'];

function login(method: Method, name: string, password: string): RadiusLogin {
  const text = new TextEncoder().encode(password);
  const ntHash = ntPasswordHash(password);
  const identifier = octets(1)[0]!;
  switch (method) {
    case 'pap':
      return { method, password: text };
    case 'chap': {
      const challenge = octets(16);
      return {
        method,
        identifier,
        challenge,
        response: chapMd5Response(identifier, text, challenge),
      };
    }
    case 'mschap': {
      const challenge = octets(8);
      return {
        method,
        identifier,
        challenge,
        ntResponse: generateMsChapV1NtResponse(challenge, ntHash),
      };
    }
    case 'mschap-v2': {
      const challenge = octets(16);
      const peerChallenge = octets(16);
      const exchange = {
        authenticatorChallenge: challenge,
        peerChallenge,
        userName: textOf(name).octets,
      };
      return {
        method,
        identifier,
        challenge,
        peerChallenge,
        ntResponse: generateNtResponse(exchange, ntHash),
      };
    }
  }
}

/** The answer to a login, or the words of the cause. */
async function tryLogin(
  live: LiveClient,
  name: string,
  evidence: RadiusLogin,
): Promise<AccessAnswer | string> {
  const attributes = ok(accessRequest(textOf(name), evidence, nasCall));
  const answer = await live.ask({ code: RadiusCode.AccessRequest, attributes });
  return typeof answer === 'string' ? answer : readAccessAnswer(answer, evidence);
}

const kinds = {
  udp: options('udp', {
    window: 96,
    timeout: 2000,
    endpoint: '1812',
    secret: new SharedSecret(FREERADIUS_SECRET),
  }),
  tls: options('tls', {
    timeout: 2000,
    endpoint: '2083',
    secret: new SharedSecret('radsec'),
    transport: 'tls',
  }),
};

inNamespace('RADIUS against FreeRADIUS', import.meta.url, () => {
  let freeRadius: FreeRadius;
  before(async () => {
    freeRadius = await FreeRadius.start({ users, tls: true });
  });
  after(() => freeRadius.stop());

  async function withClient(
    servers: RadiusServerOptions | readonly RadiusServerOptions[],
    run: (live: LiveClient) => Promise<void>,
  ): Promise<void> {
    const live = new LiveClient([servers].flat(), freeRadius.folder);
    try {
      await run(live);
    } finally {
      live.close();
    }
  }

  for (const [kind, server] of Object.entries(kinds))
    describe(kind, () => {
      for (const method of methods)
        it(`${method}: accepted, with what the user is given, and refused`, () =>
          withClient(server, async (live) => {
            const evidence = login(method, 'anna', 'hello');
            const accepted = await tryLogin(live, 'anna', evidence);
            assert.ok(
              typeof accepted === 'object' && accepted.kind === 'accept',
              JSON.stringify(accepted),
            );
            assert.deepEqual(accepted.faults, []);
            const { grant } = accepted;
            assert.equal(grant.address, 0x0a080005);
            assert.deepEqual(grant.classes, [Uint8Array.of(1, 2)]);
            assert.equal(grant.sessionTimeout, 3_600_000);
            assert.equal(grant.message, 'Welcome');
            assert.deepEqual(grant.routes, [
              { destination: { address: 0x0a140000, length: 16 }, gateway: undefined, metric: 1 },
            ]);
            checkKeys(evidence, accepted, server.transport);
            const refused = await tryLogin(live, 'anna', login(method, 'anna', 'Hello'));
            assert.ok(typeof refused === 'object' && refused.kind === 'reject');
            assert.equal(refused.failure?.errorCode, method.startsWith('mschap') ? 691 : undefined);
            const unknown = await tryLogin(live, 'nobody', login(method, 'nobody', 'hello'));
            assert.ok(typeof unknown === 'object' && unknown.kind === 'reject');
          }));

      it('accounting and Status-Server are answered', () =>
        withClient(
          server.transport === 'tls' ? server : { ...server, endpoint: '1813' },
          async (live) => {
            const record = await live.ask({
              code: RadiusCode.AccountingRequest,
              attributes: [
                { name: 'Acct-Status-Type', value: 1 },
                { name: 'User-Name', value: textOf('anna') },
                ...callAttributes(nasCall),
              ],
              happened: performance.now() - 5000,
            });
            assert.ok(typeof record === 'object', JSON.stringify(record));
            assert.equal(record.code, RadiusCode.AccountingResponse);
            const detail = freeRadius.read('detail');
            for (const line of [
              'Acct-Delay-Time = 5',
              'Calling-Station-Id = "203.0.113.9"',
              'Tunnel-Type:1 = PPTP',
              'Tunnel-Client-Endpoint:1 = "203.0.113.9"',
              'Tunnel-Assignment-Id:1 = "12"',
              'NAS-Port-Type = Virtual',
            ])
              assert.ok(detail.includes(line), `${line} is not in\n${detail}`);
            const status = await live.ask({
              code: RadiusCode.StatusServer,
              attributes: [{ name: 'NAS-Identifier', value: textOf('router') }],
            });
            assert.equal(typeof status, 'object', JSON.stringify(status));
          },
        ));

      it('1,000 logins at once: each has its own answer', (context) =>
        withClient(server, async (live) => {
          const logins = Array.from({ length: 1000 }, (_, i) =>
            login('mschap-v2', 'anna', i % 10 === 0 ? 'wrong' : 'hello'),
          );
          const began = performance.now();
          const wrong = new Set<string>();
          await Promise.all(
            logins.map(async (evidence, i) => {
              const answer = await tryLogin(live, 'anna', evidence);
              const expected = i % 10 === 0 ? 'reject' : 'accept';
              if (typeof answer === 'string' || answer.kind !== expected)
                wrong.add(JSON.stringify(answer));
              else if (answer.kind === 'accept') checkKeys(evidence, answer, server.transport);
            }),
          );
          assert.deepEqual([...wrong], []);
          const seconds = (performance.now() - began) / 1000;
          const again = live.counts.get('sent-again') ?? 0;
          context.diagnostic(`${Math.round(1000 / seconds)} a second, ${again} sent again`);
        }));
    });

  it('a wrong secret says so', () =>
    withClient(
      { ...kinds.udp, secret: new SharedSecret('testing124'), timeout: 500, tries: 2 },
      async (live) => {
        const answer = await tryLogin(live, 'anna', login('mschap-v2', 'anna', 'hello'));
        assert.match(JSON.stringify(answer), /^"Wrong secret/);
      },
    ));

  it('a server that is not there says so, and another one is asked', () =>
    withClient(
      [
        { ...kinds.udp, name: 'off', endpoint: '1899', timeout: 100, tries: 2 },
        { ...kinds.udp, priority: 1 },
      ],
      async (live) => {
        const evidence = login('pap', 'anna', 'hello');
        const answer = await tryLogin(live, 'anna', evidence);
        assert.ok(typeof answer === 'object' && answer.kind === 'accept');
        const attributes = ok(accessRequest(textOf('anna'), evidence, nasCall));
        const alone = await live.ask({ code: RadiusCode.AccessRequest, attributes, server: 'off' });
        assert.match(JSON.stringify(alone), /^"No RADIUS server can be reached.*ECONNREFUSED/);
      },
    ));

  it('RadSec: a connection that the server ends is opened again', () =>
    withClient(kinds.tls, async (live) => {
      const attributes = ok(accessRequest(textOf('anna'), login('pap', 'anna', 'hello'), nasCall));
      const ask = () => live.ask({ code: RadiusCode.AccessRequest, attributes });
      assert.equal(typeof (await ask()), 'object');
      live.breakOff();
      assert.equal(typeof (await ask()), 'object');
    }));
});

/** The server's keys are those that we would have made, as the end that authenticates. */
function checkKeys(
  evidence: RadiusLogin,
  answer: AccessAnswer & { kind: 'accept' },
  transport: 'udp' | 'tls',
): void {
  const ntHash = ntPasswordHash('hello');
  const { keys } = answer.grant;
  switch (evidence.method) {
    case 'mschap': {
      assert.ok(keys?.kind === 'mschap');
      const own = hashNtPasswordHash(ntHash);
      // FreeRADIUS 3.2.1 encodes its answer twice over TLS, the second time with the first one's authenticator in place of the
      // request's: the first block of this attribute is lost, and with it encryption after MS-CHAPv1.
      const from = transport === 'tls' ? 8 : 0;
      assert.deepEqual(keys.ntHashHash.subarray(from), own.subarray(from));
      if (transport === 'udp') assert.equal(keys.lmKey, undefined);
      return;
    }
    case 'mschap-v2': {
      const { challenge, peerChallenge, ntResponse } = evidence;
      const own = mppeStartKeys(hashNtPasswordHash(ntHash), ntResponse, true, 128);
      assert.deepEqual(keys, { kind: 'start-keys', send: own.send, receive: own.receive });
      const exchange = {
        authenticatorChallenge: challenge,
        peerChallenge,
        userName: textOf('anna').octets,
      };
      assert.deepEqual(
        answer.success?.authenticatorResponse,
        generateAuthenticatorResponse(exchange, ntHash, ntResponse),
      );
      return;
    }
    case 'pap':
    case 'chap':
    case 'mschap-v2-change':
    case 'eap':
      assert.equal(keys, undefined);
  }
}
