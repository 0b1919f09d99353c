/**
 * Upgrades in a row while many sessions carry streams: nothing ends, no octet is wrong, and what is counted at both ends, in the
 * usage and by RADIUS is the same.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FREERADIUS_SECRET, FreeRadius } from '../../test/support/freeradius.ts';
import { hasEnded, RadiusDatabase } from '../../test/support/radius-database.ts';
import type { SessionDocument } from '../../src/daemon/reports/documents.ts';
import type { UsageDocument } from '../../src/daemon/reports/usage-document.ts';
import type { Gateway, Lab } from '../lab.ts';
import { footprint, hold, layOut, clientFiles, PASSWORD, serverFiles, upgrade, userOf, type Footprint, type Upgraded } from './scene.ts'; // prettier-ignore
import type { StreamsReport } from './streams.ts';
import { moved, startStreams } from './traffic.ts';

/** Of the account of callers that only are there. */
const MANY = 'many';
const LINKS = 40;
/** kB that garbage makes of difference. */
const NOISE = 6_000;

export interface Round extends Upgraded {
  readonly who: 'server' | 'client';
  /** Of one stream at most, since the round before; undefined: the kernel does not tell. */
  readonly timeouts: number | undefined;
  readonly server: Footprint;
  readonly client: Footprint;
}

export interface LoadReport {
  readonly rounds: readonly Round[];
  readonly streams: StreamsReport;
  /** What is not as it should be. */
  readonly faults: readonly string[];
  readonly octets: number;
}

export interface LoadExtent {
  readonly sessions: number;
  /** Of the sessions: those of the client, which carry streams. The others are there. */
  readonly links?: number;
  /** Upgrades, of server and client in turns. */
  readonly rounds: number;
  readonly say: (text: string) => void;
}

export async function upgradesUnderLoad(
  lab: Lab,
  { sessions, rounds, links = Math.min(sessions, LINKS), say }: LoadExtent,
): Promise<LoadReport> {
  const scene = layOut(lab);
  const names = [MANY, ...Array.from({ length: links }, (_, n) => userOf(n))];
  const users = names.map((name) => `${name} Cleartext-Password := "${PASSWORD}"\n`).join(''); // prettier-ignore
  const radius = await FreeRadius.start({ users, sqlite: true }, ['ip', 'netns', 'exec', scene.server]); // prettier-ignore
  try {
    const nas = `config radius 'main'\n\toption server '127.0.0.1'\n\toption secret '${FREERADIUS_SECRET}'\n`;
    const files = serverFiles(sessions, { network: "\tlist accounts 'radius'\n", files: { pptp_radius: nas } }); // prettier-ignore
    const server = await lab.gateway('server', scene.server, files);
    await lab.run(scene.server, ...['ip', 'route', 'add', 'local', '10.65.0.0/16', 'dev', 'lo'] as const); // prettier-ignore
    const client = await lab.gateway('client', scene.client, clientFiles(links), '--dial'); // prettier-ignore
    for (let n = 0; n < links; n++) await client.process.line(new RegExp(`link l${n}: up`));
    const holders = await hold(scene, {
      username: MANY,
      password: PASSWORD,
      count: sessions - links,
    });
    say(`${sessions} sessions`);
    const streams = await startStreams(scene, links);

    const ids = (await sessionsOf(server)).map(({ id }) => id);
    await moved(streams);
    const done: Round[] = [];
    for (let n = 0; n < rounds; n++) {
      const who = n % 2 === 0 ? 'server' : 'client';
      const upgraded = await upgrade(who === 'server' ? server : client);
      const round = {
        ...upgraded,
        who,
        timeouts: await moved(streams),
        server: footprint(server.process.pid),
        client: footprint(client.process.pid),
      } as const;
      done.push(round);
      const { server: s, client: c } = round;
      say(`${n + 1} ${who}: ${upgraded.sessions} go on, ${upgraded.gap} ms, ${upgraded.state} kB; time-outs of a stream: ${round.timeouts ?? '?'} at most; descriptors ${s.descriptors}/${c.descriptors}, memory ${s.memory}/${c.memory} kB`); // prettier-ignore
    }

    const from = streams.sending.output.length;
    streams.sending.signal('SIGTERM');
    const line = await streams.sending.line(/done \{.*\}/, from);
    const report = JSON.parse(line.slice(5)) as StreamsReport;
    const faults = [...report.wrong, ...flatness(done)];
    const [near, far] = await settled(server, client);
    const gone = ids.filter((id) => !near.some((session) => session.id === id));
    if (gone.length > 0) faults.push(`sessions ${gone.join(', ')} are not there any more`);
    faults.push(
      ...compare(
        near.filter(({ username }) => username !== MANY),
        far,
      ),
    );
    const usage = await server.json<UsageDocument>('usage');
    for (const session of near) {
      if (session.username === MANY) continue; // one account for all of them
      const { total } = usage.users.find(({ username }) => username === session.username)!;
      if (total.rx_bytes !== session.rx_bytes || total.tx_bytes !== session.tx_bytes)
        faults.push(`${session.username}: usage ${JSON.stringify(total)}, session ${JSON.stringify(session)}`); // prettier-ignore
    }
    for (const [name, { process: daemon }] of Object.entries({ server, client }))
      for (const [said] of daemon.output.matchAll(/.*(: down|pptp error).*/g))
        faults.push(`${name}: ${said}`);

    await client.process.stop();
    await holders?.stop();
    const database = new RadiusDatabase(`${radius.folder}/radius.db`);
    while ((await database.rows()).filter(hasEnded).length < sessions) await sleep(300);
    const rows = await database.rows();
    if (rows.length !== sessions) faults.push(`${rows.length} rows of accounting`);
    for (const session of near) {
      const row = rows.find(({ framedipaddress }) => framedipaddress === session.address);
      if (row?.acctinputoctets !== session.rx_bytes || row.acctoutputoctets !== session.tx_bytes)
        faults.push(`${session.username}: accounting ${JSON.stringify(row)}, session ${JSON.stringify(session)}`); // prettier-ignore
    }
    await server.process.stop();
    const octets = near.reduce((sum, { rx_bytes, tx_bytes }) => sum + rx_bytes + tx_bytes, 0);
    return { rounds: done, streams: report, faults, octets };
  } finally {
    await radius.stop();
  }
}

