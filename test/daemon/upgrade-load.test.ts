/** Upgrades in a row, of both ends, with 200 sessions of every kind of MPPE, streams and accounting: `tools/upgrades/main.ts load` does 100. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Lab } from '../../tools/lab.ts';
import { upgradesUnderLoad } from '../../tools/upgrades/load.ts';

const lab = new Lab('upgrade-load');
after(() => lab.close());

test('ten upgrades under load: nothing ends, no octet is wrong, all counts are exact', async (context) => {
  const { rounds, streams, octets, faults } = await upgradesUnderLoad(lab, {
    sessions: 200,
    links: 20,
    rounds: 10,
    say: (text) => context.diagnostic(text),
  });
  assert.deepEqual(faults, []);
  assert.deepEqual(
    rounds.map(({ who, sessions }) => [who, sessions]),
    Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? ['server', 200] : ['client', 20])),
  );
  assert.equal(streams.streams, 20);
  assert.ok(streams.octets > 0 && octets > 2 * streams.octets);
});
