/** What every TUN device of ours gets before it is up, whoever gives it addresses. */
import { errorCode, errorText } from '../platform/errors.ts';
import { files } from '../platform/platform.ts';
import { ip } from './ip-command.ts';

/** IN6_ADDR_GEN_MODE_NONE (linux/if_link.h). */
const NO_LINK_LOCAL = '1';

/** @throws RouterError */
export async function prepareDevice(
  device: string,
  mtu: number,
  warn: (message: string) => void,
): Promise<void> {
  await ip('link', 'set', 'dev', device, 'mtu', String(mtu));
  await writeSwitches(device, warn);
}

/** Its switches in /proc/sys. */
export async function writeSwitches(device: string, warn: (message: string) => void) {
  // Before it is up: the link-local address is IPV6CP's, the kernel would invent another one.
  await write(`/proc/sys/net/ipv6/conf/${device}/addr_gen_mode`, NO_LINK_LOCAL, warn);
  // What a router advertisement says would be the peer's choice: a caller could make itself the way to everywhere.
  await write(`/proc/sys/net/ipv6/conf/${device}/accept_ra`, '0', warn);
  // Callers share a device: the kernel would tell them to talk to each other directly.
  await write(`/proc/sys/net/ipv4/conf/${device}/send_redirects`, '0', warn);
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
