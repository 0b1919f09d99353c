/**
 * Sections seen together, and what can run of a configuration that has faults: a section with faults keeps its last version
 * without any, or is left out where there was none; of two that do not go together the older one stays.
 */
import type { RelayOptions } from '../../relay/relay-options.ts';
import type { ClientLinkOptions, ServerOptions, User } from '../../session/options.ts';
import type { Surrounding } from './clashes.ts';
import {
  checkAccounts,
  checkCallers,
  checkDevices,
  checkInform,
  checkRoutes,
  checkServers,
  checkSurroundings,
  checkUsers,
} from './consistency.ts';
import { checkServersIpv6, checkUsersIpv6 } from './ipv6.ts';
import type { Place, Problem } from './problems.ts';
import type { RadiusOptions } from './radius.ts';
import { checkRelays } from './relay-conflicts.ts';

export interface Sections {
  readonly servers: readonly ServerOptions[];
  readonly links: readonly ClientLinkOptions[];
  readonly users: readonly User[];
  readonly relays: readonly RelayOptions[];
  readonly radius: readonly RadiusOptions[];
}
type Options = ServerOptions | ClientLinkOptions | User | RelayOptions | RadiusOptions;

/** A section as it stands in its file now. */
export interface Written {
  readonly kind: keyof Sections;
  readonly place: Place;
  /** undefined: it could not be read. */
  readonly options: Options | undefined;
  /** What was in force of it. */
  readonly before: Options | undefined;
}

/** What stands beside the sections that run. */
export interface Beside {
  /** Names of servers, also of those that are switched off or have faults. */
  readonly known: ReadonlySet<string>;
  /** Networks that other interfaces have. */
  readonly others: readonly Surrounding[];
}

export function checkTogether(
  { servers, links, users, relays, radius }: Sections,
  { known, others }: Beside,
  problems: Problem[],
): void {
  checkDevices([...servers, ...links], problems);
  checkServers(servers, problems);
  checkServersIpv6(servers, problems);
  checkSurroundings(servers, others, problems);
  checkRoutes(links, problems);
  checkUsers(users, servers, known, problems);
  checkUsersIpv6(users, servers, problems);
  checkInform(servers, users, problems);
  checkRelays(relays, servers, problems);
  checkAccounts(servers, radius, problems);
  checkCallers(servers, users, problems);
}

/** Those that could be read. */
export function sectionsOf(written: readonly Written[]): Sections {
  const of = <Kind extends keyof Sections>(kind: Kind) =>
    written
      .filter((each) => each.kind === kind)
      .flatMap(({ options }) => options ?? []) as object[] as Sections[Kind];
  return {
    servers: of('servers'),
    links: of('links'),
    users: of('users'),
    relays: of('relays'),
    radius: of('radius'),
  };
}

/**
 * What one section gives up may be all that another one needs: those that do not go together are told one after the other.
 * @param found faults of single sections
 */
export function usableSections(
  written: readonly Written[],
  beside: Beside,
  found: readonly Problem[],
): { sections: Sections; faults: readonly Problem[] } {
  const faults = [...found];
  const faulty = new Set(placesOf(found));
  const taken = new Set(written.filter(isUnchanged).map(({ before }) => before));
  const kept = new Set<string>();
  const fallBack = (section: Written): Written => {
    const { before, place } = section;
    if (before === undefined || taken.has(before)) return { ...section, options: undefined };
    taken.add(before);
    kept.add(placeName(place));
    return { ...section, options: before };
  };
  let sections = written.map((section) =>
    section.options === undefined || faulty.has(placeName(section.place))
      ? fallBack(section)
      : section,
  );
  for (;;) {
    const misfits: Problem[] = [];
    checkTogether(sectionsOf(oldestFirst(sections)), beside, misfits);
    const blamed = misfits.filter(isError).map((fault) => blameTheYounger(fault, sections));
    const [first] = blamed;
    if (first === undefined) break;
    const misfit = placeName(first);
    faults.push(...blamed.filter((fault) => placeName(fault) === misfit));
    kept.delete(misfit);
    sections = sections.map((section) =>
      placeName(section.place) === misfit ? fallBack(section) : section,
    );
  }
  return {
    sections: sectionsOf(sections),
    faults: faults.map((fault) =>
      kept.has(placeName(fault)) ? { ...fault, isKept: true } : fault,
    ),
  };
}

/** The sections with errors, as `network.office`. */
export function placesOf(faults: readonly Problem[]): readonly string[] {
  return [...new Set(faults.map(placeName))];
}

function placeName({ file, section = '' }: Pick<Problem, 'file' | 'section'>): string {
  return `${file}.${section}`;
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}

function isUnchanged({ options, before }: Written): boolean {
  if (options === undefined || before === undefined) return false;
  // An anonymous user may stand elsewhere in the file now. A secret shows nothing of itself, but the keys know it.
  const shown = (of: Options) => JSON.stringify({ ...of, section: undefined });
  return shown(options) === shown(before);
}

/** 0: it is in force already; 1: it was in force otherwise; 2: it is new. */
function youth(section: Written): number {
  return section.before === undefined ? 2 : isUnchanged(section) ? 0 : 1;
}

function oldestFirst(written: readonly Written[]): readonly Written[] {
  return [...written].sort((a, b) => youth(a) - youth(b));
}

/** A check complains of the one that it comes to last. */
function blameTheYounger(fault: Problem, written: readonly Written[]): Problem {
  const { against, ...complaint } = fault;
  if (against === undefined) return fault;
  const youthOf = (place: Pick<Problem, 'file' | 'section'>) => {
    const section = written.find((each) => placeName(each.place) === placeName(place));
    return section === undefined ? 0 : youth(section);
  };
  if (youthOf(against) <= youthOf(fault)) return fault;
  const { file, section = '', option, message } = complaint;
  return {
    severity: 'error',
    ...against,
    message: `does not go with section '${section}' of ${file}, which was there before (option ${option ?? '?'}): ${message}`,
    against: { file, section },
  };
}
