/**
 * The router around the engine, as a port: what the kernel (or netifd) must do so that packets find the tunnels.
 *
 * Every method is idempotent and in order per device. A failure is a RouterError whose message an owner can act on.
 */
import type { Ipv4 } from '../wire/brand.ts';
import type { Tunnel } from '../session/ports.ts';
import type { Cause, CauseCode } from '../wire/cause.ts';
import type { Prefix } from '../wire/ip.ts';
import type { Ipv6Prefix } from '../wire/ipv6.ts';

export interface ServerInterface {
  readonly name: string;
  readonly device: string;
  /** The router's own address inside the tunnels. */
  readonly localAddress: number;
  /** Prefix length the device carries. */
  readonly prefixLength: number;
  readonly mtu: number;
  readonly ipv6: boolean;
  /** Of which callers have prefixes; the router has the first address of each. */
  readonly ipv6Networks: readonly Ipv6Prefix[];
  /** Plain Linux: callers reach other networks under addresses of this machine. */
  readonly masquerade: boolean;
}

/** The addresses of a control connection, and so of GRE of its calls, as the peer sees them. */
export interface OuterPath {
  readonly peer: Ipv4;
  readonly local: Ipv4;
}

export interface ControlPath extends OuterPath {
  readonly localPort: number;
  readonly peerPort: number;
}

export interface Router {
  /** Removes what a daemon that was killed has left in the kernel. Before anything else; never fails. */
  recover(): Promise<void>;
  /** Something is being done. */
  readonly isBusy: boolean;
  /** What stands in the kernel, for adopt(): plain data. */
  save(): object;
  /**
   * Instead of recover(): all of that stands there, and is looked after from now on. serverUp() of a server that is as it was
   * changes nothing. @throws Error it is of another kind of router
   */
  adopt(saved: object): void;
  /** The device of a server exists: give it its address and switch it on. Again: its MTU or IPv6 has changed. */
  serverUp(server: ServerInterface): Promise<void>;
  /** The device of a server is gone. */
  serverDown(server: ServerInterface): void;
  /** A caller or a link is up: routes (and for a link the device's addresses). */
  tunnelUp(tunnel: Tunnel): Promise<void>;
  /** What leads to a caller in IPv6 is other than before, perhaps. Of one that is not up nothing is done. */
  tunnelChanged(tunnel: Tunnel): Promise<void>;
  /** What cannot be undone is a warning; a device that is gone has taken its routes along. */
  tunnelDown(tunnel: Tunnel): Promise<void>;
  /** Pins the way to a link's server to today's route, so that it does not go through the tunnel itself. */
  hostRoute(link: string, server: Ipv4, through: string | undefined): Promise<void>;
  releaseHostRoute(link: string): Promise<void>;
  /**
   * GRE of our calls passes between these addresses: firewall and NAT of this router let it through as it is, and it leaves
   * through the device that the control connection uses, until it is dismissed as often. Never fails; resolved when they do so.
   */
  admit(path: ControlPath): Promise<void>;
  dismiss(path: ControlPath): void;
  /** The device of a network as the options `interface` and `listen` name it; undefined: it has none now. */
  deviceOf(network: string): string | undefined;
  /** The network with this address of the router on a device; undefined: networks have the names of their devices, or there is none. */
  networkOn(device: string, address: Ipv4): string | undefined;
  /** A link failed. `blocked`: and is not dialled again by itself. */
  linkFailed(link: string, cause: Cause, blocked: boolean): void;
  /** The configuration is in force: the servers that callers may reach. */
  serversConfigured(servers: readonly ServedPort[]): void;
  /** Undoes what outlives us. */
  close(): Promise<void>;
  /** Who starts and stops interfaces, if that is not the daemon. */
  readonly supervisor: Supervisor | undefined;
}

/** What of a server the firewall must know. */
export interface ServedPort {
  readonly name: string;
  readonly port: number;
  /** Networks that callers come in by; none: all. */
  readonly listen: readonly string[];
  readonly openFirewall: boolean;
  readonly allowFrom: readonly Prefix[];
  readonly denyFrom: readonly Prefix[];
}

/** What the daemon does when a supervisor decides. */
export interface SupervisedDaemon {
  /** The interface may be up: dial, or serve. Also for one that the daemon does not know (yet). */
  start(name: string, fresh: boolean): void;
  /** It may not: its device is gone when this returns. */
  stop(name: string): void;
  /** What a link's device has in IPv6: its addresses, and the prefixes that were given to it. All of it, each time. */
  givenIpv6(link: string, prefixes: readonly Ipv6Prefix[]): void;
  /**
   * What is assigned to the interface of a server out of the router's IPv6 prefixes (`ip6assign`): networks, of which the first
   * /64 has the router's address. All of it, each time.
   */
  assignedIpv6(server: string, prefixes: readonly Ipv6Prefix[]): void;
  /** Whether an interface of this protocol is served by us. */
  isOurs(name: string, proto: string): boolean;
}

/** netifd, which decides when our interfaces are up: see managed-interface.ts. */
export interface Supervisor {
  /** It has set the interface up. */
  isSetUp(name: string): boolean;
  /** Its handler's calls; answered at once. */
  linkSetup(name: string): void;
  linkTeardown(name: string): void;
  /** What a person asks for. @throws RouterError */
  dial(name: string): Promise<void>;
  hangup(name: string): Promise<void>;
  /** The settings of a link have changed: one that was given up for its login is dialled again. @throws RouterError */
  revive(name: string): Promise<void>;
  /** What is wrong with an interface that was set up: it stays pending. */
  refuse(name: string, cause: Cause): void;
  /** The daemon knows other interfaces than before. */
  review(): void;
}

export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly code: CauseCode;

  constructor(message: string, code: CauseCode = 'DEVICE_FAILED') {
    super(message);
    this.code = code;
  }
}
