/**
 * PPTP that passes through the kernel's own helper, from its list of tracked connections (/proc/net/nf_conntrack):
 *
 *     ipv4 2 tcp 6 431996 ESTABLISHED src=C dst=S sport=40000 dport=1723 packets=9 bytes=900 src=S dst=R sport=1723 dport=40000 …
 *     ipv4 2 gre 47 17998 timeout=600, stream_timeout=18000 src=C dst=S srckey=0x1 dstkey=0x80 … src=S dst=R srckey=0x80 dstkey=0x9c40 …
 *
 * Two tuples each: of the first packet's way and of the answers', as they come in. Either end's packet may have been first.
 */
import { files } from '../platform/platform.ts';
import type { Ipv4 } from '../wire/brand.ts';
import { parseAddress } from '../wire/ip.ts';

export const CONNTRACK = '/proc/net/nf_conntrack';

export interface TrackedConnection {
  readonly client: Ipv4;
  /** As the client calls it, and where its answers really come from. */
  readonly server: Ipv4;
  readonly realServer: number;
}

export interface TrackedCall extends TrackedConnection {
  readonly clientCallId: number;
  readonly serverCallId: number;
  /** From and to the client; undefined where the kernel does not count (nf_conntrack_acct). */
  readonly traffic:
    | {
        readonly rxPackets: number;
        readonly rxOctets: number;
        readonly txPackets: number;
        readonly txOctets: number;
      }
    | undefined;
}

export interface Tracked {
  readonly connections: readonly TrackedConnection[];
  readonly calls: readonly TrackedCall[];
}

/** @throws Error the kernel does not list what it tracks */
export async function readTracked(path = CONNTRACK): Promise<Tracked> {
  return parseTracked(await files.textLater(path, 'latin1'));
}

interface Tuple {
  readonly src: number;
  readonly dst: number;
  readonly fields: ReadonlyMap<string, string>;
}

export function parseTracked(text: string): Tracked {
  const connections: TrackedConnection[] = [];
  const flows: (readonly [Tuple, Tuple])[] = [];
  for (const line of text.split('\n')) {
    const tuples = / (tcp +6|gre +47) /.test(line) ? tuplesOf(line) : undefined;
    if (tuples === undefined) continue;
    const [first, answer] = tuples;
    if (/ gre +47 /.test(line)) flows.push(tuples);
    else if (first.fields.get('dport') === '1723' && / ESTABLISHED /.test(line))
      connections.push({ client: first.src, server: first.dst, realServer: answer.src });
  }
  const calls = flows.flatMap((tuples) => callOf(tuples, connections) ?? []);
  return { connections, calls };
}

function tuplesOf(line: string): readonly [Tuple, Tuple] | undefined {
  const tuples: { src: number; dst: number; fields: Map<string, string> }[] = [];
  for (const [, name, value] of line.matchAll(/ (\w+)=(\S+)/g)) {
    if (name === 'src') tuples.push({ src: parseAddress(value!) ?? 0, dst: 0, fields: new Map() });
    const tuple = tuples.at(-1);
    if (name === 'dst' && tuple !== undefined) tuple.dst = parseAddress(value!) ?? 0;
    tuple?.fields.set(name!, value!);
  }
  const [first, answer] = tuples;
  return first === undefined || answer === undefined ? undefined : [first, answer];
}

function callOf(
  [first, answer]: readonly [Tuple, Tuple],
  connections: readonly TrackedConnection[],
): TrackedCall | undefined {
  const of = (tuple: Tuple) =>
    connections.find(({ client, server }) => tuple.src === client && tuple.dst === server);
  const fromClient = of(first) !== undefined ? first : answer;
  const toClient = fromClient === first ? answer : first;
  const connection = of(fromClient);
  if (connection === undefined) return undefined;
  const number = (tuple: Tuple, name: string) => Number(tuple.fields.get(name) ?? NaN);
  const traffic = {
    rxPackets: number(fromClient, 'packets'),
    rxOctets: number(fromClient, 'bytes'),
    txPackets: number(toClient, 'packets'),
    txOctets: number(toClient, 'bytes'),
  };
  return {
    ...connection,
    clientCallId: number(fromClient, 'srckey'),
    serverCallId: number(toClient, 'srckey'),
    traffic: Number.isNaN(traffic.rxPackets) ? undefined : traffic,
  };
}
