/** What goes into a link's device before there is a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PARKED } from '../../../src/data-path/queues/parked-packets.ts';
import { setSource } from '../../../src/data-path/ip/readdress.ts';
import { CALLER, CLIENT, connect, End, GATEWAY, readDatagram, SERVER } from '../end.ts';
import { address, ipv4, sum, tagged, tagOf } from '../packets.ts';

const TUN = 77;
const PLACEHOLDER = '10.64.64.64';
const attachment = {
  localAddress: address(CALLER),
  peerAddress: address(GATEWAY),
  prefixes: [],
};

function waiting(): End {
  const end = new End();
  end.path.devices.open(TUN, { isolate: false, isLink: true });
  end.path.devices.park(TUN);
  return end;
}

/** A session comes up on the device. */
function wake(end: End): void {
  const slot = end.path.calls.open(SERVER, CLIENT, 7, 0);
  end.path.calls.connect(slot, 8);
  end.path.devices.attach(slot, TUN, attachment);
}

/** The IP packets that were sent, in clear. */
function sent(end: End): Uint8Array[] {
  end.drain(0);
  return end.wire.map((datagram) => readDatagram(datagram).payload.subarray(4));
}

test('packets wait for the session, and are sent in their order once it can answer', () => {
  const end = waiting();
  const before = [1, 2, 3].map((tag) => tagged('192.168.1.5', '10.20.0.1', tag, 60 + tag));
  for (const packet of before) assert.equal(end.tun(TUN, packet, 0), 'parked');
  wake(end);
  assert.equal(end.tun(TUN, tagged('192.168.1.5', '10.20.0.1', 4), 0), 'parked', 'still');
  assert.deepEqual(sent(end), []);
  end.path.unpark(TUN, address(PLACEHOLDER), address(CALLER), 0);
  assert.equal(end.tun(TUN, tagged('192.168.1.5', '10.20.0.1', 5), 0), 'sent');
  const packets = sent(end);
  assert.deepEqual(packets.map(tagOf), [1, 2, 3, 4, 5]);
  assert.deepEqual(packets.slice(0, 3).map(String), before.map(String), 'unchanged');
});

test('what the router sent from the placeholder gets the address of the session, with right checksums', () => {
  const end = waiting();
  const packet = ipv4({ source: PLACEHOLDER, destination: '10.20.0.1', payload: udp(PLACEHOLDER) });
  end.tun(TUN, packet, 0);
  wake(end);
  end.path.unpark(TUN, address(PLACEHOLDER), address(CALLER), 0);
  const [changed] = sent(end);
  assert.deepEqual(
    changed,
    ipv4({ source: CALLER, destination: '10.20.0.1', payload: udp(CALLER) }),
  );
});

test('a few wait; groups, IPv6 and what is no packet do not; all drops are counted', () => {
  const end = waiting();
  for (let n = 0; n < MAX_PARKED; n++)
    assert.equal(end.tun(TUN, tagged('192.168.1.5', '10.20.0.1', n), 0), 'parked');
  assert.equal(end.tun(TUN, tagged('192.168.1.5', '10.20.0.1', 99), 0), 'full');
  assert.equal(end.tun(TUN, tagged('192.168.1.5', '224.0.0.251', 99), 0), 'multicast');
  assert.equal(end.tun(TUN, Uint8Array.of(0x60, ...new Uint8Array(39)), 0), 'ipv6');
  assert.equal(end.tun(TUN, Uint8Array.of(0x45), 0), 'malformed');
  assert.deepEqual(end.path.totals().drops, { malformed: 1, ipv6: 1, multicast: 1, full: 1 });
  end.path.devices.close(TUN);
  assert.equal(end.path.totals().drops.notAttached, MAX_PARKED);
});

test('one session after the other on the same device', () => {
  const { client, clientSlot } = connect();
  const fd = 12; // the client's device
  client.path.devices.park(fd);
  client.path.calls.close(clientSlot);
  assert.equal(client.tun(fd, tagged(PLACEHOLDER, '10.20.0.1', 1), 0), 'parked');
  const slot = client.path.calls.open(SERVER, CLIENT, 9, 0);
  client.path.calls.connect(slot, 9);
  client.path.devices.attach(slot, fd, attachment);
  client.path.unpark(fd, address(PLACEHOLDER), address(CALLER), 0);
  client.drain(0);
  assert.equal(client.path.calls.counters(slot).txPackets, 1);
  assert.throws(() => client.path.devices.park(99), /not open/);
});

test('another source: TCP and UDP with it, but not a UDP packet without a checksum, nor a later fragment', () => {
  const to = address(CALLER);
  const without = udp(PLACEHOLDER).fill(0, 6, 8);
  const cases: [string, Uint8Array, Uint8Array][] = [
    ['TCP', segment(6, PLACEHOLDER, tcp(PLACEHOLDER)), segment(6, CALLER, tcp(CALLER))],
    ['no checksum', segment(17, PLACEHOLDER, without), segment(17, CALLER, without)],
    ['ICMP', segment(1, PLACEHOLDER, udp('0.0.0.0')), segment(1, CALLER, udp('0.0.0.0'))],
    ['too short', segment(6, PLACEHOLDER, new Uint8Array(17)), segment(6, CALLER, new Uint8Array(17))],
  ]; // prettier-ignore
  for (const [what, before, after] of cases) {
    setSource(before, 0, before.length, to);
    assert.deepEqual(before, after, what);
  }
  const fragment = segment(17, PLACEHOLDER, udp(PLACEHOLDER));
  fragment[7] = 3;
  fragment.set([0, 0], 10);
  const header = sum(fragment.subarray(0, 20));
  fragment.set([header >> 8, header & 0xff], 10);
  setSource(fragment, 0, fragment.length, to);
  assert.deepEqual(fragment.subarray(20), udp(PLACEHOLDER));
  assert.equal(sum(fragment.subarray(0, 20)), 0);
});

function segment(protocol: number, source: string, payload: Uint8Array): Uint8Array {
  return ipv4({ source, destination: '10.20.0.1', protocol, payload });
}

function udp(source: string): Uint8Array {
  return checksummed(source, 17, 6, Uint8Array.of(0, 53, 0, 53, 0, 11, 0, 0, 1, 2, 3));
}

function tcp(source: string): Uint8Array {
  const header = new Uint8Array(22).fill(7);
  header.fill(0, 16, 18);
  return checksummed(source, 6, 16, header);
}

/** With the checksum over the pseudo-header at `at`. */
function checksummed(source: string, protocol: number, at: number, payload: Uint8Array) {
  const pseudo = new Uint8Array(12);
  const view = new DataView(pseudo.buffer);
  view.setUint32(0, address(source));
  view.setUint32(4, address('10.20.0.1'));
  view.setUint16(8, protocol);
  view.setUint16(10, payload.length);
  const value = sum(Uint8Array.from([...pseudo, ...payload]));
  payload.set([value >> 8, value & 0xff], at);
  return payload;
}
