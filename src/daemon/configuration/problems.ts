/** What is wrong with a configuration: all faults in one go, each with file, section, option, value and what is allowed. */
import { printable } from '../printable.ts';

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Where the file is, for people. */
  readonly path?: string;
  readonly line?: number;
  readonly section?: string;
  /** The section as its owner wrote it, without an index that uci made up: user 'anna'. */
  readonly called?: string;
  readonly option?: string;
  /** Never the value of a secret. */
  readonly value?: string;
  readonly message: string;
  /** The other section, where two do not go together. */
  readonly against?: Place;
  /** Of a section with errors: its last version without any stays in force. */
  readonly isKept?: boolean;
  /** Whose section it is, where that is a user's. */
  readonly username?: string;
  /** What an interface is. */
  readonly kind?: 'server' | 'link';
}

/** A section of a file. */
export interface Place {
  readonly file: string;
  readonly section: string;
}

/** Tells the problems of one section's options. */
export function complainer(
  problems: Problem[],
  { file, section }: Place,
  severity: Problem['severity'] = 'error',
) {
  return (option: string, value: string | undefined, message: string, against?: Place): void => {
    const about = { ...(value !== undefined && { value }), ...(against && { against }) };
    problems.push({ severity, file, section, option, message, ...about });
  };
}

/** The configuration is refused; a running daemon keeps its old one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  /** What is wrong besides, and would refuse nothing. */
  readonly warnings: readonly Problem[];

  constructor(problems: readonly Problem[], warnings: readonly Problem[] = []) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
    this.warnings = warnings;
  }
}

export function formatProblem(problem: Problem): string {
  return `${problem.severity}: ${describeProblem(problem)}`;
}

/** Without the severity, for lines that have one. */
export function describeProblem(problem: Problem): string {
  const { file, path = file, line, section, called, option, value, message } = problem;
  const place = [
    line === undefined ? path : `${path}:${line}`,
    called ?? (section && `section '${section}'`),
    option && `option '${option}'`,
  ]
    .filter(Boolean)
    .join(', ');
  return printable(`${place}${value === undefined ? '' : `, value '${value}'`}: ${message}`);
}
