/**
 * What upgrades cost, measured; it ends with 1 where it is more than it may be.
 *
 *     main.ts load [SESSIONS [ROUNDS]]      so many in a row, 100 unless told, under streams in 200 sessions
 *     main.ts gap [SESSIONS…]               what moves, and what does not, with 4, 200, 1000, 4096 sessions
 */
import { cpus, loadavg, release } from 'node:os';
import { Lab } from '../lab.ts';
import { measureGap } from './gap.ts';
import { medianOf, upgradesUnderLoad } from './load.ts';

const [what, ...words] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
/** A stream may lose so much. */
const LOSS = 0.001;
const UPGRADES = 5;

const numbers = words.map(Number);
if (numbers.some((number) => !Number.isInteger(number) || number < 1 || number > 4096)) usage();
if (what === 'load') await load(numbers[0] ?? 200, numbers[1] ?? 100);
else if (what === 'gap') await gap(numbers.length > 0 ? numbers : [4, 200, 1000, 4096]);
else usage();

function usage(): never {
  process.stderr.write('usage: main.ts load [SESSIONS [ROUNDS]] | gap [SESSIONS…]\n');
  process.exit(64);
}

/** In a lab of its own, of which nothing is left, Ctrl-C included. */
async function within<T>(job: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = new Lab('upgrades');
  const stop = () => void lab.close().then(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    return await job(lab);
  } finally {
    await lab.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

async function load(sessions: number, rounds: number): Promise<void> {
  const { rounds: all, streams, octets, faults } = await within((lab) => upgradesUnderLoad(lab, { sessions, rounds, say })); // prettier-ignore
  const gaps = all.map(({ gap }) => gap);
  say(`${all.length} upgrades, ${sessions} sessions, ${(octets / 1e6).toFixed(1)} MB in them, ${streams.streams} streams of ${(streams.octets / 1e6).toFixed(1)} MB each way together`); // prettier-ignore
  say(`gap: median ${medianOf(gaps)} ms, longest ${Math.max(...gaps)} ms`);
  say(faults.length === 0 ? 'nothing ended, no octet wrong, all counts exact' : `NOT as it should be:\n${faults.slice(0, 20).join('\n')}`); // prettier-ignore
  if (faults.length > 0) process.exitCode = 1;
}

async function gap(all: readonly number[]): Promise<void> {
  say(`${cpus().length} × ${cpus()[0]?.model.trim() ?? '?'}, Linux ${release()}, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}`); // prettier-ignore
  say('| sessions | gap, ms: median, longest | longest pause of datagrams, ms: in, out | state, kB | datagrams lost at 20 Mbit/s: in, out | time-outs of a TCP stream at most |\n|--:|--:|--:|--:|--:|--:|'); // prettier-ignore
  for (const sessions of all) {
    const { gaps, datagrams, lost } = await within((lab) => measureGap(lab, { sessions, upgrades: UPGRADES })); // prettier-ignore
    const of = gaps.map((each) => each.gap);
    const pause = (way: 0 | 1) => Math.max(...gaps.map(({ pauses }) => pauses[way])).toFixed(0);
    const share = (count: number) => `${count} (${((100 * count) / datagrams).toFixed(3)} %)`;
    const timeouts = gaps.map((each) => each.timeouts);
    const most = timeouts.includes(undefined) ? '?' : Math.max(...timeouts.map(Number));
    say(`| ${sessions} | ${medianOf(of)}, ${Math.max(...of)} | ${pause(0)}, ${pause(1)} | ${gaps.at(-1)!.state} | ${lost.map(share).join(', ')} of ${datagrams} | ${most} |`); // prettier-ignore
    if (lost.some((count) => count > datagrams * LOSS) || Number(most) > 1) process.exitCode = 1;
    if (gaps.some((each) => each.sessions !== sessions)) {
      say(`NOT all go on: ${gaps.map((each) => each.sessions).join(', ')}`);
      process.exitCode = 1;
    }
  }
}
