#!/usr/bin/env node
/** The program `pptp-gateway`: reads its arguments, runs one command, ends with its exit code. */
import { loadAddon } from '../native/addon.ts';
import { errorText } from '../platform/errors.ts';
import { program } from '../platform/platform.ts';
import { parseArguments } from './cli/arguments.ts';
import { commands } from './cli/commands.ts';
import { importFrom } from './cli/import.ts';
import { init } from './cli/init.ts';
import { describeFailure, run } from './cli/run.ts';
import { usage } from './cli/usage.ts';
import { ControlClient } from './control/client.ts';
import { ExitCode } from './exit-codes.ts';
import { journaldLine } from './reports/journald.ts';
import { UbusError } from '../ubus-js/index.ts';
import { STATE_VERSION } from './upgrade/document.ts';
import { Inheritance, INHERITED, TRIAL } from './upgrade/inheritance.ts';
import type { Trial } from './upgrade/upgrade.ts';
import { version } from './version.ts';

async function main(words: readonly string[]): Promise<ExitCode> {
  const options = parseArguments(words);
  switch (options.command) {
    case 'help':
      program.print(`${usage}\n`);
      return ExitCode.Ok;
    case 'version':
      if (program.environment(INHERITED) === TRIAL) return tryOut();
      program.print(`pptp-gateway ${version}\n`);
      return ExitCode.Ok;
    case 'init':
      return init(options);
    case 'import':
      return importFrom(options);
    case 'run':
      // A peer that does not close its TCP connection must not keep us: stderr and sockets are written synchronously.
      return program.exit(await run(options));
    default: {
      const client = await ControlClient.open(options.socket);
      try {
        return await commands[options.command]!(client, options);
      } finally {
        client.close();
      }
    }
  }
}

/** Another program asks whether this one would come up in its place. */
function tryOut(): ExitCode {
  loadAddon();
  program.print(JSON.stringify({ version, state: STATE_VERSION } satisfies Trial));
  return ExitCode.Ok;
}

try {
  program.setExitCode(await main(program.words));
} catch (error) {
  Inheritance.take()?.rollBack(errorText(error)); // nothing where it has taken over
  const failure = describeFailure(error);
  if (failure !== undefined) {
    // Below a usage error stands the usage.
    const named = failure.exitCode === ExitCode.Usage ? 1 : failure.lines.length;
    const head = (line: string) =>
      program.isJournaled ? journaldLine('error', line) : `pptp-gateway: ${line}\n`;
    failure.lines.forEach((line, i) => program.complain(i < named ? head(line) : `${line}\n`));
    program.setExitCode(failure.exitCode);
  } else if (error instanceof UbusError) {
    program.complain(`pptp-gateway: ${error.message}\n`);
    program.setExitCode(error.status === 'NOT_FOUND' ? ExitCode.NotFound : ExitCode.Failed);
  } else throw error;
}
