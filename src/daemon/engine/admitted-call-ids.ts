/**
 * The call ids of our own calls, and the kernel's filter that knows them: strangers' GRE ends in the kernel.
 *
 * Making a filter costs time for every id in it, so it is not made anew for every call. It lets some ids through that
 * no call has yet; calls get those, and when they are used up a new filter has more. Ids of calls that have ended leave
 * it at the next occasion, or when they have become many.
 */
import type { CallIds } from '../../pptp/call-ids.ts';
import type { CallId } from '../../wire/brand.ts';

/** Ids in the filter that wait for a call: at least this many, and a quarter of those in use. */
const SPARE_IDS = 16;
/** Ids of ended calls that the filter may still let through, likewise. */
const ENDED_IDS = 16;

export class AdmittedCallIds {
  readonly #ids: CallIds;
  readonly #used = new Set<CallId>();
  readonly #spare: CallId[] = [];
  #ended = 0;
  readonly #admit: (callIds: Uint16Array) => void;

  /**
   * @param admit makes the filter: only GRE with these ids reaches us
   * @param inherited of calls that the program before had
   */
  constructor(
    ids: CallIds,
    admit: (callIds: Uint16Array) => void,
    inherited: readonly CallId[] = [],
  ) {
    this.#ids = ids;
    this.#admit = admit;
    for (const callId of inherited) {
      ids.claim(callId);
      this.#used.add(callId);
    }
    this.#renew();
  }

  /** An id that the filter lets through; undefined: there are as many calls as can be told apart. */
  take(): CallId | undefined {
    if (this.#spare.length === 0) this.#renew();
    const callId = this.#spare.pop();
    if (callId !== undefined) this.#used.add(callId);
    return callId;
  }

  release(callId: CallId): void {
    if (!this.#used.delete(callId)) return;
    this.#ids.release(callId);
    this.#ended++;
    if (this.#ended > Math.max(ENDED_IDS, this.#used.size >> 2)) this.#renew();
  }

  #renew(): void {
    const ids = this.#ids;
    const spare = this.#spare;
    const used = this.#used;
    const wanted = Math.max(SPARE_IDS, used.size >> 2);
    for (const callId of spare.splice(wanted)) ids.release(callId);
    while (spare.length < wanted) {
      const callId = ids.take();
      if (callId === undefined) break;
      spare.push(callId);
    }
    this.#ended = 0;
    this.#admit(Uint16Array.from([...used, ...spare]));
  }
}
