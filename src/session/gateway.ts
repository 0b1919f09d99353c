/**
 * What the servers and links of one daemon share: places for sessions, their numbers, and attempts that may collide with a
 * peer's.
 */
import { losesCollision } from '../pptp/collision.ts';
import type { Ipv4 } from '../wire/brand.ts';
import type { Limits } from './options.ts';

export interface GatewayOptions {
  readonly limits: Limits;
  /** Cryptographically secure. */
  readonly random: (length: number) => Uint8Array;
  /** Input of a peer was tolerated. */
  readonly count: (counter: string) => void;
}

/** A link that has sent Start-Control-Connection-Request and waits for the reply (RFC 2637 §3.1.3). */
export interface Attempt {
  readonly peer: Ipv4;
  readonly local: Ipv4;
  /** The peer's own attempt wins. */
  lose(now: number): void;
}

export class Gateway {
  readonly random: (length: number) => Uint8Array;
  readonly count: (counter: string) => void;
  #limits: Limits;
  #occupied = 0;
  #lastId = 0;
  readonly #attempts = new Set<Attempt>();
  readonly #standbyNumbers = new Set<number>();

  constructor({ limits, random, count }: GatewayOptions) {
    this.random = random;
    this.count = count;
    this.#limits = limits;
  }

  get limits(): Limits {
    return this.#limits;
  }

  reconfigure(limits: Limits): void {
    this.#limits = limits;
  }

  /** The last session id. Not carried: random, count, #limits; #occupied, #attempts and #standbyNumbers, which are taken anew. */
  save(): number {
    return this.#lastId;
  }

  restore(lastId: number): void {
    this.#lastId = lastId;
  }

  /** Session ids: 1, 2, ... while the daemon runs. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Sessions and links that hold one of the `limits.maxSessions` places. */
  get occupied(): number {
    return this.#occupied;
  }

  /** Takes a place. @returns gives it back, once */
  occupy(): () => void {
    this.#occupied += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) throw new Error('a place was left twice');
      isHeld = false;
      this.#occupied -= 1;
    };
  }

  /** A number for a link that has addresses before it has a session: the smallest that is free. */
  takeStandbyNumber(): number {
    let number = 0;
    while (this.#standbyNumbers.has(number)) number++;
    this.#standbyNumbers.add(number);
    return number;
  }

  /** One that a link of the program before has. @throws Error another has it */
  keepStandbyNumber(number: number): void {
    if (this.#standbyNumbers.has(number)) throw new Error('a number of two links that wait');
    this.#standbyNumbers.add(number);
  }

  leaveStandbyNumber(number: number): void {
    this.#standbyNumbers.delete(number);
  }

  enterAttempt(attempt: Attempt): void {
    this.#attempts.add(attempt);
  }

  leaveAttempt(attempt: Attempt): void {
    this.#attempts.delete(attempt);
  }

  /**
   * The peer's Start-Control-Connection-Request has come. If a link of ours waits for the peer's reply at this moment, one
   * of the two gives way: ours here and now, or the peer (true).
   */
  winsCollision(peer: Ipv4, local: Ipv4, now: number): boolean {
    let wins = false;
    for (const attempt of [...this.#attempts]) {
      if (attempt.peer !== peer || attempt.local !== local) continue;
      if (losesCollision(local, peer)) attempt.lose(now);
      else wins ||= losesCollision(peer, local);
    }
    return wins;
  }
}
