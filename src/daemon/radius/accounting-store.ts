/** The journal of accounting in a file: for root alone, in a folder of its own. */
import { errorCode, errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import type { JournalStore } from '../../radius/accounting-queue.ts';

const OF_OWNER = 0o600;

export class AccountingStore implements JournalStore {
  readonly #file: string;
  readonly #warn: (text: string) => void;
  #fault: string | undefined;

  /** @param folder is made where it is not there */
  constructor(folder: string, warn: (text: string) => void) {
    this.#file = files.join(folder, 'accounting');
    this.#warn = warn;
  }

  /** What an earlier daemon has left; '': nothing. */
  read(): string {
    try {
      return files.text(this.#file);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT')
        this.#warn(`accounting records of a daemon before are not known: ${errorText(error)}`);
      return '';
    }
  }

  append(text: string): boolean {
    return this.#try(() => files.append(this.#file, text, OF_OWNER));
  }

  /** After a power failure, too. */
  replace(text: string): boolean {
    return this.#try(() => {
      files.makeFolder(files.folderOf(this.#file));
      files.replace(this.#file, text, { mode: OF_OWNER, lasting: true });
    });
  }

  /** What is wrong is said once. */
  #try(write: () => void): boolean {
    try {
      write();
      this.#fault = undefined;
      return true;
    } catch (error) {
      const fault = errorText(error);
      if (fault !== this.#fault)
        this.#warn(`accounting records are not remembered for a next start: ${fault}`);
      this.#fault = fault;
      return false;
    }
  }
}
