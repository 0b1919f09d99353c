/** Whatever octets come over TCP and GRE, in whatever order: nothing throws, nothing stays behind, nobody else notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROTOCOL_VERSION } from '../../src/wire/control-codes.ts';
import { encodeControlMessage, type ControlMessage } from '../../src/wire/control-message.ts';
import { cause } from '../../src/wire/cause.ts';
import { ip, user, World, type LinkHost, type ServerHost } from '../support/world.ts';

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

const octets = fc.uint8Array({ maxLength: 300 });
/** A genuine message, whole or damaged at one place. */
const message = fc
  .tuple(
    fc.oneof(
      fc.constant(start),
      fc.nat(3).map(callRequest),
      fc.constant<ControlMessage>({ name: 'EchoRequest', identifier: 7 }),
      fc.nat(3).map((callId): ControlMessage => ({ name: 'CallClearRequest', callId })),
      fc.constant<ControlMessage>({ name: 'StopControlConnectionRequest', reason: 1 }),
    ),
    fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }),
  )
  .map(([value, damage]) => {
    const whole = encodeControlMessage(value);
    if (damage !== null) whole[damage[0] % whole.length] = damage[1];
    return whole;
  });
/** PPP frames of every protocol there is, with plausible packets in them. */
const frame = fc
  .tuple(
    fc.constantFrom(0xc021, 0xc223, 0xc023, 0x80fd, 0x8021, 0x8057, 0xc227, 0x0021, 0x00fd, 0x1234),
    fc.nat(16),
    fc.nat(255),
    fc.uint8Array({ maxLength: 60 }),
    fc.boolean(),
  )
  .map(([protocol, code, identifier, data, honest]) => {
    const length = honest ? data.length + 4 : (data[0] ?? 0);
    return Uint8Array.from([
      0xff, 0x03, protocol >> 8, protocol & 255, code, identifier, length >> 8, length & 255, ...data,
    ]); // prettier-ignore
  });

test('property: any octets on TCP, before and after a genuine start', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.oneof(octets, message), { maxLength: 12 }),
      (polite, inputs) => {
        const attack = scene();
        const { tcp } = attack.server.connect(ip('192.0.2.66'));
        if (polite) tcp.write(encodeControlMessage(start));
        for (const input of inputs) {
          if (!tcp.open) break;
          tcp.write(input);
          attack.world.advance(7);
        }
        attack.world.drain();
        assertUntouched(attack);
      },
    ),
    { numRuns: 60 },
  );
});

test('property: any frames in the calls of an attacker, and in slots that are not his', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.oneof(frame, octets)), { maxLength: 40 }),
      (inputs) => {
        const attack = scene();
        const { world, server } = attack;
        const { tcp, caller } = server.connect(ip('192.0.2.66'));
        assert('handleFrame' in caller);
        tcp.write(encodeControlMessage(start));
        for (const callId of [0, 1, 2]) tcp.write(encodeControlMessage(callRequest(callId)));
        world.advance(20);
        const slots = [...server.paths.calls.values()].map(({ slot }) => slot);
        for (const [nth, input] of inputs) {
          caller.handleFrame(slots[nth] ?? 999, input, world.clock.now);
          world.advance(3);
        }
        assertUntouched(attack);
      },
    ),
    { numRuns: 60 },
  );
});

test('property: a server that sends anything does not break a link or its neighbour', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.oneof(octets, message, frame)), {
        maxLength: 12,
      }),
      fc.boolean(),
      (inputs, onTcp) => {
        const attack = scene();
        const { world } = attack;
        const evil = world.server({}, world.gateway([user('anna')]), ip('203.0.113.66'));
        const victim = world.link({ server: '203.0.113.66' });
        victim.dial();
        for (const [pause, input] of inputs) {
          world.advance(pause);
          if (onTcp && victim.tcp?.peer?.open === true) victim.tcp.peer.write(input);
          else {
            for (const { slot, peer } of victim.paths.calls.values())
              if (peer === evil.address) victim.link.handleFrame(slot, input, world.clock.now);
          }
        }
        world.advance(1_000);
        victim.hangup();
        world.advance(3_000);
        assert.equal(victim.state, 'down');
        assert.equal(attack.anna.state, 'up');
        assert(attack.anna.networks.only()[0].sendIp());
        assert.equal(victim.paths.calls.size, 1, "only anna's call is left");
      },
    ),
    { numRuns: 60 },
  );
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

