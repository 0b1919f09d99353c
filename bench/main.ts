/**
 * `make bench`: everything side by side in one run, in interleaved rounds; medians as JSON, Markdown and SVG under
 * bench/results/. bench/README.md says how to read them. It leaves nothing else behind, also after Ctrl-C.
 *
 * BENCH_SECONDS (4) of each TCP run, BENCH_ROUNDS (3), BENCH_ONLY (names of tunnels, "control", "start", "relay", "radius"; default all),
 * BENCH_SESSIONS (1000), BENCH_CYCLES (10000), BENCH_NAME (latest): name of the files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { resolve } from 'node:path';
import { Lab } from '../tools/lab.ts';
import { controlPlane, start } from './control-plane.ts';
import { checkReference } from './check-reference.ts';
import { radiusBench } from './radius.ts';
import { relayBench } from './relay.ts';
import { measure, type Sample } from './measure.ts';
import { write, type Report } from './report.ts';
import { outer, variants, type Sides, type Variant } from './tunnels.ts';

const root = resolve(import.meta.dirname, '..');
const seconds = number('BENCH_SECONDS', 4);
const rounds = number('BENCH_ROUNDS', 3);
const extent = {
  sessions: number('BENCH_SESSIONS', 1000),
  cycles: number('BENCH_CYCLES', 10_000),
};
const only = (process.env['BENCH_ONLY'] ?? '').split(/[ ,]+/).filter(Boolean);
const name = process.env['BENCH_NAME'] ?? 'latest';
const wanted = (what: string) => only.length === 0 || only.includes(what);

const known = [...variants.map((variant) => variant.name), 'control', 'start', 'relay', 'radius'];
const strange = only.find((word) => !known.includes(word));
if (strange !== undefined) fail(`BENCH_ONLY: ${strange} is none of ${known.join(' ')}`);
if (!/^[\w.-]+$/.test(name)) fail('BENCH_NAME: expected letters, digits, dots and hyphens');
if (process.getuid?.() !== 0) fail('the benchmark needs root: it makes network namespaces');

const lab = new Lab('bench');
let interrupted = false as boolean; // set by a signal
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted = true;
    void lab.close().then(() => process.exit(130));
  });
}
try {
  await bench();
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  if (!interrupted) await lab.close();
}

async function bench(): Promise<void> {
  checkReference();
  // As it was when the run began: somebody may commit meanwhile.
  const commit = git('rev-parse', '--short', 'HEAD');
  const modified = git('status', '--porcelain', '--', 'src') !== '';
  const sides: Sides = {
    lab,
    server: lab.namespace('server'),
    client: lab.namespace('client'),
  };
  lab.join('outer', [
    [sides.server, `${outer.server}/30`],
    [sides.client, `${outer.client}/30`],
  ]);
  const chosen = variants.filter((variant) => wanted(variant.name));
  const samples = new Map<Variant, Sample[]>(chosen.map((variant) => [variant, []]));
  const failures: string[] = [];
  const loads = [loadavg()[0]!];
  for (let round = 1; chosen.length > 0 && round <= rounds; round++) {
    for (const variant of shuffled(chosen)) {
      loads.push(loadavg()[0]!);
      try {
        const sample = await once(sides, variant, round);
        samples.get(variant)!.push(sample);
        say(
          `round ${round}/${rounds}  ${variant.title.padEnd(34)} ${sample.tcpUp.toFixed(0)} / ${sample.tcpDown.toFixed(0)} / ${sample.tcpFour.toFixed(0)} Mbit/s` +
            `  ${sample.cpuPerGb.toFixed(2)} CPU s/GB  ${sample.packetRate.toFixed(0)} packets/s`,
        );
      } catch (error) {
        if (interrupted) return;
        const message = error instanceof Error ? error.message : String(error);
        failures.push(`${variant.title}, round ${round}: ${message.slice(0, 500)}`);
        say(`round ${round}/${rounds}  ${variant.title}: ${message}`);
      }
    }
  }
  const report: Report = {
    when: new Date().toISOString(),
    commit,
    modified,
    kernel: release(),
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    load: { start: loads[0]!, highest: Math.max(...loads) },
    seconds,
    rounds,
    tunnels: [...samples].map(([variant, all]) => ({
      name: variant.name,
      title: variant.title,
      samples: all,
    })),
    start: wanted('start') ? await start(sides, 5) : undefined,
    relay: wanted('relay') ? await relayBench(lab, seconds, rounds) : undefined,
    control: wanted('control') ? await controlPlane(sides, extent) : undefined,
    radius: wanted('radius') ? await radiusBench(sides, extent.sessions, rounds) : undefined,
    failures,
  };
  mkdirSync(resolve(root, 'bench/results'), { recursive: true });
  say(`\n${await write(report, resolve(root, 'bench/results'), name)}`);
  if (failures.length > 0) process.exitCode = 1;
}

async function once(sides: Sides, variant: Variant, round: number): Promise<Sample> {
  const tunnel = await variant.start(sides);
  try {
    return await measure(sides, tunnel, round, seconds);
  } finally {
    await tunnel.close();
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function git(...args: readonly string[]): string {
  try {
    return execFileSync('git', ['-C', root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return ''; // a release without its history
  }
}

function number(variable: string, usual: number): number {
  const value = Number(process.env[variable] ?? usual);
  if (!Number.isInteger(value) || value < 1 || value > 100_000)
    fail(`${variable}: expected a whole number from 1 to 100000`);
  return value;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(64);
}
