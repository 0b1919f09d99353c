import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Lab, Program } from '../../tools/lab.ts';
import { call } from '../support/control.ts';

const root = resolve(import.meta.dirname, '../..');

/** A gateway from source, with the means to make it stumble. */
export class Victim {
  readonly process: Program;
  readonly dir: string;
  readonly socket: string;

  constructor(lab: Lab, name: string, namespace: string, files: Readonly<Record<string, string>>) {
    this.dir = join(lab.dir, name);
    this.socket = join(this.dir, 'run/ubus.sock');
    mkdirSync(this.dir, { recursive: true });
    this.configure(files);
    this.process = lab.start(
      namespace,
      'env',
      `FAULT=${join(this.dir, 'fault')}`,
      process.execPath,
      ...['--import', 'tsx', '--import', join(root, 'test/support/fault-injection.ts')],
      ...[join(root, 'src/daemon/main.ts'), 'run'],
      ...['--config-dir', this.dir, '--socket', this.socket, '--router', 'iproute', '--dial'],
    );
  }

  configure(files: Readonly<Record<string, string>>): void {
    for (const [file, text] of Object.entries(files))
      writeFileSync(join(this.dir, file), text, { mode: 0o600 });
  }

  arm(what: string): void {
    writeFileSync(join(this.dir, 'fault'), what);
  }

  call<T>(method: string, args?: Readonly<Record<string, string | number>>): Promise<T> {
    return call(this, method, args);
  }
}
