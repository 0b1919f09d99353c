/** Two gateways, one of them with many links to the other, all kinds of MPPE among them; and how one is upgraded. */
import { readdirSync, readFileSync, writeFileSync, chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CallersOrders, CallersReport } from '../callers.ts';
import { node, type Gateway, type Lab, type Program } from '../lab.ts';

const bundle = resolve(import.meta.dirname, '../../dist/pptp-gateway.js');
export const outer = { server: '198.18.0.1', client: '198.18.0.2' } as const;
export const PASSWORD = 'secret of many';

export interface Scene {
  readonly lab: Lab;
  /** Namespaces. */
  readonly server: string;
  readonly client: string;
}

export function layOut(lab: Lab): Scene {
  const server = lab.namespace('server');
  const client = lab.namespace('client');
  lab.join('outer', [
    [server, `${outer.server}/30`],
    [client, `${outer.client}/30`],
  ]);
  // As packages do it: flags of the runtime hold from the next upgrade on.
  const launcher = join(lab.dir, 'launcher');
  writeFileSync(launcher, `#!/bin/sh\nexec ${node.join(' ')} ${bundle} "$@"\n`);
  chmodSync(launcher, 0o755);
  lab.launcher = ['env', `PPTP_GATEWAY_LAUNCHER=${launcher}`];
  return { lab, server, client };
}

export const userOf = (n: number) => `user${n}`;
/** An address behind the server that only the link of this number leads to. */
export const targetOf = (n: number) => `10.65.${n >> 8}.${n & 0xff}`;

const globals = `config pptp 'globals'
	option max_sessions '4096'
	option max_half_open '4096'
	option max_half_open_per_source '4096'
`;

export function serverFiles(
  sessions: number,
  more: { readonly network?: string; readonly files?: Readonly<Record<string, string>> } = {},
): Readonly<Record<string, string>> {
  const network = `config interface 'home'
	option proto 'pptpserver'
	option localip '10.64.0.1'
	option network '10.64.0.0/18'
	option mppe 'required'
	list mppe_strength '128'
	list mppe_strength '40'
	option mppe_stateful '1'
	option max_sessions '${Math.min(4096, sessions + 200)}'
	option max_per_user '4096'
	option ban_after '0'
${more.network ?? ''}`;
  return { network, pptp: globals, ...more.files };
}

const kinds = [
  ['128', '0'],
  ['128', 'ask'],
  ['40', '0'],
  ['40', 'ask'],
] as const;

/** With so many links. */
export function clientFiles(count: number): Readonly<Record<string, string>> {
  const links = Array.from({ length: count }, (_, n) => {
    const [strength, stateful] = kinds[n % kinds.length]!;
    return `config interface 'l${n}'
	option proto 'pptpgw'
	option server '${outer.server}'
	option username '${userOf(n)}'
	option password '${PASSWORD}'
	option mppe 'required'
	list mppe_strength '${strength}'
	option mppe_stateful '${stateful}'
	option defaultroute '0'
	option nohostroute '1'
	list route '${targetOf(n)}/32'
`;
  });
  return { network: links.join(''), pptp: globals };
}

/** Callers that are in, and stay until they are ended; undefined: none. */
export async function hold(
  { lab, client }: Scene,
  who: Pick<CallersOrders, 'username' | 'password' | 'count'>,
): Promise<Program | undefined> {
  if (who.count <= 0) return undefined;
  const orders: CallersOrders = { servers: [outer.server], mode: 'hold', concurrency: 32, ...who };
  const callers = resolve(import.meta.dirname, '../callers.ts');
  const words = ['--import', 'tsx', callers, JSON.stringify(orders)];
  const holders = lab.start(client, process.execPath, ...words);
  const { failed, causes } = JSON.parse(await holders.line(/\{"done".*\}/)) as CallersReport;
  if (failed > 0) throw new Error(`${failed} callers are not in: ${JSON.stringify(causes)}`);
  return holders;
}

export interface Upgraded {
  /** ms from when the program before has moved its last packet until this one goes on, as the log says. */
  readonly gap: number;
  /** kB of the state document. */
  readonly state: number;
  readonly sessions: number;
}

export async function upgrade(gateway: Gateway): Promise<Upgraded> {
  const from = gateway.process.output.length;
  const { code, output } = await gateway.command('upgrade');
  if (code !== 0) throw new Error(`upgrade: ${output}\n${gateway.process.output.slice(from)}`);
  const line = await gateway.process.line(/upgrade from .* sessions go on.*/, from);
  const [, sessions, gap, state] = /(\d+) sessions go on, (\d+) ms, (\d+) kB/.exec(line) ?? [];
  return { sessions: Number(sessions), gap: Number(gap), state: Number(state) };
}

/** What a process has. */
export interface Footprint {
  readonly descriptors: number;
  /** kB of anonymous memory. */
  readonly memory: number;
}

export function footprint(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    memory: Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]),
  };
}
