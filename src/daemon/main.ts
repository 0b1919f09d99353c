#!/usr/bin/env node
/** The program `pptp-gateway`: reads its arguments, runs one command, ends with its exit code. */
import { parseArguments } from './cli/arguments.ts';
import { commands } from './cli/commands.ts';
import { importFrom } from './cli/import.ts';
import { describeFailure, run } from './cli/run.ts';
import { usage } from './cli/usage.ts';
import { ControlClient } from './control/client.ts';
import { ExitCode } from './exit-codes.ts';
import { UbusError } from '../ubus-js/index.ts';
import { version } from './version.ts';

async function main(words: readonly string[]): Promise<ExitCode> {
  const options = parseArguments(words);
  switch (options.command) {
    case 'help':
      process.stdout.write(`${usage}\n`);
      return ExitCode.Ok;
    case 'version':
      process.stdout.write(`pptp-gateway ${version}\n`);
      return ExitCode.Ok;
    case 'import':
      return importFrom(options);
    case 'run':
      // A peer that does not close its TCP connection must not keep us: stderr and sockets are written synchronously.
      return process.exit(await run(options));
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

// Nobody reads any more (`status | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
// A log that cannot be written (its reader died, its disk is full) must not end a daemon; there is nobody to tell.
process.stderr.on('error', () => undefined);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const failure = describeFailure(error);
  if (failure !== undefined) {
    // Below a usage error stands the usage.
    const named = failure.exitCode === ExitCode.Usage ? 1 : failure.lines.length;
    failure.lines.forEach((line, i) =>
      process.stderr.write(i < named ? `pptp-gateway: ${line}\n` : `${line}\n`),
    );
    process.exitCode = failure.exitCode;
  } else if (error instanceof UbusError) {
    process.stderr.write(`pptp-gateway: ${error.message}\n`);
    process.exitCode = error.status === 'NOT_FOUND' ? ExitCode.NotFound : ExitCode.Failed;
  } else throw error;
}
