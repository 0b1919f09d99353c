/** `pptp-gateway init`: five questions, or options that answer them, become a server and its first user. */
import { randomOctets } from '../../native/random.ts';
import { files, host, program } from '../../platform/platform.ts';
import type { Terminal } from '../../platform/program.ts';
import { parseResolvers } from '../../router/surroundings.ts';
import { parseUci } from '../../router/uci.ts';
import { sectionText, withSection } from '../../router/uci-text.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import {
  formatAddress,
  formatPrefix,
  parseAddress,
  parsePrefix,
  prefixContains,
  type Prefix,
} from '../../wire/ip.ts';
import { password as passwordType, username as userType } from '../configuration/option-types.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { newFaults, octetsOf, textOf, writtenFiles, type Texts } from '../import/pptpd.ts';
import { freeName } from '../import/pptpd-users.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { ownNetworks } from './own-networks.ts';
import { passwordIn } from './password-file.ts';
import { read, writeAll } from './text-files.ts';

const PASSWORD_LENGTH = 20; // of 57 characters: 116 bits, more than MS-CHAPv2 is worth
const alphabet = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'; // no 0 O, 1 l I
/** Where the server's own network may be: the first that nobody here has. */
const proposals = [99, 98, 97, 96].map((third) => parsePrefix(`192.168.${third}.0/24`)!);
const resolverFiles = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'];

interface Question<T> {
  /** What the answer is about, for a person. */
  readonly text: string;
  readonly proposed: string | undefined;
  readonly option: string;
  /** undefined: not understood. */
  readonly understand: (answer: string) => T | undefined;
  readonly allowed: string;
}

/** @throws Fatal: nothing is changed */
export async function init(
  { configDir, answers, passwordFile }: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  const before = Object.fromEntries(
    writtenFiles.map((file) => [file, read(files.join(configDir, file)) ?? '']),
  ) as Texts;
  refuseSecond(before, configDir);
  const ask = new Asker(answer.json);
  try {
    const network = await ask.for(networkQuestion(), answers.network);
    const masquerade = await ask.for(masqueradeQuestion, answers.masquerade);
    const dns = await ask.for(dnsQuestion(), answers.dns);
    const user = await ask.for(userQuestion(before), answers.user);
    const typed = await givenPassword(ask, passwordFile);
    const password = typed ?? madeUp();
    const localAddress = network.address + 1;
    const server = freeName('home', names(before.network));
    const texts: Texts = {
      pptp: before.pptp,
      network: added(before.network, 'interface', server, {
        proto: 'pptpserver',
        localip: formatAddress(localAddress),
        network: formatPrefix(network),
        client_dns: dns.map(formatAddress),
        masquerade: masquerade ? '1' : undefined,
      }),
      pptp_users: added(
        before.pptp_users,
        'user',
        freeName(user.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 32), names(before.pptp_users)),
        { username: user, password },
      ),
    };
    refuseFaults(before, texts);
    writeAll((['pptp_users', 'network'] as const).map((file) => [files.join(configDir, file), texts[file]])); // prettier-ignore
    const shown = typed === undefined ? password : undefined;
    answer.give({ server, user, password: shown, network: formatPrefix(network), masquerade });
    answer.say(told(configDir, server, user, shown, masquerade));
    return ExitCode.Ok;
  } finally {
    ask.close();
  }
}

function refuseSecond({ network }: Texts, configDir: string): void {
  const server = parseUci('network', network).sections.find(
    ({ values }) => values.get('proto')?.values.at(-1) === 'pptpserver',
  );
  if (server !== undefined)
    throw new Fatal(
      ExitCode.Failed,
      `there is a server already, interface '${server.name}' in ${files.join(configDir, 'network')}: nothing was changed`,
    );
}

/** What stands there already may be faulty: that is for its owner, and `run` says so. */
function refuseFaults(before: Texts, after: Texts): void {
  const fresh = newFaults(before, after);
  if (fresh.length > 0)
    throw new Fatal(ExitCode.Configuration, `nothing was changed:\n${fresh.join('\n')}`);
}

function networkQuestion(): Question<Prefix> {
  const own = ownNetworks();
  const overlaps = (prefix: Prefix) =>
    own.some(
      (other) => prefixContains(other, prefix.address) || prefixContains(prefix, other.address),
    );
  return {
    text: 'Network of the tunnels, one that is used nowhere here',
    proposed: formatPrefix(proposals.find((prefix) => !overlaps(prefix)) ?? proposals[0]!),
    option: 'network',
    understand: (answer) => {
      const prefix = parsePrefix(answer);
      return prefix === undefined || prefix.length < 16 || prefix.length > 30 || overlaps(prefix)
        ? undefined
        : prefix;
    },
    allowed: 'a network from /16 to /30 that this machine has no part of, such as 192.168.99.0/24',
  };
}

const masqueradeQuestion: Question<boolean> = {
  text: 'May callers reach the Internet and other networks through this machine (yes or no)',
  proposed: 'yes',
  option: 'masquerade',
  understand: (answer) =>
    /^y(es)?$/i.test(answer) ? true : /^no?$/i.test(answer) ? false : undefined,
  allowed: 'yes or no',
};

