/**
 * What is compared: the bare veth, our C reference, ourselves, openvpn and wireguard-go. Every tunnel has an MTU of 1400
 * and user-space forwarders at both ends; both ends are in this machine.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Lab, Program } from '../tools/lab.ts';
import { ip, wait } from './machine.ts';

const forwarder = resolve(import.meta.dirname, '../dist/bench/forwarder');

export interface Sides {
  readonly lab: Lab;
  /** Namespaces. Between them 198.18.0.1 (server) and 198.18.0.2 (client). */
  readonly server: string;
  readonly client: string;
}

export const outer = { server: '198.18.0.1', client: '198.18.0.2' } as const;
const inner = { server: '10.99.0.1', client: '10.99.0.2' } as const;
const pptpServer = '192.168.99.1';
const MTU = '1400';

export interface Tunnel {
  /** The server's address inside. */
  readonly address: string;
  close(): Promise<void>;
}

export interface Variant {
  readonly name: string;
  readonly title: string;
  start(sides: Sides): Promise<Tunnel>;
}

export const variants: readonly Variant[] = [
  {
    name: 'veth',
    title: 'bare veth',
    start: () => Promise.resolve({ address: outer.server, close: () => Promise.resolve() }),
  },
  { name: 'c', title: 'C reference', start: (sides) => reference(sides, 'none') },
  { name: 'ours', title: 'pptp-gateway', start: (sides) => ours(sides, 'off') },
  {
    name: 'c-mppe',
    title: 'C reference, MPPE-128, plain',
    start: (sides) => reference(sides, 'plain'),
  },
  {
    name: 'c-mppe-pipelined',
    title: 'C reference, MPPE-128, pipelined',
    start: (sides) => reference(sides, 'pipelined'),
  },
  {
    name: 'c-mppe-three',
    title: 'C reference, MPPE-128, three streams',
    start: (sides) => reference(sides, 'three'),
  },
  {
    name: 'ours-mppe',
    title: 'pptp-gateway, MPPE-128',
    start: (sides) => ours(sides, 'required'),
  },
  {
    name: 'ours-mppe-wasm',
    title: 'pptp-gateway, MPPE-128, WebAssembly',
    start: async (sides) => {
      sides.lab.launcher = ['/usr/bin/env', 'PPTP_GATEWAY_CIPHER=webassembly'];
      try {
        return await ours(sides, 'required');
      } finally {
        sides.lab.launcher = [];
      }
    },
  },
  {
    name: 'openvpn',
    title: 'openvpn, AES-128-GCM',
    start: (sides) => openvpn(sides, ['--data-ciphers', 'AES-128-GCM']),
  },
  {
    name: 'openvpn-none',
    title: 'openvpn, no encryption',
    start: (sides) =>
      openvpn(sides, [
        '--data-ciphers',
        'none',
        '--data-ciphers-fallback',
        'none',
        '--auth',
        'none',
      ]),
  },
  { name: 'wireguard-go', title: 'wireguard-go', start: wireguard },
];

export interface Account {
  readonly username: string;
  readonly password: string;
}

export const account: Account = { username: 'bench', password: 'bench-password' };

export const users = `config user 'bench'
	option username '${account.username}'
	option password '${account.password}'
	option max_sessions '4096'
`;

export function serverNetwork(mppe: 'off' | 'required'): string {
  return `config interface 'home'
	option proto 'pptpserver'
	option localip '${pptpServer}'
	option network '192.168.99.0/24'
	option mppe '${mppe}'
`;
}

export function clientNetwork(mppe: 'off' | 'required'): string {
  return `config interface 'office'
	option proto 'pptpgw'
	option server '${outer.server}'
	option username '${account.username}'
	option password '${account.password}'
	option mppe '${mppe}'
	option defaultroute '0'
	option auto '0'
	list route '192.168.99.0/24'
`;
}

async function ours({ lab, server, client }: Sides, mppe: 'off' | 'required'): Promise<Tunnel> {
  const accounts = { pptp_users: users };
  const near = await lab.gateway('server', server, { network: serverNetwork(mppe), ...accounts });
  const far = await lab.gateway('client', client, { network: clientNetwork(mppe) });
  const { code, output } = await far.command('dial', 'office');
  if (code !== 0) throw new Error(`pptp-gateway dial: ${output}\n${near.process.output}`);
  return {
    address: pptpServer,
    close: async () => {
      await far.process.stop();
      await near.process.stop();
    },
  };
}

