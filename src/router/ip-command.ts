/** Runs iproute2's `ip`. */
import { files } from '../platform/platform.ts';
import { RouterError } from './router.ts';
import { runProgram } from './run-program.ts';

const OPTIONS = {
  timeout: 10_000, // a netlink request takes less than one
  env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
};

/** @throws RouterError with what `ip` says */
export function ip(...args: readonly string[]): Promise<string> {
  return run(args, '', () => args);
}

/**
 * Several commands, each the arguments of `ip`, in one process: starting it takes longer than what it does.
 * @throws RouterError at the first that fails; those after it are not carried out
 */
export async function ipBatch(commands: readonly (readonly string[])[]): Promise<void> {
  await batch([], commands);
}

/** What several commands show: a document each. @throws RouterError as ipBatch */
export async function ipJson(commands: readonly (readonly string[])[]): Promise<unknown[]> {
  return documents(await batch(['-json'], commands), commands.length);
}

function documents(text: string, questions: number): unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length !== questions)
    throw new RouterError(`ip: ${lines.length} answers to ${questions} questions`);
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** As ipBatch, of IPv6 where `ip` would take the family from nothing. */
export async function ipBatch6(commands: readonly (readonly string[])[]): Promise<void> {
  await batch(['-6'], commands);
}

/** As ipJson, likewise. */
export async function ipJson6(commands: readonly (readonly string[])[]): Promise<unknown[]> {
  return documents(await batch(['-6', '-json'], commands), commands.length);
}

function batch(
  options: readonly string[],
  commands: readonly (readonly string[])[],
): Promise<string> {
  const input = commands.map((args) => `${args.join(' ')}\n`).join('');
  return run([...options, '-batch', '-'], input, (said) => {
    const line = Number(/^Command failed -:(\d+)/m.exec(said)?.[1] ?? 1);
    return commands[line - 1] ?? [];
  });
}

/** @param failed the arguments to name, from what `ip` says */
async function run(
  args: readonly string[],
  input: string,
  failed: (said: string) => readonly string[],
): Promise<string> {
  const { error, stdout, stderr } = await runProgram('ip', args, input, OPTIONS);
  if (error === undefined) return stdout;
  const said = stderr.trim() || error.message;
  throw new RouterError(`ip ${failed(said).join(' ')}: ${said}`);
}

/** Of this network namespace. */
export function deviceExists(device: string): boolean {
  return files.exists(`/proc/sys/net/ipv4/conf/${device}`);
}
