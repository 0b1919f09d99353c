/** Drops privileges and prints, as JSON, what is possible before and after. Arguments: a foreign file, an own file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { IoContext } from '../../src/native/io-context.ts';
import { dropPrivileges } from '../../src/native/privileges.ts';
import { GreSocket } from '../../src/raw-socket/gre-socket.ts';
import { TunDevice } from '../../src/tun-tap/tun-device.ts';

const [foreign, own] = process.argv.slice(2) as [string, string];

/** In this thread, and in several of the pool's, which have been started long ago. */
async function readForeign(): Promise<string[]> {
  const outcome = (error: NodeJS.ErrnoException): string => error.code ?? 'error';
  const many = await Promise.all(
    Array.from({ length: 40 }, () => readFile(foreign).then(() => 'readable', outcome)),
  );
  let here = 'readable';
  try {
    readFileSync(foreign);
  } catch (error) {
    here = outcome(error as NodeJS.ErrnoException);
  }
  return [here, many[0]!, [...new Set(many)].join()];
}

function capabilities(status: string): string {
  return ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'NoNewPrivs']
    .map((name) => new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)![1])
    .join(' ');
}

const before = await readForeign();
dropPrivileges();
const threads = readdirSync('/proc/self/task').map((tid) =>
  capabilities(readFileSync(`/proc/self/task/${tid}/status`, 'latin1')),
);
const after = await readForeign();

const io = new IoContext(new ArrayBuffer(4096));
new GreSocket(io).close();
const tun = new TunDevice(io, 'dropped%d');
execFileSync('ip', ['address', 'add', '10.7.0.1/24', 'dev', tun.name]);
execFileSync('ip', ['link', 'set', tun.name, 'up', 'mtu', '1400']);
execFileSync('ip', ['route', 'add', '10.6.0.0/16', 'dev', tun.name]);
execFileSync('nft', ['add table ip dropped']);
const address = networkInterfaces()[tun.name]?.[0]?.address === '10.7.0.1';
const child = capabilities(execFileSync('cat', ['/proc/self/status'], { encoding: 'latin1' }));
const childReadsForeign = spawnSync('cat', [foreign]).status === 0;
dropPrivileges();
tun.close();

console.log(
  JSON.stringify({
    before,
    threads: [...new Set(threads)],
    after,
    own: readFileSync(own, 'latin1'),
    tun: tun.name,
    address,
    child,
    childReadsForeign,
    twice: true,
  }),
);
