/** A soak: a besieged gateway with a good session, another that is killed, people who come and go; for as long as told. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Lab } from '../../tools/lab.ts';
import { Random } from '../fuzz/random.ts';
import { GoodSession } from './good-session.ts';
import { Kills } from './kills.ts';
import { Logins } from './logins.ts';
import { Daemon, Stage } from './stage.ts';
import { descriptors, troubles, type Scene } from './troubles.ts';

export interface Soak {
  readonly seconds: number;
  readonly seed: number;
  /** Names of troubles; and whether kills and logins go on all the time. */
  readonly troubles: readonly string[];
  readonly kills: boolean;
  readonly logins: boolean;
  /** Kills after which it ends before its time. */
  readonly killCount: number;
  readonly flood: Scene['flood'];
  /** Ends it before its time. */
  readonly stop: AbortSignal;
  readonly say: (line: string) => void;
}

/** ms between two reports. */
const REPORT = 60_000;

/** @returns what must not be */
export async function soak(settings: Soak): Promise<readonly string[]> {
  const { seconds, seed, say } = settings;
  const random = new Random(seed);
  const stage = new Stage(new Lab('soak'));
  const counts = new Map<string, number>();
  const add = (what: string, count: number) => counts.set(what, (counts.get(what) ?? 0) + count);
  const faults: string[] = [];
  const clock = join(stage.lab.dir, 'clock');
  const preload = join(stage.lab.dir, 'clock.so');
  try {
    writeFileSync(clock, '0');
    execFileSync('gcc', [
      '-O1',
      '-shared',
      '-fPIC',
      resolve(import.meta.dirname, 'clock.c'),
      '-o',
      preload,
      '-ldl',
    ]);
    const server = new Daemon(stage, 'server', [`LD_PRELOAD=${preload}`, `SOAK_CLOCK=${clock}`]);
    const [client, victim, people] = [
      new Daemon(stage, 'client'),
      new Daemon(stage, 'victim'),
      new Daemon(stage, 'people'),
    ];
    for (const { run } of [server, victim]) stage.shrink(run);
    for (const daemon of [server, client, people]) await daemon.start();
    const good = new GoodSession(stage, client);
    const kills = new Kills(stage, victim, client);
    const logins = new Logins(people);
    await good.begin();
    await kills.begin();
    await logins.once();
    const held = descriptors(server);
    const grown = memory(server);
    const scene: Scene = {
      stage,
      server,
      good,
      kills,
      logins,
      clock,
      below: (limit) => random.below(limit),
      flood: settings.flood,
      add,
    };

    const ends = performance.now() + seconds * 1000;
    const isOver = () =>
      settings.stop.aborted ||
      faults.length > 0 ||
      performance.now() >= ends ||
      kills.count >= settings.killCount;
    const lane = async (what: string, step: () => Promise<unknown>): Promise<void> => {
      while (!isOver())
        await step().catch((error: unknown) => faults.push(`${what}: ${String(error)}`));
    };
    const summary = (): string => {
      const { answered, lost, excused } = good.pings;
      const more = [...counts].map(([what, count]) => `${count.toLocaleString('en')} ${what}`);
      return [
        `${kills.count} kills`,
        `${logins.count} logins`,
        ...more,
        `good session: ${answered} pings answered, ${lost} lost, ${excused} unanswered in troubles, ${good.transfers} transfers`,
        `server: ${descriptors(server)} descriptors (${held} at first), ${memory(server)} MB (${grown})`,
      ].join('; ');
    };
    const reports = setInterval(() => say(summary()), REPORT);
    const trouble = async (): Promise<void> => {
      const name = random.pick(settings.troubles);
      await troubles[name]!(scene);
      add(name, 1);
    };
    await Promise.all([
      ...(settings.troubles.length > 0 ? [lane('trouble', trouble)] : []),
      ...(settings.kills ? [lane('kill', () => kills.kill())] : []),
      ...(settings.logins ? [lane('login', () => logins.once())] : []),
    ]);
    clearInterval(reports);
    if (faults.length === 0) {
      await good.answers();
      await kills.end();
    }
    say(summary());
    faults.push(...kills.faults, ...good.faults);
    if (good.pings.lost > 0) faults.push(`${good.pings.lost} pings of the good session were lost`);
    for (const daemon of [server, client, people])
      if (/INTERNAL_ERROR|Uncaught|^ +at /m.test(daemon.process?.output ?? ''))
        faults.push(`a gateway says: ${daemon.process!.output.slice(-2000)}`);
    await good.end();
    return faults;
  } finally {
    await stage.close();
  }
}

/** Resident, in MB. */
function memory(daemon: Daemon): number {
  const [, kilobytes = '0'] =
    /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
