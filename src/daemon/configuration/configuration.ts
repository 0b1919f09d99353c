/**
 * The whole configuration: four UCI files to one frozen value (parse, don't validate).
 *
 * `network` holds servers (proto pptpserver) and links (proto pptpgw, or pptp as the stock client of OpenWrt has it) among
 * the interfaces of others, `pptp_users` the accounts, `pptp_radius` the RADIUS servers, `pptp` the globals and the relays.
 * Every fault is collected; any error refuses the whole, or its section where the rest shall run (usable-sections.ts).
 */
import { sha1 } from '../../crypto/sha1.ts';
import { nearest } from '../nearest.ts';
import type { Limits } from '../../session/options.ts';
import { parseUci, type UciSection, type UciValue } from '../../router/uci.ts';
import { linkFromSection } from './link.ts';
import { nasFromSection, radiusFromSection, type NasOptions } from './radius.ts';
import { relayFromSection } from './relay.ts';
import { bool } from './option-types.ts';
import type { Values } from './option-table.ts';
import { globalOptions } from './options.ts';
import { complainer, ConfigError, type Problem } from './problems.ts';
import { Places } from './places.ts';
import { placeOf, readSection, unwritten } from './section.ts';
import { serverFromSection } from './server.ts';
import { staticNetworks } from './static-networks.ts';
import type { Surrounding } from './clashes.ts';
import {
  checkTogether,
  sectionsOf,
  usableSections,
  type Sections,
  type Written,
} from './usable-sections.ts';
import { userFromSection } from './user.ts';

/** A section with `option disabled '1'`. (A type: it goes out on ubus as it is.) */
export type DisabledInterface = {
  readonly name: string;
  readonly kind: 'server' | 'link';
};

type Globals = Values<typeof globalOptions>;

export interface Configuration extends Sections {
  readonly globals: Globals;
  readonly logLevel: Globals['log_level'];
  readonly limits: Limits;
  /** The firewall set for sources that are locked out. */
  readonly banSet: string | undefined;
  readonly nas: NasOptions;
  readonly disabled: readonly DisabledInterface[];
  /** Networks that other interfaces have by their configuration. */
  readonly surroundings: readonly Surrounding[];
  readonly warnings: readonly Problem[];
  /** Errors of sections that were left out, or are in force as they were before. */
  readonly faults: readonly Problem[];
  /** Of the texts: tells whether anything in them has changed. */
  readonly digest: string;
}

export const uciFiles = ['network', 'pptp', 'pptp_users', 'pptp_radius'] as const;
type File = (typeof uciFiles)[number];

interface Reading {
  /** The stock client serves the sections of proto pptp. */
  readonly stockClient?: boolean;
  /** Sections with errors are left out while something else is left to run. */
  readonly leaveOut?: boolean;
  /** Where the files are, for people. */
  readonly folder?: string;
  /** What is in force now: sections with errors stay as they are in it. */
  readonly before?: Configuration | undefined;
}

/**
 * @param texts the files that exist
 * @throws ConfigError with every fault found
 */
export function parseConfiguration(
  texts: Partial<Record<File, string>>,
  { stockClient = false, leaveOut = false, before, folder }: Reading = {},
): Configuration {
  const problems: Problem[] = [];
  const digest = sha1(new TextEncoder().encode(JSON.stringify([texts, stockClient]))).join();
  const written: Written[] = [];
  const disabled: DisabledInterface[] = [];
  const places = new Places(folder);
  let globals = before?.globals;
  let nas = before?.nas;
  let surroundings = before?.surroundings ?? [];
  const readers: Record<File, (sections: readonly UciSection[]) => void> = {
    network: (sections) => {
      readInterfaces(sections, stockClient, before, problems, written, disabled);
      surroundings = staticNetworks(sections.filter((each) => !isOurs(each, stockClient)));
    },
    pptp_users: (sections) => readUsers(sections, before, problems, written),
    pptp_radius: (sections) => {
      nas = readRadius(sections, before, problems, written);
    },
    pptp: (sections) => {
      globals = readPptp(sections, before, problems, written);
    },
  };
  for (const file of ['network', 'pptp_users', 'pptp_radius', 'pptp'] as const) {
    const { sections, faults } = parseUci(file, texts[file] ?? '');
    places.add(sections);
    for (const { line, message } of faults)
      problems.push({
        severity: 'error',
        file,
        line,
        message,
        ...(before === undefined ? {} : { isKept: true }),
      });
    if (faults.length === 0 || before === undefined) readers[file](sections.map(withoutEmpty));
    else {
      written.push(...lastOf(before, file));
      if (file === 'network') disabled.push(...before.disabled);
    }
  }
  const beside = { known: serverNames(written, disabled), others: surroundings };
  const errors = problems.filter(({ severity }) => severity === 'error');
  const canLeaveOut =
    leaveOut && (before !== undefined || errors.every(({ section }) => section !== undefined));
  const { sections, faults } = canLeaveOut
    ? usableSections(written, beside, errors)
    : { sections: sectionsOf(written), faults: [] };
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  checkTogether(sections, beside, warnings);
  const refused = canLeaveOut
    ? []
    : [...errors, ...warnings.filter(({ severity }) => severity === 'error')];
  const { servers, links, relays } = sections;
  const isEmpty = servers.length + links.length + relays.length === 0;
  const isOfOurs = ({ file, section }: Problem) =>
    written.some(({ place }) => place.file === file && place.section === section);
  if (before === undefined && isEmpty && faults.some(isOfOurs)) refused.push(...faults);
  const told = warnings.map((problem) => places.locate(problem));
  if (refused.length > 0)
    throw new ConfigError(
      refused.map((problem) => places.locate(problem)),
      told.filter(({ severity }) => severity === 'warning'),
    );
  globals ??= readSection(unwritten('pptp', 'pptp', 'globals'), globalOptions, [])!;
  nas ??= nasFromSection(unwritten('pptp_radius', 'nas', 'nas'), [])!;
  return Object.freeze({
    ...sections,
    globals,
    nas,
    logLevel: globals.log_level,
    limits: {
      maxSessions: globals.max_sessions,
      maxHalfOpen: globals.max_half_open,
      maxHalfOpenPerSource: globals.max_half_open_per_source,
      loginTimeout: globals.login_timeout,
    },
    banSet: globals.ban_set,
    disabled,
    surroundings,
    warnings: told,
    faults: faults.map((problem) => places.locate(problem)),
    digest,
  });
}

