/**
 * Logins by RADIUS beside logins by the router's own users, and what FreeRADIUS itself gives: radclient asks it without us. All on the same
 * processors, in turns; FreeRADIUS decides by a file of users, and takes accounting.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FREERADIUS_SECRET, FreeRadius } from '../test/support/freeradius.ts';
import { finished, holding, manyFiles, startCallers } from './control-plane.ts';
import { cpuSeconds, median, memory, wait } from './machine.ts';
import { account, type Sides } from './tunnels.ts';

export interface RadiusBench {
  /** Logins (with their hang-up and accounting) a second, by the clock; radclient: logins without all that is around them. */
  readonly perSecond: Readonly<Record<'local' | 'radius' | 'radclient', number>>;
  /** Logins for each second of the gateway's CPU, accounting included; radclient has none. */
  readonly perCpuSecond: Readonly<Record<'local' | 'radius', number>>;
  /** Median ms of a login, one after another; radclient: of its round trip. */
  readonly login: Readonly<Record<'local' | 'radius' | 'radclient', number>>;
  /** kB of anonymous memory that each session adds. */
  readonly memory: Readonly<Record<'local' | 'radius', number>>;
  readonly sessions: number;
  /** Calls that failed. */
  readonly failures: number;
}

type Accounts = 'local' | 'radius';

interface Figures {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly login: number;
  readonly memory: number;
  readonly failures: number;
}

export async function radiusBench(
  sides: Sides,
  sessions: number,
  rounds: number,
): Promise<RadiusBench> {
  const users = `${account.username} Cleartext-Password := "${account.password}"\n`;
  const server = await FreeRadius.start({ users }, ['ip', 'netns', 'exec', sides.server]);
  try {
    const local: Figures[] = [];
    const radius: Figures[] = [];
    const alone: { perSecond: number; roundTrip: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      local.push(await logins(sides, 'local', sessions));
      radius.push(await logins(sides, 'radius', sessions));
      alone.push({
        perSecond: 1000 / (await radclient(sides, 1000, 32)),
        roundTrip: ((await radclient(sides, 200, 1)) * 1000) / 200,
      });
    }
    const of = (all: readonly Figures[], name: keyof Figures) =>
      median(all.map((figures) => figures[name]));
    return {
      perSecond: {
        local: of(local, 'perSecond'),
        radius: of(radius, 'perSecond'),
        radclient: median(alone.map(({ perSecond }) => perSecond)),
      },
      perCpuSecond: { local: of(local, 'perCpuSecond'), radius: of(radius, 'perCpuSecond') },
      login: {
        local: of(local, 'login'),
        radius: of(radius, 'login'),
        radclient: median(alone.map(({ roundTrip }) => roundTrip)),
      },
      memory: { local: of(local, 'memory'), radius: of(radius, 'memory') },
      sessions,
      failures: [...local, ...radius].reduce((sum, { failures }) => sum + failures, 0),
    };
  } finally {
    await server.stop();
  }
}

async function logins(sides: Sides, accounts: Accounts, sessions: number): Promise<Figures> {
  const { lab, server } = sides;
  const gateway = await lab.gateway(`by-${accounts}`, server, {
    ...manyFiles(sessions, accounts),
    pptp_radius: `config radius 'main'\n\toption server '127.0.0.1'\n\toption secret '${FREERADIUS_SECRET}'\n`,
  });
  const { pid } = gateway.process;
  await finished(startCallers(sides, 'cycles', 200, 32)); // loads what logins need
  await wait(1000);
  const base = memory(pid).anonymous;
  const { held, holders } = await holding(sides, sessions);
  await wait(3000);
  const full = memory(pid).anonymous;
  await holders.stop();
  await wait(1000);
  const cpu = cpuSeconds([pid]);
  const many = await finished(startCallers(sides, 'cycles', 1000, 32));
  const spent = cpuSeconds([pid]) - cpu;
  const single = await finished(startCallers(sides, 'cycles', 200, 1));
  await gateway.process.stop();
  return {
    perSecond: many.done / many.seconds,
    perCpuSecond: many.done / spent,
    login: single.login,
    memory: ((full - base) * 1000) / held.done,
    failures: held.failed + many.failed + single.failed,
  };
}

/** Seconds for so many logins. */
async function radclient(
  { lab, server }: Sides,
  count: number,
  concurrency: number,
): Promise<number> {
  const file = join(lab.dir, 'requests');
  const request = `User-Name = "${account.username}"\nMS-CHAP-Password = "${account.password}"\n`;
  writeFileSync(file, Array.from({ length: count }, () => request).join('\n'));
  const from = performance.now();
  const { code, output } = await lab.run(
    server,
    'radclient',
    ...['-q', '-p', String(concurrency), '-f', file, '127.0.0.1', 'auth', FREERADIUS_SECRET],
  );
  if (code !== 0) throw new Error(`radclient: ${output.slice(-500)}`);
  return (performance.now() - from) / 1000;
}
