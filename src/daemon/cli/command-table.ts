/**
 * What the program can be told on its command line, as plain data: arguments.ts reads words by it, usage.ts makes the help of it,
 * and tools/command-line.ts the manual page and the completion of shells.
 */
import { ownSocket, systemSocket } from '../control/buses.ts';
import { ExitCode } from '../exit-codes.ts';
import { routerKinds } from '../tunnels/router-choice.ts';

/** What a shell offers for a value. */
export type Completion = 'file' | 'folder' | 'command' | readonly string[];

export interface OptionEntry {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What its value is called in the help. */
  readonly value?: string;
  readonly default?: string;
  readonly complete?: Completion;
  readonly doc: string;
}

/** In this order; the first eleven are what is shown where nothing else is asked for. */
export const sessionColumns = [
  'id',
  'via',
  'user',
  'from',
  'address',
  'since',
  'login',
  'encryption',
  'rx',
  'tx',
  'loss',
  'rate',
  'groups',
  'note',
  'routes',
  'ipv6',
  'mtu',
] as const;
export type SessionColumn = (typeof sessionColumns)[number];

export const options = {
  'config-dir': {
    type: 'string',
    value: 'DIR',
    complete: 'folder',
    doc: 'folder of the UCI files network, pptp, pptp_users and pptp_radius (default /etc/config on OpenWrt, else /etc/pptp-gateway)',
  },
  socket: {
    type: 'string',
    value: 'PATH',
    default: ownSocket,
    complete: 'file',
    doc: `the daemon's own bus (default ${ownSocket})`,
  },
  ubus: {
    type: 'string',
    value: 'PATH',
    default: systemSocket,
    complete: 'file',
    doc: `the system's ubusd (default ${systemSocket})`,
  },
  dial: { type: 'boolean', doc: 'start the links with auto 1 (without netifd)' },
  router: {
    type: 'string',
    value: routerKinds.join('|'),
    default: 'auto',
    complete: routerKinds,
    doc: 'who sets addresses and routes; auto (the default): netifd where it is installed or on the bus, else iproute2',
  },
  json: { type: 'boolean', doc: 'answer with one JSON document, also where it fails' },
  server: {
    type: 'string',
    value: 'HOST[:PORT]',
    doc: 'any server, without logging in: name, TCP, control, call, GRE',
  },
  seconds: {
    type: 'string',
    value: 'N',
    default: '600',
    doc: 'how long, from 1 to 86400 (default 600)',
  },
  all: { type: 'boolean', doc: 'all of them, however many there are' },
  secrets: { type: 'boolean', doc: 'keep logins and payload, which otherwise are left out' },
  network: {
    type: 'string',
    value: 'NETWORK',
    doc: 'addresses of the tunnels, such as 192.168.99.0/24',
  },
  masquerade: {
    type: 'string',
    value: 'yes|no',
    complete: ['yes', 'no'],
    doc: 'whether callers reach the Internet and other networks through this machine',
  },
  dns: { type: 'string', value: 'ADDRESS,…', doc: 'DNS servers for callers, at most two, or none' },
  user: { type: 'string', value: 'NAME', doc: 'name of the first user' },
  'password-file': {
    type: 'string',
    value: 'FILE',
    complete: 'file',
    doc: "file whose first line is the user's password; - is the standard input",
  },
  address: {
    type: 'string',
    value: 'HOST',
    doc: 'name or address of this router as callers outside reach it; without it a place to fill in',
  },
  output: {
    type: 'string',
    value: 'FILE',
    complete: 'file',
    doc: 'file to write, in place of the standard output',
  },
  sessions: { type: 'boolean', doc: 'of each session, too' },
  month: {
    type: 'string',
    value: 'YYYY-MM',
    doc: 'the month to show, such as 2026-11 (default: this one)',
  },
  sort: {
    type: 'string',
    value: 'COLUMN',
    complete: sessionColumns,
    doc: 'in the order of this column; of numbers the largest comes first',
  },
  columns: {
    type: 'string',
    value: 'COLUMN,…',
    complete: sessionColumns,
    doc: `what to show: ${sessionColumns.join(', ')}`,
  },
  watch: { type: 'boolean', doc: 'again every second, until Ctrl-C' },
  follow: { type: 'boolean', doc: 'go on with lines as they come, until Ctrl-C' },
  help: { type: 'boolean', short: 'h?', doc: 'what there is, or how one command is used' },
  version: { type: 'boolean', short: 'Vv', doc: 'the version of the program' },
} as const satisfies Readonly<Record<string, OptionEntry>>;

export type OptionName = keyof typeof options;

export interface Operand {
  readonly name: string;
  readonly optional?: boolean;
  readonly complete?: Completion;
}