function protoOf({ values }: UciSection): string | undefined {
  return values.get('proto')?.values.at(-1);
}

function isOurs(section: UciSection, stockClient: boolean): boolean {
  const proto = protoOf(section);
  return proto === 'pptpserver' || proto === 'pptpgw' || (proto === 'pptp' && !stockClient);
}

function readInterfaces(
  sections: readonly UciSection[],
  stockClient: boolean,
  before: Configuration | undefined,
  problems: Problem[],
  written: Written[],
  disabled: DisabledInterface[],
): void {
  for (const section of sections) {
    const { file, name } = section;
    if (section.type !== 'interface') continue;
    if (!isOurs(section, stockClient)) {
      if (!isOn(section, 'disabled')) checkProto(section, problems);
      continue;
    }
    const kind = protoOf(section) === 'pptpserver' ? 'servers' : 'links';
    // What is switched off may be half written.
    if (isOn(section, 'disabled')) {
      disabled.push({ name, kind: kind === 'servers' ? 'server' : 'link' });
      continue;
    }
    const isNamed = /^[A-Za-z0-9_]+$/.test(name);
    if (!isNamed)
      problems.push({
        severity: 'error',
        file,
        section: name,
        message: 'an interface needs a name of letters, digits and _',
      });
    written.push({
      kind,
      place: { file, section: name },
      options: !isNamed
        ? undefined
        : kind === 'servers'
          ? serverFromSection(section, problems)
          : linkFromSection(section, problems),
      before: before?.[kind].find((other) => other.name === name),
    });
  }
}

function readUsers(
  sections: readonly UciSection[],
  before: Configuration | undefined,
  problems: Problem[],
  written: Written[],
): void {
  for (const section of sections) {
    const { file, name } = section;
    if (section.type !== 'user') {
      unknownType(section, 'user', problems);
      continue;
    }
    // The place of an anonymous section says nothing of whose it is.
    const username = section.values.get('username')?.values.at(-1);
    const last = before?.users.find((user) =>
      name.startsWith('@') ? user.username === username : user.section === name,
    );
    written.push({
      kind: 'users',
      place: { file, section: name },
      options: userFromSection(section, problems),
      // Who is switched off must not stay by a fault.
      before: isOff(section, 'enabled') ? undefined : last,
    });
  }
}

function readPptp(
  sections: readonly UciSection[],
  before: Configuration | undefined,
  problems: Problem[],
  written: Written[],
): Globals | undefined {
  const isFirst = onlyOne('pptp', problems);
  let globals: Globals | undefined;
  for (const section of sections) {
    const { file, name, type } = section;
    if (type === 'relay') {
      if (isOff(section, 'enabled')) continue;
      written.push({
        kind: 'relays',
        place: { file, section: name },
        options: relayFromSection(section, problems),
        before: before?.relays.find((other) => other.name === name),
      });
    } else if (type !== 'pptp') unknownType(section, 'pptp, relay', problems);
    else if (isFirst(section))
      globals = readOrKeep(problems, before?.globals, (found) =>
        readSection(section, globalOptions, found),
      );
  }
  return globals;
}

