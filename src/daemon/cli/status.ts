/** The answer of `status`, for people: of what there is much, what is not well and how much there is. */
import { printable } from '../printable.ts';
import type {
  LinkDocument,
  ProblemDocument,
  ServerDocument,
  SessionDocument,
  StatusDocument,
} from '../reports/documents.ts';
import { toned } from './colours.ts';
import { relaysText } from './relays.ts';
import { sessionTable } from './sessions.ts';
import { duration, titled } from './tables.ts';

/** Rows of a table that a person looks through. */
const MANY = 20;

/** @param all every row, however many there are */
export function statusText(
  { version, uptime, config, problems, servers, links, disabled, relays }: StatusDocument,
  sessions: readonly SessionDocument[],
  all: boolean,
): string {
  const most = all ? Infinity : MANY;
  const parts = [`pptp-gateway ${version}, running for ${duration(uptime)}`];
  if (config === 'refused')
    parts.push(
      toned('error', 'The new configuration is refused (see the log); the old one is in force.'),
    );
  const faults = problems.filter(({ severity }) => severity === 'error');
  if (config === 'partial')
    parts.push(
      [
        'Not in force as it stands in the files:',
        ...faults.slice(0, most).map(problemText),
        ...more(faults.length - most, 'pptp-gateway validate'),
      ].join('\n'),
    );
  if (servers.length > 0) parts.push(serversText(servers, most));
  if (links.length > 0) parts.push(linksText(links, most));
  if (disabled.length > 0)
    parts.push(`disabled: ${disabled.map(({ name, kind }) => `${kind} ${name}`).join(', ')}`);
  parts.push(...relaysText(relays, most));
  if (servers.length + links.length + disabled.length + relays.length === 0)
    parts.push('There is no server, link or passthrough: nothing to run.');
  if (sessions.length === 0) parts.push('no sessions');
  else if (sessions.length <= most) parts.push(sessionTable(sessions));
  else parts.push(`${sessions.length} sessions: pptp-gateway sessions`);
  return parts.join('\n\n');
}

export function problemText(problem: ProblemDocument): string {
  const { path, file, line, username, section, option, message, kept } = problem;
  const place = [file, username ?? section, option].filter((part) => part !== undefined).join('.');
  const where = line === undefined ? '' : `${path ?? file}:${line}: `;
  const effect = kept === true ? 'as it was before' : 'left out';
  return printable(`${where}${place}: ${message} (${effect})`);
}

function serversText(servers: readonly ServerDocument[], most: number): string {
  return listed(
    'servers',
    servers,
    most,
    ['SERVER', 'DEVICE', 'PORT', 'ADDRESS', 'SESSIONS', ''],
    (server) => [
      server.name,
      server.device,
      String(server.port),
      server.local_address,
      `${server.sessions} of ${server.max_sessions}`,
      server.cause === undefined
        ? ''
        : `${toned(server.state)}: ${server.cause.code} ${server.cause.text}`,
    ],
    ({ state }) => state !== 'listening',
  );
}

function linksText(links: readonly LinkDocument[], most: number): string {
  return listed(
    'links',
    links,
    most,
    ['LINK', 'DEVICE', 'SERVER', 'STATE', ''],
    (link) => [link.name, link.device, link.server, toned(link.state), linkNote(link)],
    ({ state }) => state !== 'up',
  );
}

/** All of them; or where that is too much how many there are in each state, and those that are to be shown. */
function listed<Each extends { readonly state: string }>(
  what: string,
  all: readonly Each[],
  most: number,
  titles: readonly string[],
  row: (each: Each) => readonly string[],
  isWanted: (each: Each) => boolean,
): string {
  if (all.length <= most) return titled(titles, all.map(row));
  const counts = new Map<string, number>();
  for (const { state } of all) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${count} ${toned(state)}`);
  const wanted = all.filter(isWanted);
  return [
    `${all.length} ${what}: ${states.join(', ')}`,
    ...(wanted.length === 0 ? [] : [titled(titles, wanted.slice(0, most).map(row))]),
    ...more(wanted.length - most, 'pptp-gateway status --all'),
  ].join('\n');
}

function more(count: number, command: string): string[] {
  return count > 0 ? [`… and ${count} more: ${command}`] : [];
}

function linkNote({ state, cause, retry_in: retryIn }: LinkDocument): string {
  if (state === 'up' || cause === undefined) return '';
  return `${cause.code}: ${cause.text}${retryIn === undefined ? '' : ` Next attempt in ${retryIn} s.`}`;
}
