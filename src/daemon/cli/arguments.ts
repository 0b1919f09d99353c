/** The command line: words to a command, by the command table. */
import { files } from '../../platform/platform.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { routerKinds, type RouterKind } from '../tunnels/router-choice.ts';
import { options, sessionColumns, type CommandName, type SessionColumn } from './command-table.ts';
import { usage } from './usage.ts';
import { commandNamed, commandOf, oneOf, readWords, usageError } from './words.ts';

export interface Arguments {
  readonly command: CommandName;
  readonly operands: readonly string[];
  readonly configDir: string;
  /** The daemon's own bus. */
  readonly socket: string;
  /** The system's bus. */
  readonly ubus: string;
  readonly dial: boolean;
  readonly router: RouterKind;
  readonly json: boolean;
  /** status, unban */
  readonly all: boolean;
  /** check: a server instead of a link */
  readonly server: { readonly host: string; readonly port: number } | undefined;
  /** capture: seconds */
  readonly seconds: number;
  /** capture: keep login data and payload */
  readonly secrets: boolean;
  /** metrics: of each session */
  readonly sessions: boolean;
  /** usage: the month, as it was written */
  readonly month: string | undefined;
  /** init: answers that are not asked for */
  readonly answers: Answers;
  /** init, radius-test: where the password stands; - is standard input */
  readonly passwordFile: string | undefined;
  /** windows and the like: how callers reach this router, and where the file goes */
  readonly address: string | undefined;
  readonly output: string | undefined;
  /** sessions */
  readonly sort: SessionColumn | undefined;
  readonly columns: readonly SessionColumn[] | undefined;
  readonly watch: boolean;
  /** log */
  readonly follow: boolean;
}

export interface Answers {
  readonly network: string | undefined;
  readonly masquerade: string | undefined;
  readonly dns: string | undefined;
  readonly user: string | undefined;
}

export function isOpenWrt(): boolean {
  return files.exists('/etc/openwrt_release');
}

/** Where this system keeps the configuration. */
export function usualFolder(): string {
  return isOpenWrt() ? '/etc/config' : '/etc/pptp-gateway';
}

/** @throws {Fatal} a usage error */
export function parseArguments(
  words: readonly string[],
  configDir: string = usualFolder(),
): Arguments {
  const { values, operands: all } = readWords(words);
  const [first, ...rest] = all;
  // `pptp-gateway dial --help` and `pptp-gateway --help dial` are `pptp-gateway help dial`.
  const [command, ...operands] =
    values.help === true
      ? ['help', ...(first === 'help' ? rest : all).slice(0, 1)]
      : values.version === true
        ? ['version']
        : [first, ...rest];
  if (command === undefined) throw new Fatal(ExitCode.Usage, `which command?\n${usage}`);
  const entry = commandOf(command, operands);
  if (command === 'help' && operands[0] !== undefined) commandNamed(operands[0]);
  if (values.server !== undefined && operands.length > 0)
    throw usageError('either NAME or --server', entry);
  const seconds = Number(values.seconds ?? options.seconds.default);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86400)
    throw usageError('--seconds: expected a whole number from 1 to 86400', entry);
  if (values.month !== undefined && !/^\d{4}-(?:0[1-9]|1[0-2])$/.test(values.month))
    throw usageError('--month: expected a month such as 2026-11', entry);
  const wanted = values.router ?? options.router.default;
  const column = (option: string, name: string) => oneOf(option, sessionColumns, name, entry);
  const router = routerKinds.find((kind) => kind === wanted);
  if (router === undefined)
    throw usageError(`--router: expected ${routerKinds.join(' | ')}`, entry);
  return {
    command: entry.name,
    operands,
    configDir: values['config-dir'] ?? configDir,
    socket: values.socket ?? options.socket.default,
    ubus: values.ubus ?? options.ubus.default,
    dial: values.dial === true,
    router,
    json: values.json === true,
    server: values.server === undefined ? undefined : parseServer(values.server),
    seconds,
    secrets: values.secrets === true,
    sessions: values.sessions === true,
    month: values.month,
    answers: {
      network: values.network,
      masquerade: values.masquerade,
      dns: values.dns,
      user: values.user,
    },
    passwordFile: values['password-file'],
    address: values.address,
    output: values.output,
    all: values.all === true,
    sort: values.sort === undefined ? undefined : column('--sort', values.sort),
    columns: values.columns?.split(',').map((name) => column('--columns', name.trim())),
    watch: values.watch === true,
    follow: values.follow === true,
  };
}

/** @throws {Fatal} a usage error */
function parseServer(text: string): { host: string; port: number } {
  const [, host, port = '1723'] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined)
    throw new Fatal(ExitCode.Usage, '--server: expected HOST or HOST:PORT, of IPv4');
  return { host, port: Number(port) };
}
