/**
 * A machine of the lab that has FreeRADIUS, as Debian installs it: its files are copies of this machine's, in a mount namespace
 * of its own, so that the commands of the documentation run as they stand. `systemctl` is a stand-in that restarts it.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, Program, Result } from '../lab.ts';

const mounts = `set -e
cp -a /etc/freeradius "$1/freeradius"
mount --make-rprivate /
mount --bind "$1/freeradius" /etc/freeradius
for folder in /var/lib /var/log /run; do mount -t tmpfs none $folder; done
install -d -o freerad -g freerad /run/freeradius /var/log/freeradius
freeradius
echo mounted
exec sleep infinity`;

/** FreeRADIUS goes into the background when it answers. */
const systemctl = `#!/bin/sh
set -e
[ "$*" = 'restart freeradius' ]
pid=$(cat /run/freeradius/freeradius.pid)
kill "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
exec freeradius
`;

export class RadiusMachine {
  /** Its copy of /etc/freeradius. */
  readonly etc: string;
  readonly #lab: Lab;
  readonly #namespace: string;
  readonly #bin: string;
  readonly #holder: Program;

  private constructor(lab: Lab, namespace: string) {
    const dir = join(lab.dir, 'radius');
    this.etc = join(dir, 'freeradius');
    this.#lab = lab;
    this.#namespace = namespace;
    this.#bin = join(dir, 'bin');
    mkdirSync(this.#bin, { recursive: true });
    const path = join(this.#bin, 'systemctl');
    writeFileSync(path, systemctl);
    chmodSync(path, 0o755);
    this.#holder = lab.start(namespace, 'unshare', '-m', 'sh', '-c', mounts, 'sh', dir);
  }

  static async start(lab: Lab, namespace: string): Promise<RadiusMachine> {
    const machine = new RadiusMachine(lab, namespace);
    await machine.#holder.line(/mounted/);
    return machine;
  }

  /** Runs a script on it. @param words its "$@" */
  run(script: string, ...words: readonly string[]): Promise<Result> {
    const inside = ['-m', `-t${this.#holder.pid}`, 'sh', '-c'];
    const commands = `set -e; PATH=${this.#bin}:$PATH\n${script}`;
    return this.#lab.run(this.#namespace, 'nsenter', ...inside, commands, 'sh', ...words);
  }

  /** Before the lab closes. */
  async stop(): Promise<void> {
    await this.run('kill $(cat /run/freeradius/freeradius.pid)');
    await this.#holder.stop();
  }
}

/** Whether this machine has FreeRADIUS. */
export const hasFreeRadius = (): boolean => existsSync('/etc/freeradius/3.0/radiusd.conf');
