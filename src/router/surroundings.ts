/** What this machine is and has at this moment: its addresses and networks, and its name servers. */
import { files } from '../platform/platform.ts';
import type { Ipv4 } from '../wire/brand.ts';
import { parseAddress } from '../wire/ip.ts';
import type { Surroundings } from './given-addresses.ts';
import type { Netlink } from './netlink-message.ts';
import { readOwnNetworks } from './own-networks.ts';

/** Plain Linux, and what netifd has for dnsmasq. */
const resolverFiles = ['/etc/resolv.conf', '/tmp/resolv.conf.d/resolv.conf.auto'];

/** @throws IoError */
export function readSurroundings(netlink: Netlink): Surroundings {
  return { networks: readOwnNetworks(netlink), resolvers: resolverFiles.flatMap(readResolvers) };
}

function readResolvers(file: string): readonly Ipv4[] {
  let text: string;
  try {
    text = files.text(file, 'latin1');
  } catch {
    return []; // no such file: nobody resolves by it
  }
  return parseResolvers(text);
}

/** resolv.conf(5) */
export function parseResolvers(text: string): readonly Ipv4[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(
    ([, word]) => parseAddress(word!) ?? [],
  );
}
