/**
 * LCP on a link: its negotiation, and the packets that only LCP has (RFC 1661 §5.7 to §5.9, RFC 1570 §2).
 */
import type { CauseCode } from '../wire/cause.ts';
import { decode, isMalformed } from '../wire/codec.ts';
import {
  decodeControlPacket,
  encodeControlPacket,
  magicNumberData,
  PACKET_HEADER_LENGTH,
  PacketCode,
  protocolRejectData,
  type ControlPacket,
} from '../wire/control-packet.ts';
import type { LcpOption } from '../wire/lcp-options.ts';
import { writeU16, writeU32 } from '../wire/octets.ts';
import { encodePppFrame, PppProtocol } from '../wire/ppp-frame.ts';
import { takeFirst } from '../wire/queue.ts';
import { Keepalive } from './keepalive.ts';
import { LcpPolicy } from './lcp.ts';
import { Negotiation, type NegotiationOutput } from './negotiation.ts';
import type { LinkOptions } from './options.ts';
import type { LinkOutput } from './output.ts';

export type LcpOutput =
  | Exclude<NegotiationOutput, { kind: 'transmit' | 'acked' }>
  | Extract<LinkOutput, { kind: 'transmit' | 'echo-reply' }>
  | { readonly kind: 'protocol-rejected'; readonly protocol: number };

/** Echo-Requests with our own magic number that make a loop certain. */
const MAX_LOOPED_ECHOES = 3;

type SavedLcp = NonNullable<ReturnType<LcpLayer['save']>>;
/** The first packets of a call get lost where a firewall or the peer has not opened the way yet: asked again soon, ms. */
const QUICK = [500, 1000, 2000];

export class LcpLayer {
  readonly policy: LcpPolicy;
  readonly #negotiation: Negotiation<LcpOption>;
  readonly #keepalive: Keepalive | undefined;
  readonly #count: LinkOptions['count'];
  readonly #outputs: LcpOutput[] = [];
  #identifier = 0;
  /** The last that was sent. */
  #echo: { readonly identifier: number; readonly at: number } | undefined;
  #roundTrip: number | undefined;
  #loopedEchoes = 0;

  constructor(options: LinkOptions) {
    this.policy = new LcpPolicy(options);
    this.#count = options.count;
    this.#negotiation = new Negotiation(this.policy, true, options.count, QUICK);
    if (options.keepalive !== undefined) this.#keepalive = new Keepalive(options.keepalive);
  }

