/** Runs nftables' `nft`: a script on its standard input is one transaction, all of it is done or none. */
import { execFile } from 'node:child_process';
import { RouterError } from './router.ts';

const TIMEOUT = 10_000; // ms; even a large transaction takes less than one second
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/** Octets of one answer: listing every element of a large map fits. */
const MAX_OUTPUT = 16 << 20;

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

function run(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'nft',
      args,
      { timeout: TIMEOUT, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT, env: ENVIRONMENT },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new RouterError(explain(error, stderr)));
      },
    );
    child.stdin?.on('error', () => undefined); // it ended without reading: its own words say why
    child.stdin?.end(input);
  });
}

/** nft repeats the faulty line and underlines the fault below its first sentence: the sentences are enough. */
function explain(error: Error & { code?: unknown; killed?: boolean }, stderr: string): string {
  if (error.code === 'ENOENT') return 'nft is not installed (package nftables)';
  if (error.killed === true) return `nft does not answer within ${TIMEOUT / 1000} s`;
  const sentences = stderr
    .split('\n')
    .filter((line) => /error:|^netlink:|denied|not permitted/i.test(line));
  return `nft: ${sentences.join('; ') || stderr.trim() || error.message}`;
}
