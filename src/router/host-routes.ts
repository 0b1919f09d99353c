/**
 * Routes to the servers that links dial, so that a link's own routes do not swallow its own packets.
 *
 * Ours carry a protocol number: what a daemon that was killed left behind is found again, and a /32 that the owner made
 * is left alone, when a link comes and when it goes.
 */
import { formatAddress } from '../wire/ip.ts';
import { ip } from './ip-command.ts';
import { RouterError } from './router.ts';

/** rtm_protocol of our routes; 5..255 are free for daemons (linux/rtnetlink.h). */
const PROTOCOL = '147';
/** RTPROT_KERNEL: the kernel's own route to the peer address of a point-to-point device. */
const KERNEL = '2';

interface HostRoute {
  readonly address: string;
  /** Arguments of `ip route replace`. */
  readonly route: readonly string[];
}

export class HostRoutes {
  private readonly held = new Map<string, HostRoute>();
  /** Links whose server has a route of its own, be it the owner's. */
  private readonly kept = new Set<string>();
  private readonly later: (what: string, why: unknown, undo: () => Promise<void>) => void;

  /** @param later undoes what cannot be undone now, in order with the other calls */
  constructor(later: HostRoutes['later']) {
    this.later = later;
  }

  /** @throws RouterError there is no way to the server */
  async hold(link: string, server: number, bindDevice: string | undefined): Promise<void> {
    await this.release(link);
    const address = formatAddress(server);
    const all = JSON.parse(
      (await ip('-N', '-json', 'route', 'show', 'exact', `${address}/32`)) || '[]',
    ) as { protocol?: string }[];
    // A server may give its outside address as its inside one: that route leads into a tunnel.
    const present = all.filter(({ protocol }) => protocol !== KERNEL);
    if (present.some(({ protocol }) => protocol !== PROTOCOL)) {
      this.kept.add(link); // the owner decided
      return;
    }
    const isHeld = present.length > 0 && this.holders(address).length > 0;
    if (present.length > 0 && !isHeld) await remove(address);

    const bound = bindDevice === undefined ? [] : ['oif', bindDevice];
    const found = await ip('-json', 'route', 'get', address, ...bound);
    const [way] = JSON.parse(found) as { gateway?: string; dev?: string; type?: string }[];
    if (way?.type === 'local')
      throw new RouterError(`${address} is an address of this machine itself`, 'LOOPBACK');
    if (way?.dev === undefined) throw new RouterError(`ip route get ${address}: no device`);
    // Without a gateway the server is a neighbour, or at the end of a point-to-point device such as PPPoE.
    const via = way.gateway === undefined ? [] : ['via', way.gateway];
    const route = [`${address}/32`, ...via, 'dev', way.dev, 'proto', PROTOCOL];
    // Before the kernel's, which must be there again afterwards; ours of before is the first one already.
    await ip('route', isHeld ? 'replace' : 'prepend', ...route);
    this.held.set(link, { address, route });
    this.kept.add(link);
  }

  /** The server of the link is looked for outside, whatever routes the link has. */
  isHeld(link: string): boolean {
    return this.kept.has(link);
  }

  /** What cannot be removed now is removed later. */
  async release(link: string): Promise<void> {
    this.kept.delete(link);
    const own = this.held.get(link);
    if (own === undefined) return;
    this.held.delete(link);
    const others = this.holders(own.address);
    if (others.some(({ route }) => route.join() === own.route.join())) return;
    try {
      if (others[0] === undefined) await remove(own.address);
      else await ip('route', 'replace', ...others[0].route);
    } catch (error) {
      const { address } = own;
      this.later(`host route to ${address}`, error, async () => {
        if (this.holders(address).length === 0) await remove(address);
      });
    }
  }

  private holders(address: string): HostRoute[] {
    return [...this.held.values()].filter((other) => other.address === address);
  }
}

/** Unlike `del`, `flush` does not mind when there is none. */
async function remove(address: string): Promise<void> {
  await ip('route', 'flush', 'exact', `${address}/32`, 'proto', PROTOCOL);
}
