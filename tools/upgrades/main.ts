/**
 * What upgrades cost, measured. `main.ts load [SESSIONS [ROUNDS]]`: so many in a row under streams (200, 100).
 */
import { Lab } from '../lab.ts';
import { medianOf, upgradesUnderLoad } from './load.ts';

const [what, ...words] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const lab = new Lab('upgrades');
try {
  if (what === 'load') await load(Number(words[0] ?? 200), Number(words[1] ?? 100));
} finally {
  await lab.close();
}

async function load(sessions: number, rounds: number): Promise<void> {
  const { rounds: all, streams, octets, faults } = await upgradesUnderLoad(lab, { sessions, rounds, say }); // prettier-ignore
  const gaps = all.map(({ gap }) => gap);
  say(`${all.length} upgrades, ${sessions} sessions, ${(octets / 1e6).toFixed(1)} MB in them, ${streams.streams} streams of ${(streams.octets / 1e6).toFixed(1)} MB each way together`); // prettier-ignore
  say(`gap: median ${medianOf(gaps)} ms, longest ${Math.max(...gaps)} ms`);
  say(faults.length === 0 ? 'nothing ended, no octet wrong, all counts exact' : `NOT as it should be:\n${faults.slice(0, 20).join('\n')}`); // prettier-ignore
  if (faults.length > 0) process.exitCode = 1;
}
