/**
 * What pptpd did, done by us: a server that is switched off and its users, added to the files of our configuration. Nothing
 * that stands in them is changed, pptpd's own files stay, and a second time nothing happens.
 *
 * All texts are octets, one character each: what is no UTF-8 stays as it is.
 */
import { parseUci } from '../../router/uci.ts';
import { sectionText, withLinesBelow, withSection, optionLines } from '../../router/uci-text.ts';
import { fromLatin1, toLatin1 } from '../../wire/octets.ts';
import { parseConfiguration } from '../configuration/configuration.ts';
import { staticNetworks } from '../configuration/static-networks.ts';
import { ConfigError, formatProblem } from '../configuration/problems.ts';
import { readPptpd, type PptpdFiles } from './pptpd-files.ts';
import { poolOf, serverOptions } from './pptpd-server.ts';
import { freeName, userSections } from './pptpd-users.ts';

/** The files of our configuration that programs write. */
export const writtenFiles = ['network', 'pptp', 'pptp_users'] as const;
export type Texts = Readonly<Record<(typeof writtenFiles)[number], string>>;

export interface Imported {
  /** The files with what was added; the same texts when there was nothing to do. */
  readonly texts: Texts;
  /** Name of the server's section; undefined: it was imported before. */
  readonly server: string | undefined;
  readonly users: number;
  readonly warnings: readonly string[];
}

const NAME = 'pptpd';

/** @param before what stands in our files; '' for one that does not exist */
export function importPptpd(files: PptpdFiles, before: Texts): Imported {
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  if (wasImported(before)) return { texts: before, server: undefined, users: 0, warnings };
  const settings = readPptpd(files, warn);
  const taken = new Set(parseUci('network', before.network).sections.map(({ name }) => name));
  const server = freeName(NAME, taken);
  const pool = poolOf(settings, warn);
  const written = staticNetworks(parseUci('network', before.network).sections).map(
    ({ network }) => network,
  );
  const options = serverOptions(settings, pool, [...files.networks, ...written], warn);
  const users = userSections(settings.logins, { server, pool }, before.pptp_users, warn);
  const texts = {
    network: withSection(
      before.network,
      sectionText('interface', server, { ...options, disabled: '1' }),
    ),
    pptp_users: users.map(octetsOf).reduce(withSection, before.pptp_users),
    pptp: withMark(before.pptp),
  };
  const globals = parseUci('pptp', before.pptp).sections.find(({ type }) => type === 'pptp');
  const most = Number(globals?.values.get('max_sessions')?.values.at(-1) ?? 64);
  if (pool.callers > most)
    warn(
      `pptpd let in ${pool.callers} callers, all servers and links together have ${most} sessions: raise max_sessions of the globals in pptp`,
    );
  const enabled = withSection(before.network, sectionText('interface', server, options));
  for (const line of newFaults(before, { ...texts, network: enabled }))
    warn(`once it is switched on: ${line}`);
  if (settings.enabled)
    warn(
      `pptpd is still switched on, and only one can have TCP port 1723: ${files.pptpd === undefined ? 'systemctl disable --now pptpd' : '/etc/init.d/pptpd stop; /etc/init.d/pptpd disable'}`,
    );
  return { texts, server, users: users.length, warnings };
}

function wasImported({ pptp, network }: Texts): boolean {
  const marked = parseUci('pptp', pptp).sections.some(
    ({ values }) =>
      values.get('imported')?.values.some((each) => each.split(/\s+/).includes(NAME)) === true,
  );
  const there = parseUci('network', network).sections.some(
    ({ name, values }) => name === NAME && values.get('proto')?.values.at(-1) === 'pptpserver',
  );
  return marked || there;
}

/** So that it stays imported when its section is renamed or deleted. */
function withMark(pptp: string): string {
  const globals = parseUci('pptp', pptp).sections.find(({ type }) => type === 'pptp');
  return globals === undefined
    ? withSection(pptp, sectionText('pptp', 'globals', { imported: [NAME] }))
    : withLinesBelow(pptp, globals.line, optionLines({ imported: [NAME] }));
}

/** What the configuration is refused for that it was not refused for before. */
export function newFaults(before: Texts, after: Texts): string[] {
  const faults = (texts: Texts): readonly string[] => {
    try {
      parseConfiguration({
        network: textOf(texts.network),
        pptp: textOf(texts.pptp),
        pptp_users: textOf(texts.pptp_users),
      });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(formatProblem).map((text) => text.replace(/:\d+,/, ',')); // wherever it stands
    }
  };
  const old = new Set(faults(before));
  return faults(after).filter((line) => !old.has(line));
}

/** As the daemon reads its files. */
export function textOf(octets: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(toLatin1(octets));
}

export function octetsOf(text: string): string {
  return fromLatin1(new TextEncoder().encode(text));
}
