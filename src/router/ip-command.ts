/** Runs iproute2's `ip`, and one job at a time for each key. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { RouterError } from './router.ts';

const TIMEOUT = 10_000; // ms; a netlink request takes less than one

/** @throws RouterError with what `ip` says */
export function ip(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      'ip',
      args,
      { timeout: TIMEOUT, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new RouterError(`ip ${args.join(' ')}: ${stderr.trim() || error.message}`));
      },
    );
  });
}

/** Of this network namespace. */
export function deviceExists(device: string): boolean {
  return existsSync(`/proc/sys/net/ipv4/conf/${device}`);
}

/** Jobs of one key run one after the other, in the order in which they were given. */
export class Serial {
  private readonly last = new Map<string, Promise<void>>();

  run(key: string, job: () => Promise<void>): Promise<void> {
    const done = (this.last.get(key) ?? Promise.resolve()).then(job);
    const settled = done.catch(() => undefined); // the caller sees the failure; the next job must still run
    this.last.set(key, settled);
    void settled.then(() => {
      if (this.last.get(key) === settled) this.last.delete(key);
    });
    return done;
  }
}
