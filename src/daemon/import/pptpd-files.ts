/**
 * What pptpd was set up with: /etc/config/pptpd, which OpenWrt's init script makes the files of pptpd and pppd from, and these
 * files themselves: /etc/pptpd.conf, pppd's options, /etc/ppp/chap-secrets. Texts are octets, one character each.
 */
import { isMppeWord, parsePppdOptions, type PppdOptions } from '../configuration/pppd-options.ts';
import { parseUci, type UciSection } from '../../router/uci.ts';
import type { Prefix } from '../../wire/ip.ts';
import { pppdSecrets, type Secret } from './pppd-secrets.ts';
import { pppdWords } from './pppd-words.ts';
import { pptpdConf } from './pptpd-conf.ts';

export interface PptpdFiles {
  /** /etc/config/pptpd, where it exists. */
  readonly pptpd: string | undefined;
  /** Another file by its path; undefined: there is none. */
  readonly read: (path: string) => string | undefined;
  /** The name pppd has for itself unless its options name another. */
  readonly hostname: string;
  /** Networks that this machine is in, where our files do not say so (plain Linux). */
  readonly networks: readonly Prefix[];
}

export interface PptpdLogin extends Secret {
  /** Where it stands, for warnings. */
  readonly place: string;
}

export interface PptpdSettings {
  readonly enabled: boolean;
  /** What pptpd finds in its file, the init script's lines included. */
  readonly conf: ReadonlyMap<string, string>;
  readonly dns: readonly string[];
  readonly ppp: PppdOptions;
  readonly logins: readonly PptpdLogin[];
}

type Warn = (text: string) => void;

/** Options of the service whose counterpart we have by nature, or need not have. */
const needless = new Set(['logwtmp', 'nat', 'internet', 'name', 'type']);
const serviceOptions = new Set(['enabled', 'localip', 'remoteip', 'mppe', 'remotedns', 'dnssvrs']);
const loginOptions = new Set(['username', 'password', 'remoteip', 'enabled']);
/** Keywords of pptpd.conf that are taken over, or change nothing for callers. */
const confKeywords = new Set(
  'localip remoteip connections option speed debug stimeout noipparam pidfile ppp logwtmp'.split(
    ' ',
  ),
);
const SECRETS = '/etc/ppp/chap-secrets';

/** Everything that is not understood is a warning; no password is in one. */
export function readPptpd(files: PptpdFiles, warn: Warn): PptpdSettings {
  const { sections, faults } = parseUci('pptpd', files.pptpd ?? '');
  for (const { line, message } of faults) warn(`pptpd line ${line}: ${message}`);
  const service = sections.find(({ type }) => type === 'service');
  for (const section of sections) {
    const known =
      section === service ? serviceOptions : section.type === 'login' ? loginOptions : undefined;
    if (known === undefined) warn(`pptpd section '${section.name}': not taken over`);
    for (const option of section.values.keys())
      if (known?.has(option) === false && !needless.has(option))
        warn(`pptpd section '${section.name}', option '${option}': not taken over`);
  }

  const conf = pptpdConf((files.read('/etc/pptpd.conf') ?? '') + confLines(service, warn));
  for (const keyword of conf.keys())
    if (!confKeywords.has(keyword)) warn(`pptpd.conf: ${shown(keyword)} is not taken over`);
  const path = files.pptpd === undefined ? conf.get('option') : '/etc/ppp/options.pptpd'; // -o of the init script
  const ppp = pppOptions(files, path, service, warn);
  const server = ppp.name ?? files.hostname;
  return {
    enabled: service === undefined ? files.pptpd === undefined : one(service, 'enabled') === '1',
    conf,
    dns: [...ppp.dns, ...all(service, 'remotedns'), ...all(service, 'dnssvrs')],
    ppp,
    logins: loginsOf(sections, files, server, warn),
  };
}

/** What the init script adds to pptpd.conf: it joins a last line that has no end. */
function confLines(service: UciSection | undefined, warn: Warn): string {
  let lines = '';
  for (const option of ['localip', 'remoteip']) {
    const value = one(service, option);
    // What a quote that is not closed takes in may be a password.
    if (value.includes('\n'))
      warn(`pptpd, option '${option}': left out, there are several lines: is a quote not closed?`);
    else if (value !== '') lines += `${option}  ${value}\n`;
  }
  return lines;
}