export interface CommandEntry {
  readonly name: string;
  readonly operands?: readonly Operand[];
  /** Its own; besides, every command has json and help, and those that ask the daemon socket. */
  readonly options?: readonly OptionName[];
  /** For the help: what it does, in one line. */
  readonly doc: string;
  /** For its own help and the manual: what else there is to know. */
  readonly more?: string;
  /** Whom it asks: the daemon that runs, or nobody. */
  readonly asks?: 'daemon';
  /** It goes on until Ctrl-C: with --json a document a line. */
  readonly follows?: true;
  /** Exit codes of its own; 0, 1 and 64 every command has, and those that ask the daemon 69 and 77. */
  readonly exits?: readonly ExitCode[];
}

const setup = {
  operands: [{ name: 'USER' }, { name: 'SERVER', optional: true }],
  options: ['address', 'output'],
  asks: 'daemon',
  exits: [ExitCode.NotFound],
} as const;

const table = [
  {
    name: 'init',
    options: ['config-dir', 'network', 'masquerade', 'dns', 'user', 'password-file'],
    doc: 'write a server and its first user into the configuration, asking five questions',
    more: 'What an option answers is not asked. Without a terminal the answers that are not given are the proposed ones; the name of the user must be given. A password that is neither typed nor read from a file is made up and shown once. Nothing is changed where there is a server already.',
    exits: [ExitCode.Configuration],
  },
  {
    name: 'run',
    options: ['config-dir', 'dial', 'router', 'ubus', 'socket'],
    doc: 'run in the foreground',
    more: 'SIGTERM and SIGINT end it: it says goodbye to every peer, within four seconds. SIGHUP does what reload does.',
    exits: [
      ExitCode.Software,
      ExitCode.NoTun,
      ExitCode.PortInUse,
      ExitCode.NotRoot,
      ExitCode.Configuration,
    ],
  },
  {
    name: 'status',
    options: ['all'],
    asks: 'daemon',
    doc: 'servers, links, relays, sessions',
    more: 'Of more than 20 links, or servers, only those are shown that are not well, and how many the others are.',
  },
  {
    name: 'sessions',
    operands: [{ name: 'USER|SERVER', optional: true }],
    options: ['sort', 'columns', 'watch'],
    asks: 'daemon',
    doc: 'live sessions with counters, all or those of a user, server or link',
    more: 'With --watch and --json a document a line.',
    exits: [ExitCode.NotFound],
  },
  {
    name: 'disconnect',
    operands: [{ name: 'ID|USER' }],
    asks: 'daemon',
    doc: 'end a session, or all sessions of a user',
    exits: [ExitCode.NotFound],
  },
  {
    name: 'bans',
    asks: 'daemon',
    doc: 'addresses that are locked out after failed logins',
  },
  {
    name: 'unban',
    operands: [{ name: 'ADDRESS', optional: true }],
    options: ['all'],
    asks: 'daemon',
    doc: 'let an address try again at once',
    more: 'With --all every address, and failed logins that have not led to a lock-out yet are forgotten.',
  },
  {
    name: 'dial',
    operands: [{ name: 'NAME' }],
    asks: 'daemon',
    doc: 'start a link and wait for it',
    exits: [ExitCode.NotFound, ExitCode.NoRoute, ExitCode.LoginRefused],
  },
  {
    name: 'hangup',
    operands: [{ name: 'NAME' }],
    asks: 'daemon',
    doc: 'end a link until it is dialled again',
    exits: [ExitCode.NotFound],
  },
  {
    name: 'check',
    operands: [{ name: 'NAME', optional: true }],
    options: ['server'],
    asks: 'daemon',
    doc: 'how far a link gets, step by step, and what to do where it stops',
    more: 'Without a name all links are checked. A link that is up is asked by LCP echo, and stays up.',
    exits: [ExitCode.NotFound, ExitCode.NoRoute, ExitCode.LoginRefused],
  },
  {
    name: 'radius-test',
    operands: [{ name: 'NAME' }, { name: 'USER', optional: true }],
    options: ['password-file'],
    asks: 'daemon',
    doc: 'whether a RADIUS server answers, step by step, and what it says to a login',
    more: 'Tests the section of pptp_radius as it is in force. With a user it also tries a login by MS-CHAPv2, which counts at the server like any other; the password is asked for, or read from a file.',
    exits: [ExitCode.NotFound, ExitCode.NoRoute, ExitCode.LoginRefused],
  },
  {
    name: 'windows',
    ...setup,
    doc: "a PowerShell script that sets a user's Windows PC up",
    more: 'It makes the connection with MS-CHAPv2 and required encryption, with the networks of client_route as split routes (none: everything goes through the tunnel) and the domain as DNS suffix. No password is in it. SERVER where the user may call several.',
  },
  {
    name: 'networkmanager',
    ...setup,
    doc: 'the same for Linux with NetworkManager: a connection file',
  },
  {
    name: 'routeros',
    ...setup,
    doc: 'the same for MikroTik RouterOS 7: a script',
  },
  {
    name: 'failures',
    asks: 'daemon',
    doc: 'recent failures with their causes',
  },
  {
    name: 'log',
    options: ['follow'],
    asks: 'daemon',
    doc: 'the last lines of the log',
    more: 'The daemon has them itself, up to 500, besides those that it gives to the log of the system. With --follow and --json a document a line; a daemon that is started anew is waited for.',
  },
  {
    name: 'counters',
    asks: 'daemon',
    doc: 'what was dropped or refused, in all',
  },
  {
    name: 'events',
    asks: 'daemon',
    follows: true,
    doc: 'what happens, as it happens, until Ctrl-C',
    more: 'Sessions, failed logins, lock-outs, links and calls that pass through. With --json a document a line: time, event and data, as on ubus. What is not read in time is left out, and counted.',
  },
  {
    name: 'metrics',
    options: ['sessions'],
    asks: 'daemon',
    doc: 'what Prometheus is told, in its text format',
  },
  {
    name: 'usage',
    operands: [{ name: 'USER|LINK', optional: true }],
    options: ['month'],
    asks: 'daemon',
    exits: [ExitCode.NotFound],
    doc: 'what users and links have moved, by day and month, and what is left of quotas',
    more: 'Of one user or link also every day and month that is known. Up is what a caller sends, or this machine into a link.',
  },
  {
    name: 'capture',
    operands: [{ name: 'FILE', complete: 'file' }],
    options: ['seconds', 'secrets'],
    asks: 'daemon',
    doc: 'record control and GRE packets as pcap until Ctrl-C',
  },
  {
    name: 'reload',
    asks: 'daemon',
    doc: 'read the configuration again; sessions whose settings did not change stay',
    exits: [ExitCode.Configuration],
  },
  {
    name: 'validate',
    options: ['config-dir'],
    doc: 'what is wrong with the configuration, with file and line; no daemon is needed',
    more: 'Ends with 78 where a section would not run as it stands, and with 0 where there are warnings at most.',
    exits: [ExitCode.Configuration],
  },
  {
    name: 'upgrade',
    options: ['socket'],
    asks: 'daemon',
    doc: 'become the program that is installed now; sessions go on',
    more: 'For after an update of the package, which does it by itself, and for options that are read at the start alone (max_sessions, max_half_open). The new program is tried first. What is being negotiated begins again; a capture ends. Where the new program does not come up, the one before goes on.',
  },
  {
    name: 'import',
    operands: [{ name: 'pptpd', complete: ['pptpd'] }],
    options: ['config-dir'],
    doc: 'take over server and users of pptpd, once; the server is not switched on',
    more: 'Reads /etc/pptpd.conf, the options of pppd that it names, /etc/ppp/chap-secrets, and on OpenWrt /etc/config/pptpd. These files stay as they are.',
    exits: [ExitCode.NotFound, ExitCode.Configuration],
  },
  { name: 'version', doc: 'the version of the program' },
  {
    name: 'help',
    operands: [{ name: 'COMMAND', optional: true, complete: 'command' }],
    doc: 'what there is, or how one command is used',
  },
] as const satisfies readonly CommandEntry[];

