/** What callers have in IPv6, whose it is, and what becomes of it when something changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerOptions, User } from '../../../src/session/options.ts';
import {
  encodeIpv6,
  formatIpv6Prefix,
  linkLocalAddress,
  parseIpv6Prefix,
} from '../../../src/wire/ipv6.ts';
import { decodeNeighborMessage, encodeNeighborMessage } from '../../../src/wire/icmpv6.ts';
import { decodeIpv6, parseIpv6Address } from '../../../src/wire/ipv6.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import { encodePppFrame, PppProtocol } from '../../../src/wire/ppp-frame.ts';
import { serverOptions, user, World, type LinkHost, type ServerHost } from '../../support/world.ts';

const net = (text: string) => parseIpv6Prefix(text)!;
const NETWORK = net('2001:db8:5::/48');
const ip6 = (more: Partial<ServerOptions['ip6']> = {}): Partial<ServerOptions> => ({
  ipv6: true,
  ip6: { mode: 'own', prefixes: [NETWORK], dns: [], ...more },
});
const none: User['ip6'] = { prefixes: [], routes: [] };

interface Scene {
  readonly world: World;
  readonly server: ServerHost;
  readonly links: readonly LinkHost[];
  readonly change: (server: Partial<ServerOptions>, users?: readonly User[]) => void;
}

function dialled(server: Partial<ServerOptions>, ...users: readonly User[]): Scene {
  const world = new World();
  const host = world.server(server, world.gateway(users));
  const links = users.map(({ username }) => {
    const link = world.link({
      ipv6: true,
      username,
      secret: user(username).secret,
      holdoff: 3_600_000,
      holdoffMax: 3_600_000,
    });
    link.dial();
    world.advance(5_000);
    return link;
  });
  const change: Scene['change'] = (options, others = users) => {
    host.access.reconfigure(others);
    host.server.reconfigure({ ...serverOptions, ...options }, world.clock.now);
    world.advance(100);
  };
  return { world, server: host, links, change };
}

/** Of each session, by its user. */
const prefixes = ({ server }: Scene) =>
  Object.fromEntries(
    server.server
      .sessions()
      .map(({ username, ipv6 }) => [username, ipv6?.prefixes?.map(formatIpv6Prefix)]),
  );

/** What the first caller was told last, in its router advertisement. */
function advertised({ server }: Scene): { lifetime: number; prefixes: Record<string, number> } {
  const [path] = [...server.networks.up.keys()];
  for (const packet of [...path!.ipv6Packets].reverse()) {
    const decoded = decodeIpv6(packet);
    assert.ok(!isMalformed(decoded));
    const message = decodeNeighborMessage(decoded);
    if (isMalformed(message) || message.name !== 'router-advertisement') continue;
    const told = message.options.flatMap((option) =>
      option.name === 'prefix'
        ? [[formatIpv6Prefix(option.value), option.value.preferredLifetime] as const]
        : [],
    );
    return { lifetime: message.lifetime, prefixes: Object.fromEntries(told) };
  }
  return assert.fail('it was told nothing');
}

test('each has a /64 of its own, never the first, and the same again the next time', () => {
  const scene = dialled(ip6(), user('anna'), user('bert'));
  const { anna, bert } = prefixes(scene);
  const first = formatIpv6Prefix({ ...NETWORK, length: 64 });
  assert.equal(new Set([anna![0], bert![0], first]).size, 3);
  assert.deepEqual(Object.keys(advertised(scene).prefixes), anna);
  scene.links[0]!.hangup();
  scene.world.advance(5_000);
  scene.links[0]!.dial();
  scene.world.advance(5_000);
  assert.deepEqual(prefixes(scene), { anna, bert });
});

test('without a prefix it is link-local alone; one that the router assigns later is told at once', () => {
  const scene = dialled({ ipv6: true }, user('anna'));
  assert.deepEqual(prefixes(scene), { anna: undefined });
  scene.server.server.assign([net('2001:db8:9:100::/60')], scene.world.clock.now);
  scene.world.advance(100);
  const { anna } = prefixes(scene);
  assert.match(anna![0]!, /^2001:db8:9:10[1-9a-f]::\/64$/);
  assert.deepEqual(Object.keys(advertised(scene).prefixes), anna);
  // What stands in the options comes first.
  scene.change(ip6());
  assert.ok(prefixes(scene)['anna']!.some((each) => each.startsWith('2001:db8:5:')));
  assert.deepEqual(scene.server.whats(), ['session-up anna']);
});

