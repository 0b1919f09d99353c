/** The kernel's real answer, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { NETLINK_ROUTE, netlinkRequest } from '../../src/native/netlink.ts';
import {
  networkOf,
  ownerOf,
  parseOwnNetworks,
  readOwnNetworks,
  type OwnNetwork,
} from '../../src/router/own-networks.ts';
import { formatAddress, formatPrefix, parseAddress } from '../../src/wire/ip.ts';
import { inNamespace } from '../native/namespace.ts';

const address = (text: string) => parseAddress(text)!;
const ip = (command: string) => execFileSync('ip', command.split(' '), { stdio: 'pipe' });
const netlink = (request: Uint8Array) => netlinkRequest(NETLINK_ROUTE, request);
const shown = (networks: readonly OwnNetwork[]) =>
  networks.map((own) => `${own.device} ${formatAddress(own.address)} ${formatPrefix(own.network)}`);

inNamespace('own networks', import.meta.url, () => {
  test('every IPv4 address is there, with a carrier or without', () => {
    ip('tuntap add lan mode tap'); // up, but nobody has it open: no carrier
    ip('address add 192.168.1.1/24 dev lan');
    ip('link set lan up');
    ip('address add 192.168.7.1/24 label lan:guest dev lan');
    ip('tuntap add ppp mode tun');
    ip('address add 100.64.0.2 peer 100.64.0.1/32 dev ppp');
    assert.deepEqual(shown(readOwnNetworks(netlink)), [
      'lo 127.0.0.1 127.0.0.0/8',
      'lan 192.168.1.1 192.168.1.0/24',
      'lan 192.168.7.1 192.168.7.0/24',
      'ppp 100.64.0.2 100.64.0.1/32',
    ]);
  });

  test('some hundred addresses are one answer', () => {
    for (let i = 0; i < 300; i++) ip(`address add 172.${16 + (i >> 8)}.${i & 255}.1/24 dev lan`);
    const networks = readOwnNetworks(netlink);
    assert.equal(networks.length, 304);
    assert.equal(ownerOf(address('172.17.43.1'), networks)?.device, 'lan');
  });
});

test('an address is looked up as ours, and as a neighbour', () => {
  const own = (device: string, text: string, network: OwnNetwork['network']): OwnNetwork => ({
    device,
    address: address(text),
    network,
  });
  const networks = [
    own('wan', '10.1.1.1', { address: address('10.0.0.0'), length: 8 }),
    own('lan', '10.2.0.1', { address: address('10.2.0.0'), length: 16 }),
  ];
  assert.equal(ownerOf(address('10.2.0.1'), networks)?.device, 'lan');
  assert.equal(ownerOf(address('10.2.0.2'), networks), undefined);
  assert.equal(networkOf(address('10.2.0.2'), networks)?.device, 'lan');
  assert.equal(networkOf(address('10.3.0.2'), networks)?.device, 'wan');
  assert.equal(networkOf(address('11.0.0.1'), networks), undefined);
});

test('an answer that is cut short or nonsense is read as far as it makes sense', () => {
  for (let length = 0; length < 80; length++)
    assert.deepEqual(parseOwnNetworks(new Uint8Array(length)), []);
  assert.deepEqual(parseOwnNetworks(new Uint8Array(80).fill(255)), []);
});
