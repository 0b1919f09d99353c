/** What a command that cannot do its work says, and its exit code: the same for the same cause. */
import { UbusError, type Status } from '../../ubus-js/index.ts';
import { ConfigError } from '../configuration/problems.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { problemDocument } from '../reports/documents.ts';

export interface Failure {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
  /** For programs. */
  readonly fields?: object;
}

/** By what the daemon has refused; anything else is Failed. */
const refusals: Partial<Record<Status, ExitCode>> = {
  INVALID_ARGUMENT: ExitCode.Usage,
  NOT_FOUND: ExitCode.NotFound,
  PARSE_ERROR: ExitCode.Configuration,
  PERMISSION_DENIED: ExitCode.NotRoot,
};

/** undefined: a fault of ours. */
export function describeFailure(error: unknown): Failure | undefined {
  const lines = error instanceof Error ? error.message.split('\n') : [];
  if (error instanceof Fatal) return { exitCode: error.exitCode, lines };
  if (error instanceof UbusError)
    return { exitCode: refusals[error.status] ?? ExitCode.Failed, lines };
  if (error instanceof ConfigError) {
    const problems = error.problems.map(problemDocument);
    return { exitCode: ExitCode.Configuration, lines, fields: { problems } };
  }
  return undefined;
}
