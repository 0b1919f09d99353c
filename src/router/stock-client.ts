/**
 * Whether the stock client of OpenWrt (ppp-mod-pptp) serves the interfaces of proto pptp. netifd takes the first handler of
 * a name: then those sections are none of our business. The handler pptp-gateway.sh looks at the same file.
 */
import { files } from '../platform/platform.ts';

/** @param root for tests */
export function stockClientInstalled(root = '/'): boolean {
  const plugins = files.join(root, 'usr/lib/pppd'); // a folder for each version of pppd
  return (
    files.exists(files.join(root, 'lib/netifd')) &&
    files.exists(plugins) &&
    files.names(plugins).some((version) => files.exists(files.join(plugins, version, 'pptp.so')))
  );
}
