/** Sessions that another program goes on with: nobody who talks to them notices, and nothing they were to do is forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MppeOptions } from '../../src/ppp/options.ts';
import type { ClientLinkOptions, ServerOptions } from '../../src/session/options.ts';
import { cause } from '../../src/wire/cause.ts';
import { ip, linkOptions, otherKeys, serverOptions, user, World } from '../support/world.ts';

const MPPE: readonly MppeOptions[] = [
  { policy: 'off', strengths: [], stateful: false },
  ...([128, 56, 40] as const).flatMap((strength): MppeOptions[] => [
    { policy: 'required', strengths: [strength], stateful: false },
    { policy: 'required', strengths: [strength], stateful: true, askStateful: true },
  ]),
];

interface Options {
  readonly server?: Partial<ServerOptions>;
  readonly link?: Partial<ClientLinkOptions>;
}

function dialled({ server: ofServer, link: ofLink }: Options = {}) {
  const world = new World();
  const server = world.server(ofServer);
  const link = world.link(ofLink);
  link.dial();
  world.advance(2_000);
  assert.equal(link.state, 'up');
  return { world, server, link };
}

function passes({ server, link }: ReturnType<typeof dialled>): boolean {
  return server.networks.only()[0].sendIp() && link.networks.only()[0].sendIp();
}

const methods = ['mschap-v2', 'eap', 'mschap', 'chap', 'pap'] as const;

for (const auth of methods)
  test(`at any moment either end may be another program's: ${auth}`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(auth === 'chap' || auth === 'pap' ? MPPE.slice(0, 1) : MPPE)),
        fc.boolean(),
        fc.array(
          fc.record({
            wait: fc.constantFrom(0, 3, 7, 200, 1_000, 29_990, 61_000, 130_000),
            ip: fc.boolean(),
            who: fc.constantFrom('server', 'link', 'both', 'nobody'),
          }),
          { maxLength: 12 },
        ),
        (mppe, ipv6, steps) => {
          const run = (isSucceeded: boolean) => {
            const both = { mppe, ipv6, auth: [auth] };
            const scene = dialled({ server: { ...both, mtu: 1450 }, link: { ...both, mtu: 1450 } });
            const { world, server, link } = scene;
            for (const { wait, ip: sends, who } of steps) {
              world.advance(wait);
              if (isSucceeded && (who === 'server' || who === 'both'))
                assert.equal(server.succeed(), 0);
              if (isSucceeded && (who === 'link' || who === 'both')) link.succeed();
              if (sends) assert.equal(passes(scene), true);
            }
            world.advance(5_000);
            assert.equal(passes(scene), true);
            const [session] = server.server.sessions();
            const { session: own } = link.link.status();
            link.hangup();
            world.advance(5_000);
            assert.equal(link.state, 'down');
            assert.equal(server.callers.size, 0);
            return {
              events: [server.whats(), link.whats()],
              // Random to each program.
              session: JSON.stringify({ ...session!, account: undefined }),
              own: JSON.stringify({ ...own!, account: undefined }),
            };
          };
          assert.deepEqual(run(true), run(false));
        },
      ),
      { numRuns: 15, endOnFailure: true },
    );
  });

test('a negotiation under way is not carried, and begins again', () => {
  const world = new World();
  const server = world.server();
  const link = world.link();
  link.dial();
  let begun = 0;
  for (let step = 0; step < 30 && link.state !== 'up'; step++) {
    world.advance(9);
    const [caller] = server.callers.keys();
    if (caller !== undefined && caller.save() === undefined) begun++;
  }
  assert.equal(link.state, 'up');
  assert(begun > 3);
  // In the middle of it.
  for (const ms of [15, 40, 60, 80]) {
    link.hangup();
    world.advance(5_000);
    link.dial();
    world.advance(ms);
    const negotiating = server.callers.size - server.networks.up.size;
    assert.equal(server.succeed(), negotiating, `${ms} ms`);
    world.advance(20_000);
    assert.equal(link.state, 'up', `${ms} ms`);
  }
});

test('times go on: of an idle session, of a long one, and one that has come meanwhile', () => {
  for (const [options, code, at] of [
    [{ idleTimeout: 60_000 }, 'IDLE_TIMEOUT', 60_000],
    [{ sessionTimeout: 90_000 }, 'CONNECT_TIME', 90_000],
  ] as const) {
    const { world, server } = dialled({ server: options });
    const since = server.server.sessions()[0]!.since;
    world.advance(since + at - 5_000 - world.clock.now);
    assert.equal(server.succeed(), 0);
    world.advance(4_000);
    assert.equal(server.server.sessions().length, 1);
    // The next one takes so long that the time has come.
    const caller = [...server.callers.keys()][0]!;
    const due = caller.nextTimeout()!;
    world.clock.now += 20_000;
    assert.equal(server.succeed(), 0);
    assert(due < world.clock.now);
    world.advance(2_000);
    assert.equal(server.server.sessions().length, 0);
    assert.match(server.whats().join(), new RegExp(code));
  }
});

test('a peer that has said goodbye meanwhile, and one that is gone', () => {
  const { world, server, link } = dialled();
  link.hangup(); // what it says arrives when the other program is there
  assert.equal(server.succeed(), 0);
  world.advance(5_000);
  assert.equal(server.callers.size, 0);
  assert.equal(link.state, 'down');

  const other = dialled();
  other.link.tcp!.close();
  assert.equal(other.server.succeed(), 0);
  other.world.advance(1_000);
  assert.match(other.server.whats().join(), /HANGUP/);
});

test('what the server knows of others goes along: lock-outs, addresses, session ids', () => {
  const world = new World();
  const server = world.server({ ban: { after: 2, time: 600_000 } }, world.gateway([user('anna')]));
  const wrong = world.link({ username: 'mallory' }, { address: ip('198.51.100.66') });
  wrong.dial();
  world.advance(60_000);
  assert.equal(server.access.lockout.isBanned(ip('198.51.100.66'), world.clock.now), true);
  const link = world.link();
  link.dial();
  world.advance(2_000);
  const { id, peerAddress } = server.server.sessions()[0]!;
  server.succeed();
  assert.equal(server.access.lockout.isBanned(ip('198.51.100.66'), world.clock.now), true);
  link.hangup();
  world.advance(5_000);
  const stranger = world.link({ username: 'anna' }, { address: ip('198.51.100.3') });
  stranger.dial();
  world.advance(2_000);
  const [next] = server.server.sessions();
  assert.equal(next?.peerAddress, peerAddress);
  assert.equal(next.id > id, true);
  world.advance(600_000);
  assert.equal(server.access.lockout.isBanned(ip('198.51.100.66'), world.clock.now), false);
});

test('one session each: an older one gives way to a newer one, also over a succession', () => {
  const { world, server } = dialled();
  assert.equal(server.succeed(), 0);
  const second = world.link({}, { address: ip('198.51.100.3') });
  second.dial();
  world.advance(2_000);
  assert.equal(server.server.sessions().length, 1);
  assert.match(server.whats().join(), /REPLACED/);
});

test('a user whom the configuration has otherwise now is not taken along', () => {
  const { server } = dialled();
  assert.equal(server.succeed([user('anna', { keys: otherKeys })]), 1);
  assert.deepEqual(server.server.sessions(), []);
  const gone = dialled();
  assert.equal(gone.server.succeed([]), 1);
});

test('a link that waits for a packet, one that pauses, one that was given up', () => {
  const world = new World();
  world.server();
  const link = world.link({ demand: 60_000 });
  link.release(true);
  world.advance(1_000);
  assert.equal(link.state, 'demand');
  link.succeed();
  assert.equal(link.state, 'demand');
  world.advance(1_000);
  link.packet();
  world.advance(2_000);
  assert.equal(link.state, 'up');
  link.succeed();
  assert.equal(link.state, 'up');
  world.advance(120_000);
  assert.equal(link.state, 'demand');

  const far = world.link({ server: '203.0.113.99' }, { address: ip('198.51.100.7') });
  far.dial();
  world.advance(100);
  assert.equal(far.state, 'waiting');
  const { retryAt } = far.link.status();
  far.succeed();
  assert.equal(far.link.status().retryAt, retryAt);
  assert.equal(far.causeCode, 'CONNECT_REFUSED');
  far.hangup();
  far.succeed();
  assert.equal(far.state, 'down');
});

test('what ends is not saved', () => {
  const { server, link, world } = dialled();
  const [caller] = server.callers.keys();
  assert(caller?.save() !== undefined);
  caller.close(cause('SHUTDOWN'), world.clock.now);
  assert.equal(caller.save(), undefined);
  link.hangup();
  assert.notEqual(link.link.save()?.state.name, 'up');
  assert.equal(serverOptions.keys, linkOptions.keys);
});
