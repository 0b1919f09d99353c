/** One harness in a thread of its own: told what to try, it tells how that went. */
import { parentPort, workerData } from 'node:worker_threads';
import { harnesses } from './harnesses.ts';
import { tryOut } from './runner.ts';

export interface Task {
  readonly name: string;
  readonly seed: number;
  readonly duration: number;
  readonly count: number;
  /** The number of the input at work is written here, so that whoever ends us knows which one hangs. */
  readonly at: SharedArrayBuffer;
}

const { name, seed, duration, count, at } = workerData as Task;
const place = new Float64Array(at);
const found = harnesses.find((harness) => harness.name === name);
if (found === undefined) throw new Error(`there is no harness '${name}'`);
parentPort!.postMessage(
  await tryOut(found, { seed, duration, count, begin: (nth) => (place[0] = nth) }),
);
