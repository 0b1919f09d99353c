/** Where GRE of a control connection's calls goes, outside of this router's own NAT. */
import { outerAddress, translation, type GrePath } from '../../router/outer-path.ts';
import type { ControlPath } from '../../router/router.ts';
import { formatAddress } from '../../wire/ip.ts';
import { kernel } from './kernel.ts';
import { deviceOfAddress } from './own-addresses.ts';

/**
 * @param opener of the TCP connection
 * @returns undefined: GRE needs that NAT too, for the kernel's helper follows the connection, or no device here has the
 * address that it is given
 */
export function outerPath(tcp: ControlPath, opener: 'we' | 'peer'): ControlPath | undefined {
  try {
    const outer = outerAddress(kernel.netfilter, tcp, opener);
    if (outer === tcp.local) return tcp;
    return outer === undefined || deviceOfAddress(outer) === undefined
      ? undefined
      : { ...tcp, local: outer };
  } catch {
    return tcp; // no descriptors are left, or the kernel cannot be asked: as without NAT
  }
}

/** Why GRE of a call does not arrive, if it is NAT of this router; for a person. */
export function natObstacle(path: GrePath): string | undefined {
  let found: ReturnType<typeof translation>;
  try {
    found = translation(kernel.netfilter, path);
  } catch {
    return undefined; // no descriptors are left, or the kernel cannot be asked
  }
  if (found === undefined) return undefined;
  return 'taker' in found
    ? `it is NAT of this router itself: GRE of ${formatAddress(path.peer)} is sent on to ${formatAddress(found.taker)}, by a DMZ or a port forward`
    : `it is NAT of this router itself: GRE to ${formatAddress(path.peer)} leaves as ${formatAddress(found.source)}, not as ${formatAddress(path.local)}`;
}
