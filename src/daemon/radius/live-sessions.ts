/** The callers' sessions by the names that RADIUS has for them (Acct-Session-Id), as they are now. */
import { clock } from '../../platform/platform.ts';
import type { SessionAccount, SessionStatus } from '../../session/ports.ts';
import type { ServerRunner } from '../tunnels/server-runner.ts';

export type CallerSession = SessionStatus & { readonly account: SessionAccount };

/** A look at all of them serves whoever asks within this time, ms. */
const FRESH = 100;

export class LiveSessions {
  readonly #servers: ReadonlyMap<string, ServerRunner>;
  #seen: ReadonlyMap<string, CallerSession> = new Map();
  #seenAt = -Infinity;

  constructor(servers: ReadonlyMap<string, ServerRunner>) {
    this.#servers = servers;
  }

  get(accountingId: string): CallerSession | undefined {
    return this.#look().get(accountingId);
  }

  all(): IterableIterator<CallerSession> {
    return this.#look().values();
  }

  /** Of the session; undefined: it is over. */
  serverOf({ name }: CallerSession): ServerRunner | undefined {
    return this.#servers.get(name);
  }

  /** Something has happened to one. */
  forget(): void {
    this.#seenAt = -Infinity;
  }

  #look(): ReadonlyMap<string, CallerSession> {
    const now = clock.monotonic();
    if (now - this.#seenAt < FRESH) return this.#seen;
    this.#seenAt = now;
    this.#seen = new Map(
      [...this.#servers.values()]
        .flatMap(({ server }) => server.sessions())
        .filter(isOfCaller)
        .map((session) => [session.account.call.accountingId, session]),
    );
    return this.#seen;
  }
}

export function isOfCaller(session: SessionStatus): session is CallerSession {
  return session.account !== undefined;
}
