/**
 * IPv6 for one caller: all callers of a server share one device, so that the kernel can advertise nothing to one of them. Router
 * advertisements (RFC 4861 §6.2, RFC 8106, RFC 4191), neighbor discovery as far as a link of two ends needs it, and DHCPv6.
 *
 * What it has is the session's: there are no leases beyond it. The caller is a host or a customer's router (RFC 7084); whatever it
 * says as the router or DHCPv6 server of this link is counted and left alone.
 */
import { isMalformed } from '../wire/codec.ts';
import {
  ALL_DHCP_SERVERS,
  decodeDhcpv6,
  DHCPV6_CLIENT_PORT,
  DHCPV6_SERVER_PORT,
  encodeDhcpv6,
  type Dhcpv6Message,
} from '../wire/dhcpv6.ts';
import {
  decodeNeighborMessage,
  encodeNeighborMessage,
  NeighborFlags,
  type NeighborMessage,
} from '../wire/icmpv6.ts';
import {
  ALL_NODES,
  decodeIpv6,
  encodeIpv6,
  hasRightIpv6Checksum,
  Ipv6NextHeader,
  ipv6PrefixContains,
  isSameIpv6Address,
  linkLocalAddress,
  UNSPECIFIED,
  type Ipv6Packet,
} from '../wire/ipv6.ts';
import { takeFirst } from '../wire/queue.ts';
import { decodeUdp, encodeUdp } from '../wire/udp.ts';
import { Dhcpv6Server } from './dhcpv6-server.ts';
import type { CallerIpv6Options, CallerIpv6Output, CallerIpv6Ports } from './options.ts';
import { RouterAdvertiser } from './router-advertiser.ts';
import { TokenBucket } from './token-bucket.ts';

/** Packets that are looked at: a host sends a dozen when it comes, and then a few in minutes. */
const PACKET_BURST = 30;
const PACKET_INTERVAL = 200;
const HOP_LIMIT = 64;

export type SavedCallerIpv6 = ReturnType<CallerIpv6['save']>;

export class CallerIpv6 {
  readonly #ports: CallerIpv6Ports;
  readonly #ours: Uint8Array;
  readonly #peer: Uint8Array;
  readonly #advertiser: RouterAdvertiser;
  readonly #dhcp: Dhcpv6Server;
  readonly #packets = new TokenBucket(PACKET_BURST, PACKET_INTERVAL);
  readonly #outputs: CallerIpv6Output[] = [];
  #options: CallerIpv6Options;

