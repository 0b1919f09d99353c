/**
 * The harnesses in C, of src/native: programs of their own under AddressSanitizer and UBSan, with libFuzzer where there is clang,
 * else with a plain driver. An input that fails is kept in the harness's corpus.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Result } from './runner.ts';

const here = import.meta.dirname;
const native = resolve(here, '../../src/native');

/** Their names and what they are made of: files of src/native. */
const programs: Readonly<Record<string, readonly string[]>> = {
  offload: ['split.c', 'coalesce.c'],
  cipher: ['cipher.c', 'mppe.c', 'sha1.c', 'cpu.c'],
  kernel: ['gre.c', 'tun.c', 'netlink.c', 'split.c', 'coalesce.c'],
};

export const nativeHarnesses: readonly string[] = Object.keys(programs).map(
  (name) => `native-${name}`,
);

export interface NativeTrial {
  readonly seed: number;
  /** ms */
  readonly duration: number;
  readonly count: number;
  readonly compiler: 'clang' | 'gcc';
}

export async function tryNative(
  harness: string,
  { seed, duration, count, compiler }: NativeTrial,
): Promise<Result> {
  const name = harness.replace('native-', '');
  const folder = mkdtempSync(join(tmpdir(), 'pptp-fuzz-'));
  const corpus = join(here, 'corpus', harness);
  mkdirSync(corpus, { recursive: true });
  const started = performance.now();
  try {
    const program = build(name, folder, compiler);
    const found = join(folder, 'found');
    mkdirSync(found);
    const limits = [
      ...(duration === Infinity ? [] : [`-max_total_time=${Math.ceil(duration / 1000)}`]),
      ...(count === Infinity ? [] : [`-runs=${count}`]),
    ];
    const kept = readdirSync(corpus).map((file) => join(corpus, file));
    // libFuzzer puts what it finds new into its first folder; the repository's stays as it is. A seed has 32 bits there.
    const words =
      compiler === 'clang'
        ? [found, corpus, '-timeout=20', '-rss_limit_mb=512', '-max_len=256']
        : kept;
    const { code, output } = await run(program, [
      ...[`-seed=${seed >>> 0}`, ...limits, `-artifact_prefix=${corpus}/`],
      ...words,
    ]);
    const [, crash] = /(?:kept as|Test unit written to) (\S+)/.exec(output) ?? [];
    if (compiler === 'clang' && crash !== undefined) {
      const smaller = ['-minimize_crash=1', '-max_total_time=15', `-exact_artifact_path=${crash}`];
      await run(program, [...smaller, crash]);
    }
    const [, inputs = '0'] = /^(?:Done )?(\d+) (?:runs|inputs) in/m.exec(output) ?? [];
    const result = { inputs: Number(inputs), time: performance.now() - started };
    return code === 0 ? result : { ...result, failure: `seed ${seed}: ${output.slice(-4000)}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function hasClang(): boolean {
  return spawnSync('clang', ['--version']).status === 0;
}

function build(name: string, folder: string, compiler: 'clang' | 'gcc'): string {
  const program = join(folder, name);
  const sanitizers = compiler === 'clang' ? 'fuzzer,address,undefined' : 'address,undefined';
  const include =
    process.env['NODE_INCLUDE'] ?? resolve(dirname(process.execPath), '../include/node');
  execFileSync(
    compiler,
    [
      ...[
        '-std=gnu11',
        '-O1',
        '-g',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-fno-strict-aliasing',
        '-D_GNU_SOURCE',
        '-DNAPI_VERSION=8',
      ],
      ...[`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all', '-isystem', include],
      ...['-I', join(here, 'native'), '-I', native, '-include', 'fake-syscall.h'],
      ...[
        join(here, 'native', `${name}.c`),
        ...(compiler === 'gcc' ? [join(here, 'native/driver.c')] : []),
      ],
      ...programs[name]!.map((file) => join(native, file)),
      ...['-o', program],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return program;
}

function run(
  program: string,
  words: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream
      .setEncoding('utf8')
      .on('data', (text: string) => (output = (output + text).slice(-100_000)));
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}
