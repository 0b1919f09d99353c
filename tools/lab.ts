/**
 * A small lab of the demo and the tests: network namespaces, programs in them, and gateways. close() leaves nothing
 * behind: processes are ended by the id they were started with, namespaces (and with them their devices) are deleted.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const program = resolve(import.meta.dirname, '../dist/pptp-gateway.js');

/**
 * Node as a router should run it (our launchers have the same words): packets are never allocated, so a large young
 * generation (up to 48 MB, never given back) would be memory for nothing, and so would an old one of three times what is
 * alive, idle threads, and what the parser had of malloc and freed at the start.
 */
export const node: readonly [string, ...string[]] = [
  '/usr/bin/env',
  'MALLOC_TRIM_THRESHOLD_=131072',
  process.execPath,
  '--max-semi-space-size=1',
  '--heap-growing-percent=25',
  '--v8-pool-size=1',
];

export interface Result {
  readonly code: number | null;
  /** stdout and stderr */
  readonly output: string;
}

export class Lab {
  readonly dir: string;
  /** Words before the program of a gateway: what starts it in its turn. */
  launcher: readonly string[] = [];
  private readonly prefix: string;
  private readonly namespaces: string[] = [];
  private readonly programs = new Set<Program>();

  /** @param name goes into the names of namespaces and folder, with our process id */
  constructor(name: string) {
    this.prefix = `pptp-${name}-${process.pid}`;
    this.dir = mkdtempSync(join(tmpdir(), `${this.prefix}-`));
  }

  /** A new namespace with its loopback up; its full name. */
  namespace(name: string): string {
    const namespace = `${this.prefix}-${name}`;
    ip('netns', 'add', namespace);
    this.namespaces.push(namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    return namespace;
  }

  /** Joins two namespaces by a veth; both ends have the same device name and the given address each. */
  join(device: string, ends: readonly (readonly [namespace: string, address: string])[]): void {
    const [[first], [second]] = ends as [readonly [string, string], readonly [string, string]];
    ip(
      'link',
      'add',
      device,
      'netns',
      first,
      'type',
      'veth',
      'peer',
      'name',
      device,
      'netns',
      second,
    );
    for (const [namespace, address] of ends) {
      ip('-n', namespace, 'address', 'add', address, 'dev', device);
      ip('-n', namespace, 'link', 'set', device, 'up');
    }
  }

  /** Starts a program in a namespace. */
  start(namespace: string, command: string, ...args: readonly string[]): Program {
    const started = new Program(namespace, command, args);
    this.programs.add(started);
    void started.ended.then(() => this.programs.delete(started));
    return started;
  }

  /** Runs a program in a namespace to its end. */
  run(namespace: string, command: string, ...args: readonly string[]): Promise<Result> {
    return this.start(namespace, command, ...args).ended;
  }

  /** Starts a gateway with these UCI files; it runs when this resolves. */
  async gateway(
    name: string,
    namespace: string,
    files: Readonly<Record<string, string>>,
    ...options: readonly string[]
  ): Promise<Gateway> {
    const gateway = new Gateway(this, name, namespace, files, options);
    await gateway.process.line(/is running/);
    return gateway;
  }

  async close(): Promise<void> {
    await Promise.all([...this.programs].map((running) => running.stop()));
    for (const namespace of this.namespaces.splice(0)) ip('netns', 'del', namespace);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Program {
  /** stdout and stderr so far */
  output = '';
  readonly ended: Promise<Result>;
  private readonly child: ChildProcess;
  private readonly listeners = new Set<() => void>();

  constructor(namespace: string, command: string, args: readonly string[]) {
    this.child = spawn('ip', ['netns', 'exec', namespace, command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // with what it starts, a process group
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const listener of this.listeners) listener();
      });
    }
    this.ended = new Promise((done) => {
      this.child.once('close', (code) => done({ code, output: this.output }));
    });
  }

  /** `ip netns exec` becomes the program. */
  get pid(): number {
    return this.child.pid!;
  }

  /** Waits until the output, from `from` on, has this in it; the text that matched. The program's end is a failure. */
  line(wanted: RegExp, from = 0): Promise<string> {
    return new Promise((done, reject) => {
      const look = () => {
        const found = wanted.exec(this.output.slice(from));
        if (found === null) return;
        this.listeners.delete(look);
        done(found[0]);
      };
      this.listeners.add(look);
      look();
      void this.ended.then(({ code, output }) => {
        reject(
          new Error(
            `${this.child.spawnargs.slice(4).join(' ')} ended with ${code ?? 'a signal'}: ${output}`,
          ),
        );
      });
    });
  }

  /** Hears each whole line from now on; what there is of the output so far is forgotten, and so is what was heard. */
  onLine(hear: (line: string) => void): void {
    const take = () => {
      const lines = this.output.split('\n');
      this.output = lines.pop()!;
      for (const line of lines) hear(line);
    };
    this.listeners.add(take);
    take();
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks it to end, and insists after 8 s: that what it has started ends too, which could hold its output open. */
  async stop(): Promise<Result> {
    this.signal('SIGTERM');
    const insist = setTimeout(() => process.kill(-this.pid, 'SIGKILL'), 8000);
    const result = await this.ended;
    clearTimeout(insist);
    return result;
  }
}

export class Gateway {
  readonly process: Program;
  readonly configDir: string;
  private readonly lab: Lab;
  private readonly namespace: string;
  /** Of its own bus. */
  readonly socket: string;

  constructor(
    lab: Lab,
    name: string,
    namespace: string,
    files: Readonly<Record<string, string>>,
    options: readonly string[],
  ) {
    this.lab = lab;
    this.namespace = namespace;
    this.configDir = join(lab.dir, name);
    this.socket = join(this.configDir, 'run', 'ubus.sock');
    mkdirSync(this.configDir, { recursive: true });
    this.configure(files);
    const [command, ...words] = [...lab.launcher, ...node];
    this.process = lab.start(
      namespace,
      command!,
      ...words,
      program,
      'run',
      '--config-dir',
      this.configDir,
      '--socket',
      this.socket,
      ...options,
    );
  }

  /** Writes UCI files; reload is yours to ask for. */
  configure(files: Readonly<Record<string, string>>): void {
    for (const [file, text] of Object.entries(files))
      writeFileSync(join(this.configDir, file), text, { mode: 0o600 });
  }

  /** One command of the command line. */
  command(...words: readonly string[]): Promise<Result> {
    return this.lab.run(
      this.namespace,
      process.execPath,
      program,
      '--socket',
      this.socket,
      ...words,
    );
  }

  /** A command with --json: its answer, or of that the field that is called like the command. */
  async json<T>(...words: readonly string[]): Promise<T> {
    const { code, output } = await this.command(...words, '--json');
    if (code !== 0)
      throw new Error(`${words.join(' ')} ended with ${code ?? 'a signal'}: ${output}`);
    const document = JSON.parse(output) as Readonly<Record<string, unknown>>;
    return (document[words[0]!] ?? document) as T;
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
