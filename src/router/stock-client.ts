/**
 * Whether the stock client of OpenWrt (ppp-mod-pptp) serves the interfaces of proto pptp. netifd takes the first handler of
 * a name: then those sections are none of our business. The handler pptp-gateway.sh looks at the same file.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @param root for tests */
export function stockClientInstalled(root = '/'): boolean {
  const plugins = join(root, 'usr/lib/pppd'); // a folder for each version of pppd
  return (
    existsSync(join(root, 'lib/netifd')) &&
    existsSync(plugins) &&
    readdirSync(plugins).some((version) => existsSync(join(plugins, version, 'pptp.so')))
  );
}
