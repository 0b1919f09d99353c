/** Callers without a login have few places and little time, and nobody else notices. Whatever else may come: the harness server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTOCOL_VERSION } from '../../src/wire/control-codes.ts';
import { encodeControlMessage, type ControlMessage } from '../../src/wire/control-message.ts';
import { ip, World, type LinkHost, type ServerHost } from '../support/world.ts';

/** anna is logged in; an attacker has the rest of the world to himself. */
function scene(): { world: World; server: ServerHost; anna: LinkHost } {
  const world = new World();
  const server = world.server({ ban: { after: 0, time: 1_000 } });
  const anna = world.link({ keepalive: undefined });
  anna.dial();
  world.advance(2_000);
  assert.equal(anna.state, 'up');
  return { world, server, anna };
}

function assertUntouched({ world, server, anna }: ReturnType<typeof scene>): void {
  assert.equal(anna.state, 'up');
  assert.equal(server.server.sessions()[0]?.username, 'anna');
  assert(anna.networks.only()[0].sendIp());
  world.advance(130_000);
  assert.equal(server.server.callers().length, 1, 'the attacker is gone');
  assert.equal(server.paths.calls.size, 1);
  assert.equal(server.gateway.occupied, 1);
  assert.equal(anna.state, 'up');
}

const start: ControlMessage = {
  name: 'StartControlConnectionRequest',
  protocolVersion: PROTOCOL_VERSION,
  framingCapabilities: 3,
  bearerCapabilities: 3,
  maximumChannels: 0,
  firmwareRevision: 0,
  hostName: '',
  vendorName: '',
};
const callRequest = (callId: number): ControlMessage => ({
  name: 'OutgoingCallRequest',
  callId,
  callSerialNumber: 1,
  minimumBps: 300,
  maximumBps: 100_000_000,
  bearerType: 3,
  framingType: 3,
  packetReceiveWindowSize: 3,
  packetProcessingDelay: 0,
  phoneNumberLength: 0,
  phoneNumber: '',
  subaddress: '',
});

test('calls without a login are few for each connection, one at a time, and the connection ends', () => {
  const attack = scene();
  const { world, server } = attack;
  const { tcp } = server.connect(ip('192.0.2.66'));
  tcp.write(encodeControlMessage(start));
  for (let callId = 0; callId < 30; callId++) tcp.write(encodeControlMessage(callRequest(callId)));
  world.advance(100);
  assert.equal(server.paths.calls.size, 1 + 1);
  for (let callId = 0; callId < 30; callId++) {
    const before = callId === 0 ? 0 : 99 + callId;
    tcp.write(encodeControlMessage({ name: 'CallClearRequest', callId: before }));
    tcp.write(encodeControlMessage(callRequest(100 + callId)));
    world.advance(20);
    assert.equal(server.paths.calls.size, callId < 3 ? 2 : 1, `${callId} were cleared`);
  }
  world.advance(8_000);
  assert(!tcp.open);
  assertUntouched(attack);
});

test('a caller that does not begin, or has no call, gives its place to others after 10 s', () => {
  const attack = scene();
  const { world, server } = attack;
  const silent = server.connect(ip('192.0.2.66')).tcp;
  const slow = server.connect(ip('192.0.2.67')).tcp;
  const polite = server.connect(ip('192.0.2.68')).tcp;
  polite.write(encodeControlMessage(start));
  const calling = server.connect(ip('192.0.2.69')).tcp;
  calling.write(encodeControlMessage(start));
  calling.write(encodeControlMessage(callRequest(1)));
  for (const octet of encodeControlMessage(start).subarray(0, 9)) {
    slow.write(Uint8Array.of(octet));
    world.advance(1_000);
  }
  const open = () => [silent, slow, polite, calling].map((tcp) => tcp.open);
  assert.deepEqual(open(), [true, true, true, true]);
  world.advance(1_100);
  assert.deepEqual(open(), [false, false, true, true], 'one says goodbye');
  world.advance(1_500);
  assert.deepEqual(open(), [false, false, false, true]);
  assertUntouched(attack);
});

test('a request that is taken back at once leaves no call path', () => {
  const attack = scene();
  const { world, server } = attack;
  const { tcp } = server.connect(ip('192.0.2.66'));
  tcp.write(encodeControlMessage(start));
  const both = [callRequest(5), { name: 'CallClearRequest', callId: 5 } as const];
  tcp.write(Uint8Array.from(both.flatMap((value) => [...encodeControlMessage(value)])));
  world.advance(50);
  assert.equal(server.paths.calls.size, 1);
  assertUntouched(attack);
});
