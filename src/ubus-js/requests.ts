/** What this end has asked of the bus and not been answered yet. A request is answered by any number of DATA and one STATUS. */
import type { Timer } from '../platform/clock.ts';
import { clock } from '../platform/platform.ts';
import { decodeTable } from './blobmsg.ts';
import type { Attributes, Message, MessageType } from './message.ts';
import { statusName, UbusError } from './status.ts';

const MAX_WAITING = 1024;
/** Sequence numbers of requests that timed out are not used again while their answers may still come. */
const MAX_ABANDONED = 256;

export interface Answer {
  data?(attributes: Attributes): void;
  /** Called once, last. */
  end(error: UbusError | undefined): void;
}

interface Waiting {
  readonly peer: number;
  readonly answer: Answer;
  readonly timer: Timer;
  /** The last DATA, which says more of an error than its status does. */
  last: Attributes;
}

export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  readonly #abandoned = new Set<number>();
  #transmit: ((message: Message) => void) | undefined;
  #lastSeq = 0;

  /** @param transmit undefined: there is no connection (any more) */
  reset(transmit?: (message: Message) => void): void {
    this.#transmit = transmit;
    this.#abandoned.clear();
    for (const seq of [...this.#waiting.keys()])
      this.#finish(seq, new UbusError('CONNECTION_FAILED', 'the connection to ubus was lost'));
  }

  /** @param timeout milliseconds */
  send(
    type: MessageType,
    peer: number,
    attributes: Attributes,
    timeout: number,
    answer: Answer,
  ): void {
    if (this.#transmit === undefined) {
      answer.end(new UbusError('CONNECTION_FAILED'));
      return;
    }
    if (this.#waiting.size >= MAX_WAITING) {
      answer.end(new UbusError('NO_MEMORY', `${MAX_WAITING} requests are waiting already`));
      return;
    }
    const seq = this.#nextSeq();
    const timer = clock.after(timeout, () => {
      this.#abandon(seq);
      this.#finish(seq, new UbusError('TIMEOUT'));
    });
    this.#waiting.set(seq, { peer, answer, timer, last: {} });
    try {
      this.#transmit({ type, seq, peer, attributes });
    } catch (error) {
      this.#finish(seq, error as UbusError);
    }
  }

  /** Without an answer, as NOTIFY with NO_REPLY. */
  post(type: MessageType, peer: number, attributes: Attributes): void {
    this.#transmit?.({ type, seq: this.#nextSeq(), peer, attributes });
  }

  /** DATA or STATUS. */
  receive({ type, seq, peer, attributes }: Message): void {
    const found = this.#waiting.get(seq);
    if (found?.peer !== peer) {
      if (type === 'STATUS') this.#abandoned.delete(seq);
      return;
    }
    if (type === 'DATA') {
      found.last = attributes;
      found.answer.data?.(attributes);
      return;
    }
    const status = statusName(attributes.status ?? -1);
    this.#finish(seq, status === 'OK' ? undefined : new UbusError(status, explanation(found.last)));
  }

  fail(seq: number, error: UbusError): void {
    if (this.#waiting.has(seq)) this.#finish(seq, error);
  }

  #finish(seq: number, error: UbusError | undefined): void {
    const { answer, timer } = this.#waiting.get(seq)!;
    this.#waiting.delete(seq);
    clock.cancel(timer);
    answer.end(error);
  }

  #nextSeq(): number {
    do this.#lastSeq = (this.#lastSeq + 1) & 0xffff;
    while (this.#waiting.has(this.#lastSeq) || this.#abandoned.has(this.#lastSeq));
    return this.#lastSeq;
  }

  #abandon(seq: number): void {
    this.#abandoned.add(seq);
    if (this.#abandoned.size > MAX_ABANDONED)
      for (const oldest of this.#abandoned) {
        this.#abandoned.delete(oldest);
        break;
      }
  }
}

/** Our own objects send {error: text} before a status that is not OK (objects.ts). */
function explanation({ data }: Attributes): string | undefined {
  if (data === undefined) return undefined;
  const table = decodeTable(data);
  if (table instanceof UbusError) return undefined;
  return typeof table['error'] === 'string' ? table['error'] : undefined;
}
