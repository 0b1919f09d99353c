/**
 * RFC 4861, RFC 8415: a server's IPv6 for one caller, which sends what it likes while the prefixes change. What is sent is right and
 * no more than the time allows, prefixes are delegated and released by turns, and another program goes on alike.
 */
import assert from 'node:assert/strict';
import { decodeDhcpv6, encodeDhcpv6 } from '../../../src/wire/dhcpv6.ts';
import { isMalformed } from '../../../src/wire/codec.ts';
import { decodeNeighborMessage, encodeNeighborMessage } from '../../../src/wire/icmpv6.ts';
import { encodeIpv6, writeIpv6Checksum, type Ipv6Packet } from '../../../src/wire/ipv6.ts';
import {
  ALL_ROUTERS,
  Caller,
  CLIENT_DUID,
  ip6,
  net,
  PEER,
  SERVER,
  SERVER_DUID,
} from '../../ipv6/caller.ts';
import { harness } from '../harness.ts';
import { joined, type Random } from '../random.ts';

const sources = [PEER, PEER, PEER, ip6('::'), ip6('2001:db8:0:5::9'), ip6('fe80::9')];
const destinations = [ALL_ROUTERS, ip6('ff02::1'), SERVER, ip6('ff02::1:2'), ip6('ff02::1:ff00:1')];
const networks = [net('2001:db8::/48'), net('2001:db8:1::/56'), net('fd00::/62')];
const prefixes = [net('2001:db8:0:5::/64'), net('2001:db8:1:5::/64'), net('fd00:0:0:1::/64')];
const addresses = [
  SERVER,
  PEER,
  ip6('2001:db8::1'),
  ip6('::'),
  ...prefixes.map(({ address }) => address),
];
const ICMPV6 = 58;
const UDP = 17;
/** RFC 4861 §6.2.1: the first ones, and then one in 200 s. */
const LEAST_INTERVAL = 200_000;

const u16 = (value: number) => Uint8Array.of(value >> 8, value);
const u32 = (random: Random) => random.octets(4);

function neighbor(random: Random): Uint8Array {
  const type = random.between(132, 138);
  const target = type === 133 ? [] : random.pick(addresses);
  const options = random.list(3, () => {
    const units = random.below(5);
    const kind = random.pick([1, 3, 5, 24, 25, 31, 14]);
    return joined(Uint8Array.of(kind, units), random.octets(Math.max(0, 8 * units - 2)));
  });
  const head = Uint8Array.of(type, random.chance(20) ? 1 : 0, 0, 0);
  return joined(
    head,
    random.chance(3) ? u32(random) : new Uint8Array(4),
    new Uint8Array(target),
    ...options,
  );
}

function dhcp(random: Random): Uint8Array {
  const option = (code: number, value: Uint8Array) => joined(u16(code), u16(value.length), value);
  const associated = () =>
    joined(
      Uint8Array.of(0, 0, 0, random.below(3), 0, 0, 0, 0, 0, 0, 0, 0),
      ...random.list(3, () => {
        const address = random.pick(addresses);
        const lifetimes = joined(u32(random), u32(random));
        return random.chance(3)
          ? option(5, joined(address, lifetimes))
          : option(26, joined(lifetimes, Uint8Array.of(random.edgy(140)), address));
      }),
    );
  const options = random.list(5, () => {
    switch (random.below(7)) {
      case 0:
        return option(3, associated());
      case 1:
      case 2:
        return option(25, associated());
      case 3:
        return option(6, joined(u16(23), u16(24), u16(random.below(90))));
      case 4:
        return option(14, new Uint8Array());
      case 5:
        return option(random.below(40), random.anyOctets(30));
      default:
        return option(8, u16(0));
    }
  });
  const type = random.chance(10) ? random.below(15) : random.pick([1, 3, 4, 5, 6, 8, 9, 11]);
  const ids = [
    ...(random.chance(8) ? [] : [option(1, random.chance(4) ? random.octets(4) : CLIENT_DUID)]),
    ...([3, 5, 8, 9].includes(type) !== random.chance(10) ? [option(2, SERVER_DUID)] : []),
  ];
  const message = joined(Uint8Array.of(type, ...random.octets(3)), ...ids, ...options);
  return random.chance(4) ? random.damaged(message) : message;
}

function datagram(random: Random): Uint8Array {
  const message = dhcp(random);
  const length = random.chance(30) ? random.edgy(0x10000) : 8 + message.length;
  const ports = [u16(546), u16(random.chance(15) ? 546 : 547)];
  return joined(...ports, u16(length), u16(0), message);
}

