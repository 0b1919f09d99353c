/**
 * RFC 2866: whatever sessions, servers, the disk and the clock do, and whenever the daemon is killed, each Start has its Stop, in
 * order, and nothing that was taken says less than what was taken before.
 */
import assert from 'node:assert/strict';
import {
  checkOrder,
  Killed,
  nas,
  traffic,
  World,
  type Answering,
} from '../../radius/accounting-world.ts';
import { harness } from '../harness.ts';
import type { Random } from '../random.ts';

const MINUTE = 60_000;

type Step =
  | { readonly kind: 'start'; readonly interim: number }
  | { readonly kind: 'stop'; readonly which: number }
  | { readonly kind: 'wait'; readonly time: number }
  | { readonly kind: 'server'; readonly how: number }
  /** Killed at once, or while it writes for the next time, after so many octets. */
  | { readonly kind: 'kill'; readonly octets: number | undefined }
  | { readonly kind: 'off' }
  | { readonly kind: 'disk'; readonly isFull: boolean };

function step(random: Random): Step {
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return { kind: 'start', interim: random.pick([0, 0, 1, 60_000, 150_000]) };
    case 3:
    case 4:
      return { kind: 'stop', which: random.below(6) };
    case 5:
    case 6:
      return { kind: 'server', how: random.below(4) };
    case 7:
      return { kind: 'kill', octets: random.chance(4) ? undefined : random.below(400) };
    case 8:
      return random.chance(3) ? { kind: 'off' } : { kind: 'disk', isFull: random.chance(2) };
    default:
      return { kind: 'wait', time: random.pick([1, 10, 1000, 9000, 70_000, 600_000]) };
  }
}

export const accounting = harness({
  name: 'accounting',
  slow: true,
  generate: (random) => ({
    room: random.pick([1e6, 1e6, 12]),
    steps: random.list(30, () => step(random)),
  }),
  run({ room, steps }) {
    const night = new Night(room);
    for (const one of steps) night.take(one);
    night.end();
  },
});

class Night {
  readonly #world: World;
  readonly #open: string[] = [];
  #sessions = 0;
  #octets = 0;
  readonly #isBoundless: boolean;
  /** The disk has not seen all. */
  #isBehind = false;
  #isExcused = false;
  #on = false;

  constructor(records: number) {
    this.#isBoundless = records > 1000;
    this.#world = new World({ records, octets: 1 << 22 });
    this.#turnOn();
  }

  take(step: Step): void {
    try {
      this.#do(step);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.#killed();
    }
  }

  /** Everybody answers, and all is told. */
  end(): void {
    const world = this.#world;
    world.store.isFull = false;
    world.store.tear = undefined;
    world.answering = () => 'yes';
    while (this.#open.length > 0) this.#do({ kind: 'stop', which: 0 });
    world.pass(15 * MINUTE);
    assert.equal(world.accounting.waiting, 0);
    assert.equal(world.accounting.nextTimeout(), undefined);
    if (this.#isExcused) return;
    checkOrder(world.taken);
    const ended = new Set(world.taken.filter(({ type }) => type === 'stop').map(({ id }) => id));
    const begun = new Set(world.taken.filter(({ type }) => type === 'start').map(({ id }) => id));
    if (this.#isBoundless) assert.deepEqual([...begun].sort(), [...ended].sort());
    else assert.ok(world.mostInFlight <= 17);
  }

  #do(step: Step): void {
    const world = this.#world;
    for (const id of this.#open) world.counters.set(id, traffic((this.#octets += 1000)));
    switch (step.kind) {
      case 'start': {
        if (this.#open.length >= 6) return;
        const id = `s${this.#sessions++}`;
        this.#open.push(id);
        world.start(id, { interimInterval: step.interim });
        break;
      }
      case 'stop': {
        const [id] = this.#open.splice(step.which % Math.max(1, this.#open.length), 1);
        if (id !== undefined) world.stop(id, traffic((this.#octets += 1000)));
        break;
      }
      case 'wait':
        world.pass(step.time);
        break;
      case 'server':
        world.answering = ANSWERING[step.how]!;
        break;
      case 'kill':
        if (step.octets === undefined) this.#killed();
        else world.store.tear = step.octets;
        break;
      case 'off':
        if (!this.#on) break;
        world.accounting.handleOff(nas, world.now);
        this.#on = false;
        this.#open.length = 0;
        world.drain();
        break;
      case 'disk':
        this.#isBehind ||= step.isFull;
        world.store.isFull = step.isFull;
        if (step.isFull) break;
        world.pass(2 * MINUTE);
        this.#isBehind = false;
    }
  }

  #killed(): void {
    this.#isExcused ||= this.#isBehind;
    this.#world.store.isFull = false;
    this.#isBehind = false;
    this.#open.length = 0;
    this.#world.restart(1000);
    this.#turnOn();
  }

  #turnOn(): void {
    this.#on = true;
    this.#world.accounting.handleOn(nas, this.#world.now);
    this.#world.drain();
  }
}

const ANSWERING: readonly Answering[] = [
  () => 'yes',
  () => 'no',
  () => 'lost-answer',
  ({ id }) => (/[13579]$/.test(id) ? 'no' : 'yes'),
];
