/**
 * User-mode Linux guests (Debian package user-mode-linux): a Linux kernel with PPP and MPPE that runs as a process and
 * sees this machine's files read-only, on a tap in a Namespace.
 *
 *     namespace   tapN 10.99.N.1/24  <-- tap -->  vec0 10.99.N.2/24   guest N
 *
 * guest/agent.sh runs the commands: as files in a folder that both see, named on the guest's serial line. Output comes back
 * on that line as it is written. When it is hung up (stop(), or the end of this process) the guest is powered off.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { defaultCeiling, LineLog, within } from './line-log.ts';
import {
  collect,
  finish,
  type Namespace,
  type Result,
  type Running,
  type Signal,
} from './namespace.ts';

const memory = '192M';
/** uml-xstate.c, as tools/setup.sh has compiled it. */
const stateOfProcessor = fileURLToPath(
  new URL('../../node_modules/.cache/uml-xstate.so', import.meta.url),
);
/** A guest needs 2 to 6 s on a machine at rest. */
const bootCeiling = 180_000;

function guestFile(name: string): string {
  return fileURLToPath(new URL(`guest/${name}`, import.meta.url));
}

/** `text` as one word of a shell command. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command at work in a guest. */
class GuestProcess implements Running {
  readonly log: LineLog;
  readonly ended: Promise<Result>;
  readonly #guest: Guest;
  /** Undefined if the guest ended before it was known. */
  readonly #pid: Promise<string | undefined>;
  #settlePid!: (pid: string | undefined) => void;
  #settleEnded!: (result: Result) => void;
  #started = false;

  constructor(guest: Guest, name: string) {
    this.#guest = guest;
    this.log = new LineLog(`${name} in ${guest.name}`);
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.#pid = new Promise((resolve) => {
      this.#settlePid = resolve;
    });
  }

  async kill(signal: Signal = 'TERM'): Promise<void> {
    const pid = await within(defaultCeiling, this.#pid, () => `${this.#guest.name} is silent`);
    if (pid === undefined) return;
    const whom = signal === 'KILL' ? `-${pid}` : pid;
    await this.#guest.exec(`kill -s ${signal} -- ${whom} 2>/dev/null`);
  }

  /** A line from the agent: the first one is the command's pid. */
  receive(line: string): void {
    if (this.#started) this.log.push(line);
    else this.#settlePid(line);
    this.#started = true;
  }

  end(code: number): void {
    this.log.close();
    this.#settlePid(undefined);
    this.#settleEnded({ code, output: this.log.text });
  }
}

export class Guest {
  readonly name: string;
  /** The guest's address on its tap. */
  readonly address: string;
  /** The namespace's address on the same tap. */
  readonly gateway: string;
  readonly tap: string;
  /** The root file system in which its peers run; undefined: this machine's. */
  readonly root: string | undefined;
  readonly #scripts: string;
  readonly #kernel: ChildProcess;
  readonly #console: LineLog;
  readonly #gone: Promise<Result>;
  readonly #serial: Duplex;
  readonly #answers: LineLog;
  readonly #running = new Map<string, GuestProcess>();
  #started = 0;

  /** Boots guest number `number` (1 to 254) of a namespace. */
  static async boot(namespace: Namespace, number: number, root?: string): Promise<Guest> {
    const tap = `tap${number}`;
    await namespace.ip('tuntap', 'add', 'dev', tap, 'mode', 'tap');
    await namespace.ip('address', 'add', `10.99.${number}.1/24`, 'dev', tap);
    await namespace.ip('link', 'set', tap, 'up');
    const guest = new Guest(namespace, number, tap, root);
    try {
      await guest.#answers.waitFor(/^ready$/, 0, bootCeiling);
    } catch (error) {
      await guest.stop();
      throw new Error(`${guest.name} did not boot; its console:\n${guest.#console.text}`, {
        cause: error,
      });
    }
    return guest;
  }

  private constructor(namespace: Namespace, number: number, tap: string, root: string | undefined) {
    this.name = `guest${number}`;
    this.address = `10.99.${number}.2`;
    this.gateway = `10.99.${number}.1`;
    this.tap = tap;
    this.root = root;
    this.#scripts = join(namespace.folder, `scripts${number}`);
    mkdirSync(this.#scripts);
    copyFileSync(guestFile('agent.sh'), join(this.#scripts, 'agent.sh'));
    // prettier-ignore
    const command = [
      'netns', 'exec', namespace.name, 'unshare', '--pid', '--fork', '--kill-child',
      'env', `LD_PRELOAD=${stateOfProcessor}`, 'linux.uml', `mem=${memory}`, 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'quiet',
      `umid=${this.name}`, `uml_dir=${namespace.folder}/`,
      'con=null', 'con0=null,fd:1', 'ssl=null', 'ssl0=fd:3', `vec0:transport=tap,ifname=${tap},depth=64,gro=1`,
      'init=/bin/sh', '--', `"${guestFile('init.sh')}"`, this.name, `${this.address}/24`, this.gateway, this.#scripts, ...(root === undefined ? [] : [root]),
    ];
    // In a session of its own: Ctrl-C must not reach it, the namespace's caretaker ends it.
    this.#kernel = spawn('ip', command, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#console = new LineLog(`the console of ${this.name}`);
    this.#gone = collect(this.#kernel, this.#console);
    this.#answers = new LineLog(`the agent of ${this.name}`);
    this.#serial = this.#kernel.stdio[3] as Duplex;
    let rest = '';
    this.#serial.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#answer(line);
    });
    // A guest that dies resets its line; its end is noticed below.
    this.#serial.on('error', (error) => {
      this.#console.push(error.message);
    });
    void this.#gone.then(() => {
      this.#answers.close();
      for (const process of this.#running.values()) {
        process.log.push(`${this.name} ended; its console:\n${this.#console.text}`);
        process.end(255);
      }
      this.#running.clear();
    });
  }

  /** Starts a shell command; its standard input is empty. `name` is what errors call it. */
  start(command: string, name = command): Running {
    const process = new GuestProcess(this, name);
    if (this.#kernel.exitCode !== null || this.#kernel.signalCode !== null)
      throw new Error(`${this.name} has ended`);
    this.#started += 1;
    const id = String(this.#started);
    this.#running.set(id, process);
    writeFileSync(join(this.#scripts, id), command);
    this.#serial.write(`${id}\n`);
    return process;
  }

  /** Runs a shell command until it and all that holds its output have ended; it must take less than `ceiling` ms. */
  async exec(command: string, ceiling = defaultCeiling): Promise<Result> {
    return await finish(this.start(command), `${command} in ${this.name}`, ceiling);
  }

  /** As exec(), but a status other than 0 is an error. Gives the output. */
  async run(command: string, ceiling = defaultCeiling): Promise<string> {
    const { code, output } = await this.exec(command, ceiling);
    if (code !== 0) throw new Error(`${command} in ${this.name}: status ${code}: ${output}`);
    return output;
  }

  /** Turns the guest's power off. */
  async stop(): Promise<void> {
    this.#kernel.kill('SIGKILL'); // takes the guest along: unshare --kill-child
    await within(defaultCeiling, this.#gone, () => `${this.name} does not end`);
  }

  #answer(line: string): void {
    const [, id, kind, text] = /^(\d+)([:=])(.*)$/.exec(line) ?? [];
    const process = id === undefined ? undefined : this.#running.get(id);
    if (process === undefined) this.#answers.push(line);
    else if (kind === ':') process.receive(text!);
    else {
      this.#running.delete(id!);
      process.end(Number(text));
    }
  }
}
