import { fstatSync, readFileSync } from 'node:fs';
import { errorCode } from '../errors.ts';
import type { Program } from '../program.ts';
import { openTerminal } from './terminal.ts';

let stdout: typeof process.stdout | undefined;
let outputClosed: () => void = () => undefined;
let stderr: typeof process.stderr | undefined;

export const program: Program = {
  get words() {
    return process.argv.slice(2);
  },
  get pid() {
    return process.pid;
  },
  get uid() {
    return process.getuid!();
  },
  get isWatched() {
    return process.stderr.isTTY;
  },
  get isJournaled() {
    // Of a descriptor that leads elsewhere than the stream to the journal device or inode differ.
    const { dev, ino } = fstatSync(2);
    return process.env['JOURNAL_STREAM'] === `${dev}:${ino}`;
  },
  resources() {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    return { resident: rss, heap: heapUsed, processor: (user + system) / 1e6 };
  },
  get screen() {
    return process.stdout.isTTY ? { rows: process.stdout.rows } : undefined;
  },
  environment: (name) => process.env[name],
  environments: () =>
    Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
  get command() {
    return [process.execPath, ...process.execArgv, process.argv[1]!];
  },
  architecture: `${process.platform}-${process.arch}`,
  openTerminal: () => (process.stdin.isTTY && process.stdout.isTTY ? openTerminal() : undefined),
  readInput: () => readFileSync(0, 'utf8'),
  print(text) {
    stdout ??= process.stdout.on('error', (error) => {
      if (errorCode(error) !== 'EPIPE') throw error; // its reader has gone (`status | head`)
      outputClosed();
    });
    stdout.write(text);
  },
  get unprinted() {
    return stdout?.writableLength ?? 0;
  },
  onOutputClosed: (act) => (outputClosed = act),
  complain(text) {
    // A log that cannot be written (its disk is full) must not end a daemon; there is nobody to tell.
    stderr ??= process.stderr.on('error', () => undefined);
    stderr.write(text);
  },
  setExitCode: (code) => (process.exitCode = code),
  exit: (code) => process.exit(code),
  onSignal(signal, act) {
    process.on(signal, act);
    return () => process.off(signal, act);
  },
  onFault(act) {
    process.on('uncaughtException', (error) => act('thrown', error));
    process.on('unhandledRejection', (error) => act('rejected', error));
  },
  loadAddon(path) {
    // Not required: one that comes as a descriptor (/proc/self/fd/7) has no name that ends with .node.
    const module = { exports: {} as unknown };
    process.dlopen(module, path);
    return module.exports;
  },
};
