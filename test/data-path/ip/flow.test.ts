import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowOf } from '../../../src/data-path/ip/flow.ts';
import { PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { ipv4, ipv6With } from '../packets.ts';

const ports = (source: number, destination: number, more = 8) =>
  Uint8Array.of(0, source, 0, destination, ...new Uint8Array(more).fill(source));

/** In the middle of other octets, which must not matter. */
function flow(packet: Uint8Array): number {
  const version = packet[0]! >> 4;
  const octets = new Uint8Array(packet.length + 20).fill(0xee);
  octets.set(packet, 7);
  const protocol = version === 6 ? PppProtocol.Ipv6 : PppProtocol.Ip;
  return flowOf(protocol, octets, 7, packet.length);
}

const v4 = (payload: Uint8Array, protocol = 17, more = {}) =>
  ipv4({ source: '10.0.0.1', destination: '10.0.0.2', protocol, payload, ...more });
const v6 = (payload: Uint8Array, next = 17, source = '20010db8'.padEnd(32, '0')) =>
  ipv6With(source, '20010db9'.padEnd(32, '0'), next, payload);

test('a flow is addresses, protocol and ports, and nothing else', () => {
  for (const make of [v4, v6]) {
    const one = flow(make(ports(1, 2)));
    assert.equal(flow(make(ports(1, 2, 90))), one);
    assert.notEqual(flow(make(ports(1, 3))), one);
    assert.notEqual(flow(make(ports(2, 2))), one);
    assert.notEqual(flow(make(ports(1, 2), 6)), one);
    assert.equal(flow(make(ports(1, 2), 47)), flow(make(ports(3, 4), 47)), 'GRE has no ports');
  }
  assert.notEqual(flow(v6(ports(1, 2))), flow(v6(ports(1, 2), 17, '20010dba'.padEnd(32, '0'))));
  assert.notEqual(
    flow(v4(ports(1, 2))),
    flow(ipv4({ source: '10.0.0.9', destination: '10.0.0.2', payload: ports(1, 2) })),
  );
});

test('fragments of one packet are one flow; headers with options and packets that end early are read', () => {
  const fragment = (payload: Uint8Array, flags: number, offset: number) => {
    const packet = v4(payload);
    packet[6] = flags;
    packet[7] = offset;
    return packet;
  };
  const first = flow(fragment(ports(1, 2), 0x20, 0));
  assert.equal(flow(fragment(ports(77, 88), 0x20, 100)), first);
  assert.equal(flow(fragment(ports(9, 9), 0, 200)), first);
  assert.equal(flow(fragment(ports(1, 2), 0x40, 0)), flow(v4(ports(1, 2))), 'DF is no fragment');
  const options = Uint8Array.of(1, 1, 1, 1);
  assert.equal(flow(v4(ports(1, 2), 17, { options })), flow(v4(ports(1, 2))));
  assert.equal(flow(v4(Uint8Array.of(0, 1, 0))), flow(v4(new Uint8Array())));
});

test('many flows have many numbers', () => {
  const numbers = new Set<number>();
  for (let port = 0; port < 256; port++) numbers.add(flow(v4(ports(port, 80))) & 15);
  assert.equal(numbers.size, 16);
});
