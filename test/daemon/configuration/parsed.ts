/** Configurations of tests: the smallest sections that are complete, and what they parse to. */
import assert from 'node:assert/strict';
import {
  parseConfiguration,
  type Configuration,
} from '../../../src/daemon/configuration/configuration.ts';
import {
  ConfigError,
  formatProblem,
  type Problem,
} from '../../../src/daemon/configuration/problems.ts';

export interface Files {
  readonly network?: string;
  readonly pptp?: string;
  readonly pptp_users?: string;
  readonly pptp_radius?: string;
}

/** The options of each kind of section that have no default. */
export const complete = {
  server:
    "option proto 'pptpserver'\noption localip '192.168.99.1'\noption network '192.168.99.0/24'\n",
  link: "option proto 'pptpgw'\noption server 'vpn.example.com'\noption username 'anna'\noption password 'geheim'\n",
  user: "option username 'anna'\noption password 'geheim'\n",
  globals: '',
  radius: "option server '192.0.2.1'\noption secret 'geheim'\n",
  nas: '',
} as const;
export type Kind = keyof typeof complete;

/** A configuration with one section: the complete one, and then these lines, which replace options of it. */
export function files(kind: Kind, lines = '', without: readonly string[] = []): Files {
  const kept = complete[kind]
    .split('\n')
    .filter((line) => !without.some((option) => line.startsWith(`option ${option} `)))
    .join('\n');
  const section = (head: string) => `config ${head}\n${kept}\n${lines}\n`;
  if (kind === 'user') return { pptp_users: section("user 'anna'") };
  if (kind === 'radius') return { pptp_radius: section("radius 'main'") };
  if (kind === 'nas') return { pptp_radius: section("nas 'nas'") };
  if (kind === 'globals') return { pptp: section("pptp 'globals'") };
  return { network: section(`interface '${kind === 'server' ? 'home' : 'office'}'`) };
}

/** The faults of a configuration that is refused, a line each. */
export function refusal(texts: Files): string[] {
  try {
    parseConfiguration(texts);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(error.problems.every(({ severity }) => severity === 'error'));
    return error.problems.map(told);
  }
  return assert.fail(`accepted: ${JSON.stringify(texts)}`);
}

/** As it is told, but for what says where it stands: that is places.test.ts's. */
export function told(problem: Problem): string {
  const placeless: { -readonly [Field in keyof Problem]: Problem[Field] } = { ...problem };
  delete placeless.called;
  if (placeless.section !== undefined) delete placeless.line;
  return formatProblem(placeless);
}

/** Of a configuration that has a user, unless it has others. */
export function warnings(texts: Files): string[] {
  return parseConfiguration({ ...files('user'), ...texts }).warnings.map(told);
}

/** The one section of a configuration as sessions read it. */
export function only(kind: Kind, configuration: Configuration): Readonly<Record<string, unknown>> {
  const found = {
    server: configuration.servers,
    link: configuration.links,
    user: configuration.users,
    radius: configuration.radius,
    nas: [configuration.nas],
    globals: [
      { ...configuration.limits, logLevel: configuration.logLevel, banSet: configuration.banSet },
    ],
  }[kind];
  assert.equal(found.length, 1);
  return found[0] as unknown as Readonly<Record<string, unknown>>;
}

/** A section without what a reload compares. */
export function plain<Section extends { readonly keys: unknown }>(
  section: Section,
): Omit<Section, 'keys'> {
  const rest: { keys?: unknown } = { ...section };
  delete rest.keys;
  return rest as Omit<Section, 'keys'>;
}