function readRadius(
  sections: readonly UciSection[],
  before: Configuration | undefined,
  problems: Problem[],
  written: Written[],
): NasOptions | undefined {
  const isFirst = onlyOne('nas', problems);
  let nas: NasOptions | undefined;
  for (const section of sections) {
    const { file, name, type } = section;
    if (type === 'radius') {
      if (isOff(section, 'enabled')) continue;
      written.push({
        kind: 'radius',
        place: { file, section: name },
        options: radiusFromSection(section, problems),
        before: before?.radius.find((other) => other.name === name),
      });
    } else if (type !== 'nas') unknownType(section, 'radius, nas', problems);
    else if (isFirst(section))
      nas = readOrKeep(problems, before?.nas, (found) => nasFromSection(section, found));
  }
  return nas;
}

/** Of a section that there is once: what was in force stays where it has faults. */
function readOrKeep<T>(
  problems: Problem[],
  before: T | undefined,
  read: (found: Problem[]) => T | undefined,
): T | undefined {
  const found: Problem[] = [];
  const value = read(found) ?? before;
  const isKept = before !== undefined;
  problems.push(...found.map((each) => (each.severity === 'error' ? { ...each, isKept } : each)));
  return value;
}

/** Tells the sections of a type that come after the first one. */
function onlyOne(type: string, problems: Problem[]): (section: UciSection) => boolean {
  let seen: string | undefined;
  return ({ file, name }) => {
    if (seen === undefined) {
      seen = name;
      return true;
    }
    problems.push({
      severity: 'error',
      file,
      section: name,
      message: `expected one section of type '${type}'; there is '${seen}' already`,
    });
    return false;
  };
}

/** The sections that a file had when it could be read last. */
function lastOf(before: Configuration, file: File): Written[] {
  const of = (kind: keyof Sections, nameOf: (options: never) => string) =>
    before[kind].map((options) => ({
      kind,
      place: { file, section: nameOf(options as never) },
      options,
      before: options,
    }));
  const named = ({ name }: { name: string }) => name;
  if (file === 'network') return [...of('servers', named), ...of('links', named)];
  if (file === 'pptp_radius') return of('radius', named);
  return file === 'pptp'
    ? of('relays', named)
    : of('users', ({ section }: { section: string }) => section);
}

/** Of servers, also of those that are switched off or have faults. */
function serverNames(
  written: readonly Written[],
  disabled: readonly DisabledInterface[],
): ReadonlySet<string> {
  return new Set([
    ...written.filter(({ kind }) => kind === 'servers').map(({ place }) => place.section),
    ...disabled.filter(({ kind }) => kind === 'server').map(({ name }) => name),
  ]);
}

function isOn(section: UciSection, option: string): boolean {
  return bool.parse(section.values.get(option)?.values.at(-1) ?? '') === true;
}

function isOff(section: UciSection, option: string): boolean {
  return bool.parse(section.values.get(option)?.values.at(-1) ?? '') === false;
}

/** `option mtu ''` says nothing: the option is absent, as uci itself has it. */
function withoutEmpty(section: UciSection): UciSection {
  const empty: string[] = [];
  const values = [...section.values].flatMap(([name, value]): [string, UciValue][] => {
    const words = value.values.filter((word) => word !== '');
    if (words.length > 0) return [[name, { ...value, values: words }]];
    empty.push(name);
    return [];
  });
  return { ...section, values: new Map(values), empty };
}

/** A protocol that nobody has, where ours has nearly that name: the interface would never be up. */
function checkProto(section: UciSection, problems: Problem[]): void {
  const proto = protoOf(section) ?? '';
  const ours = ['pptpserver', 'pptpgw'] as const;
  if (proto === 'pptp' || !(proto.startsWith('pptp') || nearest(proto, ours))) return;
  const meant = nearest(proto, ours) ?? 'pptpserver (a server) or pptpgw (a link)';
  const message = `there is no such protocol: did you mean ${meant}?`;
  complainer(problems, placeOf(section))('proto', proto, message);
}

/** Why a daemon with this configuration does nothing; undefined: it does something. */
export function nothingToRun(found: Configuration): string | undefined {
  const { servers, links, relays, disabled } = found;
  if (servers.length + links.length + relays.length > 0) return undefined;
  const off = disabled.map(({ kind, name }) => `${kind} '${name}'`).join(', ');
  return `nothing to run: there is no server, link or passthrough${off && `; switched off: ${off}`}`;
}

function unknownType(section: UciSection, expected: string, problems: Problem[]): void {
  problems.push({
    severity: 'warning',
    file: section.file,
    section: section.name,
    message: `sections of type '${section.type}' are ignored here; known: ${expected}`,
  });
}
