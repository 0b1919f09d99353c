/** Time. (The wall clock is Date, which every runtime has.) */

declare const timerBrand: unique symbol;

/** Opaque. */
export interface Timer {
  readonly [timerBrand]: true;
}

export interface Clock {
  /** Milliseconds that never go back; of one clock for all programs until the machine is started anew. */
  readonly monotonic: () => number;
  /** At most 2^31 - 1 ms, and up to one too early by monotonic(). */
  after(milliseconds: number, act: () => void): Timer;
  /** As after; the program does not go on for its sake. */
  meanwhile(milliseconds: number, act: () => void): Timer;
  /** Again and again; the program does not go on for its sake. */
  every(milliseconds: number, act: () => void): Timer;
  /** One that has gone off, or none, is none of its business. */
  cancel(timer: Timer | undefined): void;
  pause(milliseconds: number): Promise<void>;
}
