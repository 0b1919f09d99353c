/**
 * The stage of a soak, all of it in network namespaces:
 *
 *     server  198.18.0.1   a gateway that is besieged and must not lose the good session
 *     victim  198.18.0.2   a gateway that is killed again and again
 *     client  198.18.0.10  a gateway whose link `office` is the good session; `branch` leads to the victim
 *     people  198.18.0.20  a gateway whose links log in to the server and out again
 *     strangers 198.18.0.66 and more addresses, who have no account
 *
 * They hang on the bridge of a namespace `hub`: each one's Internet.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ControlClient } from '../../src/daemon/control/client.ts';
import type { StatusDocument } from '../../src/daemon/reports/documents.ts';
import { Lab, node, type Program } from '../../tools/lab.ts';

export const SERVER = '198.18.0.1';
export const VICTIM = '198.18.0.2';
export const SERVER_INNER = '192.168.99.1';
export const VICTIM_INNER = '192.168.98.1';
/** Those who log in and out at the server. */
export const PEOPLE = 4;
/** Addresses of strangers: 198.18.0.66 and those that follow. */
export const STRANGERS = 64;

const program = resolve(import.meta.dirname, '../../dist/pptp-gateway.js');

const hosts = {
  server: [SERVER],
  victim: [VICTIM],
  client: ['198.18.0.10'],
  people: ['198.18.0.20'],
  strangers: Array.from({ length: STRANGERS }, (_, n) => `198.18.0.${66 + n}`),
} as const;
export type HostName = keyof typeof hosts;

const server = (localip: string, more = ''): string => `config interface 'home'
	option proto 'pptpserver'
	option localip '${localip}'
	option network '${localip.replace(/\.1$/, '.0')}/24'
${more}`;
const user = (name: string): string => `config user '${name}'
	option username '${name}'
	option password 'secret of ${name}'
`;
const link = (
  name: string,
  to: string,
  username: string,
  route: string,
): string => `config interface '${name}'
	option proto 'pptpgw'
	option server '${to}'
	option username '${username}'
	option password 'secret of ${username}'
	option defaultroute '0'
	option holdoff '1'
${route === '' ? '' : `\tlist route '${route}'\n`}`;
const names = Array.from({ length: PEOPLE }, (_, n) => `p${n}`);

const files: Readonly<
  Record<'server' | 'victim' | 'client' | 'people', Readonly<Record<string, string>>>
> = {
  server: {
    network: server(SERVER_INNER),
    pptp: '',
    pptp_users: ['anna', ...names].map(user).join(''),
  },
  victim: { network: server(VICTIM_INNER), pptp: '', pptp_users: user('bert') },
  client: {
    network:
      link('office', SERVER, 'anna', '192.168.99.0/24') +
      link('branch', VICTIM, 'bert', '192.168.98.0/24'),
    pptp: '',
    pptp_users: '',
  },
  people: {
    network: names.map((name) => link(name, SERVER, name, '')).join(''),
    pptp: '',
    pptp_users: '',
  },
};

export class Stage {
  readonly lab: Lab;
  /** Folders that are small file systems of their own. */
  readonly small: string[] = [];
  private readonly namespaces = new Map<HostName | 'hub', string>();

  constructor(lab: Lab) {
    this.lab = lab;
    const hub = lab.namespace('hub');
    this.namespaces.set('hub', hub);
    ip(hub, 'link add bridge type bridge');
    ip(hub, 'link set bridge up');
    for (const [host, addresses] of Object.entries(hosts) as [HostName, readonly string[]][]) {
      const namespace = lab.namespace(host);
      this.namespaces.set(host, namespace);
      ip(hub, `link add ${host} type veth peer name wan netns ${namespace}`);
      ip(hub, `link set ${host} master bridge up`);
      for (const address of addresses) ip(namespace, `address add ${address}/24 dev wan`);
      ip(namespace, 'link set wan addrgenmode none up');
    }
  }

  namespace(host: HostName | 'hub'): string {
    return this.namespaces.get(host)!;
  }

  ip(host: HostName | 'hub', words: string): string {
    return ip(this.namespace(host), words);
  }

  /** Makes the folder a file system that is soon full. */
  shrink(folder: string): void {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', folder]);
    this.small.push(folder);
  }

  async close(): Promise<void> {
    for (const folder of this.small.splice(0)) execFileSync('umount', ['--lazy', folder]);
    await this.lab.close();
  }

  /** A program of TypeScript of this folder. */
  program(host: HostName, file: string, ...words: readonly string[]): Program {
    const path = resolve(import.meta.dirname, file);
    return this.lab.start(
      this.namespace(host),
      process.execPath,
      '--import',
      'tsx',
      path,
      ...words,
    );
  }
}

function ip(namespace: string, words: string): string {
  return execFileSync('ip', ['-n', namespace, ...words.split(' ')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** A gateway that may be killed and started again. */
export class Daemon {
  process: Program | undefined;
  readonly dir: string;
  /** Its runtime folder, which may be a file system of its own. */
  readonly run: string;
  private readonly stage: Stage;
  private readonly host: keyof typeof files;
  private readonly environment: readonly string[];
  private bus: ControlClient | undefined;

  constructor(stage: Stage, host: keyof typeof files, environment: readonly string[] = []) {
    this.stage = stage;
    this.host = host;
    this.environment = environment;
    this.dir = join(stage.lab.dir, host);
    this.run = join(this.dir, 'run');
    mkdirSync(this.run, { recursive: true });
    for (const [file, text] of Object.entries(files[host]))
      writeFileSync(join(this.dir, file), text, { mode: 0o600 });
  }

  get pid(): number {
    return this.process!.pid;
  }

  async start(): Promise<void> {
    const { stage, dir, run } = this;
    this.process = stage.lab.start(
      stage.namespace(this.host),
      'env',
      ...this.environment,
      ...node,
      program,
      ...['run', '--router', 'iproute', '--config-dir', dir, '--socket', join(run, 'ubus.sock')],
    );
    await this.process.line(/is running/);
  }

  async kill(): Promise<void> {
    this.bus?.close();
    this.bus = undefined;
    this.process!.signal('SIGKILL');
    await this.process!.ended;
  }

  async call(method: string, args: Record<string, string> = {}): Promise<unknown> {
    this.bus ??= await ControlClient.open(join(this.run, 'ubus.sock'));
    try {
      return await this.bus.call(method, args);
    } catch (error) {
      this.bus.close();
      this.bus = undefined;
      throw error;
    }
  }

  async status(): Promise<StatusDocument> {
    return (await this.call('status')) as StatusDocument;
  }

  async stop(): Promise<void> {
    this.bus?.close();
    await this.process?.stop();
  }
}
