/** How long nothing moves in an upgrade of a server with so many sessions, and what that costs streams in some of them. */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import type { Lab, Program } from '../lab.ts';
import { clientFiles, hold, layOut, PASSWORD, serverFiles, targetOf, upgrade, userOf, type Upgraded } from './scene.ts'; // prettier-ignore
import { moved, startStreams } from './traffic.ts';

/** One of each kind of MPPE. */
const LINKS = 4;
const MBIT = '20';
const [up, down] = ['6001', '6002'];
/** ms between two upgrades. */
const CALM = 3_000;

export interface Gap extends Upgraded {
  /** Of one TCP stream at most; undefined: the kernel does not tell. */
  readonly timeouts: number | undefined;
  /** ms: the longest time without a datagram, to the server and from it. */
  readonly pauses: readonly [number, number];
}

export interface GapReport {
  readonly gaps: readonly Gap[];
  readonly datagrams: number;
  readonly lost: readonly [number, number];
}

/** What has come of a stream of datagrams. */
class Receiver {
  count = 0;
  highest = 0;
  /** ms */
  #pause = 0;

  constructor(program: Program) {
    program.onLine((line) => {
      const [, count, highest, pause] = /^seen (\d+) (\d+) (\d+)/.exec(line) ?? [];
      if (count === undefined) return;
      this.count = Number(count);
      this.highest = Number(highest);
      this.#pause = Math.max(this.#pause, Number(pause) / 1000);
    });
  }

  takePause(): number {
    const pause = this.#pause;
    this.#pause = 0;
    return pause;
  }
}

export async function measureGap(
  lab: Lab,
  { sessions, upgrades }: { sessions: number; upgrades: number },
): Promise<GapReport> {
  const stream = join(lab.dir, 'stream');
  const source = resolve(import.meta.dirname, 'stream.c');
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', stream, source]);
  const scene = layOut(lab);
  const many = { username: 'many', password: PASSWORD };
  const names = [many.username, ...Array.from({ length: LINKS }, (_, n) => userOf(n))];
  const users = names.map((name) => `config user\n\toption username '${name}'\n\toption password '${PASSWORD}'\n\toption max_sessions '4096'\n`); // prettier-ignore
  const files = serverFiles(sessions, { files: { pptp_users: users.join('') } });
  const server = await lab.gateway('server', scene.server, files);
  await lab.run(scene.server, 'ip', 'route', 'add', 'local', '10.65.0.0/16', 'dev', 'lo');
  const client = await lab.gateway('client', scene.client, clientFiles(LINKS), '--dial');
  for (let n = 0; n < LINKS; n++) await client.process.line(new RegExp(`link l${n}: up`));
  await hold(scene, { ...many, count: sessions - LINKS });

  const own = (await client.json<readonly SessionDocument[]>('sessions')).find(({ link }) => link === 'l0')!; // prettier-ignore
  const receivers = [
    new Receiver(lab.start(scene.server, stream, 'receive', up)),
    new Receiver(lab.start(scene.client, stream, 'receive', down)),
  ] as const;
  const senders = [
    lab.start(scene.client, stream, 'send', targetOf(0), up, MBIT),
    lab.start(scene.server, stream, 'send', own.local_address, down, MBIT),
  ];
  const streams = await startStreams(scene, LINKS);
  await sleep(CALM);
  await moved(streams);
  for (const receiver of receivers) receiver.takePause();
  const before = receivers.map(({ count, highest }) => highest - count);
  const gaps: Gap[] = [];
  for (let n = 0; n < upgrades; n++) {
    const upgraded = await upgrade(server);
    const timeouts = await moved(streams);
    await sleep(CALM);
    const [first, second] = receivers;
    gaps.push({ ...upgraded, timeouts, pauses: [first.takePause(), second.takePause()] });
  }
  for (const sender of senders) await sender.stop();
  await sleep(500); // what is on its way
  const [first, second] = receivers.map(({ count, highest }, n) => highest - count - before[n]!);
  return { gaps, datagrams: receivers[0].highest, lost: [first!, second!] };
}