export type CommandName = (typeof table)[number]['name'];
/** Of those that ask the daemon. */
export type DaemonCommandName = Extract<(typeof table)[number], { asks: 'daemon' }>['name'];

export const commandTable: readonly (CommandEntry & { readonly name: CommandName })[] = table;

/** All that a command takes. */
export function optionsOf({ asks, options: own = [] }: CommandEntry): readonly OptionName[] {
  return [...own, ...(asks === undefined ? [] : (['socket'] as const)), 'json', 'help'];
}

/** All that a command may end with. */
export function exitsOf({ asks, exits = [] }: CommandEntry): readonly ExitCode[] {
  const { Ok, Failed, Usage, NotRunning, NotRoot } = ExitCode;
  const all = [Ok, Failed, Usage, ...(asks === undefined ? [] : [NotRunning, NotRoot]), ...exits];
  return all.sort((a, b) => a - b);
}

/** What the program's exit code says. */
export const exitCodes: Readonly<Record<ExitCode, string>> = {
  [ExitCode.Ok]: 'done',
  [ExitCode.Failed]: 'failed',
  [ExitCode.Usage]: 'usage',
  [ExitCode.NotFound]: 'there is no such session, link, server or file',
  [ExitCode.NoRoute]: 'no route',
  [ExitCode.NotRunning]: 'daemon not running',
  [ExitCode.Software]: 'fault in the program',
  [ExitCode.NoTun]: 'no TUN device',
  [ExitCode.PortInUse]: 'port in use',
  [ExitCode.LoginRefused]: 'login refused',
  [ExitCode.NotRoot]: 'not root',
  [ExitCode.Configuration]: 'configuration',
};
