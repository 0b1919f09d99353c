/** `pptp-gateway validate`: what the daemon would say of the configuration, without one. */
import { nothingToRun, type Configuration } from '../configuration/configuration.ts';
import { ConfigError, formatProblem, type Problem } from '../configuration/problems.ts';
import { openSecrets, readConfiguration } from '../configuration/read.ts';
import { ExitCode } from '../exit-codes.ts';
import { problemDocument } from '../reports/documents.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { toned } from './colours.ts';

/** @throws {Fatal} there is nothing to read */
export function validate({ configDir }: Arguments, answer: Answer): ExitCode {
  const { problems, summary } = examined(configDir);
  answer.give({ problems: problems.map(problemDocument) });
  for (const problem of problems) {
    const text = formatProblem(problem);
    answer.say(text.replace(problem.severity, toned(problem.severity)));
  }
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  answer.say(errors === 0 ? summary : `${errors} ${errors === 1 ? 'error' : 'errors'}`);
  return errors === 0 ? ExitCode.Ok : ExitCode.Configuration;
}

function examined(dir: string): { problems: readonly Problem[]; summary: string } {
  try {
    const found = readConfiguration(dir);
    const problems = [...found.warnings, ...openSecrets(dir, found)];
    return { problems: inOrder(problems), summary: nothingToRun(found) ?? contents(found) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: inOrder([...error.problems, ...error.warnings]), summary: '' };
  }
}

/** As they stand in the files. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort(
    (a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0),
  );
}

function contents({ servers, links, relays, users, radius }: Configuration): string {
  const all = { servers, links, relays, users, 'RADIUS servers': radius };
  const counts = Object.entries(all).map(([what, those]) => `${what} ${those.length}`);
  return `no errors: ${counts.join(', ')}`;
}
