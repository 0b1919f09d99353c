/** Tries a harness: what its corpus has, then new inputs until the time is over or one fails, which is made small and kept. */
import { keep, kept } from './corpus.ts';
import type { Harness, Plain } from './harness.ts';
import { smaller } from './plain.ts';
import { Random } from './random.ts';

export interface Trial {
  readonly seed: number;
  /** ms for new inputs; and how many at most. */
  readonly duration: number;
  readonly count: number;
  /** Told before each input, so that somebody else knows which one hangs. */
  readonly begin: (nth: number) => void;
}

export interface Result {
  readonly inputs: number;
  /** ms */
  readonly time: number;
  readonly failure?: string;
}

/** ms for making a failing input smaller. */
const MINIMISING = 15_000;
/** Inputs between two looks at the clock. */
const STRIDE = 64;

export async function tryOut(
  harness: Harness,
  { seed, duration, count, begin }: Trial,
): Promise<Result> {
  const started = performance.now();
  let inputs = 0;
  const result = (failure?: string): Result => ({
    inputs,
    time: performance.now() - started,
    ...(failure === undefined ? {} : { failure }),
  });
  for (const { path, input } of kept(harness.name)) {
    const fault = await faultOf(harness, input);
    inputs++;
    if (fault !== undefined) return result(`${path}: ${describe(fault)}`);
  }
  for (let nth = 0; nth < count; nth++) {
    if ((harness.slow === true || nth % STRIDE === 0) && performance.now() - started >= duration)
      break;
    begin(nth);
    const input = harness.generate(new Random(seed, nth));
    // Awaited only where there is something to wait for: it costs more than many an input does.
    let fault: unknown;
    try {
      const waiting = harness.run(input);
      if (waiting !== undefined) await waiting;
    } catch (error) {
      fault = error;
    }
    inputs++;
    if (fault === undefined) continue;
    const small = await minimised(harness, input, fault);
    const path = keep(harness.name, small);
    return result(
      `seed ${seed}, input ${nth}, kept as ${path}: ${describe((await faultOf(harness, small)) ?? fault)}`,
    );
  }
  return result();
}

async function faultOf(harness: Harness, input: Plain): Promise<unknown> {
  try {
    await harness.run(input);
  } catch (error) {
    return error;
  }
  return undefined;
}

async function minimised(harness: Harness, input: Plain, fault: unknown): Promise<Plain> {
  const wanted = placeOf(fault);
  const deadline = performance.now() + MINIMISING;
  let best = input;
  for (let found = true; found;) {
    found = false;
    for (const candidate of smaller(best)) {
      if (performance.now() > deadline) return best;
      const other = await faultOf(harness, candidate);
      if (other === undefined || placeOf(other) !== wanted) continue;
      best = candidate;
      found = true;
      break;
    }
  }
  return best;
}

/** The same fault has the same place, whatever numbers are in its message. */
function placeOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const [frame = ''] = /^ +at .*$/m.exec(fault.stack ?? '') ?? [];
  return `${fault.name} ${frame}`;
}

function describe(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}
