/**
 * A socket of the client and its 256 identifiers: RFC 2865 §3 (Identifier), RFC 6613 §2.6.2 (those of each connection are its own).
 *
 * An identifier that is free again is used again last, and what it was used for before is remembered: an answer that comes late
 * is told from one that was made with a wrong secret.
 */
import type { SocketId } from './client-output.ts';
import type { RadiusFramer } from './framer.ts';
import type { SealedRequest } from './sealing.ts';
import type { SharedSecret } from './shared-secret.ts';

const IDENTIFIERS = 256;

/** What an answer is checked by. */
interface Proof {
  readonly authenticator: Uint8Array;
  readonly secret: SharedSecret;
}

/** A request as it was put to one server under one identifier; it waits for its answer. */
export interface Question<Server, Exchange> extends Proof {
  readonly state: 'waiting';
  readonly exchange: Exchange;
  readonly socket: ClientSocket<Server, Exchange>;
  readonly identifier: number;
  readonly octets: Uint8Array;
  /** Acct-Delay-Time in it, s. */
  readonly delay: number | undefined;
  /** How often. */
  sent: number;
  firstSent: number | undefined;
  /** What the identifier was used for before. */
  readonly before: Past | undefined;
}

/** A question that is over; given-up: nobody waited any more. */
export interface Past extends Proof {
  readonly state: 'answered' | 'given-up';
}

export class ClientSocket<Server, Exchange> {
  readonly id: SocketId;
  readonly server: Server;
  readonly framer: RadiusFramer | undefined;
  readonly #questions: (Question<Server, Exchange> | Past | undefined)[] = [];
  #next: number;
  #waiting = 0;
  isOpen = false;
  /** A valid answer has come over it; ms. */
  heard: number | undefined;
  /** Since when no question waits; ms. */
  idleSince: number;

  /**
   * @param framer with a stream
   * @param first an identifier to begin with: what follows one another is not to be guessed from outside
   */
  constructor(
    id: SocketId,
    server: Server,
    framer: RadiusFramer | undefined,
    first: number,
    now: number,
  ) {
    this.id = id;
    this.server = server;
    this.framer = framer;
    this.#next = first;
    this.idleSince = now;
  }

  /** Questions that wait for an answer. */
  get waiting(): number {
    return this.#waiting;
  }

  get isFull(): boolean {
    return this.#waiting === IDENTIFIERS;
  }

  /** Puts a question under a free identifier; there must be one. */
  add(
    exchange: Exchange,
    delay: number | undefined,
    secret: SharedSecret,
    seal: (identifier: number) => SealedRequest,
  ): Question<Server, Exchange> {
    let last = this.#questions[this.#next];
    while (last?.state === 'waiting') {
      this.#next = after(this.#next);
      last = this.#questions[this.#next];
    }
    const identifier = this.#next;
    this.#next = after(identifier);
    const question: Question<Server, Exchange> = {
      ...seal(identifier),
      state: 'waiting',
      exchange,
      delay,
      secret,
      socket: this,
      identifier,
      sent: 0,
      firstSent: undefined,
      before: last,
    };
    this.#questions[identifier] = question;
    this.#waiting++;
    return question;
  }

  /** What the identifier is, or was last, used for. */
  find(identifier: number): Question<Server, Exchange> | Past | undefined {
    return this.#questions[identifier];
  }

  /** The question is over, if it was not. */
  release(question: Question<Server, Exchange>, state: Past['state'], now: number): void {
    const { identifier, authenticator, secret } = question;
    if (this.#questions[identifier] !== question) return;
    this.#questions[identifier] = { authenticator, secret, state };
    this.#waiting--;
    this.idleSince = now;
  }

  /** Those that wait for an answer. */
  questions(): Question<Server, Exchange>[] {
    return this.#questions.filter((question) => question?.state === 'waiting');
  }
}

function after(identifier: number): number {
  return (identifier + 1) % IDENTIFIERS;
}
