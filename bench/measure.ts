/** What is measured of every tunnel, by the same programs in the same order. */
import { resolve } from 'node:path';
import { cpuSeconds, memory, processesIn } from './machine.ts';
import type { Sides, Tunnel } from './tunnels.ts';

export const probe = resolve(import.meta.dirname, '../dist/bench/probe');
const PORT = '7007';
/** Loss that a packet rate may have. */
const LOSS = 0.01;

/** One round of one tunnel. NaN: there is nothing to measure (the veth has no processes). */
export interface Sample {
  /** From 1. */
  readonly round: number;
  /** TCP, Mbit/s: client to server, server to client, four streams client to server. */
  readonly tcpUp: number;
  readonly tcpDown: number;
  readonly tcpFour: number;
  /** CPU seconds per GB of both ends, one stream, both ways. */
  readonly cpuPerGb: number;
  /** The same with four streams. */
  readonly cpuPerGbFour: number;
  /** Retransmitted segments: one stream both ways; four streams. */
  readonly retransmits: number;
  readonly retransmitsFour: number;
  /** Delivered 64-octet UDP datagrams a second at < 1 % loss, and CPU time of both ends for each, µs. */
  readonly packetRate: number;
  readonly cpuPerPacket: number;
  /** Round trip, µs: idle, and beside one TCP stream. */
  readonly rttP50: number;
  readonly rttP99: number;
  readonly rttLoadedP50: number;
  readonly rttLoadedP99: number;
  /** MB of the larger end, after the work. */
  readonly resident: number;
  readonly anonymous: number;
}

export async function measure(
  sides: Sides,
  tunnel: Tunnel,
  round: number,
  seconds: number,
): Promise<Sample> {
  const { server, client } = sides;
  const pids = [...processesIn(server), ...processesIn(client)];
  // Compilers and caches are warm in a tunnel that has run for a while; every one gets the same.
  await tcp(sides, tunnel.address, pids, 1);
  await tcp(sides, tunnel.address, pids, 1, '-R');
  const idle = await rtt(sides, tunnel.address, Math.min(2, seconds));
  const up = await tcp(sides, tunnel.address, pids, seconds);
  const down = await tcp(sides, tunnel.address, pids, seconds, '-R');
  const four = await tcp(sides, tunnel.address, pids, seconds, '-P', '4');
  const [loaded] = await Promise.all([
    rtt(sides, tunnel.address, seconds),
    tcp(sides, tunnel.address, pids, seconds),
  ]);
  const packets = await packetRate(sides, tunnel.address, pids, seconds);
  const sizes = pids.map(memory);
  return {
    round,
    tcpUp: up.speed,
    tcpDown: down.speed,
    tcpFour: four.speed,
    cpuPerGb: perUnit(pids, up.cpu + down.cpu, (up.octets + down.octets) / 1e9),
    cpuPerGbFour: perUnit(pids, four.cpu, four.octets / 1e9),
    retransmits: up.retransmits + down.retransmits,
    retransmitsFour: four.retransmits,
    packetRate: packets.rate,
    cpuPerPacket: perUnit(pids, packets.cpu * 1e6, packets.received),
    rttP50: idle.p50,
    rttP99: idle.p99,
    rttLoadedP50: loaded.p50,
    rttLoadedP99: loaded.p99,
    resident: pids.length === 0 ? NaN : Math.max(...sizes.map(({ resident }) => resident)),
    anonymous: pids.length === 0 ? NaN : Math.max(...sizes.map(({ anonymous }) => anonymous)),
  };
}

function perUnit(pids: readonly number[], cpu: number, units: number): number {
  return pids.length === 0 ? NaN : cpu / units;
}

interface Iperf {
  readonly error?: string;
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number; readonly bytes: number };
    readonly sum_sent: { readonly retransmits?: number };
  };
}

async function tcp(
  { lab, server, client }: Sides,
  address: string,
  pids: readonly number[],
  seconds: number,
  ...options: readonly string[]
): Promise<{ speed: number; octets: number; retransmits: number; cpu: number }> {
  const listener = lab.start(server, 'iperf3', '-s', '-1', '-B', address, '--forceflush');
  await listener.line(/listening/);
  const before = cpuSeconds(pids);
  const limit = String(seconds + 15); // a tunnel that died would hang it for ever
  const { code, output } = await lab.run(
    client,
    ...(['timeout', limit, 'iperf3', '-J', '-c', address, '-t', String(seconds)] as const),
    ...options,
  );
  const cpu = cpuSeconds(pids) - before;
  await listener.stop();
  if (code !== 0) throw new Error(`iperf3 ended with ${code ?? 'a signal'}: ${output}`);
  const { sum_received: received, sum_sent: sent } = (JSON.parse(output) as Iperf).end;
  return {
    speed: received.bits_per_second / 1e6,
    octets: received.bytes,
    retransmits: sent.retransmits ?? 0,
    cpu,
  };
}

async function rtt(
  { lab, server, client }: Sides,
  address: string,
  seconds: number,
): Promise<{ p50: number; p99: number }> {
  const echo = lab.start(server, probe, 'echo', PORT);
  await echo.line(/listening/);
  const { output } = await lab.run(client, probe, 'rtt', address, PORT, String(seconds));
  await echo.stop();
  const [, p50, p99] = /^rtt (\S+) (\S+)/m.exec(output) ?? [];
  if (p99 === undefined) throw new Error(`no datagram came back: ${output}`);
  return { p50: Number(p50), p99: Number(p99) };
}

interface Packets {
  readonly rate: number;
  readonly received: number;
  readonly cpu: number;
}

/** The highest rate at < 1 % loss: bisected between what is surely too little and what is surely too much. */
async function packetRate(
  sides: Sides,
  address: string,
  pids: readonly number[],
  seconds: number,
): Promise<Packets> {
  const { lab, server, client } = sides;
  const sink = lab.start(server, probe, 'sink', PORT);
  await sink.line(/listening/);
  const step = Math.max(0.5, seconds / 5);
  const blast = async (rate: number): Promise<Packets & { loss: number }> => {
    const from = sink.output.length;
    const before = cpuSeconds(pids);
    const run = await lab.run(client, probe, 'blast', address, PORT, String(rate), String(step));
    const [, sent, took] = /^sent (\d+) (\d+)/m.exec(run.output) ?? [];
    const [, received] = /received (\d+) /.exec(await sink.line(/received \d+ \d+/, from)) ?? [];
    const loss = 1 - Number(received) / Number(sent);
    return {
      rate: (Number(received) / Number(took)) * 1e6,
      received: Number(received),
      cpu: cpuSeconds(pids) - before,
      loss,
    };
  };
  const flood = await blast(1_000_000);
  let low = flood.rate * 0.1;
  let high = flood.rate * 1.6;
  let best: Packets = { rate: NaN, received: NaN, cpu: NaN }; // until a rate is found that loses little
  for (let tries = 0; tries < 7; tries++) {
    const middle = (low + high) / 2;
    let seen = await blast(middle);
    // A queue of 500 packets overflows when the machine pauses for 2 ms, which is not the tunnel's fault.
    if (seen.loss >= LOSS) seen = await blast(middle);
    if (seen.loss < LOSS) {
      best = seen;
      low = middle;
    } else {
      high = middle;
    }
  }
  await sink.stop();
  return best;
}
