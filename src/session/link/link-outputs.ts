/** What a link says and asks: its queue of outputs, and the state it shows. */
import type { Cause } from '../../wire/cause.ts';
import { OutputQueue } from '../output-queue.ts';
import type { ClientLinkOutput, LinkState, SessionEvent, Step } from '../ports.ts';

export class LinkOutputs extends OutputQueue<ClientLinkOutput> {
  readonly #link: string;
  readonly #probe: boolean;
  #state: LinkState = 'down';

  /** @param probe steps are told, and every state, also the first 'down' */
  constructor(link: string, probe: boolean) {
    super();
    this.#link = link;
    this.#probe = probe;
  }

  get state(): LinkState {
    return this.#state;
  }

  event(event: SessionEvent): void {
    this.push({ kind: 'event', event });
  }

  /** Changes the state that is shown; every pause is news, and so is that the link is given up, still. */
  show(state: LinkState, cause: Cause | undefined, retryIn?: number): void {
    const isNews = state !== this.#state || state === 'waiting' || state === 'blocked';
    if (!isNews && !this.#probe) return;
    this.#state = state;
    this.event({
      what: 'link-state',
      link: this.#link,
      state,
      ...(cause === undefined ? {} : { cause }),
      ...(retryIn === undefined ? {} : { retryIn }),
    });
  }

  step(step: Step, detail: string): void {
    if (this.#probe) this.event({ what: 'step', link: this.#link, step, detail });
  }
}
