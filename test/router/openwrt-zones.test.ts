import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OpenWrtZones } from '../../src/router/openwrt-zones.ts';
import { RouterError } from '../../src/router/router.ts';
import { deviceNames } from '../../src/router/zones.ts';
import type { Table } from '../../src/ubus-js/index.ts';

const firewall = `config zone
	option name 'lan'
	list network 'lan'
	list network 'guest'
config zone
	option name 'wan'
	option network 'wan wan6'
	option masq '1'
config zone
	option name 'vpn'
	list device 'pptps-+'
config rule
	option name 'lan'
`;
const dump: Table = {
  interface: [
    { interface: 'lan', up: true, l3_device: 'br-lan' },
    { interface: 'guest', up: true, l3_device: 'br-guest' },
    { interface: 'wan', up: true, l3_device: 'pppoe-wan', device: 'eth1' },
    { interface: 'wan6', up: false },
    { interface: 'office', up: true, l3_device: 'pptp-office', data: { zone: 'vpn' } },
    { interface: 'iot', up: false },
    'rubbish',
  ],
};

const zones = (answer: Table | Error = dump) =>
  new OpenWrtZones(
    { call: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)) },
    () => Promise.resolve(firewall),
    (device) => device === 'eth7',
  );

describe('zones of OpenWrt', () => {
  it('are the devices of their networks, and their own', async () => {
    const devices = (name: string) => zones().devices(name);
    assert.deepEqual(await devices('lan'), ['br-lan', 'br-guest']);
    assert.deepEqual(await devices('wan'), ['pppoe-wan']);
    assert.deepEqual(await devices('vpn'), ['pptp-office', 'pptps-*']);
  });

  it('may be a network or a device instead', async () => {
    const devices = (name: string) => zones().devices(name);
    assert.deepEqual(await devices('guest'), ['br-guest']);
    assert.deepEqual(await devices('iot'), []); // it is down
    assert.deepEqual(await devices('eth7'), ['eth7']);
    assert.deepEqual(await devices('ppp+'), ['ppp*']);
    assert.deepEqual(await devices('nowhere'), []);
  });

  it('cannot be told when netifd does not answer', async () => {
    await assert.rejects(
      zones(new Error('TIMEOUT')).devices('lan'),
      (error) =>
        error instanceof RouterError && /netifd does not tell.*TIMEOUT/.test(error.message),
    );
  });

  it('make sense of answers of any kind', async () => {
    for (const answer of [
      {},
      { interface: 'x' },
      { interface: [{}, { interface: 'lan', l3_device: 7 }] },
    ])
      assert.deepEqual(await zones(answer).devices('lan'), []);
  });
});

describe('zones of plain Linux', () => {
  it('are devices', async () => {
    assert.deepEqual(await deviceNames.devices('eth0'), ['eth0']);
    assert.deepEqual(await deviceNames.devices('ppp+'), ['ppp*']);
  });
});
