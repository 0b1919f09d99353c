/** The gateway under test: the program itself, in the namespace of the guests' taps. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SessionDocument, StatusDocument } from '../../src/daemon/reports/documents.ts';
import type { Namespace, Result, Running } from './namespace.ts';
import { account } from './peers.ts';

const program = resolve(import.meta.dirname, '../../dist/pptp-gateway.js');

/** UCI options of a section: a list is written as `list`. */
export type Options = Readonly<Record<string, string | readonly string[]>>;

export const serverAddress = '192.168.99.1';

/** A server that everybody in `users` may call. */
export function serverFiles(
  options: Options,
  users: readonly { user: string; password: string }[] = [account],
): Record<string, string> {
  return {
    network: section('interface', 'home', {
      proto: 'pptpserver',
      localip: serverAddress,
      network: '192.168.99.0/24',
      ban_after: '0',
      max_per_user: '4',
      ...options,
    }),
    pptp_users: users
      .map(({ user, password }) => section('user', user, { username: user, password }))
      .join(''),
  };
}

/** A link to `server`; its pause between attempts is 1 s. */
export function linkFiles(server: string, options: Options): Record<string, string> {
  return {
    network: section('interface', 'office', {
      proto: 'pptpgw',
      server,
      username: account.user,
      password: account.password,
      defaultroute: '0',
      holdoff: '1',
      holdoff_max: '1',
      ...options,
    }),
  };
}

/** A relay; `alone`: with the file of a router that has no tunnels. */
export function relayFiles(options: Options, alone = true): Record<string, string> {
  return {
    ...(alone ? { network: '' } : {}),
    pptp: section('relay', 'branch', options),
  };
}

function section(type: string, name: string, options: Options): string {
  const lines = Object.entries(options).flatMap(([option, value]) =>
    typeof value === 'string'
      ? `\toption ${option} '${value}'\n`
      : value.map((item) => `\tlist ${option} '${item}'\n`),
  );
  return `config ${type} '${name}'\n${lines.join('')}`;
}

let started = 0;

export class Gateway {
  readonly running: Running;
  private readonly namespace: Namespace;
  private readonly socket: string;

  private constructor(namespace: Namespace, dir: string) {
    this.namespace = namespace;
    this.socket = join(dir, 'run', 'ubus.sock');
    this.running = namespace.start(process.execPath, [
      program,
      'run',
      '--config-dir',
      dir,
      '--socket',
      this.socket,
    ]);
  }

  /** Runs when the promise resolves. */
  static async start(
    namespace: Namespace,
    files: Readonly<Record<string, string>>,
  ): Promise<Gateway> {
    started += 1;
    const dir = join(namespace.folder, `gateway${started}`);
    mkdirSync(dir);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const gateway = new Gateway(namespace, dir);
    await gateway.running.log.waitFor(/is running$/);
    return gateway;
  }

  command(...words: readonly string[]): Promise<Result> {
    return this.namespace.exec(process.execPath, [program, '--socket', this.socket, ...words]);
  }

  async sessions(): Promise<SessionDocument[]> {
    const { code, output } = await this.command('sessions', '--json');
    if (code !== 0) throw new Error(output);
    return (JSON.parse(output) as { sessions: SessionDocument[] }).sessions;
  }

  async status(): Promise<StatusDocument> {
    const { code, output } = await this.command('status', '--json');
    if (code !== 0) throw new Error(output);
    return JSON.parse(output) as StatusDocument;
  }

  /** How many of three pings from the gateway are answered. */
  async ping(address: string): Promise<number> {
    const { output } = await this.namespace.exec('ping', [
      '-n',
      '-c',
      '3',
      '-i',
      '0.2',
      '-W',
      '20',
      address,
    ]);
    return Number(/(\d+) received/.exec(output)?.[1] ?? 0);
  }

  /** Says goodbye and ends; its exit code. */
  async stop(): Promise<number> {
    await this.running.kill('TERM');
    return (await this.running.ended).code;
  }
}
