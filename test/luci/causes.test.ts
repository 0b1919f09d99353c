/** LuCI's error texts are those of the daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cause, causeCodes, describeCause } from '../../src/wire/cause.ts';
import { classOf, luci } from './luci.ts';

const causes = luci().module('pptp-gateway.causes');

test('every cause of the daemon, with its sentence, and no other', () => {
  assert.deepEqual(
    causes.sentences,
    Object.fromEntries(causeCodes.map((code) => [code, describeCause(cause(code))])),
  );
});

test('what to do is said only for codes that exist', () => {
  for (const code of Object.keys(causes.advice))
    assert.ok(
      causeCodes.some((known) => known === code),
      code,
    );
});

test('a cause is described in words, with its detail; an unknown one by the text that came', () => {
  assert.equal(causes.describe({ code: 'HANGUP' }), 'The other end ended the connection.');
  assert.equal(
    causes.describe({ code: 'HANGUP', text: 'x', detail: '<b>' }),
    'The other end ended the connection. (<b>)',
  );
  assert.equal(causes.describe({ code: 'NEW_ONE', text: 'Something new.' }), 'Something new.');
  assert.equal(causes.describe({ code: 'NEW_ONE' }), 'NEW_ONE');
});

/** The codes of pppd's exit, as the stock handler sends them (OpenWrt, ppp.sh). */
const stock =
  'FATAL_ERROR OPTION_ERROR NOT_ROOT NO_KERNEL_SUPPORT USER_REQUEST LOCK_FAILED OPEN_FAILED CONNECT_FAILED PTYCMD_FAILED NEGOTIATION_FAILED PEER_AUTH_FAILED IDLE_TIMEOUT CONNECT_TIME CALLBACK PEER_DEAD HANGUP LOOPBACK INIT_FAILED AUTH_TOPEER_FAILED TRAFFIC_LIMIT CNID_AUTH_FAILED UNKNOWN_ERROR';

test('both protocols register every code, those of the stock client too, and their devices', () => {
  const registered = new Map<string, string>();
  const patterns: RegExp[] = [];
  const protocols = new Map<string, Record<string, (this: unknown) => unknown>>();
  const network = {
    registerErrorCode: (code: string, text: string) => registered.set(code, text),
    registerPatternVirtual: (pattern: RegExp) => patterns.push(pattern),
    registerProtocol: (name: string, methods: Record<string, () => unknown>) => {
      protocols.set(name, methods);
      return classOf(null, {});
    },
    instantiateDevice: (name: string) => ({ name }),
  };
  const router = luci({ network, form: {} });
  router.uci['network'] = { own: { pppname: 'vpn0' } };
  for (const name of ['pptpgw', 'pptpserver']) {
    router.module(`protocol.${name}`);
    const methods = protocols.get(name)!;
    assert.equal(methods['getPackageName']!(), 'pptp-gateway');
    assert.equal(methods['getOpkgPackage']!(), 'pptp-gateway');
    const device = (sid: string, up?: string) =>
      methods['getDevice']!.call({ ...methods, sid, _ubus: () => up });
    const prefix = name === 'pptpgw' ? 'pptp-' : 'pptps-';
    assert.deepEqual(device('home'), { name: `${prefix}home` });
    assert.deepEqual(device('home', 'dev9'), { name: 'dev9' });
    assert.deepEqual(device('own'), { name: 'vpn0' });
  }
  for (const code of [...causeCodes, ...stock.split(' ')]) {
    assert.match(registered.get(code)!, /^[A-Za-z].*[.?]$/s, code);
  }
  for (const device of ['pptp-office', 'pptps-home'])
    assert.ok(patterns.every((pattern) => pattern.test(device)));
  assert.ok(patterns.length > 0 && !patterns[0]!.test('pppoe-wan'));
});
