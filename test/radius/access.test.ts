import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAccessAnswer, type AccessAnswer } from '../../src/radius/access-answer.ts';
import {
  accessRequest,
  callAttributes,
  type RadiusCall,
  type RadiusLogin,
} from '../../src/radius/access-request.ts';
import { encodeRadiusPacket, RadiusCode } from '../../src/wire/radius.ts';
import type { RadiusAttribute } from '../../src/wire/radius-attributes.ts';
import { textOf } from '../../src/wire/text.ts';
import { bad, ok } from '../wire/sample.ts';

const call: RadiusCall = {
  nasIdentifier: 'router',
  nasAddress: 0xc0a86301,
  port: 7,
  portId: 'home',
  sessionId: '5f00-7',
  peer: 0xcb007109,
  local: 0xc6336401,
  peerHostName: 'laptop',
  tunnelId: '12',
  connectInfo: 'PPTP',
};
const plainly = {
  hide: (_: unknown, plain: Uint8Array) => plain,
  reveal: (_: unknown, octets: Uint8Array) => octets,
};
const octets = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1);

const logins = {
  pap: { method: 'pap', password: octets(8) },
  chap: { method: 'chap', identifier: 3, challenge: octets(16), response: octets(16) },
  mschap: { method: 'mschap', identifier: 3, challenge: octets(8), ntResponse: octets(24) },
  'mschap-v2': {
    method: 'mschap-v2',
    identifier: 3,
    challenge: octets(16),
    peerChallenge: octets(16),
    ntResponse: octets(24),
  },
  'mschap-v2-change': {
    method: 'mschap-v2-change',
    identifier: 3,
    challenge: octets(16),
    encryptedPassword: octets(516),
    encryptedHash: octets(16),
    peerChallenge: octets(16),
    ntResponse: octets(24),
  },
  eap: { method: 'eap', packet: octets(400), state: octets(16), mtu: 1400 },
} as const satisfies Record<RadiusLogin['method'], RadiusLogin>;

describe('an Access-Request', () => {
  const names = (login: RadiusLogin) =>
    ok(accessRequest(textOf('OFFICE\\anna'), login, call)).map(({ name }) => name);

  it('has the proof of each method', () => {
    const proofs: Record<RadiusLogin['method'], string[]> = {
      pap: ['User-Password'],
      chap: ['CHAP-Password', 'CHAP-Challenge'],
      mschap: ['MS-CHAP-Challenge', 'MS-CHAP-Response'],
      'mschap-v2': ['MS-CHAP-Challenge', 'MS-CHAP2-Response'],
      'mschap-v2-change': ['MS-CHAP-Challenge', 'MS-CHAP-NT-Enc-PW', 'MS-CHAP2-CPW'],
      eap: ['EAP-Message', 'Framed-MTU', 'State'],
    };
    const others = callAttributes(call).map(({ name }) => name);
    for (const login of Object.values(logins)) {
      assert.deepEqual(names(login), ['User-Name', ...proofs[login.method], ...others]);
      const attributes = ok(accessRequest(textOf('anna'), login, call));
      const packet = { code: 1, identifier: 0, authenticator: octets(16), attributes };
      assert.ok(encodeRadiusPacket(packet, plainly).length < 1400);
    }
    assert.ok(!names({ ...logins.eap, state: undefined }).includes('State'));
  });

  it('tells all of the call, and leaves out what is empty', () => {
    assert.deepEqual(callAttributes(call), [
      { name: 'NAS-Identifier', value: textOf('router') },
      { name: 'NAS-IP-Address', value: 0xc0a86301 },
      { name: 'NAS-Port', value: 7 },
      { name: 'NAS-Port-Type', value: 5 },
      { name: 'NAS-Port-Id', value: textOf('home') },
      { name: 'Service-Type', value: 2 },
      { name: 'Framed-Protocol', value: 1 },
      { name: 'Calling-Station-Id', value: textOf('203.0.113.9') },
      { name: 'Called-Station-Id', value: textOf('198.51.100.1') },
      { name: 'Acct-Session-Id', value: textOf('5f00-7') },
      { name: 'Connect-Info', value: textOf('PPTP') },
      { name: 'Tunnel-Type', value: { tag: 1, value: 1 } },
      { name: 'Tunnel-Medium-Type', value: { tag: 1, value: 1 } },
      { name: 'Tunnel-Client-Endpoint', value: { tag: 1, value: textOf('203.0.113.9') } },
      { name: 'Tunnel-Server-Endpoint', value: { tag: 1, value: textOf('198.51.100.1') } },
      { name: 'Tunnel-Assignment-Id', value: { tag: 1, value: textOf('12') } },
      { name: 'Tunnel-Client-Auth-Id', value: { tag: 1, value: textOf('laptop') } },
      { name: 'Tunnel-Server-Auth-Id', value: { tag: 1, value: textOf('router') } },
    ]);
    const bare = { ...call, portId: '', connectInfo: '', tunnelId: '', peerHostName: '' };
    assert.equal(callAttributes(bare).length, callAttributes(call).length - 4);
    const long = callAttributes({ ...call, peerHostName: 'ü'.repeat(200) });
    assert.ok(
      encodeRadiusPacket(
        { code: 4, identifier: 0, authenticator: octets(16), attributes: long },
        plainly,
      ),
    );
  });

  it('is not made of what does not fit', () => {
    bad(accessRequest(textOf(''), logins.pap, call), 'too-short');
    bad(accessRequest(textOf('x'.repeat(254)), logins.pap, call), 'too-long');
    bad(accessRequest(textOf('anna'), { method: 'pap', password: octets(129) }, call), 'too-long');
    assert.ok(Array.isArray(accessRequest(textOf(''), logins.eap, call)));
  });
});

