/**
 * The words of pppd that stand in old configurations: `pppd_options` of the stock client's sections, and /etc/ppp/options.pptpd
 * of pptpd. Both spellings of MPPE are known: that of the old patch (`mppe required,no40,no56,stateless`, which pppd 2.5 no
 * longer takes) and that of pppd itself (`require-mppe`, `nomppe-40`, ...).
 */
import type { AuthMethod, MppeStrength } from '../../ppp/options.ts';

/** What the words ask for; absent: they say nothing about it. */
export interface PppdOptions {
  mppe?: 'required' | 'optional' | 'off';
  /** Key lengths that were named, and those that were ruled out. */
  readonly strengths: Set<MppeStrength>;
  readonly notStrengths: Set<MppeStrength>;
  stateful?: boolean;
  /** Login methods that were ruled out, and those that the other end was required to use. */
  readonly refused: Set<AuthMethod>;
  readonly demanded: Set<AuthMethod>;
  mtu?: number;
  mru?: number;
  echoFailures?: number;
  echoInterval?: number;
  echoAdaptive?: boolean;
  /** Seconds */
  idle?: number;
  holdoff?: number;
  /** Seconds of a session at most. */
  maxConnect?: number;
  ipv6?: boolean;
  debug?: boolean;
  /** Nobody had to log in, unless a method was demanded. */
  noAuth?: boolean;
  /** Its own name, which secrets are looked up by. */
  name?: string;
  readonly dns: string[];
  readonly wins: string[];
  /** Words that mean nothing here, in order. Never the argument of a word. */
  readonly unknown: string[];
  /** Words whose argument is missing or not a number. */
  readonly faulty: string[];
}

/** Words without an argument that ask for what is so anyway, or that concern what we do not have. */
const ordinary = new Set(
  `noipdefault usepeerdns defaultroute nodefaultroute replacedefaultroute noreplacedefaultroute
  nobsdcomp nodeflate nodeflatedraft noccp-bsd novj novjccomp noaccomp nopcomp nopredictor1 nomppc default-asyncmap nodetach
  detach lock nolock persist nopersist noproxyarp proxyarp hide-password noremoteip nomp nomultilink noendpoint nomagic
  ipcp-accept-local ipcp-accept-remote ipv6cp-accept-local ipv6cp-accept-remote local modem crtscts nocrtscts nologfd noktune ktune
  refuse-eap nolog receive-all nodefaultroute6 sync noipx no-ip-exclusion logwtmp`
    .split(/\s+/)
    .filter(Boolean),
);

/** Words with one argument that is skipped. */
const skipped = new Set(
  `user password remotename ipparam logfile logfd linkname plugin unit kdebug asyncmap escape maxfail
  child-timeout chap-max-challenge chap-interval chap-restart pap-timeout pap-restart pap-max-authreq lcp-restart
  lcp-max-configure lcp-max-terminate lcp-max-failure ipcp-restart ipcp-max-configure ipcp-max-terminate
  ipcp-max-failure ccp-restart ccp-max-configure bsdcomp deflate pptp_server pptp_window metric ifname file
  connect-delay vj-max-slots set domain`
    .split(/\s+/)
    .filter(Boolean),
);
/** Those of them that are no news to the owner. */
const silent = new Set(['lcp-max-configure', 'unit', 'asyncmap', 'ipparam', 'maxfail']);

const numbers = {
  mtu: 'mtu',
  mru: 'mru',
  idle: 'idle',
  maxconnect: 'maxConnect',
  holdoff: 'holdoff',
  'lcp-echo-failure': 'echoFailures',
  'lcp-echo-interval': 'echoInterval',
} as const;

const methods: Readonly<Record<string, AuthMethod>> = {
  pap: 'pap',
  chap: 'chap',
  'chap-md5': 'chap',
  mschap: 'mschap',
  'mschap-v2': 'mschap-v2',
  mschapv2: 'mschap-v2',
};

/** Parses the words of pppd's options; nothing in them makes it fail. */
export function parsePppdOptions(words: readonly string[]): PppdOptions {
  const found: PppdOptions = {
    strengths: new Set(),
    notStrengths: new Set(),
    refused: new Set(),
    demanded: new Set(),
    dns: [],
    wins: [],
    unknown: [],
    faulty: [],
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (Object.hasOwn(numbers, word)) {
      const value = words[++at] ?? '';
      if (/^(?:0|[1-9]\d{0,5})$/.test(value))
        found[numbers[word as keyof typeof numbers]] = Number(value);
      else found.faulty.push(word);
    } else if (word === 'name') {
      const value = words[++at];
      if (value === undefined) found.faulty.push(word);
      else found.name = value;
    } else if (word === 'ms-dns' || word === 'ms-wins') {
      const value = words[++at];
      if (value === undefined) found.faulty.push(word);
      else found[word === 'ms-dns' ? 'dns' : 'wins'].push(value);
    } else if (word === 'mppe') {
      found.mppe ??= 'optional'; // the old patch's default
      const before = at;
      while (at + 1 < words.length && words[at + 1]!.split(',').every(isMppeWord))
        for (const part of words[++at]!.split(',')) mppeWord(part, found);
      if (at === before) found.faulty.push(word);
    } else if (skipped.has(word)) {
      at++;
      if (!silent.has(word)) found.unknown.push(word);
    } else if (!simpleWord(word, found) && !ordinary.has(word)) found.unknown.push(word);
  }
  return found;
}

const MPPE_WORD = /^(?:|required|optional|stateless|stateful|no(?:40|56|128))$/;
/** Of the old patch. */
export const isMppeWord = (word: string): boolean => MPPE_WORD.test(word);

/** A part of `mppe required,no40,no56,stateless`. */
function mppeWord(word: string, found: PppdOptions): void {
  if (word === 'required' || word === 'optional') found.mppe = word;
  else if (word === 'stateless' || word === 'stateful') found.stateful = word === 'stateful';
  else if (word !== '') found.notStrengths.add(Number(word.slice(2)) as MppeStrength);
}

/** A word without an argument. */
function simpleWord(word: string, found: PppdOptions): boolean {
  const [, stance, method] = /^(refuse|require)-(.+)$/.exec(word) ?? [];
  const [, sign, detail] = /^(require-|no|\+|-)mppe(?:-(40|128|stateful))?$/.exec(word) ?? [];
  const wants = sign === 'require-' || sign === '+';
  if (method !== undefined && Object.hasOwn(methods, method)) {
    (stance === 'refuse' ? found.refused : found.demanded).add(methods[method]!);
  } else if (word === 'mppe-stateful') found.stateful = true;
  else if (detail === 'stateful') found.stateful = wants;
  else if (sign !== undefined && detail === undefined) found.mppe = wants ? 'required' : 'off';
  else if (wants) {
    found.mppe = 'required';
    found.strengths.add(Number(detail) as MppeStrength);
  } else if (sign !== undefined) found.notStrengths.add(Number(detail) as MppeStrength);
  else if (word === 'noccp') found.mppe = 'off';
  else if (word === 'lcp-echo-adaptive') found.echoAdaptive = true;
  else if (word === 'debug') found.debug = true;
  else if (word === 'noauth') found.noAuth = true;
  else if (word === 'auth') delete found.noAuth;
  else if (word === '+ipv6' || word === 'noipv6' || word === '-ipv6') found.ipv6 = word === '+ipv6';
  else return false;
  return true;
}
