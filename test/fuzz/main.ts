/**
 * `make fuzz`: tries every harness (or those named) for FUZZ_SECONDS each, two of them at a time on two cores, and ends with 1
 * where one fails. Seeds are printed; FUZZ_SEED has the same inputs again. FUZZ_COUNT ends a harness after so many inputs.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fuzz } from './fuzz.ts';
import { harnesses } from './harnesses.ts';
import { hasClang, nativeHarnesses } from './native.ts';

const all = [...harnesses.map(({ name }) => name), ...nativeHarnesses];
const names = process.argv.slice(2);
for (const name of names)
  if (!all.includes(name)) fail(`there is no harness '${name}'; there are: ${all.join(', ')}`);

const number = (name: string, fallback: number): number => {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    fail(`${name}: expected a whole number, not '${text}'`);
  return value;
};

const outcome = await fuzz({
  names: names.length > 0 ? names : all,
  seed: number('FUZZ_SEED', randomInt(2 ** 32)),
  seconds: number('FUZZ_SECONDS', 30),
  count: number('FUZZ_COUNT', Infinity),
  atOnce: number('FUZZ_JOBS', availableParallelism()),
  compiler: hasClang() ? 'clang' : 'gcc',
  say: (line) => process.stdout.write(`${line}\n`),
});
process.exitCode = outcome.failures.length > 0 ? 1 : 0;

function fail(message: string): never {
  process.stderr.write(`fuzz: ${message}\n`);
  process.exit(64);
}
