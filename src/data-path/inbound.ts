/**
 * IP packets from the peers to the TUN devices: who may send what.
 *
 * A caller may use only sources that it owns (its address, the networks behind it). Packets between callers go through the
 * kernel, whose firewall and forwarding decide, unless the server isolates its callers. DHCP of callers ends here
 * (dhcp/inform.ts), neighbour discovery and DHCPv6 in the session's machine; other multicast and broadcast goes to the kernel
 * as any packet.
 */
import type { Slot } from '../wire/brand.ts';
import { writeU16 } from '../wire/octets.ts';
import { PppProtocol } from '../wire/ppp-frame.ts';
import type { PendingControl } from './control.ts';
import { Column, type CounterSlab } from './counters.ts';
import type { Device, Devices } from './devices.ts';
import { isToDhcpServer, type DhcpInform } from './dhcp/inform.ts';
import { Drop, PASS } from './drop.ts';
import { ipv4Destination, ipv4Source, isImpossibleSource } from './ip/inner-packet.ts';
import { FOR_MACHINE, judgeControl } from './ip/ipv6-control.ts';
import type { Ipv6Rules } from './ip/ipv6-rules.ts';
import { clampMss, clampMssIpv6 } from './ip/mss-clamp.ts';
import type { OutBatch } from './queues/batch.ts';
import type { HeldPackets } from './queues/held-packets.ts';
import { RateLimit } from './queues/rate-limit.ts';
import { type Shaper, WAITS } from './queues/shaper.ts';
import { NO_DEVICE, type SessionSlab } from './session-slab.ts';

export interface InboundParts {
  readonly octets: Uint8Array;
  readonly sessions: SessionSlab;
  readonly devices: Devices;
  readonly ipv6Rules: Ipv6Rules;
  readonly output: OutBatch;
  /** What comes from the peer by its rate, and where that waits. */
  readonly inwards: Shaper;
  readonly shaped: HeldPackets;
  readonly dhcp: DhcpInform;
  readonly control: PendingControl;
  readonly maxSessions: number;
  readonly counters: CounterSlab;
}

/** 255.255.255.255 */
const BROADCAST = -1;
/** Neighbour discovery and DHCPv6 of one session: a host that has just dialled in sends about ten. */
const MACHINE_PER_SECOND = 5;
const MACHINE_BURST = 40;
/** Of PPP, uncompressed. */
const PROTOCOL_LENGTH = 2;

export class Inbound {
  readonly #parts: InboundParts;
  readonly #machineLimit: RateLimit;

  constructor(parts: InboundParts) {
    this.#parts = parts;
    this.#machineLimit = new RateLimit(parts.maxSessions, MACHINE_PER_SECOND, MACHINE_BURST);
  }

  /** A new session has its ration of packets for its machine. */
  start(slot: Slot, now: number): void {
    this.#machineLimit.reset(slot, now);
  }

  /** Delivers the IP packet octets[at..at+length), whose header was checked (inner-packet.ts). */
  deliver(slot: Slot, protocol: number, at: number, length: number, now: number): void {
    const { octets, sessions, devices, ipv6Rules, inwards, dhcp, counters } = this.#parts;
    const fd = sessions.device[slot]!;
    if (fd === NO_DEVICE) return counters.drop(slot, Drop.notAttached);
    const device = devices.find(fd)!;
    if (protocol === PppProtocol.Ip) {
      const source = ipv4Source(octets, at);
      if (!this.#mayCome(slot, device, source)) return counters.drop(slot, Drop.badSource);
      if (!device.isLink) {
        const destination = ipv4Destination(octets, at);
        if (this.#isCaller(slot, device, destination)) return counters.drop(slot, Drop.isolated);
        if (
          (destination === BROADCAST || destination === sessions.localAddress[slot]) &&
          isToDhcpServer(octets, at, length) &&
          dhcp.answers(slot)
        )
          return dhcp.receive(slot, at, length, now);
      }
      clampMss(octets, at, length, sessions.innerMtu[slot]!);
    } else {
      const reason = ipv6Rules.inward(slot, device, at);
      if (reason !== PASS) return counters.drop(slot, reason);
      if (sessions.ipv6Machine[slot] !== 0) {
        const control = judgeControl(octets, at, length);
        if (control === FOR_MACHINE) return this.#giveMachine(slot, at, length, now);
        if (control !== PASS) return counters.drop(slot, control);
      }
      clampMssIpv6(octets, at, length, sessions.innerMtu[slot]!);
    }
    const verdict = inwards.offer(slot, protocol, at, length, now);
    if (verdict === PASS) this.#push(slot, at, length);
    else if (verdict !== WAITS) counters.drop(slot, verdict);
  }

  /** Delivers what has waited for its rate. */
  release(now: number): void {
    const { inwards, shaped } = this.#parts;
    for (let handle = inwards.take(now); handle !== -1; handle = inwards.take(now)) {
      this.#push(inwards.slot, shaped.offset(handle), shaped.length(handle));
      shaped.release(handle);
    }
  }

  /** As a frame: the protocol takes the place of what came before the packet. */
  #giveMachine(slot: Slot, at: number, length: number, now: number): void {
    const { octets, control, counters } = this.#parts;
    counters.add(slot, Column.RxControl, 1);
    if (this.#machineLimit.take(slot, 1, now) === 0) return counters.drop(slot, Drop.ipv6Flood);
    const frame = at - PROTOCOL_LENGTH;
    writeU16(octets, frame, PppProtocol.Ipv6);
    if (!control.frame(slot, frame, length + PROTOCOL_LENGTH)) counters.drop(slot, Drop.full);
  }

  #push(slot: Slot, at: number, length: number): void {
    const { sessions, output, counters } = this.#parts;
    if (!output.pushTun(sessions.device[slot]!, at, length)) return counters.drop(slot, Drop.full);
    counters.add(slot, Column.RxPackets, 1);
    counters.add(slot, Column.RxOctets, length);
  }

  #mayCome(slot: Slot, device: Device, source: number): boolean {
    if (!device.isLink) return device.routes.find(source) === slot;
    return !isImpossibleSource(source) && source !== this.#parts.sessions.localAddress[slot];
  }

  /** A caller that this one must not reach; itself too: such packets would come back for ever. */
  #isCaller(slot: Slot, device: Device, destination: number): boolean {
    const owner = device.routes.find(destination);
    return owner === slot || (owner !== -1 && device.isolate);
  }
}
