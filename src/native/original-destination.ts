/**
 * Where a redirected TCP connection was really going, before nftables or iptables turned it to us.
 */
import { loadAddon } from './addon.ts';

/**
 * @param fd descriptor of an accepted IPv4 TCP socket
 * @returns the address as a 32-bit number, first octet highest, and the port
 * @throws {IoError} ENOENT: the connection is not tracked; ENOPROTOOPT: connection tracking is absent
 */
export function originalDestination(fd: number): { address: number; port: number } {
  return loadAddon().originalDestination(fd);
}
