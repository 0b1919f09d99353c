/** Files and folders. What the system refuses is thrown (errors.ts). */

/** latin1: each octet is a character. */
export type Encoding = 'utf8' | 'latin1';

export interface FileStatus {
  readonly kind: 'file' | 'link' | 'socket' | 'other';
  /** uid */
  readonly owner: number;
  /** Permissions. */
  readonly mode: number;
}

/** A file that is being written. */
export interface OpenFile {
  /** The system's number of it. */
  readonly descriptor: number;
  /** Whether that is its name still. */
  isAt(path: string): boolean;
  /** @returns how many octets found room */
  write(octets: Uint8Array): number;
  truncate(length: number): void;
  close(): void;
}

export interface Replacement {
  readonly mode: number;
  readonly encoding?: Encoding;
  /** After a power failure, too. */
  readonly lasting?: boolean;
}

export interface Files {
  exists(path: string): boolean;
  status(path: string): FileStatus;
  /** Of a symbolic link itself, too. undefined: there is nothing. */
  entry(path: string): FileStatus | undefined;
  /** Where a symbolic link leads. */
  linkTarget(path: string): string;
  /** @throws it may not be executed */
  checkExecutable(path: string): void;
  /** In a folder. */
  names(folder: string): string[];
  octets(path: string): Uint8Array;
  text(path: string, encoding?: Encoding): string;
  /** As text; others go on meanwhile. */
  textLater(path: string, encoding?: Encoding): Promise<string>;
  writeLater(path: string, text: string): Promise<void>;
  /** Nobody but its owner can read it, from the first octet on. */
  writeSecret(path: string, octets: Uint8Array): void;
  /** Whatever happens, it is the old file or the new one. */
  replace(path: string, text: string, how: Replacement): void;
  /** What is there under the new name gives way. */
  rename(path: string, to: string): void;
  /** Behind what is there; made where it is not. @param mode of a new file */
  append(path: string, text: string, mode: number): void;
  /** In this order; what there is no room for shows before the first of them is replaced. */
  replaceAll(
    all: readonly (Replacement & { readonly path: string; readonly text: string })[],
  ): void;
  /** @throws there is such a file */
  create(path: string, mode: number): OpenFile;
  /** One that is there, from its beginning. */
  open(path: string): OpenFile;
  /** With those above it, for their owner alone; or it is there. */
  makeFolder(path: string): void;
  /** Where it is there. */
  remove(path: string): void;
  /** A path with `.` and `..` resolved. */
  join(...parts: readonly string[]): string;
  folderOf(path: string): string;
}