  /** undefined: LCP is not open. Not carried: #count; #outputs, of which there are none. */
  save() {
    const negotiation = this.#negotiation.opened ? this.#negotiation.save() : undefined;
    if (negotiation === undefined || this.#outputs.length > 0) return undefined;
    return {
      policy: this.policy.save(),
      negotiation,
      keepalive: this.#keepalive?.save(),
      identifier: this.#identifier,
      echo: this.#echo,
      roundTrip: this.#roundTrip,
      loopedEchoes: this.#loopedEchoes,
    };
  }

  restore(saved: SavedLcp): void {
    this.policy.restore(saved.policy);
    this.#negotiation.restore(saved.negotiation);
    if (saved.keepalive !== undefined) this.#keepalive?.restore(saved.keepalive);
    this.#identifier = saved.identifier;
    this.#echo = saved.echo;
    this.#roundTrip = saved.roundTrip;
    this.#loopedEchoes = saved.loopedEchoes;
  }

  /** Nothing was asked that waits for an answer. */
  get isResting(): boolean {
    return this.#negotiation.nextTimeout() === undefined;
  }

  handleUp(now: number): void {
    this.#negotiation.open(now);
    this.#negotiation.handleUp(now);
    this.#drain(now);
  }

  handleDown(now: number): void {
    this.#negotiation.handleDown(now);
    this.#drain(now);
  }

  /** The peer gets a Configure-Request while LCP is open (RFC 1661 §4.3, the restart option): all begins anew. */
  restart(now: number): void {
    this.#negotiation.handleDown(now);
    this.#negotiation.handleUp(now);
    this.#drain(now);
  }

  /** @param text for the peer's log */
  close(now: number, text: string): void {
    this.#negotiation.close(now, text);
    this.#drain(now);
  }

  /** ms, of the last echo that was answered. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  handleTraffic(now: number): void {
    this.#keepalive?.handleHeard(now);
  }

  handlePayload(payload: Uint8Array, now: number): void {
    const packet = decodeControlPacket(payload);
    if (isMalformed(packet)) this.#count('malformed-packet');
    else if (packet.code < PacketCode.ProtocolReject || packet.code > PacketCode.TimeRemaining)
      this.#negotiation.handlePacket(packet, now);
    // RFC 1661 §5.7, §5.8: in any other state such packets are discarded.
    else if (!this.#negotiation.opened) this.#count('out-of-state');
    else this.#handleOwnPacket(packet, now);
    this.#drain(now);
  }

  /** RFC 1661 §5.7, cut to the peer's MRU. */
  rejectProtocol(protocol: number, payload: Uint8Array): void {
    const room = this.policy.peerMru - PACKET_HEADER_LENGTH - 2;
    const data = new Uint8Array(2 + Math.min(payload.length, room));
    writeU16(data, 0, protocol);
    data.set(payload.subarray(0, room), 2);
    this.#count('rejected-protocol');
    this.#transmit({ code: PacketCode.ProtocolReject, identifier: this.#nextIdentifier(), data });
  }

  /** RFC 1661 §5.8. @returns its identifier: 'echo-reply' has the same */
  sendEcho(now: number): number {
    const identifier = this.#nextIdentifier();
    this.#echo = { identifier, at: now };
    const data = new Uint8Array(4);
    writeU32(data, 0, this.policy.magicNumber);
    this.#transmit({ code: PacketCode.EchoRequest, identifier, data });
    return identifier;
  }

  nextTimeout(): number | undefined {
    const restart = this.#negotiation.nextTimeout();
    const echo = this.#keepalive?.nextTimeout();
    if (restart === undefined || echo === undefined) return restart ?? echo;
    return Math.min(restart, echo);
  }

  handleTimeout(now: number): void {
    this.#negotiation.handleTimeout(now);
    this.#drain(now);
    switch (this.#keepalive?.handleTimeout(now)) {
      case 'echo':
        this.sendEcho(now);
        break;
      case 'dead':
        this.#fail('PEER_DEAD');
        break;
      case undefined:
        break;
    }
  }

  poll(): LcpOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #handleOwnPacket(packet: ControlPacket, now: number): void {
    switch (packet.code) {
      case PacketCode.ProtocolReject: {
        const rejected = decode(protocolRejectData, packet.data, 'Protocol-Reject');
        if (isMalformed(rejected)) this.#count('malformed-packet');
        else this.#handleProtocolReject(rejected.rejectedProtocol, now);
        break;
      }
      case PacketCode.EchoRequest:
        this.#answerEcho(packet);
        break;
      case PacketCode.EchoReply:
        if (packet.identifier === this.#echo?.identifier) {
          this.#roundTrip = now - this.#echo.at;
          this.#echo = undefined;
        }
        this.#outputs.push({ kind: 'echo-reply', identifier: packet.identifier });
        break;
      default: // Discard-Request, Identification, Time-Remaining: no answer.
        break;
    }
  }

  #handleProtocolReject(protocol: number, now: number): void {
    if (protocol === PppProtocol.Lcp) this.#negotiation.handleProtocolReject(now);
    else this.#outputs.push({ kind: 'protocol-rejected', protocol });
  }

  /** RFC 1661 §5.8: the reply carries our own magic number and must fit the peer's MRU. */
  #answerEcho({ identifier, data }: ControlPacket): void {
    const request = decode(magicNumberData, data, 'Echo-Request');
    const { magicNumber, peerMru } = this.policy;
    if (isMalformed(request)) this.#count('malformed-packet');
    else if (magicNumber !== 0 && request.magicNumber === magicNumber) {
      this.#count('looped-echo');
      if (++this.#loopedEchoes >= MAX_LOOPED_ECHOES) this.#fail('LOOPBACK');
    } else {
      this.#loopedEchoes = 0;
      const reply = data.slice(0, peerMru - PACKET_HEADER_LENGTH);
      writeU32(reply, 0, magicNumber);
      this.#transmit({ code: PacketCode.EchoReply, identifier, data: reply });
    }
  }

  #drain(now: number): void {
    for (let output; (output = this.#negotiation.poll()) !== undefined;) {
      if (output.kind === 'transmit') this.#transmit(output.packet);
      else if (output.kind !== 'acked') this.#outputs.push(output);
      if (output.kind === 'up') {
        this.#negotiation.peerMru = this.policy.peerMru;
        this.#keepalive?.start(now);
      } else if (output.kind === 'down') this.#keepalive?.stop();
    }
  }

  #transmit(packet: ControlPacket): void {
    const frame = encodePppFrame(PppProtocol.Lcp, encodeControlPacket(packet));
    this.#outputs.push({ kind: 'transmit', frame });
  }

  #fail(code: CauseCode): void {
    this.#outputs.push({ kind: 'failed', code });
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }
}
