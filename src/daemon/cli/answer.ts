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
  #isHinting = false;
  #isFollowing = false;

  constructor(json: boolean) {
    this.json = json;
  }

  /** For people, at once. */
  say(text: string): void {
    if (this.json) return;
    if (this.#isHinting) program.complain('\r\u001b[K');
    this.#isHinting = false;
    program.print(`${text}\n`);
  }

  /** For a person who waits: what is being done. The next line takes its place. */
  hint(text: string): void {
    if (this.json || !program.isWatched) return;
    program.complain(`\r${text}\u001b[K`);
    this.#isHinting = true;
  }

  /** For programs: fields of the document. */
  give(fields: object): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  /** From now on a document is a line, and nothing comes at the end but a failure. */
  follow(): void {
    this.#isFollowing = true;
  }

  /** Of a command that goes on until it is ended: a document, or text. */
  tell(fields: object, text: string): void {
    this.follow();
    if (this.json) this.#print(fields);
    else program.print(`${text}\n`);
  }

  end(code: ExitCode): void {
    if (this.json && !this.#isFollowing) this.#print({ exit_code: code, ...this.#fields });
  }

  /** @param fields what else there is to know */
  fail(code: ExitCode, text: string, fields: object = {}): void {
    const error = { code: nameOf(code), text };
    this.#print({ exit_code: code, error, ...this.#fields, ...fields });
  }

  #print(fields: object): void {
    const indent = this.#isFollowing ? undefined : 2;
    program.print(`${JSON.stringify({ schema: SCHEMA, ...fields }, undefined, indent)}\n`);
  }
}

/** NotRunning: NOT_RUNNING. */
export function nameOf(code: ExitCode): string {
  const [name = ''] = Object.entries(ExitCode).find(([, value]) => value === code) ?? [];
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase();
}