function dnsQuestion(): Question<readonly Ipv4[]> {
  const found = resolverFiles.flatMap((file) => parseResolvers(read(file) ?? ''));
  const usable = found.filter((address) => address >>> 24 !== 127);
  return {
    text: 'DNS servers for callers, at most two',
    proposed: [...new Set(usable)].slice(0, 2).map(formatAddress).join(',') || 'none',
    option: 'dns',
    understand: (answer) => {
      if (answer === 'none') return [];
      const words = answer.split(/[\s,]+/).filter((word) => word !== '');
      const addresses = words.flatMap((word) => parseAddress(word) ?? []);
      return addresses.length === words.length && words.length <= 2 ? addresses : undefined;
    },
    allowed: 'one or two IPv4 addresses, or none',
  };
}

function userQuestion({ pptp_users: users }: Texts): Question<string> {
  const taken = new Set(
    parseUci('pptp_users', textOf(users)).sections.map(({ values }) =>
      values.get('username')?.values.at(-1),
    ),
  );
  return {
    text: 'Name of the first user',
    proposed: undefined,
    option: 'user',
    understand: (answer) => (taken.has(answer) ? undefined : userType.parse(answer)),
    allowed: `${userType.allowed}, that nobody has yet`,
  };
}

/** undefined: one is made up. */
async function givenPassword(ask: Asker, file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) return passwordIn(file);
  for (;;) {
    const typed = await ask.secretly('Password, twice the same (empty: one is made up): ');
    if (typed === '') return undefined;
    if (passwordType.parse(typed) !== undefined && (await ask.secretly('Once more: ')) === typed)
      return typed;
    program.print(`Expected ${passwordType.allowed}, twice the same.\n`);
  }
}

/** Every character is as likely as any other: random octets beyond the last whole multiple are thrown away. */
function madeUp(): string {
  let made = '';
  while (made.length < PASSWORD_LENGTH)
    for (const octet of randomOctets(PASSWORD_LENGTH))
      if (octet < 256 - (256 % alphabet.length)) made += alphabet[octet % alphabet.length]!;
  return made.slice(0, PASSWORD_LENGTH);
}

function names(text: string): ReadonlySet<string> {
  return new Set(parseUci('network', text).sections.map(({ name }) => name));
}

function added(text: string, ...section: Parameters<typeof sectionText>): string {
  return withSection(text, octetsOf(sectionText(...section)));
}

/** Asks a person at a terminal; without one what is proposed is the answer. */
class Asker {
  readonly #terminal: Terminal | undefined;

  /** @param alone nobody is asked: a program reads what we say */
  constructor(alone: boolean) {
    this.#terminal = alone ? undefined : program.openTerminal();
  }

  /** @param given by an option @throws Fatal */
  async for<T>({ text, proposed, option, understand, allowed }: Question<T>, given?: string) {
    if (given !== undefined || this.#terminal === undefined) {
      const answer = given ?? proposed;
      const understood = answer === undefined ? undefined : understand(answer);
      if (understood === undefined)
        throw new Fatal(ExitCode.Usage, `--${option}: expected ${allowed}`);
      return understood;
    }
    const question = `${text}${proposed === undefined ? '' : ` [${proposed}]`}: `;
    for (;;) {
      const answer = line(await this.#terminal.ask(question)).trim();
      const understood = understand(answer === '' ? (proposed ?? '') : answer);
      if (understood !== undefined) return understood;
      program.print(`Expected ${allowed}.\n`);
    }
  }

  async secretly(question: string): Promise<string> {
    return this.#terminal === undefined ? '' : line(await this.#terminal.ask(question, true));
  }

  close(): void {
    this.#terminal?.close();
  }
}

/** @throws Fatal */
function line(typed: string | undefined): string {
  if (typed === undefined)
    throw new Fatal(ExitCode.Failed, 'ended before the last answer: nothing was changed');
  return typed;
}

function told(
  configDir: string,
  server: string,
  user: string,
  password: string | undefined,
  masquerade: boolean,
): string {
  const addresses = host
    .addresses()
    .flatMap(({ family, address, device }) =>
      family === 'IPv4' && device !== 'lo' ? [address] : [],
    );
  const address = addresses[0] ?? 'ADDRESS-OF-THIS-MACHINE';
  const split = masquerade ? '' : ' -SplitTunneling';
  const quoted = /^[\w.@-]+$/.test(user) ? user : `'${user.replaceAll("'", "''")}'`;
  return `
Written: interface '${server}' in ${files.join(configDir, 'network')}, and the user in ${files.join(configDir, 'pptp_users')}.
${password === undefined ? '' : `\n  user name    ${user}\n  password     ${password}     (shown this once; it stands in pptp_users)\n`}
Start it, now and at every boot:
  systemctl enable --now pptp-gateway

Windows, in PowerShell (rasdial asks for the password):
  Add-VpnConnection -Name pptp-gateway -ServerAddress ${address} -TunnelType Pptp -AuthenticationMethod MSChapv2 -EncryptionLevel Required${split}
  rasdial pptp-gateway ${quoted} *

From outside the address is your public one, and a router in front must lead TCP 1723 and GRE (IP protocol 47) to this machine;
a firewall on it must let both in.`;
}
