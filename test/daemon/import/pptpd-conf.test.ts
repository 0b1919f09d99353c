/** What was read was read by pptpd's own functions (1.4.0) too, or they ended the program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inetAton } from '../../../src/daemon/import/inet-aton.ts';
import { pptpdAddresses, pptpdConf } from '../../../src/daemon/import/pptpd-conf.ts';
import { formatAddress } from '../../../src/wire/ip.ts';

test('keywords: the first counts; blanks before one, comments and long lines do not', () => {
  const conf = `# localip 1.1.1.1\n localip 2.2.2.2\n${'localip '.padEnd(510, 'x')}\nlocalip\t 3.3.3.3 \t\nlocalip 4.4.4.4\nlogwtmp\nremoteips 5\n`;
  assert.deepEqual(
    [...pptpdConf(conf)],
    [
      ['localip', '3.3.3.3'],
      ['logwtmp', ''],
      ['remoteips', '5'],
    ],
  );
});

test('lists of addresses', () => {
  const read = (text: string, most = 9) => {
    const refused: string[] = [];
    const found = pptpdAddresses(text, most, (part) => refused.push(part)).map(formatAddress);
    return refused.length > 0 ? refused : found;
  };
  assert.deepEqual(read('10.0.0.5,10.0.0.20-22'), [
    '10.0.0.5',
    '10.0.0.20',
    '10.0.0.21',
    '10.0.0.22',
  ]);
  assert.deepEqual(read('10.0-1.0.7,9-10.0.0.1'), ['10.0.0.7', '10.1.0.7', '9.0.0.1', '10.0.0.1']);
  assert.deepEqual(read('10.0.0.1-200', 2), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(read('010.0.0.1-1,10.0.0.010-010'), ['8.0.0.1', '10.0.0.10']);
  for (const part of [
    '10.0.0.9-3',
    '10.0.0.250-256',
    '10.0.0.1-',
    '1.2.3-4',
    '1.2.3.4-5-6',
    ' 10.0.0.1',
    '',
    'host',
  ])
    assert.deepEqual(read(part), [part]);
});

test('addresses as C reads them', () => {
  const read = (text: string) => {
    const address = inetAton(text);
    return address === undefined ? undefined : formatAddress(address);
  };
  assert.equal(read('10.0.0.1'), '10.0.0.1');
  assert.equal(read('10.1'), '10.0.0.1');
  assert.equal(read('10.257'), '10.0.1.1');
  assert.equal(read('167772161'), '10.0.0.1');
  assert.equal(read('0x0a.010.0.0'), '10.8.0.0');
  for (const text of [
    '',
    '10.0.0.256',
    '10.0.0.',
    '1.2.3.4.5',
    '08.0.0.1',
    '255.255.255.255',
    '-1',
    'a',
  ])
    assert.equal(read(text), undefined, text);
});
