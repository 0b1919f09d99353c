/** Harnesses in threads, some at once: each has its time, its memory, and an end when it hangs. */
import { Worker } from 'node:worker_threads';
import { nativeHarnesses, tryNative, type NativeTrial } from './native.ts';
import type { Result } from './runner.ts';
import type { Task } from './worker.ts';

export interface Fuzzing {
  readonly names: readonly string[];
  readonly seed: number;
  /** For each harness. */
  readonly seconds: number;
  /** Inputs of a harness, at most. */
  readonly count: number;
  readonly atOnce: number;
  /** For the harnesses in C. */
  readonly compiler: NativeTrial['compiler'];
  readonly say: (line: string) => void;
}

export interface Outcome {
  readonly inputs: number;
  readonly failures: readonly string[];
}

/** No harness needs a quarter of it: whoever grows so much grows without bounds. */
const MEMORY_MB = 400;
/** ms without another input after which a harness hangs. On a machine with much else to do a thread may wait for minutes. */
const PATIENCE = 300_000;

/** Node 20 does not hand tsx down to worker threads. */
const bootstrap = `
  import('tsx/esm/api').then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
  });`;

export async function fuzz({
  names,
  seed,
  seconds,
  count,
  atOnce,
  compiler,
  say,
}: Fuzzing): Promise<Outcome> {
  const waiting = [...names];
  const failures: string[] = [];
  let inputs = 0;
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const duration = seconds * 1000;
      const result = nativeHarnesses.includes(name)
        ? await tryNative(name, { seed, duration, count, compiler })
        : await inThread({ name, seed, duration, count });
      inputs += result.inputs;
      say(
        `${name.padEnd(20)} ${result.inputs.toLocaleString('en').padStart(14)} inputs in ${(result.time / 1000).toFixed(1)} s, seed ${seed}`,
      );
      if (result.failure === undefined) continue;
      failures.push(`${name}: ${result.failure}`);
      say(`${name} FAILED: ${result.failure}`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, lane));
  say(`${inputs.toLocaleString('en')} inputs in all, ${failures.length} failures`);
  return { inputs, failures };
}

function inThread(task: Omit<Task, 'at'>): Promise<Result> {
  const at = new SharedArrayBuffer(8);
  const started = performance.now();
  const worker = new Worker(bootstrap, {
    eval: true,
    workerData: { ...task, at } satisfies Task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  return new Promise((resolve) => {
    const failed = (why: string) =>
      resolve({
        inputs: new Float64Array(at)[0]! + 1,
        time: performance.now() - started,
        failure: `seed ${task.seed}, input ${new Float64Array(at)[0]!}: ${why}`,
      });
    let last = { nth: -1, since: started };
    const patience = setInterval(() => {
      const nth = new Float64Array(at)[0]!;
      if (nth !== last.nth) last = { nth, since: performance.now() };
      if (performance.now() - last.since < PATIENCE) return;
      failed('hangs');
      void worker.terminate();
    }, 1000);
    worker.once('message', resolve);
    worker.once('error', (error) => failed(String(error.stack ?? error)));
    worker.once('exit', () => {
      clearInterval(patience);
      failed('ended without a word'); // unless it has said something
    });
  });
}
