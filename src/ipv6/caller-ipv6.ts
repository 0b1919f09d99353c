/**
 * IPv6 for one caller: all callers of a server share one device, so that the kernel can advertise nothing to one of them. Router
 * advertisements (RFC 4861 §6.2, RFC 8106, RFC 4191), neighbor discovery as far as a link of two ends needs it, and DHCPv6.
 *
 * What it has is the session's: there are no leases beyond it. The caller is a host or a customer's router (RFC 7084); whatever it
 * says as the router or DHCPv6 server of this link is counted and left alone.
 */
import { takeFirst } from '../wire/queue.ts';
import type { CallerIpv6Options, CallerIpv6Output, CallerIpv6Ports } from './options.ts';

export type SavedCallerIpv6 = ReturnType<CallerIpv6['save']>;

export class CallerIpv6 {
  readonly #ports: CallerIpv6Ports;
  readonly #outputs: CallerIpv6Output[] = [];
  #options: CallerIpv6Options;

  constructor(options: CallerIpv6Options, ports: CallerIpv6Ports) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Not carried: #options and #ports, which are given anew; #outputs, which are empty. */
  save() {
    return {};
  }

  /** Instead of start. */
  restore(_saved: SavedCallerIpv6): void {}

  /** IPV6CP is open. */
  start(_now: number): void {
    this.#ports.count(this.#options.mode);
  }

  /** One IPv6 packet of the caller: ICMPv6 or UDP, to us or to a group of the link. */
  receive(_packet: Uint8Array, _now: number): void {}

  /** Other prefixes and name servers from now on: the old ones fade out, the new ones are told at once. */
  change(options: CallerIpv6Options, _now: number): void {
    this.#options = options;
  }

  nextTimeout(): number | undefined {
    return undefined;
  }

  handleTimeout(_now: number): void {}

  poll(): CallerIpv6Output | undefined {
    return takeFirst(this.#outputs);
  }
}
