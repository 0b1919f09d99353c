/**
 * The book of usage in two files: one where writing costs nothing (a kill leaves it, a reboot does not), one that lasts. For root
 * alone: it says who was there, and when.
 */
import { errorCode, errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import { parseUsage, type Saved } from '../../usage/usage-text.ts';

const OF_OWNER = 0o600;

export class UsageStore {
  readonly #memory: string;
  readonly #lasting: string | undefined;
  readonly #warn: (text: string) => void;
  /** What stands in the one that lasts, as far as we know. */
  #written: string | undefined;
  /** What was told of each file, so that it is told once. */
  readonly #faults = new Map<string, string>();

  /** @param lasting folder; undefined: there is none. It is made where it is not there. */
  constructor(memory: string, lasting: string | undefined, warn: (text: string) => void) {
    this.#memory = files.join(memory, 'usage');
    this.#lasting = lasting === undefined ? undefined : files.join(lasting, 'usage');
    this.#warn = warn;
  }

  /** The newer of the two. A file that is damaged is put aside. @returns whether it lasts as it is, too */
  read(): { readonly saved: Saved | undefined; readonly isLasting: boolean } {
    const lasting = this.#lasting === undefined ? undefined : this.#parse(this.#lasting);
    const memory = this.#parse(this.#memory);
    const isLasting = (lasting?.serial ?? 0) >= (memory?.serial ?? 0);
    return { saved: isLasting ? lasting : memory, isLasting };
  }

  keep(text: string, isLasting: boolean): void {
    this.#write(this.#memory, text, false);
    const path = this.#lasting;
    if (path === undefined || !isLasting) return;
    // A disk that was not there at the start brings its own.
    if (files.exists(path) && this.#text(path) !== this.#written)
      this.#putAside(path, 'was not there when the program started, and is not counted on');
    if (this.#write(path, text, true)) this.#written = text;
  }

  #parse(path: string): Saved | undefined {
    const text = this.#text(path);
    if (text === undefined) return undefined;
    const saved = parseUsage(text);
    if (saved === undefined) this.#putAside(path, 'is damaged, and counted on without it');
    else if (path === this.#lasting) this.#written = text;
    return saved;
  }

  #text(path: string): string | undefined {
    return this.#try(path, () => {
      try {
        return files.text(path);
      } catch (error) {
        if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
        throw error;
      }
    });
  }

  #write(path: string, text: string, lasting: boolean): boolean {
    const written = this.#try(path, () => {
      files.makeFolder(files.folderOf(path));
      files.replace(path, text, { mode: OF_OWNER, lasting });
      return true;
    });
    return written === true;
  }

  #putAside(path: string, why: string): void {
    this.#try(path, () => {
      files.rename(path, `${path}.aside`);
      this.#warn(`usage: ${path} ${why}; it is kept as ${path}.aside`);
    });
  }

  /** What is wrong is said once. */
  #try<T>(path: string, act: () => T): T | undefined {
    try {
      const done = act();
      this.#faults.delete(path);
      return done;
    } catch (error) {
      const fault = errorText(error);
      if (fault !== this.#faults.get(path))
        this.#warn(`usage is not remembered in ${path} for a next start: ${fault}`);
      this.#faults.set(path, fault);
      return undefined;
    }
  }
}
