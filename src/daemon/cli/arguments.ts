/** The command line: words to a command. */
import { parseArgs } from 'node:util';
import { errorText } from '../../platform/errors.ts';
import { ownSocket, systemSocket } from '../control/buses.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { routerKinds, type RouterKind } from '../tunnels/router-choice.ts';

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
}

export const usage = `usage: pptp-gateway COMMAND [OPTION...]

  run [--config-dir DIR] [--dial] [--router netifd|iproute|auto] [--ubus PATH]
                                    run in the foreground; --dial: start the links with auto 1 (without netifd);
                                    --router auto: netifd where it is installed or on the bus, else iproute2
  status [--json]                   servers, links, sessions
  sessions [--json]                 live sessions with counters
  disconnect ID|USER                end a session, or all sessions of a user
  dial NAME                         start a link and wait for it
  hangup NAME                       end a link until it is dialled again
  check [NAME]                      how far a link gets, step by step, and what to do where it stops
  check --server HOST[:PORT]        the same for any server, without logging in: name, TCP, control, call, GRE
  failures [--json]                 recent failures with causes
  counters [--json]                 what was dropped or refused, in all
  capture FILE [--seconds N] [--secrets]
                                    record control and GRE packets as pcap until Ctrl-C; logins and payload are
                                    left out unless --secrets is given
  reload                            read the configuration again; sessions whose settings did not change stay
  import pptpd [--config-dir DIR]   take over server and users of pptpd, once; the server is not switched on
  version

  --config-dir DIR   folder of the UCI files network, pptp and pptp_users (default /etc/config)
  --socket PATH      the daemon's own bus (default ${ownSocket})
  --ubus PATH        the system's ubusd, which run looks for (default ${systemSocket})

Exit codes: 0 done, 1 failed, 64 usage, 66 no such session or link, 68 no route, 69 daemon not running, 70 fault in the program,
71 no TUN device, 73 port in use, 76 login refused, 77 not root, 78 configuration.`;

/** How many operands each command takes: least and most. */
const operandCounts: Readonly<Record<string, readonly [number, number]>> = {
  run: [0, 0],
  status: [0, 0],
  sessions: [0, 0],
  disconnect: [1, 1],
  dial: [1, 1],
  hangup: [1, 1],
  check: [0, 1],
  failures: [0, 0],
  counters: [0, 0],
  capture: [1, 1],
  reload: [0, 0],
  import: [1, 1],
  version: [0, 0],
  help: [0, 0],
};

/** @throws {Fatal} a usage error */
export function parseArguments(words: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        'config-dir': { type: 'string', default: '/etc/config' },
        socket: { type: 'string', default: ownSocket },
        ubus: { type: 'string', default: systemSocket },
        dial: { type: 'boolean', default: false },
        router: { type: 'string', default: 'auto' },
        json: { type: 'boolean', default: false },
        server: { type: 'string' },
        seconds: { type: 'string', default: '600' },
        secrets: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new Fatal(ExitCode.Usage, `${errorText(error)}\n${usage}`);
  }
  const { values, positionals } = parsed;
  const [command = '', ...operands] = values.help ? ['help'] : positionals;
  const counts = Object.hasOwn(operandCounts, command) ? operandCounts[command] : undefined;
  if (counts === undefined)
    throw new Fatal(
      ExitCode.Usage,
      command === '' ? usage : `unknown command '${command}'\n${usage}`,
    );
  if (operands.length < counts[0] || operands.length > counts[1])
    throw new Fatal(ExitCode.Usage, `wrong number of arguments for ${command}\n${usage}`);
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
    configDir: values['config-dir'],
    socket: values.socket,
    ubus: values.ubus,
    dial: values.dial,
    router,
    json: values.json,
    server: values.server === undefined ? undefined : parseServer(values.server),
    seconds,
    secrets: values.secrets,
  };
}

/** @throws {Fatal} a usage error */
function parseServer(text: string): { host: string; port: number } {
  const [, host, port = '1723'] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) throw new Fatal(ExitCode.Usage, '--server: expected HOST or HOST:PORT');
  return { host, port: Number(port) };
}