test('property: whatever people and networks do to links and servers, everything is given back', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom('dial', 'hangup', 'cut', 'drop', 'undrop', 'kick', 'reload', 'device', 'restart', 'restart', 'desync', 'guess', 'mute') , who: fc.nat(3) }),
    fc.record({ what: fc.constant('wait'), who: fc.constantFrom(1, 10, 30, 100, 500, 3_000, 20_000) }),
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      const gateway = world.gateway([user('anna'), user('bert', { address: ip('192.168.99.77') })]);
      const server = world.server({ ban: { after: 0, time: 1 } }, gateway);
      const links = ['anna', 'anna', 'bert', 'bert'].map((username, nth) =>
        world.link(
          { username, secret: user(username).secret, mtu: 1400 - nth },
          { address: ip(`198.51.100.${10 + nth}`) },
        ),
      );
      for (const { what, who } of steps) {
        const link = links[who % 4]!;
        const { now } = world.clock;
        if (what === 'wait') world.advance(who);
        else if (what === 'dial') link.dial();
        else if (what === 'hangup') link.hangup();
        else if (what === 'cut') link.tcp?.peer?.close();
        else if (what === 'drop') world.gre.conditions.drop = (from) => from === link.address;
        else if (what === 'undrop') world.gre.conditions.drop = () => false;
        else if (what === 'kick')
          server.server.disconnect(link.link.options.username, cause('USER_REQUEST'), now);
        else if (what === 'reload')
          server.server.reconfigure({ ...server.server.options, mtu: 1400 - who }, now);
        else if (what === 'restart' || what === 'desync') {
          const lcp = Uint8Array.from([0xff, 3, 0xc0, 0x21, 1, 99, 0, 4]);
          for (const { caller } of server.callers.values()) {
            for (const { slot, peer } of server.paths.calls.values()) {
              if (peer !== link.address) continue;
              if (what === 'desync') caller.handleDesynchronized(slot, now);
              else caller.handleFrame(slot, lcp, now);
            }
          }
          for (const { slot } of link.paths.calls.values()) {
            if (what === 'desync') link.link.handleDesynchronized(slot, now);
            else if (now % 2 === 0) link.link.handleFrame(slot, lcp, now);
          }
        } else if (what === 'guess') {
          const { secret } = user(who % 2 === 0 ? link.link.options.username : 'nobody');
          link.link.reconfigure({ ...link.link.options, secret }, now);
        } else if (what === 'device') link.networkFailure = cause('DEVICE_FAILED');
        else if (link.tcp !== undefined) link.tcp.onOctets = () => undefined;
        world.drain();
        const addresses = server.server.sessions().map(({ peerAddress }) => peerAddress);
        assert.equal(new Set(addresses).size, addresses.length, 'one address, one session');
        assert(addresses.length <= 2);
      }
      for (const link of links) link.link.close(cause('SHUTDOWN'), world.clock.now);
      server.server.shutdown(cause('SHUTDOWN'), world.clock.now);
      world.advance(3_000);
      assert(links.every(({ done }) => done));
      assert.equal(world.machines.length, 0);
      assert.equal(server.paths.calls.size, 0);
      assert.equal(gateway.occupied, 0);
      assert.equal(gateway.sessionsOf('anna').length + gateway.sessionsOf('bert').length, 0);
      for (const link of links) {
        assert.equal(link.gateway.occupied, 0);
        assert.equal(link.paths.calls.size, 0);
        const ups = link.whats().filter((line) => line.startsWith('session-up')).length;
        const downs = link.whats().filter((line) => line.startsWith('session-down')).length;
        assert.equal(ups, downs);
      }
      const ups = server.whats().filter((line) => line.startsWith('session-up')).length;
      const downs = server.whats().filter((line) => line.startsWith('session-down')).length;
      assert.equal(ups, downs);
    }),
    { numRuns: 150 },
  );
});