export const callerIpv6 = harness({
  name: 'caller-ipv6',
  slow: true,
  generate: (random) => ({
    shared: random.chance(3),
    fixed: random.chance(4),
    steps: random.list(30, () => {
      const isIcmp = random.chance(2);
      const payload = isIcmp ? neighbor(random) : datagram(random);
      return {
        nextHeader: random.chance(20) ? random.edgy(256) : isIcmp ? ICMPV6 : UDP,
        hopLimit: random.chance(20) ? random.below(256) : 255,
        source: random.chance(8) ? random.below(sources.length) : 0,
        destination: isIcmp ? random.below(destinations.length) : 3,
        payload: random.chance(6) ? random.damaged(payload) : payload,
        isSealed: !random.chance(10),
        network: random.chance(10) ? random.below(networks.length) : -1,
        succeeds: random.chance(12),
        pause: random.chance(6) ? random.below(2_000_000) : random.below(3_000),
      };
    }),
  }),
  run({ shared, fixed, steps }) {
    const options = {
      mode: shared ? 'shared' : 'own',
      delegated: fixed ? [net('2001:db8:ffff::/56')] : [],
    } as const;
    const [caller, twin] = [new Caller(options).start(), new Caller(options).start()];
    let elapsed = 0;
    let changes = 0;
    for (const step of steps) {
      const octets = packetOf(step);
      for (const each of [caller, twin]) each.give(octets);
      const network = networks[step.network];
      if (network !== undefined) {
        changes++;
        const told = { networks: [network], prefixes: [prefixes[step.network]!] };
        for (const each of [caller, twin]) each.change(told);
      }
      if (step.succeeds) caller.succeed();
      for (const each of [caller, twin]) each.advance(step.pause);
      elapsed += step.pause;
      const { machine, clock } = caller;
      assert.ok((machine.nextTimeout() ?? Infinity) > clock.now, 'a deadline that has passed');
    }
    assert.deepEqual(caller.sent, twin.sent);
    assert.deepEqual(caller.routes, twin.routes);
    checkRoutes(caller.routes, fixed);
    const unasked = 3 * (1 + changes) + elapsed / LEAST_INTERVAL;
    assert.ok(caller.sent.length <= 1 + unasked + 2 * steps.length, `${caller.sent.length} sent`);
  },
});

interface Step {
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: number;
  readonly destination: number;
  readonly payload: Uint8Array;
  readonly isSealed: boolean;
}

/** And what is read of it can be written, and reads the same again. */
function packetOf({ source, destination, isSealed, ...step }: Step): Uint8Array {
  const packet: Ipv6Packet = {
    ...step,
    payload: step.payload.slice(),
    source: sources[source % sources.length]!,
    destination: destinations[destination % destinations.length]!,
  };
  const at = packet.nextHeader === UDP ? 6 : 2;
  if (isSealed && packet.payload.length >= at + 2) writeIpv6Checksum(packet, at);
  const message = decodeNeighborMessage(packet);
  if (!isMalformed(message)) {
    const { source: from, destination: to } = packet;
    const again = written(() => encodeNeighborMessage(message, from, to));
    if (again !== undefined) assert.deepEqual(decodeNeighborMessage(again), message);
  }
  const dhcpMessage = decodeDhcpv6(packet.payload.subarray(8));
  if (!isMalformed(dhcpMessage)) {
    const again = written(() => encodeDhcpv6(dhcpMessage));
    if (again !== undefined) assert.deepEqual(decodeDhcpv6(again), dhcpMessage);
  }
  return encodeIpv6(packet);
}

/** undefined: it is not written. Of names of domains all octets are read. */
function written<T>(write: () => T): T | undefined {
  try {
    return write();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Delegated ones are released before they are delegated again; those of advertisements are only released. */
function checkRoutes(routes: readonly string[], isFixed: boolean): void {
  const given = new Set<string>();
  for (const route of routes) {
    const [what, prefix = ''] = route.split(' ');
    if (what === 'delegated') {
      assert.ok(!given.has(prefix), `${prefix} delegated twice`);
      given.add(prefix);
    } else if (!given.delete(prefix)) {
      assert.match(prefix, /\/64$/, `${prefix} was not delegated`);
    }
  }
  assert.ok(given.size <= (isFixed ? 1 : 9), 'more prefixes than a session has');
}
