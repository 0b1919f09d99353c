#!/usr/bin/env node
/** The program `pptp-gateway`: reads its arguments, runs one command, ends with its exit code. */
import { loadAddon } from '../native/addon.ts';
import { errorText } from '../platform/errors.ts';
import { program } from '../platform/platform.ts';
import { Answer } from './cli/answer.ts';
import { parseArguments, type Arguments } from './cli/arguments.ts';
import { commandTable, type CommandName, type DaemonCommandName } from './cli/command-table.ts';
import { commands } from './cli/commands.ts';
import { describeFailure } from './cli/failures.ts';
import { importFrom } from './cli/import.ts';
import { init } from './cli/init.ts';
import { run } from './cli/run.ts';
import { synopsis, usage, usageOf } from './cli/usage.ts';
import { validate } from './cli/validate.ts';
import { wantsJson } from './cli/words.ts';
import { ControlClient } from './control/client.ts';
import { ExitCode } from './exit-codes.ts';
import { journaldLine } from './reports/journald.ts';
import { STATE_VERSION } from './upgrade/document.ts';
import { Inheritance, INHERITED, TRIAL } from './upgrade/inheritance.ts';
import type { Trial } from './upgrade/upgrade.ts';
import { version } from './version.ts';

/** The commands that ask nobody. */
const alone: Readonly<
  Record<
    Exclude<CommandName, DaemonCommandName>,
    (options: Arguments, answer: Answer) => ExitCode | Promise<ExitCode>
  >
> = {
  init,
  run,
  import: importFrom,
  validate,
  version(_options, answer) {
    if (program.environment(INHERITED) === TRIAL) return tryOut();
    answer.give({ version });
    answer.say(`pptp-gateway ${version}`);
    return ExitCode.Ok;
  },
  help({ operands: [name] }, answer) {
    const found = commandTable.filter((each) => name === undefined || each.name === name);
    answer.give({
      commands: found.map((each) => ({ name: each.name, usage: synopsis(each), doc: each.doc })),
    });
    answer.say(name === undefined ? usage : found.map(usageOf).join('\n'));
    return ExitCode.Ok;
  },
};

/** Another program asks whether this one would come up in its place. */
function tryOut(): ExitCode {
  loadAddon();
  const trial: Trial = {
    version,
    state: STATE_VERSION,
    command: program.command,
    environment: program.environments(),
  };
  program.print(JSON.stringify(trial));
  return ExitCode.Ok;
}

async function perform(options: Arguments, answer: Answer): Promise<ExitCode> {
  const { command } = options;
  if (!isOfDaemon(command)) return alone[command](options, answer);
  const client = await ControlClient.open(options.socket);
  try {
    return await commands[command](client, options, answer);
  } finally {
    client.close();
  }
}

function isOfDaemon(command: CommandName): command is DaemonCommandName {
  return command in commands;
}

async function main(): Promise<void> {
  const answer = new Answer(wantsJson(program.words));
  let code: ExitCode;
  try {
    const options = parseArguments(program.words);
    code = await perform(options, answer);
    answer.end(code);
    // A peer that does not close its TCP connection must not keep us: stderr and sockets are written synchronously.
    if (options.command === 'run') program.exit(code);
  } catch (error) {
    Inheritance.take()?.rollBack(errorText(error)); // nothing where it has taken over
    const failure = describeFailure(error);
    if (failure === undefined) throw error;
    code = failure.exitCode;
    if (answer.json) answer.fail(code, failure.lines.join('\n'), failure.fields);
    else {
      // Below a usage error stands the usage.
      const named = code === ExitCode.Usage ? 1 : failure.lines.length;
      const head = (line: string) =>
        program.isJournaled ? journaldLine('error', line) : `pptp-gateway: ${line}\n`;
      failure.lines.forEach((line, i) => program.complain(i < named ? head(line) : `${line}\n`));
    }
  }
  program.setExitCode(code);
}

void main();
