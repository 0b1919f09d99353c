/**
 * The network-layer protocol phase (RFC 1661 §3.7): CCP, IPCP and IPV6CP and who waits for whom. IPCP and IPV6CP start
 * when encryption.ts lets IP flow; requests of the peer that come earlier are kept for them, not refused.
 */
import { cause, type Cause, type CauseCode } from '../wire/cause.ts';
import { isMalformed } from '../wire/codec.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
  PacketCode,
  type ControlPacket,
} from '../wire/control-packet.ts';
import { peersGoodbye } from '../wire/goodbye.ts';
import type { IpcpOption } from '../wire/ipcp-options.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { Ipv6cpOption } from '../wire/ipv6cp-options.ts';
import { innerMtu } from '../wire/mppe-header.ts';
import { encodePppFrame, PppProtocol } from '../wire/ppp-frame.ts';
import { takeFirst } from '../wire/queue.ts';
import { Encryption, type EncryptionOutput } from './encryption.ts';
import { IpcpPolicy, type IpcpOptions } from './ipcp.ts';
import { Ipv6cpPolicy } from './ipv6cp.ts';
import type { KeyUse } from './key-use.ts';
import { keyedStrengths, type MppeKeySource } from './mppe-key-source.ts';
import { Negotiation, type FinishReason, type SavedNegotiation } from './negotiation.ts';
import type { Grant, LinkOptions } from './options.ts';
import type { LinkOutput } from './output.ts';

export type NetworkOutput =
  | LinkOutput
  | Extract<EncryptionOutput, { kind: 'keys-spent' }>
  | { readonly kind: 'failed'; readonly cause: Cause };

interface Protocol<O, P> {
  readonly negotiation: Negotiation<O>;
  readonly policy: P;
}

export class NetworkPhase {
  readonly #mppePolicy: LinkOptions['mppe']['policy'];
  readonly #count: LinkOptions['count'];
  readonly #encryption: Encryption | undefined;
  readonly #ipcp: Protocol<IpcpOption, IpcpPolicy>;
  readonly #ipv6cp: Protocol<Ipv6cpOption, Ipv6cpPolicy> | undefined;
  readonly #outputs: NetworkOutput[] = [];
  /** The latest Configure-Request of a protocol that is not started yet. */
  #early: Map<number, ControlPacket> | undefined;
  #started = false;
  #isIpUp = false;
  #isIpv6Up = false;

