/**
 * systemd's journal behind standard error: there a line begins with its severity (sd-daemon(3)), and the time is the
 * journal's. And systemd itself, which is told when the daemon is ready (sd_notify(3)).
 */
import { program } from '../../platform/platform.ts';
import { runProgram } from '../../router/run-program.ts';
import type { Level } from './log.ts';
import { severities } from './system-log.ts';

export function journaldLine(level: Level, text: string): string {
  return `<${severities[level]}>${text}\n`;
}

/** As Log offers its lines. */
export function toJournald(level: Level, text: string): boolean {
  program.complain(journaldLine(level, text));
  return true;
}

const TIMEOUT = 5_000; // ms

/** For a unit of Type=notify. @param socket NOTIFY_SOCKET; undefined: nobody is to be told. @returns why systemd may not know */
export async function tellReady(socket: string | undefined): Promise<string | undefined> {
  if (socket === undefined) return undefined;
  const env = { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: socket };
  const { error } = await runProgram('systemd-notify', ['--ready'], '', { timeout: TIMEOUT, env });
  return error?.message;
}
