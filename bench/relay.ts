/**
 * Passthrough: GRE that our relay lets through a router, beside the same GRE simply forwarded by it, through
 * the same firewall. The ends are those of
 * the C reference without encryption; the router is a namespace between them.
 */
import { resolve } from 'node:path';
import type { Lab } from '../tools/lab.ts';
import { cpuSeconds, ip, median } from './machine.ts';

const forwarder = resolve(import.meta.dirname, '../dist/bench/forwarder');
const control = resolve(import.meta.dirname, 'relay-control.ts');
const client = { outer: '192.168.1.10', inner: '10.97.0.2', callId: 1001 };
const server = { outer: '203.0.113.1', inner: '10.97.0.1', callId: 2002 };
const router = { lan: '192.168.1.1', wan: '203.0.113.2' };
const MTU = '1400';

const firewall = `table ip firewall {
  chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" ip protocol tcp masquerade; }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    meta mark & 0xff000000 == 0x17000000 accept
    ip protocol gre accept
    iifname "lan" accept
  }
}`;

export interface RelayBench {
  /** TCP inside, Mbit/s, client to server: medians. `relayed`: by the shortcut; `tables`: by nftables alone. */
  readonly forwarded: number;
  readonly relayed: number;
  readonly tables: number;
  /** To what is forwarded: medians of the rounds' ratios. */
  readonly ratio: number;
  readonly tablesRatio: number;
  /** The daemon's CPU seconds for each GB that passed. */
  readonly daemonCpuPerGb: number;
  /** From TCP's first packet to the call, ms, medians: through the relay, and masqueraded. */
  readonly setup: { readonly relayed: number; readonly direct: number };
}

