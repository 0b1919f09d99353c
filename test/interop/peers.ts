/** The real peers, in guests: pptpd with pppd as a server, pptp-linux with pppd as a client. */
import { quote, type Guest } from './guest.ts';
import { defaultCeiling, within, type LineLog } from './line-log.ts';
import type { Result, Running, Signal } from './namespace.ts';
import { variants, type AuthMethod, type Mppe, type VariantName } from './variants.ts';

export const account = { user: 'alice', password: 's3cret' };

interface PeerOptions {
  readonly user?: string;
  readonly password?: string;
  /** MTU and MRU of the PPP link in octets. */
  readonly mtu?: number;
  /** Seconds between LCP echo requests; four without an answer end the link. */
  readonly echo?: number;
  /** More pppd options, one a line. */
  readonly options?: readonly string[];
}

/** pppd's name on the server's side; the client's secrets are looked up by it. */
const serverName = 'pptpd';
/** More than two seconds' worth of negotiation: CCP, IPCP and their retransmissions on a slow machine. */
const linkCeiling = 120_000;

/** pppd's options as a certain program writes them, whole but for what says whom to call and where to log. */
export interface OptionFile {
  readonly name: string;
  readonly lines: readonly string[];
}

/** What the two ends of a link agreed upon, by pppd's log. */
export interface Negotiated {
  readonly auth: AuthMethod;
  readonly mppe: Mppe | undefined;
}

const authWords: Record<string, AuthMethod> = {
  'chap MS-v2': 'mschap-v2',
  'chap MS': 'mschap',
  'chap MD5': 'chap',
  pap: 'pap',
  eap: 'eap',
};

/** Reads a pppd log (option `debug`) of one call. */
export function negotiated(log: string): Negotiated {
  const auth = /\[LCP ConfAck [^\]]*<auth ([^>]+)>/.exec(log)?.[1];
  const mppe = /MPPE (\d+)-bit (stateless|stateful) compression enabled/.exec(log);
  return {
    auth: auth === undefined ? 'none' : authWords[auth]!,
    mppe: mppe
      ? { bits: mppe[1] === '40' ? 40 : 128, stateful: mppe[2] === 'stateful' }
      : undefined,
  };
}

/** Shell text that writes a file. */
function file(path: string, lines: readonly string[]): string {
  return `cat >${path} <<'end of file'\n${lines.join('\n')}\nend of file\n`;
}

function secrets({ user = account.user, password = account.password }: PeerOptions): string {
  const lines = [`"${user}" * "${password}" *`, `* "${user}" "${password}" *`];
  return (
    'umask 077\nmkdir -p /run/peer\n' +
    file('/etc/ppp/chap-secrets', lines) +
    file('/etc/ppp/pap-secrets', lines)
  );
}

function commonOptions({ mtu = 1400, echo = 30, options = [] }: PeerOptions): string[] {
  return [
    ...['nodefaultroute', `mtu ${mtu}`, `mru ${mtu}`],
    ...[`lcp-echo-interval ${echo}`, 'lcp-echo-failure 4', ...options],
  ];
}

/** The lines that are the same in every call of a client. */
const clientOptions = [
  ...['noauth', 'maxfail 1', 'noipdefault', 'usepeerdns'],
  ...['ipcp-accept-local', 'ipcp-accept-remote'],
];

/** `program ARGUMENTS`, in the root of the guest's peers. */
function command(guest: Guest, text: string): string {
  return guest.root === undefined ? `exec ${text}` : `exec chroot ${quote(guest.root)} ${text}`;
}

export interface Pptpd {
  /** Where it listens. */
  readonly address: string;
  /** The server's address inside the tunnels. */
  readonly inner: string;
  /** What all of its pppds write; the log goes on from call to call. */
  readonly log: LineLog;
  /** Ends it and its calls in good order. */
  stop(): Promise<void>;
  /** Kills pptpd, its children and their pppds, without a word to anybody. */
  vanish(): Promise<void>;
}

/** Ends every pptpd, pptp and pppd in a guest, waits until they are gone, and lets the logs of servers end. */
export async function endPeers(guest: Guest, signal: Signal = 'TERM'): Promise<void> {
  const all = "'^(pptpd|pptpctrl|pptp|pppd)$'";
  await guest.run(
    `pkill -${signal} ${all}; while pgrep ${all} >/dev/null; do sleep 0.1; done; pkill '^tail$' || true`,
  );
}

