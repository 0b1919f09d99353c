/** A root folder with our files as the package lays them out, and stand-ins for what OpenWrt has around them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { folder, root as project } from '../daemon/cli/program.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class ShellBench {
  readonly root: string;

  constructor(context: TestContext) {
    this.root = folder(context);
    cpSync(join(project, 'openwrt/pptp-gateway/files'), this.root, { recursive: true });
    this.write('bin/busybox', '');
    cpSync(
      execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim(),
      join(this.root, 'bin/busybox'),
    );
    for (const name of ['sh', 'ls', 'mkdir', 'cat', 'chmod', 'stat', 'env', 'sleep'])
      this.command(name, `exec /bin/busybox ${name} "$@"`);
    for (const dir of ['tmp', 'dev']) mkdirSync(join(this.root, dir)); // /dev/null becomes a file
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(join(this.root, path, '..'), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  /** A program in /bin that does this. */
  command(name: string, script: string): void {
    this.write(`bin/${name}`, `#!/bin/busybox sh\n${script}\n`, 0o755);
  }

  /** A program that notes its arguments, and then does this. */
  recorded(name: string, script = ''): void {
    this.command(name, `echo "${name} $*" >>/tmp/calls\n${script}`);
  }

  /** What was noted since the last time. */
  calls(): string[] {
    const file = join(this.root, 'tmp/calls');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, '');
    return lines.filter((line) => line !== '');
  }

  /** As ash(), while the test goes on: what it runs may ask the test something. */
  start(script: string): Promise<Ran> {
    const child = spawn('/usr/sbin/chroot', [this.root, '/bin/busybox', 'sh', '-c', script], {
      env: { PATH: '/bin' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
  }

  /** Runs busybox ash inside the root folder. */
  ash(script: string): Ran {
    const { status, stdout, stderr } = spawnSync(
      '/usr/sbin/chroot',
      [this.root, '/bin/busybox', 'sh', '-c', script],
      { encoding: 'utf8', env: { PATH: '/bin' } },
    );
    return { code: status, stdout, stderr };
  }
}
