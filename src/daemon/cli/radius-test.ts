/** `pptp-gateway radius-test`: does a RADIUS server answer, and what does it say to a login? */
import { program } from '../../platform/platform.ts';
import type { ControlClient } from '../control/client.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { exitCodeOf, followed } from './checks.ts';
import { passwordIn } from './password-file.ts';

/** @throws Fatal */
export async function radiusTest(
  client: ControlClient,
  { operands: [name = '', username], passwordFile }: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  const login = username === undefined ? {} : { username, password: await password(passwordFile) };
  const started = await client.call('radius_test', { name, ...login });
  const done = await followed(client, started, answer);
  answer.give({ checks: [done] });
  return done.cause === undefined ? ExitCode.Ok : exitCodeOf(done.cause.code);
}

async function password(file: string | undefined): Promise<string> {
  if (file !== undefined) return passwordIn(file);
  const terminal = program.openTerminal();
  if (terminal === undefined)
    throw new Fatal(
      ExitCode.Usage,
      'there is no terminal to ask for the password: give --password-file',
    );
  try {
    const typed = await terminal.ask('Password: ', true);
    if (typed === undefined) throw new Fatal(ExitCode.Failed, 'ended before the password');
    return typed;
  } finally {
    terminal.close();
  }
}
