/** `radius-test` against a stand-in; FreeRADIUS itself is asked by the documentation's commands (test/tools/docs/walk.test.ts). */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, describe, test } from 'node:test';
import type { RadiusOptions } from '../../../src/daemon/configuration/radius.ts';
import { Drive } from '../../../src/daemon/engine/drive.ts';
import { testServer, type ServerTest } from '../../../src/daemon/radius/server-test.ts';
import { Secret } from '../../../src/crypto/secret.ts';
import { RadiusCode, type DecodedRadiusPacket } from '../../../src/wire/radius.ts';
import { radiusValue, type RadiusAttribute } from '../../../src/wire/radius-attributes.ts';
import { textOf } from '../../../src/wire/text.ts';
import { noFaults } from '../../support/no-faults.ts';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import { proofOf, standIn, type Answer, type StandIn } from './stand-in.ts';

const drive = new Drive(noFaults());
const open = new Set<StandIn>();
after(() => {
  for (const each of open) each.close();
  drive.stop();
});

const identity: readonly RadiusAttribute[] = [{ name: 'NAS-Identifier', value: textOf('gw') }];
const SECRET = 'Granite-Pelican';
const accept = (...attributes: RadiusAttribute[]): Answer => ({
  code: RadiusCode.AccessAccept,
  attributes,
});
const reject = (...attributes: RadiusAttribute[]): Answer => ({
  code: RadiusCode.AccessReject,
  attributes,
});
const isStatus = ({ code }: DecodedRadiusPacket) => code === RadiusCode.StatusServer;

async function server(answer: Parameters<typeof standIn>[1]): Promise<StandIn> {
  const made = await standIn(SECRET, answer);
  open.add(made);
  return made;
}

/** The options of a section, with time-outs for loopback. */
function options(port: number, lines = '', secret = SECRET): RadiusOptions {
  const text = `config radius 'main'\noption server '127.0.0.1'\noption secret '${secret}'\noption port '${port}'\n${lines}\n`;
  const [made] = parseConfiguration({ pptp_radius: text }).radius;
  return { ...made!, timeout: 150 };
}

/** Steps with their results, and the cause. */
async function finished(test: ServerTest): Promise<string[]> {
  while (!test.done) await pause(5);
  const steps = test.steps.map((step) =>
    test.passed.has(step)
      ? `${step}: ${test.passed.get(step)!.replace(/ \([\d.]+ ms\)/, '')}`
      : step,
  );
  const { code, detail } = test.cause ?? {};
  return code === undefined ? steps : [...steps, detail === undefined ? code : `${code} ${detail}`];
}

const anna = { username: 'anna', secret: Secret.fromPassword('geheim') };
const ports = { drive, faults: noFaults() };
const run = (made: RadiusOptions, login?: typeof anna) =>
  finished(testServer(made, identity, login, ports));

const reached = (port: number) => ['name: 127.0.0.1', `socket: UDP port ${port}`];
const verified = 'secret: the answer verifies, with Message-Authenticator';
const asked = 'status: Status-Server was answered';

test('a server that answers, without a login', async () => {
  const { port, heard } = await server(() => accept());
  assert.deepEqual(await run(options(port)), [...reached(port), asked, verified]);
  assert.deepEqual(
    heard.map(({ code }) => code),
    [RadiusCode.StatusServer],
  );
  assert.equal(radiusValue(heard[0]!.attributes, 'NAS-Identifier')?.text, 'gw');
});

test('a login that is accepted: the proof is checked, and what the server gives is said in words', async () => {
  const { port } = await server((request) =>
    isStatus(request)
      ? accept()
      : accept(
          proofOf(request, 'geheim'),
          { name: 'Framed-IP-Address', value: 0xc0a86307 },
          { name: 'Framed-Pool', value: textOf('a\u001bb') },
          { name: 'Session-Timeout', value: 36000 },
          { name: 'Class', value: Uint8Array.of(1, 2, 3) },
          { name: 'MS-MPPE-Encryption-Policy', value: 2 },
          { name: 'MS-MPPE-Encryption-Types', value: 6 },
          { name: 'MS-MPPE-Send-Key', value: new Uint8Array(16) },
          { name: 'MS-MPPE-Recv-Key', value: new Uint8Array(16) },
          { name: 'Tunnel-Assignment-Id', value: { tag: 0, value: textOf('x') } },
        ),
  );
  assert.deepEqual(await run(options(port), anna), [
    ...reached(port),
    asked,
    verified,
    'login: accepted; the server has proved that it knows the password',
    'answer: address 192.168.99.7, pool a b, at most 36000 s, Class (3 octets), encryption required, MPPE of 128, 40 bits, Tunnel-Assignment-Id, MPPE keys',
  ]);
});

