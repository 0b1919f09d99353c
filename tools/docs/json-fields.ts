/** What the documents of --json have in them, field by field. The compiler holds these tables to what the daemon answers. */
import type { CommandName } from '../../src/daemon/cli/command-table.ts';
import type * as documents from '../../src/daemon/reports/documents.ts';
import type {
  AccountUsageDocument,
  QuotaDocument,
  UsageDocument,
} from '../../src/daemon/reports/usage-document.ts';
import type { LogEntry } from '../../src/daemon/reports/log.ts';
import type { CheckDocument } from '../../src/daemon/tunnels/checks.ts';

type Fields<Document> = { readonly [Field in keyof Required<Document>]: string };

const status: Fields<documents.StatusDocument & { sessions: unknown }> = {
  version: 'of the daemon',
  uptime: 'seconds',
  upgrades: 'how often another program has taken over in that time',
  upgrade_failure: 'why the last one was not to be',
  config:
    '`current`; `partial`: sections with errors are not in force; `refused`: the files could not be taken up',
  problems: 'what is wrong with what stands in the files: list of problem',
  capture: 'recording, while one runs',
  servers: 'list of server',
  links: 'list of link',
  disabled: 'name and kind of what is switched off',
  relays: 'list of relay',
  radius: 'RADIUS servers that decide on logins: list of radius_server',
  sessions: 'list of session',
};

const capture: Fields<Omit<documents.CaptureDocument, 'path'> & { file: unknown }> = {
  file: 'where it is',
  packets: 'how many are in it',
  omitted: 'how many found no room',
  fault: 'why recording ended early',
};

const usage: Fields<Omit<UsageDocument, 'next'>> = {
  today: "by this machine's calendar",
  month: 'this one, as 2026-11',
  clock_set: '`false`: what is counted has no date yet',
  users: 'list of account',
  links: 'list of account',
};

const setup: Fields<documents.SetupDocument> = {
  file: 'a name for it',
  text: 'what belongs into it; with --output it is in that file, too',
};

/** Of each command; besides, every document has what `always` has. */
export const answers: Readonly<Record<CommandName, Readonly<Record<string, string>>>> = {
  init: {
    server: 'name of the interface',
    user: 'name of the user',
    password: 'the one that was made up, where none was given',
    network: 'of the tunnels',
    masquerade: 'whether callers reach other networks',
  },
  run: {},
  status,
  sessions: { sessions: 'list of session' },
  disconnect: { ended: 'how many sessions' },
  bans: { bans: 'list of ban' },
  unban: { lifted: 'how many addresses' },
  dial: { link: 'link' },
  hangup: { link: 'link' },
  check: { checks: 'list of check' },
  'radius-test': { checks: 'one check' },
  log: { log: 'list of line' },
  failures: { failures: 'list of failure' },
  counters: { counters: 'numbers by their names, in groups' },
  events: { time: 'seconds since 1970 (UTC)', event: 'its name', data: 'as on [ubus](ubus.md)' },
  windows: setup,
  networkmanager: setup,
  routeros: setup,
  metrics: { metrics: "text in Prometheus' format" },
  usage,
  capture,
  reload: { faults: 'what is not in force: list of problem' },
  validate: { problems: 'list of problem' },
  upgrade: { from: 'version that ran', to: 'version that runs' },
  import: {
    imported: 'false: it was imported before',
    server: 'name of the interface',
    users: 'how many',
    warnings: 'sentences',
  },
  version: { version: 'of the program' },
  help: { commands: 'list of name, usage, doc' },
};

export const always = {
  schema: 'number of the form: another one when a field goes or means something else',
  exit_code: 'as the program ends',
  error: 'only where the command could not do its work: code (name of the exit code) and text',
} as const;

const session: Fields<documents.SessionDocument> = {
  id: 'what `disconnect` takes',
  server: 'of a caller: which server',
  link: "of a link's own session: which link",
  username: 'who has logged in',
  peer: 'address that it comes from, or that was called',
  callid: 'of the call, ours',
  peer_callid: "of the call, the peer's",
  local_address: 'our address inside the tunnel',
  address: 'of the other end inside the tunnel',
  routes: 'networks behind it',
  ipv6: 'of a caller, where the server has a prefix: its networks (or with ip6mode shared its address) in IPv6, those behind it included',
  since: 'seconds since 1970 (UTC)',
  uptime: 'seconds',
  auth: 'login method',
  account: 'of a caller: `local` or `radius`',
  mppe: 'encryption',
  groups: 'of a caller: nftables sets that its address is in',
  note: 'of a user, as its owner wrote it',
  mru: 'largest packet, octets',
  rate_up: 'kbit/s, where there is a limit',
  rate_down: 'kbit/s, where there is a limit',
  rx_bytes: 'received, octets',
  tx_bytes: 'sent, octets',
  rx_packets: 'received',
  tx_packets: 'sent',
  lost: 'packets that did not arrive',
  reordered: 'packets that came late',
  duplicates: 'packets that came twice',
  drops: 'packets that were dropped, by reason',
};

