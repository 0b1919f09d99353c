import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Daemon } from '../../../src/daemon/daemon.ts';
import type { BansDocument } from '../../../src/daemon/reports/documents.ts';
import { banMethods } from '../../../src/daemon/methods/bans.ts';
import { clock } from '../../../src/platform/platform.ts';
import { Lockout } from '../../../src/session/server/lockout.ts';
import { encodeTable } from '../../../src/ubus-js/index.ts';
import { parseAddress } from '../../../src/wire/ip.ts';

/** Locked out: these addresses, in this order. */
function methods(addresses: readonly number[], username = 'anna') {
  const lockout = new Lockout(() => undefined);
  for (const source of addresses)
    lockout.failed(
      { server: 'home', source, username },
      { after: 1, time: 600_000 },
      clock.monotonic(),
    );
  // As much of a daemon as the methods look at.
  return banMethods({ ports: { access: { lockout } } } as unknown as Daemon);
}

const listed = async ({ bans }: ReturnType<typeof methods>, args = {}) =>
  (await bans.handle(args, {})) as BansDocument;

test('who is locked out: since when, until when, how often, as whom', async () => {
  const now = Date.now() / 1000;
  const [ban] = (await listed(methods([parseAddress('198.51.100.7')!]))).bans;
  assert.ok(ban !== undefined);
  const { since, until, seconds_left: left, ...rest } = ban;
  assert.deepEqual(rest, { address: '198.51.100.7', server: 'home', tries: 1, username: 'anna' });
  assert.ok(Math.abs(since - now) < 60 && until - since >= 599 && until - since <= 601);
  assert.ok(left > 540 && left <= 600);
});

test('more than one message holds come in parts, each once, by address', async () => {
  const addresses = Array.from({ length: 4096 }, (_, n) => (n * 2_654_435_761) >>> 0);
  const object = methods(addresses, '\u{1f511}'.repeat(64));
  const found: string[] = [];
  let parts = 0;
  for (let after: string | undefined; parts === 0 || after !== undefined; parts++) {
    const part: BansDocument = await listed(object, after === undefined ? {} : { after });
    assert.ok(encodeTable(part).length < 1 << 20);
    found.push(...part.bans.map(({ address }) => address));
    after = part.next;
  }
  assert.ok(parts > 1);
  assert.deepEqual(
    found.map((address) => parseAddress(address)),
    addresses.toSorted((a, b) => a - b),
  );
});

test('unban: one, all, and what is neither', async () => {
  const object = methods([1, 2, 3]);
  const unban = (args: object) =>
    Promise.resolve().then(() => object.unban.handle({ ...args }, {}));
  assert.deepEqual(await unban({ address: '0.0.0.2' }), { lifted: 1 });
  await assert.rejects(unban({ address: '0.0.0.2' }), {
    status: 'NOT_FOUND',
    message: '0.0.0.2 is not locked out',
  });
  const usage = { status: 'INVALID_ARGUMENT', message: 'expected address (string) or all (true)' };
  for (const args of [{}, { all: false }, { address: '0.0.0.1', all: true }])
    await assert.rejects(unban(args), usage);
  for (const address of ['', '1', '0.0.0.1/32', '0.0.0.256', "1.2.3.4'"])
    await assert.rejects(unban({ address }), { status: 'INVALID_ARGUMENT' });
  assert.deepEqual(await unban({ all: true }), { lifted: 2 });
  assert.deepEqual(await listed(object), { bans: [] });
  assert.deepEqual(await unban({ all: true }), { lifted: 0 });
});