/** The words of /etc/ppp/options, those of pptpd's own file, and what the init script adds to that. */
function pppOptions(
  files: PptpdFiles,
  path: string | undefined,
  service: UciSection | undefined,
  warn: Warn,
): PppdOptions {
  const own = path === undefined ? undefined : files.read(path);
  if (path !== undefined && own === undefined) warn(`${path}: there is no such file`);
  const words = [files.read('/etc/ppp/options') ?? '', own ?? '']
    .flatMap((text) => pppdWords(text))
    .map(({ text }) => text);
  const ppp = parsePppdOptions([
    ...words,
    ...(files.pptpd === undefined ? [] : mppeWords(service)),
  ]);
  const name = path === undefined ? 'options' : path.slice(path.lastIndexOf('/') + 1);
  for (const word of [...ppp.unknown, ...ppp.faulty]) {
    if (/^[\d.]*:[\d.]*$/.test(word)) continue; // addresses of both ends: pptpd's own stand above them
    warn(`${name}: ${shown(word)} is not understood and not taken over`);
  }
  return ppp;
}

/** The lines that the init script writes into pppd's secrets, which reads them as any others; then those that stand there. */
function loginsOf(
  sections: readonly UciSection[],
  files: PptpdFiles,
  server: string,
  warn: Warn,
): PptpdLogin[] {
  const places: string[] = [];
  let text = '';
  for (const section of sections) {
    if (section.type !== 'login' || one(section, 'enabled') === '0') continue;
    const [username, password] = [one(section, 'username'), one(section, 'password')];
    const place = `pptpd section '${section.name}'`;
    if (username === '' || password === '')
      warn(`${place}: left out, there is no ${username === '' ? 'name' : 'password'}`);
    else {
      const line = `${username} ${server} ${password} ${one(section, 'remoteip') || '*'}\n`;
      text += line;
      for (const end of line) if (end === '\n') places.push(place);
    }
  }
  const inSection = (line: number) => places[line - 1]!;
  const inFile = (line: number) => `chap-secrets line ${line}`;
  const secrets = (where: (line: number) => string, lines: string) =>
    pppdSecrets(lines, server, (line, why) => warn(`${where(line)}: ${why}`)).map((secret) => ({
      ...secret,
      place: where(secret.line),
    }));
  const logins = secrets(inSection, text);
  const others = secrets(inFile, files.read(SECRETS) ?? '').filter(({ client, place }) => {
    const isTwice = logins.some((login) => login.client === client);
    if (isTwice) warn(`${place}: left out, there is a section of this name`);
    return !isTwice;
  });
  return [...logins, ...others].flatMap((login) => withSecretOfFile(login, files, warn));
}

/** `@/path` is a secret that stands in a file of its own. */
function withSecretOfFile(login: PptpdLogin, files: PptpdFiles, warn: Warn): PptpdLogin[] {
  if (!login.secret.startsWith('@/')) return [login];
  const [word] = pppdWords(files.read(login.secret.slice(1)) ?? '');
  if (word !== undefined) return [{ ...login, secret: word.text }];
  warn(`${login.place}: left out, the file with its password cannot be read`);
  return [];
}

/** `list mppe 'required'`, `option mppe 'required,no40'`, and `option mppe '1'` of some forks. Its init script's default else. */
function mppeWords(service: UciSection | undefined): readonly string[] {
  const words = all(service, 'mppe')
    .flatMap((text) => text.split(/[\s,]+/))
    .filter(Boolean);
  if (words.length === 1 && words[0] === '0') return ['nomppe'];
  if (words.length === 0 || words[0] === '1') return ['mppe', 'required,no40,no56,stateless'];
  const old = words.filter(isMppeWord);
  return [
    ...(old.length > 0 ? ['mppe', ...old] : []),
    ...words.filter((word) => !isMppeWord(word)),
  ];
}

/** It may be a piece of a password. */
function shown(word: string): string {
  return /^[a-z0-9+-]{1,32}$/.test(word) ? `'${word}'` : 'a word';
}

function all(section: UciSection | undefined, option: string): readonly string[] {
  return section?.values.get(option)?.values ?? [];
}

function one(section: UciSection | undefined, option: string): string {
  return all(section, option).at(-1) ?? '';
}