export async function relayBench(lab: Lab, seconds: number, rounds: number): Promise<RelayBench> {
  const [near, middle, far] = ['relay-client', 'relay-router', 'relay-server'].map((name) =>
    lab.namespace(name),
  ) as [string, string, string];
  lab.join('lan', [
    [middle, `${router.lan}/24`],
    [near, `${client.outer}/24`],
  ]);
  lab.join('wan', [
    [middle, `${router.wan}/24`],
    [far, `${server.outer}/24`],
  ]);
  ip('-n', near, 'route', 'add', 'default', 'via', router.lan);
  ip('-n', far, 'route', 'add', 'default', 'via', router.wan);
  await lab.run(middle, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  // As on any router: connections are tracked, TCP is masqueraded. What is forwarded is tracked, what is relayed is not.
  await lab.run(middle, 'nft', firewall);
  const ends: Ends = { lab, near, far };

  const rates: { forwarded: number; relayed: number; tables: number; cpu: number }[] = [];
  const setups: { relayed: number; direct: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const direct = await setUp(ends);
    await direct.stop();
    const results = new Map<string, Measured>();
    const ways = [
      async () => results.set('forwarded', await measure(ends, plainPath, seconds, [])),
      async () => results.set('tables', (await throughRelay(ends, middle, 'relay', seconds)).measured), // prettier-ignore
      async () => {
        const { setup, measured } = await throughRelay(ends, middle, 'ebpf', seconds);
        setups.push({ relayed: setup, direct: direct.took });
        results.set('relayed', measured);
      },
    ];
    // In turn, and each first as often as the others.
    const first = round % ways.length;
    for (const way of [...ways.slice(first), ...ways.slice(0, first)]) await way();
    const { rate, cpu, octets } = results.get('relayed')!;
    rates.push({
      forwarded: results.get('forwarded')!.rate,
      tables: results.get('tables')!.rate,
      relayed: rate,
      cpu: cpu / (octets / 1e9),
    });
  }
  return {
    forwarded: median(rates.map(({ forwarded }) => forwarded)),
    relayed: median(rates.map(({ relayed }) => relayed)),
    tables: median(rates.map(({ tables }) => tables)),
    ratio: median(rates.map(({ forwarded, relayed }) => relayed / forwarded)),
    tablesRatio: median(rates.map(({ forwarded, tables }) => tables / forwarded)),
    daemonCpuPerGb: median(rates.map(({ cpu }) => cpu)),
    setup: {
      relayed: median(setups.map(({ relayed }) => relayed)),
      direct: median(setups.map(({ direct }) => direct)),
    },
  };
}

interface Ends {
  readonly lab: Lab;
  readonly near: string;
  readonly far: string;
}

/** Where each end sends to, and with which call id. */
interface Path {
  readonly client: { readonly peer: string; readonly callId: number };
  readonly server: { readonly peer: string; readonly callId: number };
}

const plainPath: Path = {
  client: { peer: server.outer, callId: server.callId },
  server: { peer: client.outer, callId: client.callId },
};

/** A call, and what each end was told of it. */
interface Call {
  readonly toldClient: number;
  readonly toldServer: number;
  /** ms */
  readonly took: number;
  stop(): Promise<unknown>;
}

async function setUp({ lab, near, far }: Ends): Promise<Call> {
  const script = (namespace: string, ...words: readonly string[]) =>
    lab.start(namespace, process.execPath, '--import', 'tsx', control, ...words);
  const taker = script(far, 'server', server.outer, String(server.callId));
  await taker.line(/listening/);
  const caller = script(near, 'client', server.outer, String(client.callId));
  const [, toldClient, , took] = (await caller.line(/told \d+ after [\d.]+\n/)).split(' ');
  const [, toldServer] = (await taker.line(/told \d+/)).split(' ');
  return {
    toldClient: Number(toldClient),
    toldServer: Number(toldServer),
    took: Number(took),
    stop: () => Promise.all([caller.stop(), taker.stop()]),
  };
}

async function throughRelay(
  ends: Ends,
  middle: string,
  backend: 'ebpf' | 'relay',
  seconds: number,
): Promise<{ setup: number; measured: Measured }> {
  const gateway = await ends.lab.gateway('relay', middle, {
    network: '',
    pptp: `config relay 'bench'\n\toption src 'lan'\n\toption dest 'wan'\n\toption backend '${backend}'\n`,
  });
  const call = await setUp(ends);
  const path: Path = {
    client: { peer: server.outer, callId: call.toldClient },
    server: { peer: router.wan, callId: call.toldServer },
  };
  const pids = ip('netns', 'pids', middle).split('\n').filter(Boolean).map(Number);
  const measured = await measure(ends, path, seconds, pids);
  await call.stop();
  await gateway.process.stop();
  return { setup: call.took, measured };
}

interface Measured {
  /** Mbit/s */
  readonly rate: number;
  readonly octets: number;
  readonly cpu: number;
}

async function measure(
  { lab, near, far }: Ends,
  path: Path,
  seconds: number,
  pids: readonly number[],
): Promise<Measured> {
  const end = async (
    namespace: string,
    own: typeof client,
    inner: string,
    to: Path['client'],
    word: string,
  ) => {
    const ids = [String(own.callId), String(to.callId)];
    const program = lab.start(
      namespace,
      forwarder,
      'gre',
      own.outer,
      to.peer,
      ...ids,
      inner,
      'none',
      word,
    );
    await program.line(/running/);
    ip('-n', namespace, 'address', 'add', own.inner, 'peer', inner, 'dev', 'gre');
    ip('-n', namespace, 'link', 'set', 'gre', 'mtu', MTU, 'up');
    return program;
  };
  const programs = [
    await end(far, server, client.inner, path.server, 'a'),
    await end(near, client, server.inner, path.client, 'b'),
  ];
  const listener = lab.start(far, 'iperf3', '-s', '-1', '-B', server.inner, '--forceflush');
  await listener.line(/listening/);
  const before = cpuSeconds(pids);
  const limit = String(seconds + 15);
  const { code, output } = await lab.run(
    near,
    ...(['timeout', limit, 'iperf3', '-J', '-c', server.inner, '-t', String(seconds)] as const),
  );
  const cpu = cpuSeconds(pids) - before;
  await Promise.all([listener.stop(), ...programs.map((program) => program.stop())]);
  if (code !== 0) throw new Error(`iperf3 ended with ${code ?? 'a signal'}: ${output}`);
  const { sum_received: sum } = (
    JSON.parse(output) as { end: { sum_received: { bits_per_second: number; bytes: number } } }
  ).end;
  return { rate: sum.bits_per_second / 1e6, octets: sum.bytes, cpu };
}