  constructor(options: CallerIpv6Options, ports: CallerIpv6Ports) {
    this.#options = options;
    this.#ports = ports;
    this.#ours = linkLocalAddress(options.ourIdentifier);
    this.#peer = linkLocalAddress(options.peerIdentifier);
    this.#advertiser = new RouterAdvertiser(options, ports.random);
    this.#dhcp = new Dhcpv6Server(options, ports.delegate, (output) => {
      this.#outputs.push(output);
    });
  }

  /** Not carried: #options and #ports, which are given anew, with #ours and #peer; #outputs, which are carried out. */
  save() {
    return {
      advertiser: this.#advertiser.save(),
      dhcp: this.#dhcp.save(),
      packets: this.#packets.save(),
    };
  }

  /** Instead of start. */
  restore({ advertiser, dhcp, packets }: SavedCallerIpv6): void {
    this.#advertiser.restore(advertiser);
    this.#dhcp.restore(dhcp);
    this.#packets.restore(packets);
  }

  /** IPV6CP is open. */
  start(now: number): void {
    this.#advertiser.start(now);
    this.#advertise(now);
  }

  /** One IPv6 packet of the caller: ICMPv6, or UDP to a port of DHCPv6, to us or to a group of the link. */
  receive(octets: Uint8Array, now: number): void {
    if (!this.#packets.take(now)) return this.#count('flood');
    const packet = decodeIpv6(octets);
    if (isMalformed(packet)) return this.#count('malformed');
    switch (packet.nextHeader) {
      case Ipv6NextHeader.Icmpv6:
        return this.#neighbor(packet, now);
      case Ipv6NextHeader.Udp:
        return this.#datagram(packet, now);
      case Ipv6NextHeader.Fragment: // RFC 6980 §5
        return this.#count('fragment');
      case Ipv6NextHeader.HopByHop:
        // Every host reports the groups that it listens to; there is no multicast routing here.
        if (!isListenerReport(packet.payload)) this.#count('extension header');
        return;
      case Ipv6NextHeader.Routing:
      case Ipv6NextHeader.DestinationOptions:
        return this.#count('extension header');
      default:
        return this.#count('unexpected packet');
    }
  }

  /** Other prefixes and name servers from now on: the old ones fade out, the new ones are told at once. */
  change(options: CallerIpv6Options, now: number): void {
    this.#options = options;
    this.#dhcp.change(options);
    const gone = this.#advertiser.change(options, now);
    for (const prefix of gone) this.#outputs.push({ kind: 'released', prefix });
    this.#advertise(now);
  }

  nextTimeout(): number | undefined {
    const [advertiser, dhcp] = [this.#advertiser.nextTimeout(), this.#dhcp.nextTimeout()];
    return advertiser === undefined || dhcp === undefined
      ? (advertiser ?? dhcp)
      : Math.min(advertiser, dhcp);
  }

  handleTimeout(now: number): void {
    this.#dhcp.handleTimeout(now);
    for (const prefix of this.#advertiser.expire(now))
      this.#outputs.push({ kind: 'released', prefix });
    this.#advertise(now);
  }

  poll(): CallerIpv6Output | undefined {
    return takeFirst(this.#outputs);
  }

  #advertise(now: number): void {
    for (const { message, destination } of this.#advertiser.due(now))
      this.#sendNeighbor(message, this.#ours, destination);
  }

  #neighbor(packet: Ipv6Packet, now: number): void {
    const message = decodeNeighborMessage(packet);
    if (isMalformed(message))
      return this.#count(message.error === 'unknown-type' ? 'unexpected ICMPv6' : 'malformed');
    const isUnspecified = isSameIpv6Address(packet.source, UNSPECIFIED);
    // What else it may be from the data path has checked.
    if (isLinkLocal(packet.source) && !isSameIpv6Address(packet.source, this.#peer))
      return this.#count('bad source');
    switch (message.name) {
      case 'router-solicitation':
        // RFC 4861 §6.1.1
        if (isUnspecified && hasLinkLayerAddress(message)) return this.#count('malformed');
        if (!this.#advertiser.solicited(packet.source, now)) this.#count('flood');
        return this.#advertise(now);
      case 'neighbor-solicitation':
        return this.#solicited(message, packet, isUnspecified);
      case 'neighbor-advertisement':
        // What it tells of itself is of no use on a link of two ends.
        if ((message.flags & NeighborFlags.Router) !== 0) this.#count(`unexpected ${message.name}`);
        return;
      case 'router-advertisement':
      case 'redirect':
        return this.#count(`unexpected ${message.name}`);
    }
  }

  /** RFC 4861 §7.1.1, §7.2.4 */
  #solicited(
    message: Extract<NeighborMessage, { name: 'neighbor-solicitation' }>,
    { destination, source }: Ipv6Packet,
    isUnspecified: boolean,
  ): void {
    const { target } = message;
    if (isMulticast(target)) return this.#count('malformed');
    if (isUnspecified && (hasLinkLayerAddress(message) || !isSolicitedNode(destination)))
      return this.#count('malformed');
    const { addresses } = this.#options;
    // It asks about its own, too, before it uses them (RFC 4862 §5.4).
    if (![this.#ours, ...addresses].some((address) => isSameIpv6Address(address, target))) return;
    const solicited = isUnspecified ? 0 : NeighborFlags.Solicited;
    const flags = NeighborFlags.Router + solicited + NeighborFlags.Override;
    this.#sendNeighbor(
      { name: 'neighbor-advertisement', flags, target, options: [] },
      target,
      isUnspecified ? ALL_NODES : source,
    );
  }

  #datagram(packet: Ipv6Packet, now: number): void {
    const datagram = decodeUdp(packet.payload);
    if (isMalformed(datagram)) return this.#count('malformed');
    if (datagram.checksum === 0 || !hasRightIpv6Checksum(packet)) return this.#count('malformed');
    if (datagram.destinationPort === DHCPV6_CLIENT_PORT)
      return this.#count('unexpected DHCPv6 server');
    if (datagram.destinationPort !== DHCPV6_SERVER_PORT) return this.#count('unexpected UDP');
    if (!isSameIpv6Address(packet.source, this.#peer)) return this.#count('bad source');
    // RFC 8415 §18.4: without the option for it nothing goes to a server's own address.
    if (!isSameIpv6Address(packet.destination, ALL_DHCP_SERVERS))
      return this.#count('unexpected DHCPv6 destination');
    const message = decodeDhcpv6(datagram.payload);
    if (isMalformed(message))
      return this.#count(message.error === 'unknown-type' ? 'unexpected DHCPv6' : 'malformed');
    const answer = this.#dhcp.answer(message, now);
    if (answer === 'unexpected') return this.#count(`unexpected DHCPv6 ${message.name}`);
    if (typeof answer === 'string') return this.#count(answer);
    if (answer !== undefined) this.#sendDhcp(answer);
  }

  #sendNeighbor(message: NeighborMessage, source: Uint8Array, destination: Uint8Array): void {
    this.#send(encodeNeighborMessage(message, source, destination));
  }

  #sendDhcp(message: Dhcpv6Message): void {
    const [source, destination] = [this.#ours, this.#peer];
    const ports = { sourcePort: DHCPV6_SERVER_PORT, destinationPort: DHCPV6_CLIENT_PORT };
    for (let { options } = message; ; options = options.slice(0, -1)) {
      const payload = encodeDhcpv6({ ...message, options });
      const packet = encodeUdp(ports, payload, { hopLimit: HOP_LIMIT, source, destination });
      // The least important stands last.
      if (40 + packet.payload.length <= this.#options.mtu) return this.#send(packet);
    }
  }

  #send(packet: Ipv6Packet): void {
    this.#outputs.push({ kind: 'send', packet: encodeIpv6(packet) });
  }

  #count(what: string): void {
    this.#ports.count(`ipv6: ${what}`);
  }
}

/** RFC 4861 §7.1.1: who has no address yet has no link-layer address to tell either. */
function hasLinkLayerAddress({ options }: NeighborMessage): boolean {
  return options.some(({ name }) => name === 'source-link-layer-address');
}

/** ICMPv6 behind a header of hop-by-hop options: RFC 2710 §3, RFC 3810 §5. */
function isListenerReport(payload: Uint8Array): boolean {
  const [next, units, type = 0] = [payload[0], payload[1], payload[8]];
  if (next !== Ipv6NextHeader.Icmpv6 || units !== 0) return false;
  return (type >= 130 && type <= 132) || type === 143;
}

/** RFC 4291 §2.5.6 */
function isLinkLocal(address: Uint8Array): boolean {
  return address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
}

function isMulticast(address: Uint8Array): boolean {
  return address[0] === 0xff;
}

/** ff02::1:ff00:0/104: RFC 4291 §2.7.1 */
const SOLICITED_NODES = {
  address: Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0),
  length: 104,
};

function isSolicitedNode(address: Uint8Array): boolean {
  return ipv6PrefixContains(SOLICITED_NODES, address);
}
