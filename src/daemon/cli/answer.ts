/**
 * What a command answers: lines for people, or with --json one document for programs. A document has the number of its form
 * in `schema`, and the exit code; one that tells of a failure has `error`.
 */
import { program } from '../../platform/platform.ts';
import { ExitCode } from '../exit-codes.ts';

/** Raised when a field goes or means something else; a new field is no reason. */
const SCHEMA = 1;

export class Answer {
  readonly json: boolean;
  #fields: object = {};

  constructor(json: boolean) {
    this.json = json;
  }

  /** For people, at once. */
  say(text: string): void {
    if (!this.json) program.print(`${text}\n`);
  }

  /** For programs: fields of the document. */
  give(fields: object): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  end(code: ExitCode): void {
    if (this.json) print({ exit_code: code, ...this.#fields });
  }

  /** @param fields what else there is to know */
  fail(code: ExitCode, text: string, fields: object = {}): void {
    print({ exit_code: code, error: { code: nameOf(code), text }, ...this.#fields, ...fields });
  }
}

/** NotRunning: NOT_RUNNING. */
export function nameOf(code: ExitCode): string {
  const [name = ''] = Object.entries(ExitCode).find(([, value]) => value === code) ?? [];
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase();
}

function print(fields: object): void {
  program.print(`${JSON.stringify({ schema: SCHEMA, ...fields }, undefined, 2)}\n`);
}
