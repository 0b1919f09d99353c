/** A session as the machines report it, for tests of what is made of it. */
import { parseDay } from '../../src/usage/calendar.ts';
import type { QuotaEvent } from '../../src/usage/usage.ts';
import type { SessionStatus } from '../../src/session/ports.ts';
import { parseAddress, parsePrefix } from '../../src/wire/ip.ts';

export const session: SessionStatus = {
  id: 7,
  kind: 'caller',
  name: 'home',
  username: 'anna',
  peer: parseAddress('203.0.113.9')!,
  callId: 12,
  peerCallId: 34,
  localAddress: parseAddress('192.168.99.1')!,
  peerAddress: parseAddress('192.168.99.10')!,
  routes: [parsePrefix('10.1.0.0/16')!, parsePrefix('10.2.0.0/16')!],
  ipv6: undefined,
  since: 1000,
  auth: 'mschap-v2',
  mppe: 'mppe-128',
  mtu: 1400,
  rates: { up: 2000, down: 0, burst: 50 },
  counters: {
    rxOctets: 1,
    txOctets: 2,
    rxPackets: 3,
    txPackets: 4,
    lost: 5,
    reordered: 6,
    duplicates: 7,
    drops: { 'bad-source': 8 },
  },
  roundTrip: 12.5,
  account: undefined,
};

export function quotaUsedUp(of: 'user' | 'link', name: string): QuotaEvent {
  const [first, last] = [parseDay('2026-11-01')!, parseDay('2026-11-30')!];
  const quota = { octets: 5_000_000, action: { kind: 'slow', rate: 512 }, day: 1 } as const;
  return { what: 'quota', of, name, quota, used: 5_000_001, period: { first, last } };
}