test('without keys there is no encryption, which is said', async () => {
  const { port } = await server((request) =>
    isStatus(request) ? accept() : accept(proofOf(request, 'geheim')),
  );
  assert.equal(
    (await run(options(port), anna)).at(-1),
    'answer: no MPPE keys: no encryption is possible',
  );
});

describe('a login that is not accepted', () => {
  const error = (text: string): RadiusAttribute => ({
    name: 'MS-CHAP-Error',
    value: { identifier: 1, value: textOf(text) },
  });
  const cases: Readonly<Record<string, (request: DecodedRadiusPacket) => Answer>> = {
    'AUTH_TOPEER_FAILED E=691: wrong user name or password; call the office': () =>
      reject(error('E=691 R=1 C=00 V=3'), {
        name: 'Reply-Message',
        value: textOf('call the\u0007office'),
      }),
    'LOGIN_DENIED E=648: password expired': () => reject(error('E=648 R=0')),
    AUTH_TOPEER_FAILED: () => reject(),
    'RADIUS_UNUSABLE Access-Challenge': () => ({
      code: RadiusCode.AccessChallenge,
      attributes: [],
    }),
    'RADIUS_NOT_PROVEN MS-CHAP2-Success is missing': () => accept(),
    'RADIUS_NOT_PROVEN MS-CHAP2-Success is wrong': (request) => accept(proofOf(request, 'other')),
  };
  for (const [expected, answer] of Object.entries(cases))
    test(expected, async () => {
      const { port } = await server((request) => (isStatus(request) ? accept() : answer(request)));
      const found = await run(options(port), anna);
      assert.deepEqual(found.slice(2), [asked, verified, 'login', 'answer', expected]);
    });
});

test('a server without Status-Server is asked with a login of nobody', async () => {
  const { port, heard } = await server((request) => (isStatus(request) ? undefined : reject()));
  const found = await run(options(port));
  assert.deepEqual(found, [
    ...reached(port),
    'status: a login was answered, Status-Server is not',
    verified,
  ]);
  const { attributes } = heard.at(-1)!;
  assert.equal(radiusValue(attributes, 'User-Name')?.text, 'pptp-gateway-test');
});

test('another secret is called that, where the server answers what is unsigned', async () => {
  const { port } = await server((request) => (isStatus(request) ? undefined : reject()));
  const found = await run(options(port, '', 'Granite-Pelikan'), anna);
  assert.deepEqual(found, [
    ...reached(port),
    'status: it answers',
    'secret',
    'login',
    'answer',
    'RADIUS_WRONG_SECRET main',
  ]);
});

test('one that says nothing, and one that is not there', async () => {
  const { port } = await server(() => undefined);
  const silent = await run(options(port));
  assert.deepEqual(silent, [...reached(port), 'status', 'secret', 'RADIUS_NO_ANSWER main']);
  const gone = await server(() => undefined);
  gone.close();
  open.delete(gone);
  const found = await run(options(gone.port));
  assert.match(found.at(-1)!, /^RADIUS_UNREACHABLE main: .*ECONNREFUSED/);
});

test('a name that nobody knows', async () => {
  const found = await run({ ...options(1), server: 'no..name' });
  assert.deepEqual(found.slice(0, 4), ['name', 'socket', 'status', 'secret']);
  assert.match(found[4]!, /^RESOLVE_FAILED /);
});

test('a server for accounting alone is asked on its port, and by Status-Server alone', async () => {
  const { port, heard } = await server(() => ({
    code: RadiusCode.AccountingRequest + 1,
    attributes: [],
  }));
  const lines = `list role 'acct'\noption acct_port '${port}'`;
  assert.deepEqual(await run(options(1, lines)), [...reached(port), asked, verified]);
  assert.deepEqual(
    heard.map(({ code }) => code),
    [RadiusCode.StatusServer],
  );
});

test('the password is in nothing that is sent, nor the secret', async () => {
  const { heard, port } = await server((request) => (isStatus(request) ? accept() : reject()));
  const test = testServer(options(port), identity, anna, ports);
  await finished(test);
  const shown = JSON.stringify([test, heard.map(({ attributes }) => attributes)]);
  assert.doesNotMatch(shown, /geheim|Granite/);
});