/** Starts pptpd in a guest; it listens when the promise resolves. One at a time in a guest. */
export async function startPptpd(
  guest: Guest,
  what: VariantName | OptionFile,
  options: PeerOptions = {},
): Promise<Pptpd> {
  const lines =
    typeof what === 'string' ? [...commonOptions(options), ...variants[what].server] : what.lines;
  const network = guest.address.replace(/^10\.99\.(\d+)\.2$/, '10.98.$1');
  const daemon = guest.start(
    secrets(options) +
      file('/run/peer/server-options', [
        ...[`name ${serverName}`, 'logfile /run/peer/server.log', `ms-dns ${network}.53`, 'debug'],
        ...lines,
      ]) +
      file('/run/peer/pptpd.conf', [
        'option /run/peer/server-options',
        `localip ${network}.1`,
        `remoteip ${network}.100-199`,
      ]) +
      ': >/run/peer/server.log\n' +
      command(guest, 'pptpd --fg --conf /run/peer/pptpd.conf --pidfile /run/peer/pptpd.pid'),
    'pptpd',
  );
  const listening = guest.run("until ss -Hltn 'sport = 1723' | grep -q .; do sleep 0.1; done");
  const early = await Promise.race([listening.then(() => undefined), daemon.ended]);
  if (early !== undefined) throw new Error(`pptpd ended with ${early.code}: ${early.output}`);
  const tail = guest.start('exec tail -n +1 -f /run/peer/server.log', "the server's pppd");

  const end = async (signal: Signal): Promise<void> => {
    await endPeers(guest, signal);
    await tail.ended;
  };
  return {
    address: guest.address,
    inner: `${network}.1`,
    log: tail.log,
    stop: () => end('TERM'),
    vanish: () => end('KILL'),
  };
}

export interface Call {
  /** pppd's log. */
  readonly log: LineLog;
  /**
   * How pppd ended. Its exit status tells why (pppd(8)), unless the peer is quicker to close the connection: then it is 16,
   * and the reason is to be found in the log.
   */
  readonly ended: Promise<Result>;
  /** The tunnel's addresses and device once IPCP is up; an error with pppd's log when it ends instead. */
  up(): Promise<{ local: string; peer: string; device: string }>;
  /**
   * Ends the call in good order; pppd's exit status. 5 is the good one: ended on our request. pppd says 16 instead if the
   * peer acknowledges the request and then closes the connection faster than pppd does: that counts as 5.
   */
  hangUp(): Promise<number>;
  /** Kills pppd and pptp, without a word to the peer. */
  vanish(): Promise<void>;
}

export interface DialOptions extends PeerOptions {
  /** More arguments for pptp(8), as words of a shell command. */
  readonly pptp?: string;
}

let calls = 0;

/** Dials `server` with pptp-linux and pppd; does not wait for anything. */
export function dial(
  guest: Guest,
  server: string,
  what: VariantName | OptionFile,
  options: DialOptions = {},
): Call {
  calls += 1;
  const path = `/run/peer/call${calls}`;
  const [name, lines] =
    typeof what === 'string'
      ? [what, [...clientOptions, ...commonOptions(options), ...variants[what].client]]
      : [what.name, what.lines];
  const pppd: Running = guest.start(
    secrets(options) +
      file(path, [
        `pty "pptp ${server} --nolaunchpppd --nohostroute --loglevel 1 ${options.pptp ?? ''}"`,
        ...['nodetach', 'logfd 1', 'debug', `remotename ${serverName}`],
        `user "${options.user ?? account.user}"`,
        ...lines,
      ]) +
      command(guest, `pppd file ${path}`),
    `the caller's pppd (${name})`,
  );
  return {
    log: pppd.log,
    ended: pppd.ended,
    up: async () => {
      const [, peer] = await pppd.log.waitFor(/^remote IP address (\S+)/, 0, linkCeiling);
      const [, local] = await pppd.log.waitFor(/^local {2}IP address (\S+)/);
      const [, device] = await pppd.log.waitFor(/^Using interface (\S+)/);
      return { local: local!, peer: peer!, device: device! };
    },
    hangUp: async () => {
      await pppd.kill('TERM');
      const what = () => `pppd does not end: ${pppd.log.text}`;
      const { code, output } = await within(defaultCeiling, pppd.ended, what);
      return code === 16 && output.includes('rcvd [LCP TermAck') ? 5 : code;
    },
    vanish: async () => {
      await pppd.kill('KILL');
      await pppd.ended;
    },
  };
}

/** How many of three pings to an address are answered. */
export async function ping(guest: Guest, address: string): Promise<number> {
  const { output } = await guest.exec(`ping -n -c 3 -i 0.2 -W 20 ${quote(address)}`);
  return Number(/(\d+) received/.exec(output)?.[1] ?? 0);
}
