/**
 * IPv6 of one caller: the machine that tells it (ipv6/caller-ipv6.ts), and which prefixes it owns for that. Without a prefix of
 * the server there is none, and link-local passes alone.
 */
import { CallerIpv6 } from '../ipv6/caller-ipv6.ts';
import type { CallerIpv6Options, CallerIpv6Ports } from '../ipv6/options.ts';
import { addressInPrefix, isSameIpv6Prefix, type Ipv6Prefix } from '../wire/ipv6.ts';

/** What a caller gets, but for what its link has agreed on. */
export type Ipv6Offer = Omit<CallerIpv6Options, 'mtu' | 'ourIdentifier' | 'peerIdentifier'>;

/** Who is let in has one, where the server has IPv6. */
export interface Ipv6Source {
  /** What a caller with this interface identifier has now; the same each time while nothing has changed. undefined: nothing. */
  offer(peerIdentifier: Uint8Array): Ipv6Offer | undefined;
  readonly delegate: CallerIpv6Ports['delegate'];
}

export interface SessionIpv6Ports extends Omit<CallerIpv6Ports, 'delegate'> {
  readonly source: Ipv6Source;
  readonly transmit: (packet: Uint8Array) => void;
}

type Agreed = Pick<CallerIpv6Options, 'mtu' | 'ourIdentifier' | 'peerIdentifier'>;

/** A prefix that it owns; `from`: of those it was told of the one that this is for. */
interface Owned {
  readonly prefix: Ipv6Prefix;
  readonly from: Ipv6Prefix;
}

interface Running {
  readonly machine: CallerIpv6;
  readonly options: CallerIpv6Options;
}

export class SessionIpv6 {
  readonly #ports: SessionIpv6Ports;
  readonly #agreed: Agreed;
  #running: Running | undefined;
  #owned: readonly Owned[] = [];
  /** Packets get through. */
  #isOpen = false;

  constructor(agreed: Agreed, ports: SessionIpv6Ports) {
    this.#agreed = agreed;
    this.#ports = ports;
  }

  /** Not carried: #ports and #agreed, which are given anew. */
  save() {
    const running = this.#running && {
      machine: this.#running.machine.save(),
      options: this.#running.options,
    };
    return { running, owned: this.#owned, isOpen: this.#isOpen };
  }

  restore({ running, owned, isOpen }: ReturnType<SessionIpv6['save']>): void {
    this.#owned = owned;
    this.#isOpen = isOpen;
    if (running === undefined) return;
    const { options } = running;
    const machine = this.#machineWith(options);
    machine.restore(running.machine);
    this.#running = { machine, options };
  }

  /** What it owns; undefined: nothing is to be had. */
  get prefixes(): readonly Ipv6Prefix[] | undefined {
    return this.#running && this.#owned.map(({ prefix }) => prefix);
  }

  /** Packets get through from now on. */
  open(now: number): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#running?.machine.start(now);
    this.#drain();
  }

  /** There may be something else for it. @returns whether it owns something else */
  review(now: number): boolean {
    const offer = this.#ports.source.offer(this.#agreed.peerIdentifier);
    const before = this.#running;
    if (offer === undefined && before === undefined) return false;
    const nothing = { prefixes: [], delegated: [], networks: [], addresses: [], isDefault: false };
    const options = {
      ...before?.options,
      ...(offer ?? nothing),
      ...this.#agreed,
    } as CallerIpv6Options;
    if (before !== undefined && isSame(before.options, options)) return false;
    const machine = before?.machine ?? this.#machineWith(options);
    this.#running = { machine, options };
    for (const prefix of options.prefixes) this.#own(this.#ownIn(prefix, options.mode), prefix);
    if (before !== undefined) machine.change(options, now);
    else if (this.#isOpen) machine.start(now);
    this.#drain();
    return true;
  }

  /** @returns whether it owns something else */
  receive(packet: Uint8Array, now: number): boolean {
    this.#running?.machine.receive(packet, now);
    return this.#drain();
  }

  nextTimeout(): number | undefined {
    return this.#running?.machine.nextTimeout();
  }

  /** @returns whether it owns something else */
  handleTimeout(now: number): boolean {
    this.#running?.machine.handleTimeout(now);
    return this.#drain();
  }

  #machineWith(options: CallerIpv6Options): CallerIpv6 {
    const { random, count, source } = this.#ports;
    return new CallerIpv6(options, {
      random,
      count,
      delegate: (length) => source.delegate(length),
    });
  }

  #ownIn(prefix: Ipv6Prefix, mode: CallerIpv6Options['mode']): Ipv6Prefix {
    if (mode === 'own') return prefix;
    return { address: addressInPrefix(prefix, this.#agreed.peerIdentifier), length: 128 };
  }

  #own(prefix: Ipv6Prefix, from: Ipv6Prefix): void {
    if (this.#owned.some((owned) => isSameIpv6Prefix(owned.prefix, prefix))) return;
    this.#owned = [...this.#owned, { prefix, from }];
  }

  #drain(): boolean {
    const before = this.#owned;
    const machine = this.#running?.machine;
    for (let output = machine?.poll(); output !== undefined; output = machine?.poll()) {
      const { kind } = output;
      if (kind === 'send') this.#ports.transmit(output.packet);
      else if (kind === 'delegated') this.#own(output.prefix, output.prefix);
      else {
        const { prefix } = output;
        this.#owned = this.#owned.filter(({ from }) => !isSameIpv6Prefix(from, prefix));
      }
    }
    return this.#owned !== before;
  }
}

function isSame(a: CallerIpv6Options, b: CallerIpv6Options): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
