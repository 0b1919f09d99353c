/**
 * Two PPP links on a virtual clock, joined by a line that may lose, repeat and reorder frames; or one link facing a
 * script.
 */
import type { MppeKeys } from '../../src/crypto/mppe-keys.ts';
import { Secret } from '../../src/crypto/secret.ts';
import { PppLink } from '../../src/ppp/link.ts';
import type { Grant, LinkOptions } from '../../src/ppp/options.ts';
import type { LinkOutput } from '../../src/ppp/output.ts';
import type { Cause } from '../../src/wire/cause.ts';
import { cause } from '../../src/wire/cause.ts';
import { VirtualClock } from './clock.ts';

export interface LineFaults {
  /** Probability of a frame to be lost, and to come twice. */
  readonly loss: number;
  readonly repetition: number;
  /** Largest delay, ms; each frame has its own, so that frames overtake each other. */
  readonly jitter: number;
}

export const PERFECT: LineFaults = { loss: 0, repetition: 0, jitter: 0 };
const LATENCY = 10;

/** Mulberry32: the same numbers on every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function seededOctets(seed: number): (length: number) => Uint8Array {
  const random = seededRandom(seed);
  return (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** An output, or what was counted. */
type Said = LinkOutput | { readonly kind: 'counted'; readonly what: string };
export type Output<K extends Said['kind']> = Extract<Said, { kind: K }>;

/** A link and everything it has put out. */
export class Station {
  readonly link: PppLink;
  readonly outputs: Said[] = [];
  /** IP packets that the data path has carried. */
  readonly packets = { send: 0, receive: 0 };

  constructor(options: LinkOptions) {
    const count = (what: string) => this.outputs.push({ kind: 'counted', what });
    this.link = new PppLink({ ...options, count }, (direction) => this.packets[direction]);
  }

  all<K extends Said['kind']>(kind: K): Output<K>[] {
    return this.outputs.filter((output): output is Output<K> => output.kind === kind);
  }

  last<K extends Said['kind']>(kind: K): Output<K> | undefined {
    return this.all(kind).at(-1);
  }

  get frames(): Uint8Array[] {
    return this.all('transmit').map((output) => output.frame);
  }

  get isIpUp(): boolean {
    const isAbout = ({ kind }: Said) => kind === 'ip-up' || kind === 'ip-down' || kind === 'down';
    return this.outputs.findLast(isAbout)?.kind === 'ip-up';
  }

  /** Why the link ended; undefined while it lives. */
  get cause(): Cause | undefined {
    return this.last('down')?.cause;
  }

  /** How packets are encrypted, without the keys. */
  get encryption(): Record<'send' | 'receive', Omit<MppeKeys, 'startKey'> | undefined> {
    const without = (mppe: MppeKeys | undefined) =>
      mppe && { strength: mppe.strength, stateful: mppe.stateful };
    return { send: without(this.mppe('send')), receive: without(this.mppe('receive')) };
  }

  /** What the data path has been told to do in one direction. */
  mppe(direction: 'send' | 'receive'): Output<'mppe'>['mppe'] {
    return this.all('mppe')
      .filter((output) => output.direction === direction)
      .at(-1)?.mppe;
  }
}

export const SERVER_ADDRESS = 0xc0a86301;
export const CLIENT_ADDRESS = 0xc0a8630a;
export const DNS = 0x08080808;

export const GRANT: Grant = {
  localAddress: SERVER_ADDRESS,
  peerAddress: CLIENT_ADDRESS,
  dns: [DNS],
  nbns: [],
};

export const PASSWORD = 'clientPass';

export function serverOptions(seed = 1): LinkOptions {
  return {
    mru: 1400,
    authenticatePeer: { methods: ['mschap-v2'], name: 'gateway' },
    mppe: { policy: 'required', strengths: [128], stateful: false },
    ip: { requestDns: false },
    ipv6: false,
    random: seededOctets(seed),
    count: () => undefined,
  };
}

export function clientOptions(seed = 2): LinkOptions {
  return {
    mru: 1400,
    identity: {
      username: 'User',
      secret: Secret.fromPassword(PASSWORD),
      methods: ['mschap-v2'],
    },
    mppe: { policy: 'required', strengths: [128], stateful: false },
    ip: { requestDns: true },
    ipv6: false,
    random: seededOctets(seed),
    count: () => undefined,
  };
}

export interface PairOptions {
  readonly server?: Partial<LinkOptions>;
  readonly client?: Partial<LinkOptions>;
  readonly faults?: LineFaults;
  readonly seed?: number;
  /** The account's secret. */
  readonly secret?: Secret;
  readonly grant?: Grant;
  /** What the client grants where the server logs in to it. */
  readonly clientGrant?: Grant;
  /** Decide this much later, ms. */
  readonly decisionDelay?: number;
}

export class Pair {
  readonly clock = new VirtualClock();
  readonly server: Station;
  readonly client: Station;
  faults: LineFaults;
  /** Frames that do not arrive, besides. */
  isLost: (frame: Uint8Array, to: Station) => boolean = () => false;
  readonly #options: PairOptions;
  readonly #random: () => number;

  constructor(options: PairOptions = {}) {
    this.#options = options;
    const seed = options.seed ?? 1;
    this.faults = options.faults ?? PERFECT;
    this.#random = seededRandom(seed);
    this.server = new Station({ ...serverOptions(seed * 2), ...options.server });
    this.client = new Station({ ...clientOptions(seed * 2 + 1), ...options.client });
  }

  start(): this {
    this.server.link.handleLowerUp(this.clock.now);
    this.client.link.handleLowerUp(this.clock.now);
    return this;
  }

  advance(duration: number): this {
    const { server, client } = this;
    this.clock.advance(duration, [server.link, client.link], () => {
      this.#drain(server, client);
      this.#drain(client, server);
    });
    return this;
  }

  get areUp(): boolean {
    return this.server.isIpUp && this.client.isIpUp;
  }

  #drain(from: Station, to: Station): void {
    for (let output; (output = from.link.poll()) !== undefined;) {
      from.outputs.push(output);
      if (output.kind === 'transmit') this.#carry(output.frame, to);
      if (output.kind === 'login') this.#decide(from, output);
    }
  }

  #carry(frame: Uint8Array, to: Station): void {
    const { loss, repetition, jitter } = this.faults;
    if (this.#random() < loss || this.isLost(frame, to)) return;
    const copies = this.#random() < repetition ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      this.clock.after(LATENCY + Math.floor(this.#random() * jitter), () => {
        to.link.handleFrame(frame, this.clock.now);
      });
  }

  #decide(station: Station, { attempt }: Output<'login'>): void {
    const { secret = Secret.fromPassword(PASSWORD), decisionDelay } = this.#options;
    const { grant = GRANT, clientGrant = grant } = this.#options;
    const { link } = station;
    const decide = (): void => {
      const right = attempt.verify(secret) && attempt.bareUsername === 'User';
      if (right) link.admit(station === this.client ? clientGrant : grant, this.clock.now);
      else link.refuse(cause('PEER_AUTH_FAILED'), this.clock.now);
    };
    if (decisionDelay === undefined) decide();
    else this.clock.after(decisionDelay, decide);
  }
}