async function reference(
  { lab, server, client }: Sides,
  mode: 'none' | 'plain' | 'pipelined' | 'three',
): Promise<Tunnel> {
  const end = async (
    namespace: string,
    from: 'server' | 'client',
    to: 'server' | 'client',
    ids: readonly [string, string, string],
  ) => {
    const program = lab.start(
      namespace,
      forwarder,
      'reference',
      outer[from],
      outer[to],
      ids[0],
      ids[1],
      inner[to],
      mode,
      ids[2],
    );
    await program.line(/running/);
    address(namespace, 'reference', inner[from], inner[to]);
    return program;
  };
  return closing(inner.server, [
    await end(server, 'server', 'client', ['1001', '2002', 'a']),
    await end(client, 'client', 'server', ['2002', '1001', 'b']),
  ]);
}

async function openvpn(
  { lab, server, client }: Sides,
  options: readonly string[],
): Promise<Tunnel> {
  const identities = { server: identity(lab.dir, 'server'), client: identity(lab.dir, 'client') };
  const end = (namespace: string, from: 'server' | 'client', to: 'server' | 'client') => {
    const own = identities[from];
    return lab.start(
      namespace,
      'openvpn',
      ...['--dev', 'ovpn', '--dev-type', 'tun', '--proto', 'udp', '--tun-mtu', MTU],
      ...['--local', outer[from], '--ifconfig', inner[from], inner[to], '--fast-io'],
      ...['--cert', own.certificate, '--key', own.key],
      ...['--peer-fingerprint', identities[to].fingerprint, '--disable-dco', '--verb', '3'],
      ...(from === 'server' ? ['--tls-server', '--dh', 'none'] : ['--tls-client']),
      ...(from === 'client' ? ['--remote', outer.server] : []),
      ...options,
    );
  };
  const programs = [end(server, 'server', 'client'), end(client, 'client', 'server')];
  await Promise.all(programs.map((program) => program.line(/Initialization Sequence Completed/)));
  return closing(inner.server, programs);
}

/** A certificate that signs itself, and its fingerprint. */
function identity(
  dir: string,
  name: string,
): { certificate: string; key: string; fingerprint: string } {
  const [certificate, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  if (!existsSync(certificate))
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', `/CN=${name}`, '-days', '2', '-keyout', key, '-out', certificate],
    );
  const text = openssl('x509', '-in', certificate, '-noout', '-fingerprint', '-sha256');
  return { certificate, key, fingerprint: text.trim().split('=')[1]! };
}

async function wireguard({ lab, server, client }: Sides): Promise<Tunnel> {
  const key = (name: string) => {
    const file = join(lab.dir, `${name}.wg`);
    if (!existsSync(file))
      writeFileSync(file, execFileSync('wg', ['genkey'], { encoding: 'utf8' }), { mode: 0o600 });
    const input = readFileSync(file);
    return { file, peer: execFileSync('wg', ['pubkey'], { input, encoding: 'utf8' }).trim() };
  };
  const keys = { server: key('server'), client: key('client') };
  const end = async (namespace: string, from: 'server' | 'client', to: 'server' | 'client') => {
    const device = `wg${from.slice(0, 1)}${process.pid}`; // its control socket lies in a folder that namespaces share
    const program = lab.start(namespace, 'wireguard-go', '-f', device);
    const wg = (...args: readonly string[]) => lab.run(namespace, 'wg', ...args);
    for (let tries = 0; (await wg('show', device)).code !== 0; tries++) {
      if (tries === 50) throw new Error(`wireguard-go does not start: ${program.output}`);
      await wait(100);
    }
    const { code, output } = await wg(
      ...['set', device, 'private-key', keys[from].file, 'listen-port', '51820'],
      ...['peer', keys[to].peer, 'endpoint', `${outer[to]}:51820`, 'allowed-ips', '0.0.0.0/0'],
    );
    if (code !== 0) throw new Error(`wg set: ${output}`);
    address(namespace, device, inner[from], inner[to]);
    return program;
  };
  return closing(inner.server, [
    await end(server, 'server', 'client'),
    await end(client, 'client', 'server'),
  ]);
}

function address(namespace: string, device: string, own: string, peer: string): void {
  ip('-n', namespace, 'address', 'add', own, 'peer', peer, 'dev', device);
  ip('-n', namespace, 'link', 'set', device, 'mtu', MTU, 'up');
}

function closing(inside: string, programs: readonly Program[]): Tunnel {
  return {
    address: inside,
    close: async () => {
      await Promise.all(programs.map((program) => program.stop()));
    },
  };
}
