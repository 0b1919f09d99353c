/** What the two ends have agreed on when IP comes up, and what is impossible in it. */
import type { MppeKeys } from '../crypto/mppe-keys.ts';
import type { LinkOutput } from '../ppp/output.ts';
import type { Ipv4 } from '../wire/brand.ts';
import { addressFault, formatAddress } from '../wire/ip.ts';
import { innerMtu } from '../wire/mppe-header.ts';

type IpUp = Extract<LinkOutput, { kind: 'ip-up' }>;

/** Of both directions; without the keys, which are the data path's alone. */
export type Encryption = Readonly<
  Record<'send' | 'receive', Omit<MppeKeys, 'startKey'> | undefined>
>;

export interface Agreed {
  readonly localAddress: Ipv4;
  readonly peerAddress: Ipv4;
  readonly dns: readonly Ipv4[];
  /** In words. */
  readonly encryption: string;
  readonly mtu: number;
}

/**
 * @param outside address of the peer
 * @param mtu without MPPE
 * @returns or what is impossible in the addresses
 */
export function agree(
  { localAddress, peerAddress, dns }: IpUp,
  outside: number,
  encryption: Encryption,
  mtu: number,
): Agreed | string {
  // The peer's is 0 where it told none.
  for (const address of [localAddress, peerAddress]) {
    const fault = address === 0 ? undefined : addressFault(address);
    if (fault !== undefined) return `${formatAddress(address)} ${fault}`;
  }
  if (localAddress === outside)
    return `${formatAddress(localAddress)} is its own address outside the tunnel`;
  return {
    localAddress,
    peerAddress,
    dns: dns.filter((server) => addressFault(server) === undefined),
    encryption: encryptionText(encryption),
    mtu: innerMtu(mtu, encryption.send !== undefined),
  };
}

/** As in "mppe-128", "mppe-40 stateful", "none". */
export function encryptionText(encryption: Encryption): string {
  const [send, receive] = [mppeText(encryption.send), mppeText(encryption.receive)];
  return send === receive ? send : `send ${send}, receive ${receive}`;
}

function mppeText(mppe: Encryption['send']): string {
  if (mppe === undefined) return 'none';
  return `mppe-${mppe.strength}${mppe.stateful ? ' stateful' : ''}`;
}
