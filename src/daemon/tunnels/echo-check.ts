/**
 * `check` of a link that is up: dialling beside it might end it (max_per_user at the server), so the live session itself
 * is asked, by LCP echo, and is not disturbed by that.
 */
import { clock } from '../../platform/platform.ts';
import type { ClientLink } from '../../session/link/client-link.ts';
import type { SessionStatus, Step } from '../../session/ports.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress } from '../../wire/ip.ts';

/** An echo may be lost: how often it is asked, and how long each answer may take, ms. */
const ATTEMPTS = 3;
const PATIENCE = 2_000;

/** What this asks of a link; LinkRunner. */
export interface EchoTarget {
  readonly link: Pick<ClientLink, 'status' | 'echoTime'>;
  feed(act: (link: Pick<ClientLink, 'askEcho'>, now: number) => void): void;
}

export type EchoVerdict = { readonly time: number } | { readonly cause: Cause };

export class EchoCheck {
  readonly #target: EchoTarget;
  readonly #id: number;
  #attempts = 0;
  #askedAt = 0;

  constructor(target: EchoTarget, session: SessionStatus) {
    this.#target = target;
    this.#id = session.id;
    this.#ask();
  }

  /** undefined: not known yet; look again. */
  look(now = clock.monotonic()): EchoVerdict | undefined {
    const { link } = this.#target;
    const { session, cause: why } = link.status();
    if (session?.id !== this.#id) return { cause: why ?? cause('PEER_DEAD') };
    const time = link.echoTime;
    if (time !== undefined) return { time };
    if (now - this.#askedAt < PATIENCE) return undefined;
    if (this.#attempts === ATTEMPTS) return { cause: cause('PEER_DEAD') };
    this.#ask();
    return undefined;
  }

  #ask(): void {
    this.#attempts++;
    this.#target.feed((link, now) => {
      this.#askedAt = now;
      link.askEcho(now);
    });
  }
}

/** What a session that is up says of the steps before the echo, and of those after it. */
export function liveSteps(session: SessionStatus): Record<'before' | 'after', [Step, string][]> {
  return {
    before: [
      ['name', 'the link is up, so nothing is dialled'],
      ['tcp', formatAddress(session.peer)],
      ['control', ''],
      ['call', `call id ${session.callId}, peer ${session.peerCallId}`],
      ['gre', `${session.counters.rxPackets} IP packets received`],
    ],
    after: [
      ['login', session.auth],
      ['encryption', session.mppe],
      [
        'addresses',
        `${formatAddress(session.localAddress)} to ${formatAddress(session.peerAddress)}`,
      ],
    ],
  };
}
