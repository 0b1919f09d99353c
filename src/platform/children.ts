/** Other programs that this one starts. */

export interface RunOptions {
  readonly input: string;
  /** ms until it is killed, and how. */
  readonly timeout: number;
  readonly killSignal?: 'SIGTERM' | 'SIGKILL';
  /** Most octets of its output. */
  readonly maxBuffer?: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface Ran {
  /** undefined: exit code 0. `code`: the exit code, or why it could not be started. */
  readonly error: (Error & { readonly code?: unknown; readonly killed?: boolean }) | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exit {
  /** undefined: a signal has ended it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface Child {
  /** It has ended, and what it has said is read. @throws it could not be started */
  readonly ended: Promise<Exit>;
  /** With the programs that it has started; what they say is not heard any more. */
  kill(): void;
}

export interface Children {
  /** To its end. Never rejects. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<Ran>;
  /** Without input, in a process group of its own. */
  start(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    said: (text: string) => void,
  ): Child;
}
