/**
 * Connections that were masqueraded as an address which a device no longer has.
 *
 * Connection tracking keeps their old address, and every packet of a flow that goes on renews that: they would stay dead.
 * The kernel forgets them when an address is taken away, but looks for the peer's address where there is one
 * (nf_nat_masquerade.c compares ifa_address). So the old one is added once more, without a peer, and taken away.
 */
import { errorText } from '../platform/errors.ts';
import type { Ipv4 } from '../wire/brand.ts';
import { formatAddress } from '../wire/ip.ts';
import { deviceExists, ipBatch } from './ip-command.ts';

/** After the device got another address in place of `address`. What is not forgotten is a warning, and no worse. */
export async function forgetMasqueraded(
  device: string,
  address: Ipv4,
  warn: (message: string) => void,
): Promise<void> {
  const alone = [`${formatAddress(address)}/32`, 'dev', device];
  try {
    await ipBatch([
      ['address', 'replace', ...alone],
      ['address', 'del', ...alone],
    ]);
  } catch (error) {
    if (deviceExists(device)) warn(errorText(error));
  }
}
