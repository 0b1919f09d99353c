/** Runs nftables' `nft`: a script on its standard input is one transaction, all of it is done or none. */
import type { Ran } from '../platform/children.ts';
import { RouterError } from './router.ts';
import { runProgram } from './run-program.ts';

const TIMEOUT = 10_000; // ms; even a large transaction takes less than one second
const OPTIONS = {
  timeout: TIMEOUT,
  killSignal: 'SIGKILL',
  maxBuffer: 16 << 20, // listing every element of a large map fits
  env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
} as const;

/**
 * Hands a script to `nft -f -`.
 *
 * @returns what nft prints, of a script that lists something
 * @throws RouterError with what nft says
 */
export function nft(script: string): Promise<string> {
  return run(['-f', '-'], script);
}

/**
 * Asks whether the kernel and nft would take a script, without any effect.
 *
 * @throws RouterError with what nft says
 */
export async function nftCheck(script: string): Promise<void> {
  await run(['-c', '-f', '-'], script);
}

/**
 * A command that answers in JSON, such as `list table ip filter`.
 *
 * @throws RouterError with what nft says: also when what is to be listed does not exist
 */
export async function nftJson(...command: readonly string[]): Promise<unknown> {
  const answer = await run(['-j', ...command], '');
  return answer === '' ? { nftables: [] } : JSON.parse(answer);
}

/** Names of devices, as a script has them. */
export function deviceSet(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(', ')} }`;
}

async function run(args: readonly string[], input: string): Promise<string> {
  const { error, stdout, stderr } = await runProgram('nft', args, input, OPTIONS);
  if (error !== undefined) throw new RouterError(explain(error, stderr));
  return stdout;
}

/** nft repeats the faulty line and underlines the fault below its first sentence: the sentences are enough. */
function explain(error: NonNullable<Ran['error']>, stderr: string): string {
  if (error.code === 'ENOENT') return 'nft is not installed (package nftables)';
  if (error.killed === true) return `nft does not answer within ${TIMEOUT / 1000} s`;
  const sentences = stderr
    .split('\n')
    .filter((line) => /error:|^netlink:|denied|not permitted/i.test(line));
  return `nft: ${sentences.join('; ') || stderr.trim() || error.message}`;
}
