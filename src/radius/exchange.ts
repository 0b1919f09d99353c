/** A request on its way: which servers have been asked, how often, and until when. */
import { cause, type Cause } from '../wire/cause.ts';
import type { DecodedRadiusPacket } from '../wire/radius.ts';
import type { RadiusRequest } from './client-options.ts';
import type { ClientSocket, Question } from './client-socket.ts';
import type { RadiusServer } from './server.ts';

export type Server = RadiusServer<Exchange>;
export type Socket = ClientSocket<Server, Exchange>;
export type Asked = Question<Server, Exchange>;

export type Outcome =
  | { readonly kind: 'answered'; readonly server: string; readonly answer: DecodedRadiusPacket }
  | { readonly kind: 'failed'; readonly cause: Cause };

/** The server that is being asked. */
export interface Turn {
  readonly server: Server;
  readonly began: number;
  question: Asked;
  /** How often it may be sent yet. */
  left: number;
  /** ms, the running one. */
  interval: number;
  /** When it is over. */
  next: number;
}

/**
 * request: somebody's. status: does the server live? secret-check: without Message-Authenticator, so that a server that has another
 * secret, and is silent for that reason, gives itself away by an answer; nobody believes it.
 */
export type Purpose = 'request' | 'status' | 'secret-check';

export class Exchange {
  readonly request: RadiusRequest;
  readonly report: (outcome: Outcome) => void;
  readonly purpose: Purpose;
  /** When no answer is of use any more; ms, Infinity: never. */
  readonly deadline: number;
  readonly tried = new Set<Server>();
  /** All ways in which it was asked: whichever is answered first counts. */
  readonly questions: Asked[] = [];
  /** undefined: it waits for a free identifier. */
  turn: Turn | undefined;
  /** An answer came without the Message-Authenticator that it needs. */
  wasUnsigned = false;

  constructor(
    request: RadiusRequest,
    now: number,
    report: (outcome: Outcome) => void,
    purpose: Purpose = 'request',
  ) {
    this.request = request;
    this.report = report;
    this.purpose = purpose;
    this.deadline = now + (request.within ?? Infinity);
  }

  /** When something is to be done about it, ms; Infinity: only an identifier can help. */
  get next(): number {
    return Math.min(this.deadline, this.turn?.next ?? Infinity);
  }

  /** Acct-Delay-Time, s. RFC 2866 §5.2 */
  delay(now: number): number | undefined {
    const { happened } = this.request;
    return happened === undefined ? undefined : Math.max(0, Math.floor((now - happened) / 1000));
  }

  /** Why there is no answer: no server is left that could be asked, or it would come too late. */
  failure(when: 'none left' | 'out of time'): Cause {
    const servers = new Set(this.tried);
    if (this.turn !== undefined) servers.add(this.turn.server);
    if (servers.size > 0)
      return noAnswerCause([...servers], this.wasUnsigned ? 'unsigned' : 'none');
    return when === 'out of time'
      ? cause('RADIUS_BUSY')
      : cause('RADIUS_UNREACHABLE', this.request.server ?? 'no server is configured');
  }
}

/**
 * Why none of the servers has given an answer.
 * @param answers those that came and were not taken
 */
export function noAnswerCause(servers: readonly Server[], answers: 'unsigned' | 'none'): Cause {
  const names = servers.map(({ options }) => options.name).join(', ');
  const distrusted = servers.filter(({ isDistrusted }) => isDistrusted);
  if (distrusted.length > 0)
    return cause('RADIUS_WRONG_SECRET', distrusted.map(({ options }) => options.name).join(', '));
  if (answers === 'unsigned') return cause('RADIUS_UNSIGNED', names);
  const troubles = servers.map(
    ({ options, trouble }) => options.name + (trouble === undefined ? '' : `: ${trouble}`),
  );
  const isReached = servers.some(({ trouble }) => trouble === undefined);
  return cause(isReached ? 'RADIUS_NO_ANSWER' : 'RADIUS_UNREACHABLE', troubles.join(', '));
}
