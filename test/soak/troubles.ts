/** What happens to the gateway that has the good session. Each is over when it resolves; a fault is thrown. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { GoodSession } from './good-session.ts';
import type { Kills } from './kills.ts';
import type { Logins } from './logins.ts';
import { SERVER, type Daemon, type Stage } from './stage.ts';
import { until } from './until.ts';

export interface Scene {
  readonly stage: Stage;
  readonly server: Daemon;
  readonly good: GoodSession;
  readonly kills: Kills;
  readonly logins: Logins;
  /** The file with the offset of the server's wall clock. */
  readonly clock: string;
  /** 0..limit-1 */
  readonly below: (limit: number) => number;
  /** Seconds that a flood lasts; packets and messages per second, at most. */
  readonly flood: { readonly seconds: number; readonly rate: number };
  readonly add: (what: string, count: number) => void;
}

async function flood(scene: Scene, kind: 'control' | 'gre' | 'connections'): Promise<void> {
  const { stage, server, good, below, add } = scene;
  const { seconds, rate } = scene.flood;
  const before = await counters(server);
  const words = [
    kind,
    SERVER,
    String(seconds),
    String(rate),
    String(below(2 ** 31)),
    ...(kind === 'gre' ? [String(good.callId)] : []),
  ];
  await good.excuse(async () => {
    const { code, output } = await stage.program('strangers', 'flood.ts', ...words).ended;
    const taken = /^taken (\d+)$/m.exec(output)?.[1];
    if (code !== 0 || taken === undefined) throw new Error(`flood ${kind}: ${output}`);
    const after = await counters(server);
    add(
      kind === 'control' ? 'control messages' : kind === 'gre' ? 'GRE packets' : 'dumb connections',
      kind === 'gre' ? after.gre.received - before.gre.received : Number(taken),
    );
  });
}

async function counters(server: Daemon) {
  return (await server.call('counters')) as { readonly gre: { readonly received: number } };
}

export const troubles: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  controlFlood: (scene) => flood(scene, 'control'),
  greFlood: (scene) => flood(scene, 'gre'),
  connectionFlood: (scene) => flood(scene, 'connections'),

  /** The cable is out for a moment. */
  cable: ({ stage, good, below }) =>
    good.excuse(async () => {
      stage.ip('hub', 'link set client down');
      await setTimeout(200 + below(2000));
      stage.ip('hub', 'link set client up');
    }),

  /** The client's own device goes down and up: its connected route goes and comes. */
  wan: ({ stage, good, below }) =>
    good.excuse(async () => {
      stage.ip('client', 'link set wan down');
      await setTimeout(200 + below(2000));
      stage.ip('client', 'link set wan up');
    }),

  /** The machine was asleep, or much too busy. */
  stall: ({ server, good, below }) =>
    good.excuse(async () => {
      process.kill(server.pid, 'SIGSTOP');
      try {
        await setTimeout(500 + below(4000));
      } finally {
        process.kill(server.pid, 'SIGCONT');
      }
    }),

  /** NTP, or a person, sets the time. */
  clock: async ({ clock, good, logins, below }) => {
    const hours = [-24 * 365, -24, -1, 1, 24, 24 * 365 * 20];
    writeFileSync(clock, String(hours[below(hours.length)]! * 3600));
    await good.answers();
    await logins.once();
    writeFileSync(clock, '0');
    await good.answers();
  },

  /** The file system of the runtime folder is full: of a gateway that records, and of one that is killed. */
  disk: async ({ server, good, kills, logins, stage }) => {
    const fill = (folder: string) => {
      try {
        writeFileSync(join(folder, 'filler'), new Uint8Array(8 << 20));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    };
    for (const run of stage.small) fill(run);
    try {
      await server.call('capture_start').catch(() => undefined);
      await logins.once();
      await kills.kill();
      await good.answers();
      await server.call('capture_stop').catch(() => undefined);
    } finally {
      for (const run of stage.small) rmSync(join(run, 'filler'), { force: true });
    }
    await logins.once();
  },

  /** Hardly a descriptor is left, and strangers come for those. */
  descriptors: async (scene) => {
    const { server, good, logins } = scene;
    const limit = (count: number) =>
      execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${count}:`]);
    const [, before = '1024'] =
      /Max open files +(\d+)/.exec(readFileSync(`/proc/${server.pid}/limits`, 'utf8')) ?? [];
    limit(descriptors(server) + 4);
    try {
      await flood(
        { ...scene, flood: { ...scene.flood, seconds: Math.min(5, scene.flood.seconds) } },
        'connections',
      );
      await good.answers();
    } finally {
      limit(Number(before));
    }
    await until("the strangers' descriptors are given back", () => descriptors(server) < 64);
    await logins.once();
  },

  /** The owner changes something, often. */
  reload: async ({ server, good }) => {
    const file = join(server.dir, 'pptp');
    for (let n = 0; n < 10; n++) {
      writeFileSync(file, `config pptp 'globals'\n\toption login_timeout '${20 + n}'\n`);
      await server.call('reload');
    }
    writeFileSync(file, '');
    await server.call('reload');
    await good.answers();
  },
};

export function descriptors(daemon: Daemon): number {
  return readdirSync(`/proc/${daemon.pid}/fd`).length;
}
