/** How far the peer's packets get to us, and what it means when a call ends after long silence: something on the way drops GRE. */
import { cause, type Cause, type CauseCode } from '../wire/cause.ts';
import type { CallPath } from './ports.ts';

/** A call that ends without any GRE after this long was not just refused, ms. */
const GRE_PATIENCE = 5_000;

/** What a call ends with when its GRE does not arrive, at one end or the other. */
const silenceCodes: ReadonlySet<CauseCode> = new Set<CauseCode>([
  'LCP_TIMEOUT',
  'AUTH_TIMEOUT',
  'HANDSHAKE_TIMEOUT',
  'HANGUP',
  'CONTROL_LOST',
]);

/** The peer had enough. */
const hangupCodes: ReadonlySet<CauseCode> = new Set<CauseCode>(['HANGUP', 'CONTROL_LOST']);

export class Reach {
  readonly #path: CallPath;
  #startedAt: number;
  #heard: 'nothing' | 'gre' | 'ppp' = 'nothing';
  lcpUp = false;

  constructor(path: CallPath, now: number) {
    this.#path = path;
    this.#startedAt = now;
  }

  /** Not carried: #path. */
  save() {
    return { startedAt: this.#startedAt, heard: this.#heard, lcpUp: this.lcpUp };
  }

  restore({ startedAt, heard, lcpUp }: ReturnType<Reach['save']>): void {
    this.#startedAt = startedAt;
    this.#heard = heard;
    this.lcpUp = lcpUp;
  }

  /** A PPP frame has come. @returns whether it is the first of all */
  ppp(): boolean {
    const isFirst = this.#heard === 'nothing';
    this.#heard = 'ppp';
    return isFirst;
  }

  /** Looks whether GRE has come, if only acknowledgments. @returns whether it is the first of all */
  gre(): boolean {
    if (this.#heard !== 'nothing' || !this.#path.heard()) return false;
    this.#heard = 'gre';
    return true;
  }

  /** The better explanation of an end, where nothing of the peer came, or nothing of ours arrived there. */
  explain(why: Cause, now: number): Cause {
    const patient = now - this.#startedAt >= GRE_PATIENCE;
    if (!patient || !silenceCodes.has(why.code)) return why;
    const obstacle = this.#path.obstacle();
    if (!this.#path.heard()) return cause('GRE_BLOCKED', obstacle);
    if (obstacle !== undefined && !this.lcpUp) return cause('LCP_TIMEOUT', obstacle);
    if (this.#heard !== 'ppp')
      return cause('LCP_TIMEOUT', 'it acknowledges our GRE packets, but sends no PPP');
    return this.lcpUp || !hangupCodes.has(why.code) ? why : cause('LCP_TIMEOUT', 'it hung up');
  }
}
