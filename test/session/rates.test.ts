/** Whose rate holds for a session, and in which direction of its path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rates } from '../../src/session/options.ts';
import { linkOptions, serverOptions, user, World, type ServerHost } from '../support/world.ts';

const none: Rates = { up: 0, down: 0, burst: 50 };
const rates = (up: number, down: number, burst = 50): Rates => ({ up, down, burst });

/** anna is logged in at a server with these rates. */
function office(server: Rates, own: Partial<Rates>): { world: World; server: ServerHost } {
  const world = new World();
  const host = world.server({ rates: server }, world.gateway([user('anna', { rates: own })]));
  world.link().dial();
  world.advance(3_000);
  return { world, server: host };
}

function seen({ networks, server }: ServerHost) {
  const [path] = networks.only();
  const [session] = server.sessions();
  return { path: path.rates, shown: session?.rates };
}

test("a user's own rate, else the server's: what a caller sends is received, what it gets is sent", () => {
  for (const [of, own, expected] of [
    [none, {}, none],
    [rates(1000, 2000, 80), {}, rates(1000, 2000, 80)],
    [rates(1000, 2000, 80), { up: 5 }, rates(5, 2000, 80)],
    [rates(1000, 2000, 80), { up: 0, down: 0, burst: 20 }, rates(0, 0, 20)],
    [none, { down: 7 }, rates(0, 7)],
  ] as const) {
    const { path, shown } = seen(office(of, own).server);
    const { up, down, burst } = expected;
    assert.deepEqual(path, { receive: up, send: down, burst });
    assert.deepEqual(shown, expected);
  }
});

test('a reload changes the rates of sessions that stay', () => {
  const { world, server } = office(rates(1000, 2000), { up: 5 });
  const reload = (of: Rates, own: Partial<Rates>) => {
    server.access.reconfigure([user('anna', { rates: own })]);
    server.server.reconfigure({ ...serverOptions, rates: of }, world.clock.now);
    return seen(server).shown;
  };
  assert.deepEqual(reload(rates(1000, 3000), { up: 5 }), rates(5, 3000));
  assert.deepEqual(reload(rates(1000, 3000), {}), rates(1000, 3000));
  assert.deepEqual(reload(rates(1000, 3000), { down: 0, burst: 99 }), rates(1000, 0, 99));
  assert.deepEqual(reload(none, {}), none);
  assert.deepEqual(seen(server).path, { receive: 0, send: 0, burst: 50 });
  assert.deepEqual(
    server.whats().filter((line) => line.startsWith('session-down')),
    [],
  );
});

test('a link is the other way round: it gets what comes', () => {
  const world = new World();
  world.server();
  const link = world.link({ rates: rates(100, 900) });
  link.dial();
  world.advance(3_000);
  assert.deepEqual(link.networks.only()[0].rates, { receive: 900, send: 100, burst: 50 });
  assert.deepEqual(link.link.status().session?.rates, rates(100, 900));
  link.link.reconfigure({ ...linkOptions, rates: rates(0, 300, 20) }, world.clock.now);
  assert.deepEqual(link.networks.only()[0].rates, { receive: 300, send: 0, burst: 20 });
  assert.equal(link.link.status().state, 'up');
});
