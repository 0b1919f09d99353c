/**
 * `make soak`: SOAK_SECONDS long (600 by default), or until SOAK_KILLS kills; ends with 1 where anything of the good session was
 * lost. SOAK_TROUBLES names some of the troubles ('' for none), SOAK_LANES some of kills and logins. SOAK_SEED has the same
 * order again; SOAK_FLOOD is the seconds of a flood and SOAK_RATE its packets a second.
 */
import { randomInt } from 'node:crypto';
import { soak } from './soak.ts';
import { troubles } from './troubles.ts';

const environment = (name: string, fallback: string): string => process.env[name] ?? fallback;
const number = (name: string, fallback: number): number => {
  const value = Number(environment(name, String(fallback)));
  if (!(value >= 0)) fail(`${name}: expected a number`);
  return value;
};
const words = (name: string, known: readonly string[]): readonly string[] => {
  const found = environment(name, known.join(' '))
    .split(/[\s,]+/)
    .filter(Boolean);
  for (const word of found)
    if (!known.includes(word)) fail(`${name}: expected some of ${known.join(', ')}`);
  return found;
};

if (process.getuid?.() !== 0) fail('needs root: it makes network namespaces');
const seed = number('SOAK_SEED', randomInt(2 ** 32));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const lanes = words('SOAK_LANES', ['kills', 'logins']);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    say(`${signal}: ending`);
    stop.abort();
  });
say(`seed ${seed}`);
const faults = await soak({
  seconds: number('SOAK_SECONDS', 600),
  seed,
  troubles: words('SOAK_TROUBLES', Object.keys(troubles)),
  kills: lanes.includes('kills'),
  logins: lanes.includes('logins'),
  killCount: number('SOAK_KILLS', Infinity),
  flood: { seconds: number('SOAK_FLOOD', 10), rate: number('SOAK_RATE', 20_000) },
  stop: stop.signal,
  say,
});
for (const fault of faults) say(`LOSS: ${fault}`);
say(faults.length === 0 ? 'nothing was lost' : `${faults.length} losses`);
process.exit(faults.length === 0 ? 0 : 1);

function fail(message: string): never {
  process.stderr.write(`soak: ${message}\n`);
  process.exit(64);
}
