/** What an owner may say of one user: hours, encryption, login methods, groups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHours } from '../../../src/daemon/configuration/hours.ts';
import { MsChapError } from '../../../src/wire/ms-chap.ts';
import type { ClientLinkOptions, ServerOptions, User } from '../../../src/session/options.ts';
import { serverOptions, user, World, type LinkHost, type ServerHost } from '../../support/world.ts';

const noRedial = { holdoff: 3_600_000, holdoffMax: 3_600_000, keepalive: undefined };
const HOUR = 3_600_000;
/** A Monday, 07:00 UTC. */
const MONDAY = Date.parse('2026-11-02T07:00Z');

interface Scene {
  readonly world: World;
  readonly server: ServerHost;
  readonly link: LinkHost;
  /** The user is another from now on. */
  readonly change: (more: Partial<User>) => void;
}

function dialled(
  anna: Partial<User>,
  { server = {}, link = {}, epoch = MONDAY }: Changes = {},
): Scene {
  const world = new World();
  world.epoch = epoch;
  world.utcOffset = HOUR;
  const host = world.server(server, world.gateway([user('anna', anna)]));
  const dialling = world.link({ ...noRedial, ...link });
  dialling.dial();
  world.advance(5_000);
  const change = (more: Partial<User>) => {
    host.access.reconfigure([user('anna', { ...anna, ...more })]);
    host.server.reconfigure({ ...serverOptions, ...server }, world.clock.now);
    world.advance(2_000);
  };
  return { world, server: host, link: dialling, change };
}

interface Changes {
  readonly server?: Partial<ServerOptions>;
  readonly link?: Partial<ClientLinkOptions>;
  readonly epoch?: number;
}

const office = parseHours('Mon-Fri 08:00-18:00')!;

test('a session ends with its hours, and the caller is told in PPP', () => {
  const { world, server, link } = dialled({ hours: office });
  world.advance(10 * HOUR - 10_000);
  assert.equal(server.server.sessions().length, 1);
  world.advance(10_000);
  assert.deepEqual(server.whats(), ['session-up anna', 'session-down anna OUTSIDE_HOURS']);
  const [down] = server.events.filter(({ what }) => what === 'session-down');
  assert.deepEqual(down?.what === 'session-down' && down.cause, {
    code: 'OUTSIDE_HOURS',
    detail: 'Mon-Fri 08:00-18:00',
  });
  // In order: PPP has said goodbye, nothing was torn off.
  world.advance(3_000);
  assert.equal(server.callers.size, 0);
  assert.match(link.whats().join(), /session-down anna PEER_TERMINATED/);
});

test('a login outside is refused with 646, and only after the right password', () => {
  const { link, server } = dialled({ hours: office }, { epoch: MONDAY - 2_000 * 3 - HOUR });
  assert.deepEqual(server.whats(), ['auth-failed anna OUTSIDE_HOURS']);
  const cause = link.link.status().cause;
  assert.match(cause?.detail ?? '', new RegExp(`${MsChapError.RestrictedLogonHours}|at this time`));
  const wrong = dialled(
    { hours: office },
    { epoch: MONDAY - 2 * HOUR, link: { secret: user('eve').secret } },
  );
  assert.deepEqual(wrong.server.whats(), ['auth-failed anna PEER_AUTH_FAILED']);
});

test('the clock is set, and summer time ends: within a minute it counts', () => {
  const { world, server } = dialled({ hours: office });
  world.epoch += 10 * HOUR - 120_000;
  world.advance(59_000);
  assert.equal(server.server.sessions().length, 1);
  world.utcOffset -= HOUR; // 17:59 again is an hour more
  world.advance(HOUR - 120_000);
  assert.equal(server.server.sessions().length, 1);
  world.advance(180_000);
  assert.equal(server.server.sessions().length, 0);
});

test('hours hold at once when they change', () => {
  const { server, change } = dialled({});
  change({ hours: parseHours('08:00-09:00')! });
  assert.equal(server.server.sessions().length, 1);
  change({ hours: parseHours('Tue 00:00-24:00')! });
  assert.deepEqual(server.whats().at(-1), 'session-down anna OUTSIDE_HOURS');
});

test('encryption of one user: stronger, or weaker, than the server has it', () => {
  const session = (
    own: Partial<User>,
    server: ServerOptions['mppe'],
    link: ServerOptions['mppe'],
  ) => {
    const scene = dialled(own, { server: { mppe: server }, link: { mppe: link } });
    return scene.server.server.sessions()[0]?.mppe ?? scene.server.whats().at(-1);
  };
  const required = { policy: 'required', strengths: [128], stateful: false } as const;
  const optional = { ...required, policy: 'optional' } as const;
  const off = { ...required, policy: 'off' } as const;
  assert.equal(session({}, optional, off), 'none');
  assert.equal(session({ mppe: 'required' }, optional, off), 'caller-refused MPPE_REQUIRED');
  assert.equal(session({ mppe: 'required' }, off, optional), 'mppe-128');
  assert.equal(session({ mppe: 'optional' }, required, off), 'none');
  assert.equal(session({ mppe: 'optional' }, required, required), 'mppe-128');
  assert.equal(session({ mppe: 'off' }, required, optional), 'none');
});

test('login methods of one user, of those that the server has', () => {
  const both = { auth: ['mschap-v2', 'mschap'] } as const;
  const weak = { server: both, link: { auth: ['mschap'] } } as const;
  const strong = { server: both, link: { auth: ['mschap-v2'] } } as const;
  assert.deepEqual(dialled({ auth: ['mschap-v2'] }, strong).server.whats(), ['session-up anna']);
  const { server, link } = dialled({ auth: ['mschap-v2'] }, weak);
  assert.deepEqual(server.whats(), ['auth-failed anna AUTH_METHOD_REFUSED']);
  assert.match(link.link.status().cause?.detail ?? '', /by this method|649/);
  assert.deepEqual(dialled({ auth: [] }, weak).server.whats(), ['session-up anna']);
  const { change, ...live } = dialled({}, weak);
  change({ auth: ['mschap', 'mschap-v2'] });
  assert.equal(live.server.server.sessions().length, 1);
  change({ auth: ['mschap-v2'] });
  assert.equal(live.server.server.sessions().length, 0);
});

test('groups are those of the tunnel, change while it is up, and note and groups are in the status', () => {
  const { server, change } = dialled({ groups: ['inet fw4 staff'], note: 'extension 12' });
  const groups = () => server.networks.only()[1].groups;
  assert.deepEqual(groups(), ['inet fw4 staff']);
  const account = () => server.server.sessions()[0]?.account;
  assert.deepEqual([account()?.groups, account()?.note], [['inet fw4 staff'], 'extension 12']);
  change({ groups: ['inet fw4 staff'], note: 'extension 13' });
  assert.deepEqual(server.networks.log, ['tunnel-up']);
  assert.equal(account()?.note, 'extension 13');
  change({ groups: ['inet fw4 nas', 'inet fw4 staff'] });
  assert.deepEqual(groups(), ['inet fw4 nas', 'inet fw4 staff']);
  change({ groups: [] });
  assert.deepEqual(groups(), []);
  assert.deepEqual(server.networks.log, ['tunnel-up', 'tunnel-changed', 'tunnel-changed']);
  assert.deepEqual(server.whats(), ['session-up anna']);
});