describe('an answer', () => {
  const read = (
    method: RadiusLogin['method'],
    code: number,
    ...attributes: RadiusAttribute[]
  ): AccessAnswer =>
    readAccessAnswer(
      { code, identifier: 0, authenticator: octets(16), attributes, skipped: 0, faults: [] },
      { method },
    );
  const grantOf = (...attributes: RadiusAttribute[]) => {
    const answer = read('pap', RadiusCode.AccessAccept, ...attributes);
    assert.ok(answer.kind === 'accept', JSON.stringify(answer));
    return { ...answer.grant, faults: answer.faults };
  };
  const empty = {
    routes: [],
    dns: [],
    nbns: [],
    classes: [],
    message: '',
    ipv6: { prefixes: [], delegated: [], addresses: [], dns: [], routes: [] },
    faults: [],
  };

  it('that says nothing leaves all to the router', () => {
    assert.deepEqual(grantOf(), empty);
    assert.deepEqual(
      grantOf({ name: 'Service-Type', value: 2 }, { name: 'Framed-Protocol', value: 1 }),
      empty,
    );
  });

  it('gives a session all that it may have', () => {
    const grant = grantOf(
      { name: 'Framed-IP-Address', value: 0x0a080005 },
      { name: 'Framed-IP-Netmask', value: 0xffffff00 },
      { name: 'Framed-Pool', value: textOf('office') },
      { name: 'Framed-Route', value: textOf('10.20.0.0/16 0.0.0.0 1') },
      { name: 'Framed-MTU', value: 1400 },
      { name: 'Session-Timeout', value: 3600 },
      { name: 'Idle-Timeout', value: 600 },
      { name: 'Acct-Interim-Interval', value: 300 },
      { name: 'MS-Secondary-DNS-Server', value: 0x0a000002 },
      { name: 'MS-Primary-DNS-Server', value: 0x0a000001 },
      { name: 'MS-Primary-NBNS-Server', value: 0x0a000003 },
      { name: 'MS-MPPE-Encryption-Policy', value: 2 },
      { name: 'MS-MPPE-Encryption-Types', value: 6 },
      { name: 'Class', value: octets(3) },
      { name: 'Class', value: octets(4) },
      { name: 'Reply-Message', value: textOf('Hello') },
      { name: 'Reply-Message', value: textOf('Anna') },
      { name: 'Port-Limit', value: 2 },
      { name: 'User-Name', value: textOf('anna@office') },
      { name: 'Filter-Id', value: textOf('staff') },
      { name: 'Mikrotik-Rate-Limit', value: textOf('1M/2M') },
      { name: 'WISPr-Bandwidth-Max-Up', value: 5 },
      { name: 'Framed-IPv6-Prefix', value: { address: octets(16), length: 64 } },
      { name: 'Framed-Interface-Id', value: octets(8) },
    );
    assert.deepEqual(grant, {
      ...empty,
      address: 0x0a080005,
      netmask: 0xffffff00,
      pool: 'office',
      routes: [{ destination: { address: 0x0a140000, length: 16 }, gateway: undefined, metric: 1 }],
      mtu: 1400,
      sessionTimeout: 3_600_000,
      idleTimeout: 600_000,
      interimInterval: 300_000,
      dns: [0x0a000001, 0x0a000002],
      nbns: [0x0a000003],
      encryption: { isRequired: true, strengths: [128, 40] },
      classes: [octets(3), octets(4)],
      message: 'Hello Anna',
      portLimit: 2,
      userName: 'anna@office',
      filters: ['staff'],
      rates: { up: 1e6, down: 2e6 },
      ipv6: {
        ...empty.ipv6,
        prefixes: [{ address: octets(16), length: 64 }],
        interfaceId: octets(8),
      },
    });
  });

  it('may leave the address to the router or to the caller (RFC 2865 §5.8)', () => {
    assert.equal(grantOf({ name: 'Framed-IP-Address', value: 0xfffffffe }).address, 'pool');
    assert.equal(grantOf({ name: 'Framed-IP-Address', value: 0xffffffff }).address, 'caller');
  });

  it('has each wrong value named, and the others count', () => {
    const grant = grantOf(
      { name: 'Framed-IP-Address', value: 0x7f000001 },
      { name: 'Framed-IP-Netmask', value: 0xff00ff00 },
      { name: 'Framed-Route', value: textOf('somewhere') },
      { name: 'Framed-Route', value: textOf('10.20.0.0/16') },
      { name: 'Framed-MTU', value: 20 },
      { name: 'Acct-Interim-Interval', value: 5 },
      { name: 'MS-Primary-DNS-Server', value: 0 },
      { name: 'MS-MPPE-Encryption-Policy', value: 3 },
      { name: 'MS-MPPE-Send-Key', value: octets(3) },
      { name: 'MS-MPPE-Recv-Key', value: octets(16) },
      { name: 'Mikrotik-Rate-Limit', value: textOf('fast') },
      { name: 'Ascend-Data-Rate', value: 64000 },
      { name: 'Framed-IPv6-Prefix', value: { address: octets(16), length: 200 } },
      { name: 'Framed-IPv6-Route', value: textOf('no') },
      { name: 'Session-Timeout', value: 60 },
    );
    assert.deepEqual(grant.faults.map((fault) => fault.slice(0, fault.indexOf(':'))).sort(), [
      'Acct-Interim-Interval',
      'Framed-IP-Address',
      'Framed-IP-Netmask',
      'Framed-IPv6-Prefix',
      'Framed-IPv6-Route',
      'Framed-MTU',
      'Framed-Route',
      'MS-MPPE-Encryption-Policy',
      'MS-MPPE-Send-Key',
      'MS-Primary-DNS-Server',
      'Mikrotik-Rate-Limit',
    ]);
    assert.deepEqual(
      { ...grant, faults: [] },
      {
        ...empty,
        routes: [
          {
            destination: { address: 0x0a140000, length: 16 },
            gateway: undefined,
            metric: undefined,
          },
        ],
        interimInterval: 60_000,
        rates: { up: 64000, down: undefined },
        sessionTimeout: 60_000,
      },
    );
  });

  it('brings keys of both kinds (RFC 2548 §2.4)', () => {
    const keys = (...attributes: RadiusAttribute[]) => grantOf(...attributes).keys;
    assert.deepEqual(
      keys(
        { name: 'MS-MPPE-Send-Key', value: octets(16) },
        { name: 'MS-MPPE-Recv-Key', value: octets(16).reverse() },
      ),
      { kind: 'start-keys', send: octets(16), receive: octets(16).reverse() },
    );
    assert.deepEqual(
      keys({ name: 'MS-CHAP-MPPE-Keys', value: { lmKey: octets(8), ntKey: octets(16) } }),
      { kind: 'mschap', ntHashHash: octets(16), lmKey: octets(8) },
    );
    assert.deepEqual(
      keys({ name: 'MS-CHAP-MPPE-Keys', value: { lmKey: new Uint8Array(8), ntKey: octets(16) } }),
      { kind: 'mschap', ntHashHash: octets(16), lmKey: undefined },
    );
    assert.equal(keys({ name: 'MS-MPPE-Send-Key', value: octets(16) }), undefined);
  });

  it('needs the proof for MS-CHAPv2', () => {
    const success = (text: string): RadiusAttribute => ({
      name: 'MS-CHAP2-Success',
      value: { identifier: 3, value: textOf(text) },
    });
    const accept = (...attributes: RadiusAttribute[]) =>
      read('mschap-v2', RadiusCode.AccessAccept, ...attributes);
    const right = accept(success(`S=${'0A'.repeat(20)} M=Welcome`));
    assert.ok(right.kind === 'accept');
    assert.deepEqual(right.success, {
      authenticatorResponse: new Uint8Array(20).fill(10),
      message: 'Welcome',
    });
    for (const wrong of [accept(), accept(success('S=12')), accept(success(''))]) {
      assert.ok(wrong.kind === 'unusable');
      assert.equal(wrong.cause.code, 'RADIUS_NOT_PROVEN');
    }
    const v1 = read('mschap', RadiusCode.AccessAccept);
    assert.equal(v1.kind, 'accept');
  });

  it('is of no use for another service, or as a challenge where there is none', () => {
    const causes = [
      read('pap', RadiusCode.AccessAccept, { name: 'Service-Type', value: 6 }),
      read('pap', RadiusCode.AccessAccept, { name: 'Framed-Protocol', value: 2 }),
      read('pap', RadiusCode.AccessChallenge, { name: 'State', value: octets(4) }),
      read('mschap-v2', RadiusCode.AccessChallenge, { name: 'EAP-Message', value: octets(5) }),
      read('eap', RadiusCode.AccessChallenge, { name: 'State', value: octets(4) }),
    ].map((answer) => answer.kind === 'unusable' && answer.cause.code);
    assert.deepEqual(new Set(causes), new Set(['RADIUS_UNUSABLE']));
  });

  it('of EAP goes on, ends well, or does not', () => {
    const eap: RadiusAttribute = { name: 'EAP-Message', value: octets(5) };
    const state: RadiusAttribute = { name: 'State', value: octets(4) };
    assert.deepEqual(read('eap', RadiusCode.AccessChallenge, eap, state), {
      kind: 'challenge',
      eap: octets(5),
      state: octets(4),
      faults: [],
    });
    const accepted = read('eap', RadiusCode.AccessAccept, eap);
    assert.ok(accepted.kind === 'accept');
    assert.deepEqual(accepted.eap, octets(5));
    const rejected = read('eap', RadiusCode.AccessReject, eap);
    assert.ok(rejected.kind === 'reject');
    assert.deepEqual(rejected.eap, octets(5));
  });

  it('that refuses says why', () => {
    const error = (text: string): RadiusAttribute => ({
      name: 'MS-CHAP-Error',
      value: { identifier: 0, value: textOf(text) },
    });
    const rejected = read(
      'mschap-v2',
      RadiusCode.AccessReject,
      error('E=648 R=0 C=000102030405060708090A0B0C0D0E0F V=3 M=Password expired'),
      { name: 'Reply-Message', value: textOf('Too old') },
    );
    assert.deepEqual(rejected, {
      kind: 'reject',
      message: 'Too old',
      failure: {
        errorCode: 648,
        retry: false,
        challenge: Uint8Array.from({ length: 16 }, (_, i) => i),
        version: 3,
        message: 'Password expired',
      },
      eap: undefined,
      faults: [],
    });
    const odd = read('mschap-v2', RadiusCode.AccessReject, error('no'));
    assert.ok(odd.kind === 'reject' && odd.failure === undefined);
    assert.equal(odd.faults.length, 1);
  });
});
