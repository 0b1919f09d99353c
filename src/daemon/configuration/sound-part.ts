/** Sections seen together, and what can run of a configuration that has faults. */
import type { RelayOptions } from '../../relay/relay-options.ts';
import type { ClientLinkOptions, ServerOptions, User } from '../../session/options.ts';
import { checkDevices, checkServers, checkUsers } from './consistency.ts';
import type { Problem } from './problems.ts';
import { checkRelays } from './relay-conflicts.ts';

export interface Sections {
  readonly servers: readonly ServerOptions[];
  readonly links: readonly ClientLinkOptions[];
  readonly users: readonly User[];
  readonly relays: readonly RelayOptions[];
}

export function checkTogether(
  { servers, links, users, relays }: Sections,
  problems: Problem[],
): void {
  checkDevices([...servers, ...links], problems);
  checkServers(servers, problems);
  checkUsers(users, servers, problems);
  checkRelays(relays, servers, problems);
}

/**
 * Leaves out the sections with faults of their own and then, one after the other, those that do not fit what stands before
 * them: leaving out one may be all that another one needs.
 * @param problems those of single sections; gets those of sections together
 * @returns nothing is left out where it would not help: a file cannot be read as UCI, or nothing would run
 */
export function soundPart(
  all: Sections,
  problems: Problem[],
): { sections: Sections; faults: readonly Problem[] } {
  const faults = problems.filter(isError);
  const refused = { sections: all, faults: [] };
  if (faults.some(({ section }) => section === undefined)) return refused;
  let sections = without(all, faults);
  for (;;) {
    const found: Problem[] = [];
    checkTogether(sections, found);
    const first = found.find(isError);
    if (first === undefined) break;
    const misfit = found.filter((problem) => isError(problem) && isAbout(problem, first));
    faults.push(...misfit);
    sections = without(sections, misfit);
  }
  const { servers, links, relays } = sections;
  if (faults.length > 0 && servers.length + links.length + relays.length === 0) return refused;
  problems.push(...faults.filter((fault) => !problems.includes(fault)));
  return { sections, faults };
}

/** The sections with errors, as `network.office`. */
export function sectionsOf(faults: readonly Problem[]): readonly string[] {
  return [...new Set(faults.map(({ file, section }) => `${file}.${section ?? ''}`))];
}

function without(
  { servers, links, users, relays }: Sections,
  faults: readonly Problem[],
): Sections {
  const faulty = new Set(sectionsOf(faults));
  return {
    servers: servers.filter(({ name }) => !faulty.has(`network.${name}`)),
    links: links.filter(({ name }) => !faulty.has(`network.${name}`)),
    users: users.filter(({ section }) => !faulty.has(`pptp_users.${section}`)),
    relays: relays.filter(({ name }) => !faulty.has(`pptp.${name}`)),
  };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}

function isAbout(problem: Problem, { file, section }: Problem): boolean {
  return problem.file === file && problem.section === section;
}