test('other prefixes: the old one is told with a preferred lifetime of 0, and nobody is ended', () => {
  const scene = dialled(ip6(), user('anna'));
  const [old] = prefixes(scene)['anna']!;
  scene.change(ip6({ prefixes: [net('2001:db8:6::/48')] }));
  const now = prefixes(scene)['anna']!;
  assert.equal(now.length, 2);
  const told = advertised(scene);
  assert.equal(told.prefixes[old!], 0);
  assert.ok(told.prefixes[now.find((each) => each !== old)!]! > 0);
  scene.world.advance(2 * 3_600_000);
  assert.deepEqual(
    prefixes(scene)['anna'],
    now.filter((each) => each !== old),
  );
  assert.deepEqual(scene.server.whats(), ['session-up anna']);
});

test("a user's own network is his, and no one else's; whoever has one has one session", () => {
  const fixed = net('2001:db8:5:77::/64');
  const scene = dialled(
    { ...ip6(), maxPerUser: 4 },
    user('anna', { ip6: { ...none, prefixes: [fixed] } }),
    user('bert'),
  );
  assert.deepEqual(prefixes(scene)['anna'], ['2001:db8:5:77::/64']);
  const again = scene.world.link({ ipv6: true, username: 'anna', secret: user('anna').secret });
  again.dial();
  scene.world.advance(5_000);
  assert.ok(scene.server.whats().includes('session-down anna REPLACED'));
  assert.deepEqual(prefixes(scene)['anna'], ['2001:db8:5:77::/64']);
});

test('one address each out of one /64 where they share it, and never twice the same', () => {
  const scene = dialled(
    ip6({ mode: 'shared', prefixes: [net('2001:db8:5:5::/64')] }),
    user('anna'),
    user('bert'),
  );
  const all = Object.values(prefixes(scene)).flat();
  assert.equal(new Set(all).size, 2);
  for (const each of all) assert.match(each!, /^2001:db8:5:5:[^/]+$/);
  assert.deepEqual(Object.keys(advertised(scene).prefixes), ['2001:db8:5:5::/64']);
});

test('who is in a firewall set has none: its rules know IPv4 alone', () => {
  const scene = dialled(ip6(), user('anna'));
  const before = prefixes(scene)['anna'];
  scene.change(ip6(), [user('anna', { groups: ['inet fw4 staff'] })]);
  assert.deepEqual(prefixes(scene), { anna: undefined });
  const tunnel = [...scene.server.networks.up.values()][0]!;
  assert.equal(tunnel.ipv6?.prefixes, undefined);
  scene.change(ip6(), [user('anna')]);
  assert.deepEqual(prefixes(scene)['anna'], before);
});

test('where no prefix is left the owner is told, and the session goes on', () => {
  const scene = dialled(ip6({ prefixes: [net('2001:db8:5:8::/64')] }), user('anna'));
  assert.deepEqual(prefixes(scene), { anna: [] });
  const trouble = scene.server.events.find(({ what }) => what === 'server-trouble');
  assert.ok(trouble?.what === 'server-trouble' && trouble.cause.code === 'POOL_EMPTY');
  assert.equal(scene.server.server.sessions().length, 1);
});

test('a solicitation that comes as a frame is answered, and no traffic of the session', () => {
  const scene = dialled(ip6(), user('anna'));
  const [path, tunnel] = scene.server.networks.only();
  const counters = path.counters();
  path.ipv6Packets = [];
  const source = linkLocalAddress(tunnel.ipv6!.peer);
  const solicitation = encodeNeighborMessage(
    { name: 'router-solicitation', options: [] },
    source,
    parseIpv6Address('ff02::2')!,
  );
  const frame = encodePppFrame(PppProtocol.Ipv6, encodeIpv6(solicitation)).subarray(2);
  scene.world.advance(10_000);
  path.receive(frame);
  scene.world.advance(10_000);
  assert.equal(advertised(scene).lifetime > 0, true);
  assert.deepEqual(path.counters(), counters);
});

test('another program goes on with the same prefixes, and with what was delegated', () => {
  const scene = dialled(ip6(), user('anna'), user('bert'));
  const before = prefixes(scene);
  scene.server.succeed();
  scene.world.advance(5_000);
  assert.deepEqual(prefixes(scene), before);
  const [path] = [...scene.server.networks.up.keys()];
  path!.ipv6Packets = [];
  scene.world.advance(3_600_000);
  assert.deepEqual(Object.keys(advertised(scene).prefixes), before['anna']);
});
