import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePppdOptions } from '../../../src/daemon/configuration/pppd-options.ts';

/** What the words ask for, without what they do not mention. */
function asked(text: string): Record<string, unknown> {
  const found = parsePppdOptions(text.split(' ').filter(Boolean));
  return Object.fromEntries(
    Object.entries(found)
      .map(([name, value]) => [name, value instanceof Set ? [...value] : (value as unknown)])
      .filter(([, value]) => !Array.isArray(value) || value.length > 0),
  ) as Record<string, unknown>;
}

test('MPPE as the old patch of pppd had it: one comma list, or several words', () => {
  const stock = { mppe: 'required', notStrengths: [40, 56], stateful: false };
  assert.deepEqual(asked('mppe required,no40,no56,stateless'), stock);
  assert.deepEqual(asked('mppe required no40 no56 stateless'), stock);
  assert.deepEqual(asked('mppe required,no40 no56,stateless debug'), { ...stock, debug: true });
  assert.deepEqual(asked('mppe no128'), { mppe: 'optional', notStrengths: [128] });
  assert.deepEqual(asked('mppe optional,stateful'), { mppe: 'optional', stateful: true });
});

test('MPPE as pppd itself has it', () => {
  for (const [words, expected] of [
    ['require-mppe', { mppe: 'required' }],
    ['+mppe', { mppe: 'required' }],
    ['require-mppe-128', { mppe: 'required', strengths: [128] }],
    ['require-mppe-40', { mppe: 'required', strengths: [40] }],
    ['require-mppe nomppe-40', { mppe: 'required', notStrengths: [40] }],
    ['nomppe', { mppe: 'off' }],
    ['-mppe', { mppe: 'off' }],
    ['noccp', { mppe: 'off' }],
    ['mppe-stateful', { stateful: true }],
    ['nomppe-stateful', { stateful: false }],
    ['nomppe require-mppe', { mppe: 'required' }], // the last word counts
  ] as const)
    assert.deepEqual(asked(words), expected, words);
});

test('login methods, sizes, echoes', () => {
  assert.deepEqual(asked('refuse-pap refuse-chap refuse-mschap refuse-eap require-mschap-v2'), {
    refused: ['pap', 'chap', 'mschap'],
    demanded: ['mschap-v2'],
  });
  assert.deepEqual(
    asked('mtu 1450 mru 1440 lcp-echo-failure 3 lcp-echo-interval 60 idle 90 holdoff 7'),
    {
      mtu: 1450,
      mru: 1440,
      echoFailures: 3,
      echoInterval: 60,
      idle: 90,
      holdoff: 7,
    },
  );
  assert.deepEqual(asked('ms-dns 10.0.0.1 ms-dns 10.0.0.2 ms-wins 10.0.0.3'), {
    dns: ['10.0.0.1', '10.0.0.2'],
    wins: ['10.0.0.3'],
  });
});

test('what is so anyway is no news', () => {
  for (const words of [
    'noipdefault auth nobsdcomp nodeflate usepeerdns nodefaultroute noaccomp nopcomp novj',
    'default-asyncmap refuse-eap persist maxfail 0 lcp-max-configure 10 unit 3',
  ])
    assert.deepEqual(asked(words), {}, words);
});

test('other words are named, the arguments of those we know of are not', () => {
  assert.deepEqual(asked('password geheim user anna shiny plugin winbind.so debug'), {
    unknown: ['password', 'user', 'shiny', 'plugin'],
    debug: true,
  });
});

test('a word without what must follow it', () => {
  assert.deepEqual(asked('mtu'), { faulty: ['mtu'] });
  assert.deepEqual(asked('mtu large debug'), { faulty: ['mtu'], debug: true });
  assert.deepEqual(asked('mppe'), { mppe: 'optional', faulty: ['mppe'] });
});

test('no words make it fail', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      'mppe',
      'mtu',
      'refuse-__proto__',
      'require-',
      'toString',
      'no40',
      ',',
      '-mppe-40',
    ),
  );
  fc.assert(fc.property(fc.array(word), (words) => void parsePppdOptions(words)));
});
