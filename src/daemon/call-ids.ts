/**
 * The call ids of this machine, and the kernel's filter that knows them: strangers' GRE ends in the kernel.
 *
 * Making a filter costs time for every id in it, so it is not made anew for every call. It lets some ids through that
 * no call has yet; calls get those, and when they are used up a new filter has more. Ids of calls that have ended leave
 * it at the next occasion, or when they have become many.
 */

/** Ids in the filter that wait for a call: at least this many, and a quarter of those in use. */
const SPARE_IDS = 16;
/** Ids of ended calls that the filter may still let through, likewise. */
const ENDED_IDS = 16;
/** More calls would make finding an unused id a matter of luck. */
const MOST_CALLS = 32768;

export class CallIds {
  private readonly used = new Set<number>();
  private readonly spare: number[] = [];
  private ended = 0;
  private readonly random: (length: number) => Uint8Array;
  private readonly admit: (callIds: Uint16Array) => void;
  private readonly taken: (callId: number) => boolean;

  /**
   * @param admit makes the filter: only GRE with these ids reaches us
   * @param taken ids that relayed calls have
   */
  constructor(
    random: (length: number) => Uint8Array,
    admit: (callIds: Uint16Array) => void,
    taken: (callId: number) => boolean = () => false,
  ) {
    this.random = random;
    this.admit = admit;
    this.taken = taken;
    this.renew();
  }

  /** An id that the filter lets through: random, so that nobody can guess it from another one; unique on this machine. */
  take(): number | undefined {
    if (this.used.size >= MOST_CALLS) return undefined;
    if (this.spare.length === 0) this.renew();
    const callId = this.spare.pop()!;
    this.used.add(callId);
    return callId;
  }

  /** Some call has it, or may have it next. */
  has(callId: number): boolean {
    return this.used.has(callId) || this.spare.includes(callId);
  }

  release(callId: number): void {
    if (!this.used.delete(callId)) return;
    this.ended++;
    if (this.ended > Math.max(ENDED_IDS, this.used.size >> 2)) this.renew();
  }

  private renew(): void {
    const wanted = Math.max(SPARE_IDS, this.used.size >> 2);
    const spare = new Set(this.spare.slice(0, wanted));
    while (spare.size < wanted) {
      const [high, low] = this.random(2);
      const callId = (high! << 8) | low!;
      if (!this.used.has(callId) && !this.taken(callId)) spare.add(callId);
    }
    this.spare.splice(0, this.spare.length, ...spare);
    this.ended = 0;
    this.admit(Uint16Array.from([...this.used, ...this.spare]));
  }
}
