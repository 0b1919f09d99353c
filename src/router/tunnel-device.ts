/** What every TUN device of ours gets before it is up, whoever gives it addresses. */
import { errorCode, errorText } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { ip } from './ip-command.ts';

/** IN6_ADDR_GEN_MODE_NONE (linux/if_link.h). */
const NO_LINK_LOCAL = '1';
/** accept_ra: where forwarding is on, 1 is as 0. */
const EVEN_ON_A_ROUTER = '2';

/** What a link takes of the router advertisements of its peer: RFC 4861 §6.3.4. */
export interface Advertisements {
  readonly defaultRoute: boolean;
  /** Of the default route. */
  readonly metric: number;
}

/** @throws RouterError */
export async function prepareDevice(
  device: string,
  mtu: number,
  warn: (message: string) => void,
): Promise<void> {
  await ip('link', 'set', 'dev', device, 'mtu', String(mtu));
  await writeSwitches(device, warn);
}

/** Its switches in /proc/sys. @param advertisements undefined: none is heeded */
export async function writeSwitches(
  device: string,
  warn: (message: string) => void,
  advertisements?: Advertisements,
) {
  const ipv6 = `/proc/sys/net/ipv6/conf/${device}`;
  // Before it is up: the link-local address is IPV6CP's, the kernel would invent another one.
  await write(`${ipv6}/addr_gen_mode`, NO_LINK_LOCAL, warn);
  // What a router advertisement says would be the peer's choice: a caller could make itself the way to everywhere.
  await write(`${ipv6}/accept_ra`, advertisements === undefined ? '0' : EVEN_ON_A_ROUTER, warn);
  for (const [name, value] of advertisements === undefined ? [] : heeded(advertisements))
    await write(`${ipv6}/${name}`, value, warn);
  // Callers share a device: the kernel would tell them to talk to each other directly.
  await write(`/proc/sys/net/ipv4/conf/${device}/send_redirects`, '0', warn);
}

/** Also where new devices have none (net.ipv6.conf.default): the owner wants it on this one. */
export function allowIpv6(device: string, warn: (message: string) => void): Promise<void> {
  return write(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '0', warn);
}

/** Addresses with the interface identifier of the link-local one, which is IPV6CP's, and the default route; no other routes. */
function heeded({ defaultRoute, metric }: Advertisements): readonly (readonly [string, string])[] {
  return [
    ['autoconf', '1'],
    ['accept_ra_pinfo', '1'],
    ['accept_ra_rt_info_max_plen', '0'],
    ['accept_ra_defrtr', defaultRoute ? '1' : '0'],
    // Those of other routers have 1024. Linux before 5.12 has no such switch.
    ['ra_defrtr_metric', String(metric === 0 ? 1 : metric)],
  ];
}

async function write(path: string, value: string, warn: (message: string) => void) {
  try {
    await files.writeLater(path, value);
  } catch (error) {
    // A kernel without IPv6 has no such switch.
    if (errorCode(error) !== 'ENOENT' || !path.includes('/ipv6/'))
      warn(`${path}: ${errorText(error)}`);
  }
}
