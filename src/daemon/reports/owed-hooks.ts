/**
 * What hooks are owed: who was told that something is up is told when it is down, also if the daemon was killed in between. One
 * line in a file of the runtime folder, which goes with a reboot, for each up and each down; the next daemon reads it.
 */
import { errorCode, errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import { isShortage } from '../../router/run-program.ts';

/** All hooks of one event. */
export interface Job {
  /** They run after those that came before in it. */
  readonly lane: string;
  readonly env: Readonly<Record<string, string>>;
  /** Option of a link. */
  readonly own: Hook | undefined;
  readonly folder: string;
}

export interface Hook {
  /** Name of a file, or the option of a link. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

/** Sessions, links and bans; the oldest is forgotten first. */
const MOST = 8192;
/** Lines that count no more, until the file is written anew. */
const SPARE = 256;

type Line = { readonly owes: string; readonly job: Job } | { readonly paid: string };

export class OwedHooks {
  readonly #file: string;
  readonly #warn: (text: string) => void;
  readonly #owed = new Map<string, Job>();
  #lines = 0;
  #fault: string | undefined;

  /** A file that is damaged counts as far as it can be read. */
  constructor(file: string, warn: (text: string) => void) {
    this.#file = file;
    this.#warn = warn;
    for (const text of this.#read().split('\n')) this.#take(text);
  }

  /** @param subject what is up; @param job what is to run when it is not any more */
  owe(subject: string, job: Job): void {
    this.#owed.delete(subject);
    this.#owed.set(subject, job);
    const [oldest] = this.#owed.keys();
    if (this.#owed.size > MOST) this.#owed.delete(oldest!);
    this.#append({ owes: subject, job });
  }

  /** It runs, or something else has taken its place. */
  pay(subject: string): void {
    if (this.#owed.delete(subject)) this.#append({ paid: subject });
  }

  /**
   * What is owed of things that are not up any more. They are owed still, by other names, for those of what was before come
   * again.
   */
  claim(isUp: (subject: string) => boolean): readonly (readonly [subject: string, job: Job])[] {
    const claimed = [...this.#owed].filter(([subject]) => !isUp(subject));
    const renamed = claimed.map(([, job], i) => [`before ${i} ${Date.now()}`, job] as const);
    for (const [subject] of claimed) this.#owed.delete(subject);
    for (const [subject, job] of renamed) this.#owed.set(subject, job);
    if (claimed.length > 0) this.#write();
    return renamed;
  }

  #take(text: string): void {
    try {
      const line = JSON.parse(text) as Line;
      if ('paid' in line) this.#owed.delete(line.paid);
      else if (isJob(line.job)) this.#owed.set(line.owes, line.job);
      this.#lines++;
    } catch {
      // torn, or empty
    }
  }

  #append(line: Line): void {
    this.#lines++;
    // What could not be written is in none of its lines.
    if (this.#fault !== undefined || this.#lines > 2 * this.#owed.size + SPARE) this.#write();
    else this.#try(() => files.append(this.#file, `${JSON.stringify(line)}\n`, 0o600));
  }

  #write(): void {
    const lines = [...this.#owed].map(([owes, job]) => `${JSON.stringify({ owes, job })}\n`);
    this.#lines = lines.length;
    this.#try(() => files.replace(this.#file, lines.join(''), { mode: 0o600 }));
  }

  /** What is wrong is said once; where there is no descriptor it is written a little later. */
  #try(write: () => void): void {
    try {
      files.makeFolder(files.folderOf(this.#file));
      write();
      this.#fault = undefined;
    } catch (error) {
      const fault = errorText(error);
      if (fault !== this.#fault && !isShortage(error))
        this.#warn(`what hooks are owed is not remembered for a next start: ${fault}`);
      this.#fault = fault;
    }
  }

  #read(): string {
    try {
      return files.text(this.#file);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT')
        this.#warn(`what hooks a daemon before has owed is not known: ${errorText(error)}`);
      return '';
    }
  }
}

function isJob(job: Partial<Job> | undefined): boolean {
  return (
    typeof job?.lane === 'string' &&
    typeof job.folder === 'string' &&
    /^[a-z-]+\.d$/.test(job.folder) &&
    typeof job.env === 'object' &&
    Object.values(job.env).every((value) => typeof value === 'string') &&
    (job.own === undefined || Array.isArray(job.own.command))
  );
}
