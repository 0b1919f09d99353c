/** The command line: words to a command, by the command table. */
import { errorText } from '../../platform/errors.ts';
import { files, program } from '../../platform/platform.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { routerKinds, type RouterKind } from '../tunnels/router-choice.ts';
import { commandTable, options } from './command-table.ts';
import { usage } from './usage.ts';

export interface Arguments {
  readonly command: string;
  readonly operands: readonly string[];
  readonly configDir: string;
  /** The daemon's own bus. */
  readonly socket: string;
  /** The system's bus. */
  readonly ubus: string;
  readonly dial: boolean;
  readonly router: RouterKind;
  readonly json: boolean;
  /** check: a server instead of a link */
  readonly server: { readonly host: string; readonly port: number } | undefined;
  /** capture: seconds */
  readonly seconds: number;
  /** capture: keep login data and payload */
  readonly secrets: boolean;
  /** init: answers that are not asked for */
  readonly answers: Answers;
  /** init, radius-test: where the password stands; - is standard input */
  readonly passwordFile: string | undefined;
  /** windows and the like: how callers reach this router, and where the file goes */
  readonly address: string | undefined;
  readonly output: string | undefined;
}

export interface Answers {
  readonly network: string | undefined;
  readonly masquerade: string | undefined;
  readonly dns: string | undefined;
  readonly user: string | undefined;
}

/** Where this system keeps the configuration. */
export function usualFolder(): string {
  return files.exists('/etc/openwrt_release') ? '/etc/config' : '/etc/pptp-gateway';
}

/** @throws {Fatal} a usage error */
export function parseArguments(
  words: readonly string[],
  configDir: string = usualFolder(),
): Arguments {
  let parsed;
  try {
    parsed = program.parseWords(words, options);
  } catch (error) {
    throw new Fatal(ExitCode.Usage, `${errorText(error)}\n${usage}`);
  }
  const { values, given } = parsed;
  const [command = '', ...operands] = values.help === true ? ['help'] : parsed.operands;
  const entry = commandTable.find(({ name }) => name === command);
  if (entry === undefined)
    throw new Fatal(
      ExitCode.Usage,
      command === '' ? usage : `unknown command '${command}'\n${usage}`,
    );
  const { operands: wanted = [], options: taken = [] } = entry;
  const least = wanted.filter(({ optional }) => optional !== true).length;
  if (operands.length < least || operands.length > wanted.length)
    throw new Fatal(ExitCode.Usage, `wrong number of arguments for ${command}\n${usage}`);
  const strange = given.find(({ name }) => !taken.includes(name));
  if (strange !== undefined && command !== 'help')
    throw new Fatal(ExitCode.Usage, `${strange.word} is no option of ${command}\n${usage}`);
  if (values.server !== undefined && operands.length > 0)
    throw new Fatal(ExitCode.Usage, 'either NAME or --server');
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86400)
    throw new Fatal(ExitCode.Usage, '--seconds: expected a whole number from 1 to 86400');
  const router = routerKinds.find((kind) => kind === values.router);
  if (router === undefined)
    throw new Fatal(ExitCode.Usage, `--router: expected ${routerKinds.join(' | ')}`);
  return {
    command,
    operands,
    configDir: values['config-dir'] ?? configDir,
    socket: values.socket,
    ubus: values.ubus,
    dial: values.dial === true,
    router,
    json: values.json === true,
    server: values.server === undefined ? undefined : parseServer(values.server),
    seconds,
    secrets: values.secrets === true,
    answers: {
      network: values.network,
      masquerade: values.masquerade,
      dns: values.dns,
      user: values.user,
    },
    passwordFile: values['password-file'],
    address: values.address,
    output: values.output,
  };
}

/** @throws {Fatal} a usage error */
function parseServer(text: string): { host: string; port: number } {
  const [, host, port = '1723'] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) throw new Fatal(ExitCode.Usage, '--server: expected HOST or HOST:PORT');
  return { host, port: Number(port) };
}