  /**
   * @param keys of the login; absent: no encryption
   * @param keyUse of the link
   * @param grant absent: addresses as in `link.ip`
   * @param peerMru octets; bounds what is sent back in Code-Rejects, and decides whether IPv6 fits
   */
  constructor(
    link: LinkOptions,
    keys: MppeKeySource | undefined,
    keyUse: KeyUse,
    grant: Grant | undefined,
    peerMru: number,
  ) {
    const { mppe } = link;
    this.#mppePolicy = mppe.policy;
    this.#count = link.count;
    const strengths = keyedStrengths(keys, mppe.strengths);
    if (mppe.policy !== 'off' && keys !== undefined && strengths.length > 0)
      this.#encryption = new Encryption(link, keys, keyUse, strengths, peerMru);
    const ipcp = new IpcpPolicy(ipcpOptions(link, grant));
    this.#ipcp = { policy: ipcp, negotiation: new Negotiation(ipcp, true, link.count) };
    this.#ipcp.negotiation.peerMru = peerMru;
    // The kernel has no IPv6 on a device that is smaller.
    const mtu = innerMtu(Math.min(link.mru, peerMru), this.#encryption !== undefined);
    if (!link.ipv6 || mtu < IPV6_MIN_MTU) return;
    const ipv6cp = new Ipv6cpPolicy(link, grant?.interfaceIdentifier);
    this.#ipv6cp = { policy: ipv6cp, negotiation: new Negotiation(ipv6cp, true, link.count) };
    this.#ipv6cp.negotiation.peerMru = peerMru;
  }

  /**
   * undefined: something is being negotiated.
   * Not carried: #mppePolicy, #count, which are of the options; #early and #outputs, of which there are none.
   */
  save() {
    const ipcp = saved(this.#ipcp.negotiation, this.#ipcp.policy.save());
    const ipv6cp = this.#ipv6cp && saved(this.#ipv6cp.negotiation, this.#ipv6cp.policy.save());
    const encryption = this.#encryption?.save();
    const isQuiet =
      this.#outputs.length === 0 &&
      this.#early === undefined &&
      (encryption !== undefined || this.#encryption === undefined) &&
      (ipv6cp !== undefined || this.#ipv6cp === undefined);
    if (ipcp === undefined || !isQuiet) return undefined;
    const [started, isIpUp, isIpv6Up] = [this.#started, this.#isIpUp, this.#isIpv6Up];
    return { encryption, ipcp, ipv6cp, started, isIpUp, isIpv6Up };
  }

  /** Instead of start. @throws Error the options have another idea of the link */
  restore(saved: NonNullable<ReturnType<NetworkPhase['save']>>): void {
    const hasOther =
      (saved.encryption === undefined) !== (this.#encryption === undefined) ||
      (saved.ipv6cp === undefined) !== (this.#ipv6cp === undefined);
    if (hasOther) throw new Error('a link that has other protocols now');
    if (saved.encryption !== undefined) this.#encryption?.restore(saved.encryption);
    this.#ipcp.policy.restore(saved.ipcp.policy);
    this.#ipcp.negotiation.restore(saved.ipcp.negotiation);
    if (saved.ipv6cp !== undefined) {
      this.#ipv6cp?.policy.restore(saved.ipv6cp.policy);
      this.#ipv6cp?.negotiation.restore(saved.ipv6cp.negotiation);
    }
    this.#started = saved.started;
    this.#isIpUp = saved.isIpUp;
    this.#isIpv6Up = saved.isIpv6Up;
  }

  start(now: number): void {
    if (this.#encryption === undefined && this.#mppePolicy === 'required') {
      this.#fail('MPPE_NO_KEYS');
      return;
    }
    this.#encryption?.start(now);
    this.#advance(now);
  }

  /** LCP is no longer open. */
  stop(now: number): void {
    this.#ipDown();
    this.#encryption?.stop(now);
    this.#ipcp.negotiation.handleDown(now);
    this.#ipv6cp?.negotiation.handleDown(now);
    this.#drainEncryption();
    this.#drainIpcp(now);
    this.#drainIpv6cp(now);
  }

  /** Returns false if the protocol is not spoken here: to be Protocol-Rejected. */
  handlePayload(protocol: number, payload: Uint8Array, now: number): boolean {
    const machine = this.#machine(protocol);
    if (machine === undefined) return false;
    const packet = decodeControlPacket(payload);
    if (isMalformed(packet)) this.#count('malformed-packet');
    else if (machine !== this.#encryption && !this.#started) this.#keep(protocol, packet);
    else machine.handlePacket(packet, now);
    this.#advance(now);
    return true;
  }

  handleProtocolReject(protocol: number, now: number): void {
    const machine = this.#machine(protocol);
    if (machine === undefined) this.#count('unexpected-protocol-reject');
    else machine.handleProtocolReject(now);
    this.#advance(now);
  }

  handleDesynchronized(now: number): void {
    this.#encryption?.handleDesynchronized(now);
    this.#advance(now);
  }

  nextTimeout(): number | undefined {
    const earliest = Math.min(
      this.#encryption?.nextTimeout() ?? Infinity,
      this.#ipcp.negotiation.nextTimeout() ?? Infinity,
      this.#ipv6cp?.negotiation.nextTimeout() ?? Infinity,
    );
    return earliest === Infinity ? undefined : earliest;
  }

  handleTimeout(now: number): void {
    this.#encryption?.handleTimeout(now);
    this.#ipcp.negotiation.handleTimeout(now);
    this.#ipv6cp?.negotiation.handleTimeout(now);
    this.#advance(now);
  }

  poll(): NetworkOutput | undefined {
    return takeFirst(this.#outputs);
  }

  /** Why the peer may have had enough, where that is known. */
  get objection(): Cause | undefined {
    return this.#encryption?.objection;
  }

  get isIpUp(): boolean {
    return this.#isIpUp;
  }

  #machine(protocol: number): Encryption | Negotiation<unknown> | undefined {
    switch (protocol) {
      case PppProtocol.Ccp:
        return this.#encryption;
      case PppProtocol.Ipcp:
        return this.#ipcp.negotiation;
      case PppProtocol.Ipv6cp:
        return this.#ipv6cp?.negotiation;
      default:
        return undefined;
    }
  }

  /** Carries on whatever the last input made possible. */
  #advance(now: number): void {
    this.#drainEncryption();
    if (!this.#started && this.#mayIpFlow) this.#startIp(now);
    this.#drainIpcp(now);
    this.#drainIpv6cp(now);
    if (this.#mayIpFlow) this.#raiseIp();
  }

  get #mayIpFlow(): boolean {
    return this.#encryption?.isSettled ?? this.#mppePolicy !== 'required';
  }

  #startIp(now: number): void {
    this.#started = true;
    const early = this.#early;
    this.#early = undefined;
    for (const protocol of [this.#ipcp, this.#ipv6cp]) {
      protocol?.negotiation.open(now);
      protocol?.negotiation.handleUp(now);
    }
    for (const [protocol, packet] of early ?? [])
      this.#machine(protocol)?.handlePacket(packet, now);
  }

  /** Only a Configure-Request can be answered later. */
  #keep(protocol: number, packet: ControlPacket): void {
    if (packet.code === PacketCode.ConfigureRequest)
      (this.#early ??= new Map<number, ControlPacket>()).set(protocol, packet);
    else this.#count('out-of-state');
  }

  #drainEncryption(): void {
    for (let output; (output = this.#encryption?.poll()) !== undefined;) {
      if (output.kind === 'down') this.#ipDown();
      else this.#outputs.push(output);
    }
  }

  #drainIpcp(now: number): void {
    const { negotiation, policy } = this.#ipcp;
    for (let output; (output = negotiation.poll()) !== undefined;) {
      switch (output.kind) {
        case 'transmit':
          this.#transmit(PppProtocol.Ipcp, output.packet);
          break;
        case 'up':
          if (policy.localAddress === 0) this.#fail('IPCP_FAILED', 'the peer assigned no address');
          break;
        case 'down':
          this.#ipv4Down();
          break;
        case 'peer-terminated':
          this.#fail('IPCP_FAILED', endOf('IPCP', output.data));
          break;
        case 'finished':
          this.#handleIpcpFinished(output.reason);
          break;
        case 'failed':
          this.#fail('IPCP_FAILED');
          negotiation.close(now);
          break;
        case 'acked':
          break;
      }
    }
  }

  #handleIpcpFinished(reason: FinishReason): void {
    if (reason === 'timeout') this.#fail('IPCP_TIMEOUT');
    if (reason === 'refused') this.#fail('IPCP_FAILED', 'the peer rejected IPCP');
  }

  /** Without IPV6CP the link goes on with IPv4. */
  #drainIpv6cp(now: number): void {
    if (this.#ipv6cp === undefined) return;
    const { negotiation, policy } = this.#ipv6cp;
    for (let output; (output = negotiation.poll()) !== undefined;) {
      switch (output.kind) {
        case 'transmit':
          this.#transmit(PppProtocol.Ipv6cp, output.packet);
          break;
        case 'up':
          if (policy.peerIdentifier === undefined) negotiation.close(now);
          break;
        case 'down':
          this.#ipv6Down();
          break;
        case 'failed':
          negotiation.close(now);
          break;
        case 'acked':
        case 'peer-terminated':
        case 'finished':
          break;
      }
    }
  }

  #raiseIp(): void {
    const ipcp = this.#ipcp;
    if (!this.#isIpUp && ipcp.negotiation.opened && ipcp.policy.localAddress !== 0) {
      this.#isIpUp = true;
      const { localAddress, peerAddress, dns } = ipcp.policy;
      this.#outputs.push({ kind: 'ip-up', localAddress, peerAddress, dns });
    }
    const ipv6cp = this.#ipv6cp;
    const peerIdentifier = ipv6cp?.policy.peerIdentifier;
    if (ipv6cp?.negotiation.opened === true && peerIdentifier !== undefined && !this.#isIpv6Up) {
      this.#isIpv6Up = true;
      const { localIdentifier } = ipv6cp.policy;
      this.#outputs.push({ kind: 'ipv6-up', localIdentifier, peerIdentifier });
    }
  }

  /** Neither IP version may flow; their protocols stay as they are. */
  #ipDown(): void {
    this.#ipv4Down();
    this.#ipv6Down();
  }

  #ipv4Down(): void {
    if (this.#isIpUp) this.#outputs.push({ kind: 'ip-down' });
    this.#isIpUp = false;
  }

  #ipv6Down(): void {
    if (this.#isIpv6Up) this.#outputs.push({ kind: 'ipv6-down' });
    this.#isIpv6Up = false;
  }

  #transmit(protocol: number, packet: ControlPacket): void {
    const frame = encodePppFrame(protocol, encodeControlPacket(packet));
    this.#outputs.push({ kind: 'transmit', frame });
  }

  #fail(code: CauseCode, detail?: string): void {
    this.#outputs.push({ kind: 'failed', cause: cause(code, detail) });
  }
}

/** undefined: it is negotiating. */
function saved<O, Policy>(
  protocol: Negotiation<O>,
  policy: Policy,
): { readonly negotiation: SavedNegotiation; readonly policy: Policy } | undefined {
  const negotiation = protocol.save();
  return negotiation && { negotiation, policy };
}

function endOf(protocol: string, data: Uint8Array): string {
  const text = peersGoodbye(data);
  return `the peer ended ${protocol}${text === undefined ? '' : `; it says: ${text}`}`;
}

function ipcpOptions({ ip }: LinkOptions, grant: Grant | undefined): IpcpOptions {
  return {
    localAddress: grant?.localAddress ?? ip.localAddress ?? 0,
    keepLocalAddress: grant !== undefined,
    peerAddress: grant?.peerAddress ?? ip.peerAddress,
    offer: {
      primaryDns: grant?.dns[0],
      secondaryDns: grant?.dns[1],
      primaryNbns: grant?.nbns[0],
      secondaryNbns: grant?.nbns[1],
    },
    requestDns: ip.requestDns,
  };
}