const link: Fields<documents.LinkDocument> = {
  name: 'of its section',
  device: 'network device',
  server: 'which it calls',
  state: '`up`, `down`, `waiting`, `blocked`, `demand`, or what it is doing',
  cause: 'why it is not up: cause',
  retry_in: 'seconds to the next attempt',
  dns: 'DNS servers that the peer gave',
  session: 'session, while it is up',
};

const server: Fields<documents.ServerDocument> = {
  name: 'of its section',
  device: 'network device',
  port: 'TCP port',
  local_address: 'our address inside the tunnels',
  state: '`listening`, `waiting` (for netifd) or `failed`',
  cause: 'why it does not listen: cause',
  sessions: 'how many there are',
  max_sessions: 'how many there may be',
  ipv6: 'networks that callers have IPv6 of; absent: link-local at most',
  last_caller: 'who came last: time, username, peer',
};

const relay: Fields<documents.RelayDocument> = {
  name: 'of its section',
  direction: '`outbound` or `inbound`',
  backend: '`relay` or `helper`, whichever is at work',
  reason: 'why this one',
  src: 'where clients are',
  dest: 'where servers are',
  dest_ip: 'the server behind the router',
  state: '`up` or `failed`',
  cause: 'why it does not work: cause',
  clients: 'how many',
  connections: 'how many',
  calls: 'list of call',
};

const call: Fields<documents.RelayCallDocument> = {
  id: 'what `disconnect` takes',
  client: 'address',
  server: 'address',
  client_callid: 'call id of the client',
  server_callid: 'call id of the server',
  since: 'seconds since 1970 (UTC)',
  rx_bytes: 'from the client, octets, where the kernel counts',
  tx_bytes: 'to the client, octets, likewise',
  rx_packets: 'from the client, likewise',
  tx_packets: 'to the client, likewise',
  control_rx_bytes: 'octets of control messages from the client',
  control_tx_bytes: 'octets of control messages to the client',
};

const problem: Fields<documents.ProblemDocument> = {
  severity: '`error`: the section is not in force as it stands; `warning`',
  file: 'name of the UCI file',
  path: 'where it is',
  line: 'in the file',
  section: 'name of the section',
  option: 'name of the option',
  message: 'a sentence',
  kept: 'of an error: what was in force of the section before is so still',
  username: "of a user's section: whose it is",
  kind: 'of an interface: `server` or `link`',
};

const check: Fields<CheckDocument> = {
  id: 'number of the check',
  name: 'what was checked',
  done: 'true',
  steps: 'list of step, result (`ok`, `failed`, `not reached`), detail',
  cause: 'why it did not get further: cause',
};

const failure: Fields<documents.FailureDocument> = {
  time: 'of the last of them, seconds since 1970 (UTC)',
  kind: '`server`, `link` or `relay`',
  name: 'of the server, link or relay',
  peer: 'address',
  username: 'as it was given',
  cause: 'cause',
  count: 'how often the same has happened',
  first: 'when it did so first, seconds since 1970 (UTC)',
};

const radiusServer: Fields<documents.RadiusServerDocument> = {
  name: 'of its section',
  state: '`alive`, `dead`, or `unknown`: it has not been asked yet',
  waiting: 'requests that wait for its answer',
  round_trip: 'ms, of its last answer',
  heard: 'seconds since it was heard last',
  distrusted: 'true: its answers do not verify, so the secret is another one',
};

const cause: Fields<documents.CauseDocument> = {
  code: 'one of [the causes](causes.md)',
  text: 'the sentence, with the detail',
  detail: 'what is particular to this case',
};

const line: Fields<LogEntry> = {
  time: 'seconds since 1970 (UTC)',
  level: '`error`, `warning`, `info` or `debug`',
  text: 'as in the log',
};

const recording: Fields<documents.RecordingDocument> = {
  path: 'file of the daemon',
  since: 'seconds since 1970 (UTC)',
  packets: 'so far',
  seconds_left: 'until it ends by itself',
};

const account: Fields<AccountUsageDocument> = {
  username: 'of a user',
  link: 'of a link',
  total: 'rx_bytes from the other end and tx_bytes to it',
  undated: 'of the total: moved while the clock was not set',
  days: 'list of day, rx_bytes, tx_bytes; the last 31, or those of the month',
  months: 'list of month, rx_bytes, tx_bytes; the last 12, or the month',
  quota: 'quota, where there is one',
};

const quota: Fields<QuotaDocument> = {
  bytes: 'how much may be moved, both ways together',
  used_bytes: 'in this period',
  used_up: '`true`: the action holds',
  action: '`deny`, `slow` or `notify`',
  rate: 'of `slow`: kbit/s',
  since: 'first day of the period',
  until: 'last day of the period',
};

const ban: Fields<documents.BanDocument> = {
  address: 'of the caller',
  server: 'which locks it out',
  since: 'seconds since 1970 (UTC)',
  until: 'seconds since 1970 (UTC)',
  seconds_left: 'until it ends by itself',
  tries: 'failed logins from there',
  username: 'of the last of them, as it was given',
};

/** By the names that the tables above have for them. */
export const parts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  account,
  ban,
  quota,
  session,
  link,
  server,
  relay,
  call,
  problem,
  check,
  failure,
  radius_server: radiusServer,
  cause,
  line,
  recording,
};
