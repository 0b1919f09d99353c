/**
 * The tunnel of a link that dials on demand while it has no session: a device with placeholder addresses, and the link's
 * routes into it. A session's own tunnel takes its place, and gives it back.
 */
import type { Claims } from '../claims.ts';
import type { Gateway } from '../gateway.ts';
import type { LinkOutputs } from './link-outputs.ts';
import type { ClientLinkOptions } from '../options.ts';
import type { ClientLinkOutput, Tunnel } from '../ports.ts';

/**
 * 10.64.64.64, which pppd takes for the same purpose; each link that waits adds its number. There is no other address for
 * the peer: with one, Linux would not forget what it masqueraded behind this address when that goes (masq_inet_event
 * compares the peer's).
 */
const PLACEHOLDER = 0x0a404040;

type SessionTunnel = Extract<ClientLinkOutput, { kind: 'tunnel-up' | 'tunnel-down' }>;

export class Standby {
  readonly #gateway: Gateway;
  readonly #outputs: LinkOutputs;
  /** What there is without a session; undefined: nothing. */
  #tunnel: Tunnel | undefined;
  readonly #claims: Claims;
  #number: number | undefined;
  #leaveNumber: () => void = () => undefined;
  /** A session has taken its place. */
  #replaced = false;

  constructor(gateway: Gateway, outputs: LinkOutputs, claims: Claims) {
    this.#gateway = gateway;
    this.#outputs = outputs;
    this.#claims = claims;
  }

  /** @param peer outside address of the server */
  stand(options: ClientLinkOptions, peer: number): void {
    this.#prepare(options, peer);
    this.#show();
  }

  tunnelUp(output: SessionTunnel, options: ClientLinkOptions): void {
    if (options.demand > 0) this.#prepare(options, output.tunnel.peer);
    else this.#forget();
    this.#replaced = true;
    this.#outputs.push(output);
  }

  tunnelDown(output: SessionTunnel): void {
    this.#replaced = false;
    this.#outputs.push(output);
    this.#show();
  }

  /** There is nothing without a session, and no device after it. */
  fall(): void {
    const tunnel = this.#tunnel;
    this.#forget();
    if (tunnel !== undefined && !this.#replaced)
      this.#outputs.push({ kind: 'standby-down', tunnel });
  }

  #prepare(options: ClientLinkOptions, peer: number): void {
    const { name, device, routes, mtu, defaultRoute, metric } = options;
    const number = (this.#number ??= this.#takeNumber());
    const address = PLACEHOLDER + number;
    this.#tunnel = {
      name,
      device,
      role: 'link',
      peer,
      localAddress: address,
      peerAddress: address,
      routes,
      mtu,
      defaultRoute,
      metric,
      dns: [],
      ipv6: undefined,
      proxyArp: false,
      ipv6Client: undefined,
    };
  }

  #forget(): void {
    this.#tunnel = undefined;
    this.#leaveNumber();
    this.#number = undefined;
  }

  #takeNumber(): number {
    const number = this.#gateway.takeStandbyNumber();
    this.#leaveNumber = this.#claims.add(() => this.#gateway.leaveStandbyNumber(number));
    return number;
  }

  #show(): void {
    if (this.#tunnel !== undefined) this.#outputs.push({ kind: 'standby', tunnel: this.#tunnel });
  }
}
