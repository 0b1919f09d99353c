/** A daemon as a process, with a configuration of its own; it ends with the test. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { folder, run, start, type Started } from './program.ts';

/** A server and a link. */
/** Somebody, since a server that nobody can log in at is warned of. */
const users = "config user 'anna'\n\toption username 'anna'\n\toption password 'geheim'\n";

export const network = `config interface 'home'
	option proto 'pptpserver'
	option localip '192.168.99.1'
	option network '192.168.99.0/24'
config interface 'office'
	option proto 'pptpgw'
	option server '203.0.113.9'
	option username 'anna'
	option password 'geheim'
	option defaultroute '0'
`;

export interface Gateway extends Started {
  readonly dir: string;
  readonly socket: string;
  readonly pid: number;
  /** Replaces /etc/config/network; reload is yours to ask for. */
  configure(network: string): void;
  command(...words: string[]): ReturnType<typeof run>;
}

/** @param ready what it says when it is; `words` are more arguments of `run` */
export async function gateway(
  context: TestContext,
  text = network,
  words: readonly string[] = [],
  ready = /is running/,
): Promise<Gateway> {
  const dir = folder(context, { network: text, pptp_users: users, pptp: '' });
  const socket = join(dir, 'run', 'ubus.sock');
  const started = start(context, ['run', '--config-dir', dir, '--socket', socket, ...words]);
  await started.says(ready);
  return {
    ...started,
    dir,
    socket,
    pid: started.process.pid!,
    // As uci does it: a daemon that reads meanwhile finds the old text or the new one, never an empty file.
    configure: (changed) => {
      writeFileSync(join(dir, 'network.new'), changed);
      renameSync(join(dir, 'network.new'), join(dir, 'network'));
    },
    command: (...more) => run(context, ['--socket', socket, ...more]),
  };
}
