/** Follows a check of the daemon to its end, and shows its steps as they are reached. */
import { clock, program } from '../../platform/platform.ts';
import type { ControlClient } from '../control/client.ts';
import { ExitCode } from '../exit-codes.ts';
import type { CheckDocument } from '../tunnels/checks.ts';

/** ms between looks at something that takes as long as the network does */
export const POLL = 100;

const print = (text: string) => program.print(`${text}\n`);

/** @param started what the daemon said to the call that starts a check @param quiet nothing is shown */
export async function followed(
  client: ControlClient,
  started: unknown,
  quiet: boolean,
): Promise<CheckDocument> {
  const { id } = started as { id: number };
  let shown = -1;
  for (;;) {
    const check = (await client.call('check_status', { id })) as CheckDocument;
    if (shown < 0) {
      if (!quiet) print(`checking ${check.name}`);
      shown = 0;
    }
    for (; !quiet && shown < check.steps.length; shown++) {
      const { step, result, detail } = check.steps[shown]!;
      if (result === 'not reached' && !check.done) break;
      print(`  ${step.padEnd(11)} ${result}${detail === '' ? '' : `  ${detail}`}`);
    }
    if (check.done) {
      if (!quiet && check.cause !== undefined) print(`  ${check.cause.code}: ${check.cause.text}`);
      return check;
    }
    await clock.pause(POLL);
  }
}

const loginCauses = [
  'AUTH_TOPEER_FAILED',
  'LOGIN_DENIED',
  'SERVER_NOT_TRUSTED',
  'RADIUS_NOT_PROVEN',
];

export function exitCodeOf(cause: string | undefined): ExitCode {
  if (cause === undefined) return ExitCode.Failed;
  if (cause === 'NO_ROUTE') return ExitCode.NoRoute;
  return loginCauses.includes(cause) ? ExitCode.LoginRefused : ExitCode.Failed;
}
