/** `pptp-gateway log`: the daemon's own last lines, wherever else they go; with --follow also those to come. */
import { program } from '../../platform/platform.ts';
import { ControlClient } from '../control/client.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import type { LogDocument, LogEntry } from '../reports/log.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { toned } from './colours.ts';
import { Patience } from './patience.ts';

/** ms between two looks */
const LOOK = 500;

export async function showLog(
  client: ControlClient,
  { follow, socket }: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  let { log, next } = (await client.call('log')) as LogDocument;
  if (!follow) {
    answer.give({ log });
    if (log.length > 0) answer.say(log.map(lineOf).join('\n'));
    return ExitCode.Ok;
  }
  const patience = new Patience();
  let daemon: ControlClient | undefined = client;
  for (;;) {
    for (const entry of log) answer.tell(entry, lineOf(entry));
    if (!(await patience.pause(LOOK))) break;
    log = [];
    try {
      daemon ??= await ControlClient.open(socket);
      ({ log, next } = (await daemon.call('log', { after: next })) as LogDocument);
    } catch (error) {
      // It is started anew, perhaps: whoever watches wants to see that.
      if (!(error instanceof Fatal && error.exitCode === ExitCode.NotRunning)) throw error;
      if (daemon !== undefined) program.complain('pptp-gateway: the daemon has gone away; waiting for it\n'); // prettier-ignore
      daemon = undefined;
      next = 0;
    }
  }
  if (daemon !== client) daemon?.close();
  return ExitCode.Ok;
}

function lineOf({ time, level, text }: LogEntry): string {
  const when = new Date(time * 1000).toISOString();
  return `${when.slice(0, 10)} ${when.slice(11, 19)} ${toned(level)}: ${text}`;
}
