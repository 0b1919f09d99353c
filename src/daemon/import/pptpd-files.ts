/** What pptpd of OpenWrt was set up with: /etc/config/pptpd, /etc/ppp/options.pptpd and /etc/ppp/chap-secrets. */
import { parseUci, type UciSection } from '../../router/uci.ts';
import { parsePppdOptions, type PppdOptions } from '../configuration/pppd-options.ts';

export interface PptpdFiles {
  /** /etc/config/pptpd */
  readonly pptpd: string;
  /** /etc/ppp/options.pptpd and chap-secrets, where they exist */
  readonly options: string | undefined;
  readonly chapSecrets: string | undefined;
}

export interface PptpdLogin {
  /** Where it stands, for warnings. */
  readonly place: string;
  readonly username: string;
  readonly password: string;
  /** '*' and '': from the pool. */
  readonly address: string;
}

export interface PptpdSettings {
  readonly enabled: boolean;
  readonly localip: string;
  readonly remoteip: string;
  readonly dns: readonly string[];
  readonly ppp: PppdOptions;
  readonly logins: readonly PptpdLogin[];
}

/** Options of the service whose counterpart we have by nature, or need not have. */
const needless = new Set(['logwtmp', 'nat', 'internet', 'name', 'type']);
const serviceOptions = new Set(['enabled', 'localip', 'remoteip', 'mppe', 'remotedns', 'dnssvrs']);
const loginOptions = new Set(['username', 'password', 'remoteip', 'enabled']);

/** Everything that is not understood is a warning; no password is in one. */
export function readPptpd(files: PptpdFiles, warn: (text: string) => void): PptpdSettings {
  const { sections, faults } = parseUci('pptpd', files.pptpd);
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

  const words = files.options === undefined ? [] : optionWords(files.options);
  const ppp = parsePppdOptions([...words, ...mppeWords(service)]);
  for (const word of [...ppp.unknown, ...ppp.faulty]) {
    if (/^[\d.]*:[\d.]*$/.test(word)) continue; // addresses of both ends: pptpd's own stand above them
    const shown = /^[a-z0-9+-]{1,32}$/.test(word) ? `'${word}'` : 'a word';
    warn(`options.pptpd: ${shown} is not understood and not taken over`);
  }
  const at = words.indexOf('name');
  const logins = sections.filter(({ type }) => type === 'login').flatMap(loginOf);
  const secrets = chapSecrets(
    files.chapSecrets ?? '',
    (at === -1 ? undefined : words[at + 1]) ?? 'pptp-server',
    warn,
  );
  return {
    enabled: one(service, 'enabled') === '1',
    localip: one(service, 'localip'),
    remoteip: one(service, 'remoteip'),
    dns: [...ppp.dns, ...all(service, 'remotedns'), ...all(service, 'dnssvrs')],
    ppp,
    // The init script of pptpd copies its logins into chap-secrets.
    logins: [
      ...logins,
      ...secrets.filter(({ username }) => !logins.some((login) => login.username === username)),
    ],
  };
}

function loginOf(section: UciSection): PptpdLogin[] {
  if (one(section, 'enabled') === '0') return [];
  return [
    {
      place: `pptpd section '${section.name}'`,
      username: one(section, 'username'),
      password: one(section, 'password'),
      address: one(section, 'remoteip'),
    },
  ];
}

/** `list mppe 'required'`, `option mppe 'required,no40'`, and `option mppe '1'` of some forks. Its init script's default else. */
function mppeWords(service: UciSection | undefined): readonly string[] {
  const words = all(service, 'mppe')
    .flatMap((text) => text.split(/[\s,]+/))
    .filter(Boolean);
  if (words.length === 1 && words[0] === '0') return ['nomppe'];
  if (words.length === 0 || words[0] === '1') return ['mppe', 'required,no40,no56,stateless'];
  return ['mppe', ...words];
}

/** Words of an options file of pppd: '#' begins a comment, quotes group, a backslash takes the next character. */
function optionWords(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => words(line));
}

function words(line: string): string[] {
  const found: string[] = [];
  for (const [whole] of line.matchAll(/#.*|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\#])+/g)) {
    if (whole.startsWith('#')) break;
    found.push(
      whole.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
        typeof double === 'string'
          ? double.replaceAll(/\\(.)/g, '$1')
          : ((single ?? escaped) as string),
      ),
    );
  }
  return found;
}

/** Lines of `client server secret address`; those for other servers, and for any, are other people's. */
function chapSecrets(text: string, server: string, warn: (text: string) => void): PptpdLogin[] {
  return text.split('\n').flatMap((line, i) => {
    const [username, whose, password, address = ''] = words(line);
    if (username === undefined) return [];
    if (whose !== server || password === undefined) {
      warn(`chap-secrets line ${i + 1}: not taken over, it is not for ${server} alone`);
      return [];
    }
    return [{ place: `chap-secrets line ${i + 1}`, username, password, address }];
  });
}

function all(section: UciSection | undefined, option: string): readonly string[] {
  return section?.values.get(option)?.values ?? [];
}

function one(section: UciSection | undefined, option: string): string {
  return all(section, option).at(-1) ?? '';
}
