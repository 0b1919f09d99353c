/**
 * Whether a device of the LAN has an address of a pool that lies there (proxy ARP): asked by ARP before its first use, as
 * DHCP servers do, and again when the answer has grown old.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Neighbours } from '../ports.ts';

/** A device that has not answered two requests (the kernel repeats one after a second) is not there, ms. */
const ANSWER_TIME = 1_200;
/** How long an answer is good for, ms. */
const VALID = 600_000;
/** Requests without an answer at a time: each is a broadcast. */
const MOST_ASKED = 16;
const REMEMBERED = 4096;
/** How often an address in use is asked for, ms, and how many at a time. */
const WATCH_TIME = 60_000;
const MOST_WATCHED = 8;

/** Nobody has it; who has it; or how long it takes until that is known, ms. */
export type Found = 'free' | { readonly holder: string } | { readonly wait: number };

export class LanAddresses {
  readonly #port: Neighbours;
  /** When they were asked for. */
  readonly #asked = new BoundedMap<Ipv4, number>(REMEMBERED);
  /** Of those that are being asked for. */
  readonly #pending = new Map<Ipv4, number>();

  constructor(port: Neighbours) {
    this.#port = port;
  }

  look(address: Ipv4, now: number): Found {
    const asked = this.#asked.get(address);
    if (asked === undefined || now - asked >= VALID) return this.#ask(address, now);
    const holder = this.#port.holder(address);
    if (holder !== undefined) {
      this.#pending.delete(address);
      return { holder };
    }
    const wait = asked + ANSWER_TIME - now;
    if (wait > 0) return { wait };
    this.#pending.delete(address);
    return 'free';
  }

  /**
   * Callers have these: nobody else should. A device whose packets need no ARP shows only when it is asked, so those that
   * were asked for longest ago are, a few at a time.
   */
  watch(addresses: readonly Ipv4[], now: number): { address: Ipv4; holder: string }[] {
    const found = addresses.flatMap((address) => {
      const holder = this.#port.holder(address);
      return holder === undefined ? [] : [{ address, holder }];
    });
    const due = addresses
      .map((address) => ({ address, asked: this.#asked.get(address) ?? -Infinity }))
      .filter(({ asked }) => now - asked >= WATCH_TIME)
      .sort((a, b) => a.asked - b.asked);
    for (const { address } of due.slice(0, MOST_WATCHED)) this.#ask(address, now);
    return found;
  }

  #ask(address: Ipv4, now: number): Found {
    for (const [other, at] of this.#pending)
      if (now - at >= ANSWER_TIME) this.#pending.delete(other);
    if (this.#pending.size >= MOST_ASKED) {
      const [first] = this.#pending.values();
      return { wait: Math.max(1, first! + ANSWER_TIME - now) };
    }
    this.#pending.set(address, now);
    this.#asked.set(address, now);
    this.#port.ask(address);
    return { wait: ANSWER_TIME };
  }
}
