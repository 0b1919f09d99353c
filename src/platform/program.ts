/** This program: what it was started with, what it says, how it ends. */

export type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

export interface Terminal {
  /** The next line. @param hidden nothing of it is shown; @returns undefined: the person has had enough (Ctrl-C, Ctrl-D) */
  ask(question: string, hidden?: boolean): Promise<string | undefined>;
  close(): void;
}

export interface Program {
  readonly words: readonly string[];
  readonly pid: number;
  readonly uid: number;
  /** Somebody looks at what is complained of. */
  readonly isWatched: boolean;
  /** systemd's journal reads what is complained of: a line begins with its severity (sd-daemon(3)). */
  readonly isJournaled: boolean;
  /** Octets of memory, and seconds of the processor. */
  resources(): { readonly resident: number; readonly heap: number; readonly processor: number };
  /** The terminal that standard output is. */
  readonly screen: { readonly rows: number } | undefined;
  environment(name: string): string | undefined;
  /** All of it. */
  environments(): Readonly<Record<string, string>>;
  /** How the program was started, up to its own words: the runtime, what that was told, the script. */
  readonly command: readonly string[];
  /** The CPU, as the runtime names it. */
  readonly architecture: string;
  /** A person who can be asked; undefined: standard input or output is no terminal. */
  openTerminal(): Terminal | undefined;
  /** Standard input to its end. */
  readInput(): string;
  /** Standard output; nobody has to read it. */
  print(text: string): void;
  /** Octets of it that wait for who reads. */
  readonly unprinted: number;
  /** Nobody reads it any more. */
  onOutputClosed(act: () => void): void;
  /** Standard error. */
  complain(text: string): void;
  /** The exit code once nothing is left to do. */
  setExitCode(code: number): void;
  exit(code: number): never;
  /** Instead of ending. @returns ends that */
  onSignal(signal: Signal, act: () => void): () => void;
  /** Thrown, or rejected, where nobody catches it; instead of ending. */
  onFault(act: (how: 'thrown' | 'rejected', error: unknown) => void): void;
  /** Native code. @throws it does not fit this CPU or runtime */
  loadAddon(path: string): unknown;
}
