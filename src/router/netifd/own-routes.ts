/**
 * Which routes to servers were ours once: netifd brings them back by itself, and a daemon that was killed leaves them
 * behind. They are remembered in a file that goes with a reboot, as the routes do.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { message } from './bus.ts';

/** The oldest is forgotten first. */
const MOST = 64;

export class OwnRoutes {
  private readonly file: string;
  private readonly warn: (text: string) => void;
  /** In the order in which they were last made. */
  private readonly names: Set<string>;

  constructor(file: string, warn: (text: string) => void) {
    this.file = file;
    this.warn = warn;
    this.names = new Set(this.read().split('\n').filter(Boolean));
  }

  has(address: string, device: string): boolean {
    return this.names.has(`${address} ${device}`);
  }

  add(address: string, device: string): void {
    if (this.has(address, device)) return;
    this.names.add(`${address} ${device}`);
    const [oldest] = this.names;
    if (this.names.size > MOST) this.names.delete(oldest!);
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      writeFileSync(this.file, [...this.names, ''].join('\n'), { mode: 0o600 });
    } catch (error) {
      this.warn(`host routes are not remembered: ${message(error)}`);
    }
  }

  private read(): string {
    try {
      return readFileSync(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.warn(`host routes of before are not known: ${message(error)}`);
      return '';
    }
  }
}
