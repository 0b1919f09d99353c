/** Networks that this machine is in now, for commands that run without the daemon. */
import { host } from '../../platform/platform.ts';
import { parseAddress, prefixOf, type Prefix } from '../../wire/ip.ts';

/** Without point-to-point devices: tunnels come and go. */
export function ownNetworks(): readonly Prefix[] {
  return host.addresses().flatMap(({ cidr = '' }) => {
    const [text = '', length] = cidr.split('/');
    const address = parseAddress(text);
    return address === undefined || Number(length) > 31 ? [] : [prefixOf(address, Number(length))];
  });
}