const sessionsOf = (gateway: Gateway) => gateway.json<readonly SessionDocument[]>('sessions');

/** Both ends' sessions once nothing moves any more. */
async function settled(
  server: Gateway,
  client: Gateway,
): Promise<[readonly SessionDocument[], readonly SessionDocument[]]> {
  // prettier-ignore
  for (let before = ''; ; ) {
    const both = [await sessionsOf(server), await sessionsOf(client)] as const;
    const now = JSON.stringify(both.map((end) => end.map(({ rx_packets, tx_packets }) => [rx_packets, tx_packets]))); // prettier-ignore
    if (now === before) return [...both];
    before = now;
    await sleep(300);
  }
}

/** What one end has sent the other has received. */
function compare(near: readonly SessionDocument[], far: readonly SessionDocument[]): string[] {
  const others = new Map(far.map((session) => [session.username, session]));
  return near.flatMap((session) => {
    const other = others.get(session.username);
    const isExact =
      other !== undefined &&
      session.rx_packets === other.tx_packets &&
      session.tx_packets === other.rx_packets &&
      session.rx_bytes === other.tx_bytes &&
      session.tx_bytes === other.rx_bytes &&
      [session, other].every(({ lost, duplicates }) => lost === 0 && duplicates === 0);
    return isExact ? [] : [`${JSON.stringify(session)} is not ${JSON.stringify(other)}`];
  });
}

/** Descriptors are always as many, and memory does not grow. */
function flatness(rounds: readonly Round[]): string[] {
  const faults: string[] = [];
  for (const end of ['server', 'client'] as const) {
    // The one that was upgraded last has just begun.
    const prints = rounds.filter(({ who }) => who === end).map((round) => round[end]);
    const counts = new Set(prints.map(({ descriptors }) => descriptors));
    const spread = Math.max(...counts) - Math.min(...counts);
    if (spread > 2) faults.push(`${end}: descriptors ${[...counts].join(', ')}`);
    const third = Math.max(1, Math.floor(prints.length / 3));
    const early = medianOf(prints.slice(0, third).map(({ memory }) => memory));
    const late = medianOf(prints.slice(-third).map(({ memory }) => memory));
    if (late > early + NOISE) faults.push(`${end}: memory from ${early} to ${late} kB`);
  }
  return faults;
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
