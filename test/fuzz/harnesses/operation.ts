/** Whatever people and networks do to links and servers: one address has one session, and everything is given back. */
import assert from 'node:assert/strict';
import { cause } from '../../../src/wire/cause.ts';
import { ip, user, World, type LinkHost, type ServerHost } from '../../support/world.ts';
import { harness } from '../harness.ts';

const LINKS = ['anna', 'anna', 'bert', 'bert'] as const;
const acts = [
  'dial', 'hangup', 'cut', 'drop', 'undrop', 'kick', 'reload', 'device', 'restart', 'restart', 'desync', 'guess', 'mute',
] as const; // prettier-ignore
/** Configure-Request of LCP without options: the peer begins anew. */
const LCP_REQUEST = Uint8Array.from([0xff, 3, 0xc0, 0x21, 1, 99, 0, 4]);

export const operation = harness({
  name: 'operation',
  slow: true,
  generate: (random) => ({
    steps: random.list(40, () =>
      random.chance(2)
        ? { kind: 'wait', value: random.pick([1, 10, 30, 100, 500, 3_000, 20_000]) }
        : { kind: random.pick(acts), value: random.below(LINKS.length) },
    ),
  }),
  run({ steps }) {
    const stage = new Stage();
    for (const { kind, value } of steps) {
      if (kind === 'wait') stage.world.advance(value);
      else stage.act(kind, value);
      stage.check();
    }
    stage.end();
  },
});

class Stage {
  readonly world = new World();
  private readonly gateway = this.world.gateway([
    user('anna'),
    user('bert', { address: ip('192.168.99.77') }),
  ]);
  private readonly server = this.world.server({ ban: { after: 0, time: 1 } }, this.gateway);
  private readonly links = LINKS.map((username, nth) =>
    this.world.link(
      { username, secret: user(username).secret, mtu: 1400 - nth },
      { address: ip(`198.51.100.${10 + nth}`) },
    ),
  );

  act(what: string, who: number): void {
    const { world, server } = this;
    const link = this.links[who % LINKS.length]!;
    const { now } = world.clock;
    if (what === 'dial') link.dial();
    else if (what === 'hangup') link.hangup();
    else if (what === 'cut') link.tcp?.peer?.close();
    else if (what === 'drop') world.gre.conditions.drop = (from) => from === link.address;
    else if (what === 'undrop') world.gre.conditions.drop = () => false;
    else if (what === 'kick')
      server.server.disconnect(link.link.options.username, cause('USER_REQUEST'), now);
    else if (what === 'reload')
      server.server.reconfigure(
        { ...server.server.options, mtu: 1400 - who, keys: keys(who) },
        now,
      );
    else if (what === 'restart' || what === 'desync') disturb(server, link, what, now);
    else if (what === 'guess') {
      const { secret } = user(who % 2 === 0 ? link.link.options.username : 'nobody');
      link.link.reconfigure({ ...link.link.options, secret, keys: keys(who % 2) }, now);
    } else if (what === 'device') link.tunnelFailure = cause('DEVICE_FAILED');
    else if (link.tcp !== undefined) link.tcp.onOctets = () => undefined;
    world.drain();
  }

  check(): void {
    const addresses = this.server.server.sessions().map(({ peerAddress }) => peerAddress);
    assert.equal(new Set(addresses).size, addresses.length, 'one address, one session');
    assert.ok(addresses.length <= 2);
  }

  end(): void {
    const { world, server, links, gateway } = this;
    const { access } = server;
    for (const link of links) link.link.close(cause('SHUTDOWN'), world.clock.now);
    server.server.shutdown(cause('SHUTDOWN'), world.clock.now);
    world.advance(3_000);
    assert.ok(links.every(({ done }) => done));
    assert.equal(world.machines.length, 0);
    assert.equal(server.paths.calls.size, 0);
    assert.equal(gateway.occupied, 0);
    assert.equal(access.sessionsOf('anna').length + access.sessionsOf('bert').length, 0);
    for (const link of links) {
      assert.equal(link.gateway.occupied, 0);
      assert.equal(link.paths.calls.size, 0);
      assertEnded(link.whats());
    }
    assertEnded(server.whats());
  }
}

/** Those of the settings with this number. */
const keys = (number: number) => ({ listener: '', session: String(number) });

function disturb(
  server: ServerHost,
  link: LinkHost,
  what: 'restart' | 'desync',
  now: number,
): void {
  for (const path of server.paths.calls.values()) {
    if (path.peer !== link.address) continue;
    if (what === 'desync') path.desynchronize();
    else path.receive(LCP_REQUEST);
  }
  for (const path of link.paths.calls.values()) {
    if (what === 'desync') path.desynchronize();
    else if (now % 2 === 0) path.receive(LCP_REQUEST);
  }
}

/** Every session that was up is told to be down. */
function assertEnded(whats: readonly string[]): void {
  const count = (what: string) => whats.filter((line) => line.startsWith(what)).length;
  assert.equal(count('session-up'), count('session-down'));
}
