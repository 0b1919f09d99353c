/**
 * The whole configuration: three UCI files to one frozen value (parse, don't validate).
 *
 * `network` holds servers (proto pptpserver) and links (proto pptpgw, or pptp as the stock client of OpenWrt has it) among
 * the interfaces of others, `pptp_users` the accounts, `pptp` the globals and the relays. Every fault is collected; any error refuses the
 * whole, or its section where the rest shall run (sound-part.ts).
 */
import { sha1 } from '../../crypto/sha1.ts';
import type { ClientLinkOptions, Limits, ServerOptions, User } from '../../session/options.ts';
import { parseUci, type UciSection } from '../../router/uci.ts';
import type { RelayOptions } from '../../relay/relay-options.ts';
import { linkFromSection } from './link.ts';
import { relayFromSection } from './relay.ts';
import { bool } from './option-types.ts';
import type { Values } from './option-table.ts';
import { globalOptions, userOptions } from './options.ts';
import { ConfigError, type Problem } from './problems.ts';
import { readSection } from './section.ts';
import { serverFromSection } from './server.ts';
import { checkTogether, soundPart, type Sections } from './sound-part.ts';

/** A section with `option disabled '1'`. (A type: it goes out on ubus as it is.) */
export type DisabledInterface = {
  readonly name: string;
  readonly kind: 'server' | 'link';
};

export interface Configuration extends Sections {
  readonly logLevel: Values<typeof globalOptions>['log_level'];
  readonly limits: Limits;
  readonly disabled: readonly DisabledInterface[];
  readonly warnings: readonly Problem[];
  /** Errors of sections that were left out. */
  readonly faults: readonly Problem[];
  /** Of the texts: tells whether anything in them has changed. */
  readonly digest: string;
}

export const files = ['network', 'pptp', 'pptp_users'] as const;
type File = (typeof files)[number];

interface Reading {
  /** The stock client serves the sections of proto pptp. */
  readonly stockClient?: boolean;
  /** Sections with errors are left out while something else is left to run. */
  readonly leaveOut?: boolean;
}

/**
 * @param texts the files that exist
 * @throws ConfigError with every fault found
 */
export function parseConfiguration(
  texts: Partial<Record<File, string>>,
  { stockClient = false, leaveOut = false }: Reading = {},
): Configuration {
  const problems: Problem[] = [];
  const sections = (file: File): UciSection[] => {
    const parsed = parseUci(file, texts[file] ?? '');
    for (const { line, message } of parsed.faults) {
      problems.push({ severity: 'error', file: `${file} line ${line}`, message });
    }
    return parsed.sections;
  };

  const servers: ServerOptions[] = [];
  const links: ClientLinkOptions[] = [];
  const disabled: DisabledInterface[] = [];
  for (const section of sections('network')) {
    if (section.type !== 'interface') continue;
    const proto = section.values.get('proto')?.values.at(-1);
    if (proto !== 'pptpserver' && proto !== 'pptpgw' && proto !== 'pptp') continue;
    if (proto === 'pptp' && stockClient) continue;
    // What is switched off may be half written.
    if (bool.parse(section.values.get('disabled')?.values.at(-1) ?? '') === true) {
      disabled.push({ name: section.name, kind: proto === 'pptpserver' ? 'server' : 'link' });
      continue;
    }
    if (!/^[A-Za-z0-9_]+$/.test(section.name)) {
      problems.push({
        severity: 'error',
        file: 'network',
        section: section.name,
        message: 'an interface needs a name of letters, digits and _',
      });
    } else if (proto === 'pptpserver') push(servers, serverFromSection(section, problems));
    else push(links, linkFromSection(section, problems));
  }
  const users: User[] = [];
  for (const section of sections('pptp_users')) {
    if (section.type === 'user') push(users, userFromSection(section, problems));
    else unknownType(section, 'user', problems);
  }
  const relays: RelayOptions[] = [];
  let globals: Values<typeof globalOptions> | undefined;
  let seen: string | undefined;
  for (const section of sections('pptp')) {
    if (section.type === 'relay') {
      if (bool.parse(section.values.get('enabled')?.values.at(-1) ?? '') !== false)
        push(relays, relayFromSection(section, problems));
    } else if (section.type === 'pptp' && seen !== undefined) {
      problems.push({
        severity: 'error',
        file: 'pptp',
        section: section.name,
        message: `expected one section of type 'pptp'; there is '${seen}' already`,
      });
    } else if (section.type === 'pptp') {
      seen = section.name;
      globals = readSection(section, globalOptions, problems);
    } else unknownType(section, 'pptp, relay', problems);
  }
  const all = { servers, links, users, relays };
  const { sections: sound, faults } = leaveOut
    ? soundPart(all, problems)
    : { sections: all, faults: [] };
  checkTogether(sound, problems);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const digest = sha1(Buffer.from(JSON.stringify([texts, stockClient]))).join();
  if (errors.length > faults.length) throw new ConfigError(errors, digest);
  globals ??= readSection(absentGlobals, globalOptions, problems)!;
  return Object.freeze({
    ...sound,
    logLevel: globals.log_level,
    limits: {
      maxSessions: globals.max_sessions,
      maxHalfOpen: globals.max_half_open,
      maxHalfOpenPerSource: globals.max_half_open_per_source,
      loginTimeout: globals.login_timeout,
    },
    disabled,
    warnings: problems.filter(({ severity }) => severity === 'warning'),
    faults,
    digest,
  });
}

/** All defaults. */
const absentGlobals = {
  file: 'pptp',
  line: 0,
  type: 'pptp',
  name: 'globals',
  values: new Map<string, never>(),
};

function userFromSection(section: UciSection, problems: Problem[]): User | undefined {
  const values = readSection(section, userOptions, problems);
  if (values === undefined) return undefined;
  const secret = values.nthash ?? values.password;
  if (secret === undefined || (values.nthash !== undefined && values.password !== undefined)) {
    problems.push({
      severity: 'error',
      file: section.file,
      section: section.name,
      option: 'password',
      message:
        secret === undefined ? 'is required (or nthash)' : 'expected password or nthash, not both',
    });
    return undefined;
  }
  return {
    section: section.name,
    enabled: values.enabled,
    username: values.username,
    secret,
    servers: values.server,
    address: values.ipaddr,
    routes: values.route,
    maxSessions: values.max_sessions,
    expires: values.expires,
  };
}

function unknownType(section: UciSection, expected: string, problems: Problem[]): void {
  problems.push({
    severity: 'warning',
    file: section.file,
    section: section.name,
    message: `sections of type '${section.type}' are ignored here; known: ${expected}`,
  });
}

function push<T>(list: T[], value: T | undefined): void {
  if (value !== undefined) list.push(value);
}
