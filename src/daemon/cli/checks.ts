/** Follows a check of the daemon to its end, and shows its steps as they are reached. */
import { clock } from '../../platform/platform.ts';
import type { ControlClient } from '../control/client.ts';
import { ExitCode } from '../exit-codes.ts';
import type { CheckDocument } from '../tunnels/checks.ts';
import { toned } from './colours.ts';
import type { Answer } from './answer.ts';

/** ms between looks at something that takes as long as the network does */
export const POLL = 100;

/** @param started what the daemon said to the call that starts a check */
export async function followed(
  client: ControlClient,
  started: unknown,
  answer: Answer,
): Promise<CheckDocument> {
  const { id } = started as { id: number };
  const since = clock.monotonic();
  let shown = -1;
  for (;;) {
    const check = (await client.call('check_status', { id })) as CheckDocument;
    if (shown < 0) {
      answer.say(`checking ${check.name}`);
      shown = 0;
    }
    for (; shown < check.steps.length; shown++) {
      const { step, result, detail } = check.steps[shown]!;
      if (result === 'not reached' && !check.done) break;
      answer.say(`  ${step.padEnd(11)} ${toned(result)}${detail === '' ? '' : `  ${detail}`}`);
    }
    if (check.done) {
      if (check.cause !== undefined) answer.say(`  ${check.cause.code}: ${check.cause.text}`);
      return check;
    }
    const awaited = check.steps.find(({ result }) => result !== 'ok')?.step ?? '';
    answer.hint(`  ${awaited.padEnd(11)} … ${Math.round((clock.monotonic() - since) / 1000)} s`);
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
