/**
 * The tunnel of a link that dials on demand while it has no session: a device with placeholder addresses, and the link's
 * routes into it. A session's own tunnel takes its place, and gives it back.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import type { Claims } from '../claims.ts';
import type { Gateway } from '../gateway.ts';
import type { ClientLinkOptions } from '../options.ts';
import type { OutputQueue } from '../output-queue.ts';
import type { ClientLinkOutput, Tunnel } from '../ports.ts';

/**
 * 10.64.64.64, which pppd takes for the same purpose; each link that waits adds its number. There is no other address for
 * the peer: with one, Linux would not forget what it masqueraded behind this address when that goes (masq_inet_event
 * compares the peer's).
 */
const PLACEHOLDER = 0x0a404040;

type SessionTunnel = Extract<ClientLinkOutput, { kind: 'tunnel-up' | 'tunnel-down' }>;

/** The number of a link among those that wait. */
interface Numbered {
  readonly number: number;
  readonly leave: () => void;
}

export class Standby {
  readonly #gateway: Gateway;
  readonly #outputs: OutputQueue<ClientLinkOutput>;
  readonly #claims: Claims;
  /** Undefined: there is nothing without a session. `replaced`: a session has taken its place. */
  #state: (Numbered & { readonly tunnel: Tunnel; readonly replaced: boolean }) | undefined;

  constructor(gateway: Gateway, outputs: OutputQueue<ClientLinkOutput>, claims: Claims) {
    this.#gateway = gateway;
    this.#outputs = outputs;
    this.#claims = claims;
  }

  /** Not carried: #gateway, #outputs, #claims; the number's leave(), which is made anew. */
  save() {
    if (this.#state === undefined) return undefined;
    const { number, tunnel, replaced } = this.#state;
    return { number, tunnel, replaced };
  }

  /** It stands as it did. @throws Error another link has its number */
  restore({ number, ...standing }: NonNullable<ReturnType<Standby['save']>>): void {
    this.#gateway.keepStandbyNumber(number);
    this.#state = { ...this.#numbered(number), ...standing };
  }

  /** @param peer outside address of the server */
  stand(options: ClientLinkOptions, peer: Ipv4): void {
    this.#prepare(options, peer, false);
    this.#show();
  }

  tunnelUp(output: SessionTunnel, options: ClientLinkOptions): void {
    if (options.demand > 0) this.#prepare(options, output.tunnel.peer, true);
    else this.#forget();
    this.#outputs.push(output);
  }

  tunnelDown(output: SessionTunnel): void {
    this.#outputs.push(output);
    if (this.#state === undefined) return;
    this.#state = { ...this.#state, replaced: false };
    this.#show();
  }

  /** There is nothing without a session, and no device after it. */
  fall(): void {
    const state = this.#state;
    this.#forget();
    if (state?.replaced === false)
      this.#outputs.push({ kind: 'standby-down', tunnel: state.tunnel });
  }

  #prepare(options: ClientLinkOptions, peer: Ipv4, replaced: boolean): void {
    const { name, device, routes, mtu, defaultRoute, metric } = options;
    const { number, leave } = this.#state ?? this.#takeNumber();
    const address = PLACEHOLDER + number;
    const tunnel: Tunnel = {
      name,
      device,
      role: 'link',
      peer,
      localAddress: address,
      peerAddress: address,
      routes,
      inform: undefined,
      mtu,
      defaultRoute,
      metric,
      dns: [],
      ipv6: undefined,
      proxyArp: false,
      groups: [],
      ipv6Client: undefined,
      ipv6Routes: [],
    };
    this.#state = { number, leave, tunnel, replaced };
  }

  #forget(): void {
    this.#state?.leave();
    this.#state = undefined;
  }

  #takeNumber(): Numbered {
    return this.#numbered(this.#gateway.takeStandbyNumber());
  }

  #numbered(number: number): Numbered {
    return { number, leave: this.#claims.add(() => this.#gateway.leaveStandbyNumber(number)) };
  }

  #show(): void {
    if (this.#state !== undefined)
      this.#outputs.push({ kind: 'standby', tunnel: this.#state.tunnel });
  }
}
