/* eslint max-lines: ['error', { max: 410, skipBlankLines: true, skipComments: true }] -- one machine, with what of it goes on */
/**
 * One run of the option negotiation automaton (RFC 1661 §4): packets, counters and the restart timer around the table
 * of automaton.ts. What is negotiated is the policy's matter.
 *
 * An Ack, Nak or Reject is taken once per Configure-Request. Repeated ones, as a slow peer sends after our
 * retransmission, are discarded like those with a wrong identifier: they would restart an open protocol, and a spurious
 * Configure-Request of CCP stops the encryption of Linux peers.
 */
import type { CauseCode } from '../wire/cause.ts';
import { isMalformed } from '../wire/codec.ts';
import {
  encodeControlPacket,
  PACKET_HEADER_LENGTH,
  PacketCode,
  type ControlPacket,
} from '../wire/control-packet.ts';
import { decodeOptions, encodeOptions, type RawOption } from '../wire/option.ts';
import { takeFirst } from '../wire/queue.ts';
import { textOf } from '../wire/text.ts';
import { transition, type Event, type State } from './automaton.ts';
import type { OptionPolicy, Verdict } from './option-policy.ts';
import type { LinkOptions } from './options.ts';

/** RFC 1661 §4.6; times in ms. Terminate-Requests follow faster: a goodbye must not last. */
export const RESTART_TIME = 3000;
export const TERMINATE_TIME = 1000;
export const MAX_CONFIGURE = 10;
export const MAX_TERMINATE = 2;
export const MAX_FAILURE = 5;
/** Naks and Rejects, of either side, after which no agreement is expected any more. */
const MAX_REFUSALS = 20;
/** Longest negotiation, ms: a peer that acks but never asks resets the counter of the RFC for ever. */
const MAX_NEGOTIATION_TIME = 60_000;
/** Repeated Configure-Requests that are just acked again before an open protocol restarts. */
const MAX_REPEATS = 3;
/** A Terminate-Ack tells that the peer's protocol is not open yet: ask again this soon, ms. */
const NOT_READY_TIME = 1000;

export type FinishReason = 'timeout' | 'terminated' | 'refused' | 'closed';

export type NegotiationOutput =
  | { readonly kind: 'transmit'; readonly packet: ControlPacket }
  /** The peer acked our request: from now on it may send what our options allow. */
  | { readonly kind: 'acked' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  /** The automaton came to rest: tlf. */
  | { readonly kind: 'finished'; readonly reason: FinishReason }
  /** The peer's Terminate-Request, with this data, came while the protocol was open ('down' follows) or being negotiated. */
  | { readonly kind: 'peer-terminated'; readonly data: Uint8Array }
  /** The policy or the counters see no way to agree. The owner closes. */
  | { readonly kind: 'failed'; readonly code: CauseCode };

export type SavedNegotiation = NonNullable<ReturnType<Negotiation<unknown>['save']>>;

export class Negotiation<O> {
  /** Octets; bounds what a Code-Reject returns. */
  peerMru = 1500;
  readonly #policy: OptionPolicy<O>;
  readonly #reackWhenOpened: boolean;
  readonly #count: LinkOptions['count'];
  #state: State = 'Initial';
  #outputs: NegotiationOutput[] = [];
  #identifier = 0;
  #deadline: number | undefined;
  #openBy = 0;
  #restarts = 0;
  #naksSent = 0;
  #refusals = 0;
  #repeats = 0;
  #reason: FinishReason = 'closed';
  /** Data of our Terminate-Request. */
  #goodbye = NONE;
  /** Identifier of the Configure-Request that waits for an answer, and its options. */
  #expected: number | undefined;
  #request = NONE;
  readonly #quick: readonly number[];
  /** Of those the ones that are left in this negotiation. */
  #pauses: number[] = [];
  /** The peer's latest Configure-Request that was acked, without its code. */
  #acked: ControlPacket | undefined;

  /**
   * @param reackWhenOpened whether a repetition of the Configure-Request that was acked last is only acked again while
   *   the protocol is open (our Ack was lost), instead of restarting it as the table has it
   * @param quick pauses of first repetitions that come besides those of the RFC, ms
   */
  constructor(
    policy: OptionPolicy<O>,
    reackWhenOpened: boolean,
    count: LinkOptions['count'],
    quick: readonly number[] = [],
  ) {
    this.#policy = policy;
    this.#quick = quick;
    this.#reackWhenOpened = reackWhenOpened;
    this.#count = count;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * undefined: it negotiates, or waits for an answer.
   * Not carried: #policy, which has its own, #reackWhenOpened, #quick, #count; #pauses, #outputs and #deadline, of which there are none; #expected and
   * #request, which an answer has settled; #openBy, #restarts, #naksSent and #refusals, with which each negotiation begins anew.
   */
  save() {
    if (this.#deadline !== undefined || this.#outputs.length > 0) return undefined;
    return {
      state: this.#state,
      peerMru: this.peerMru,
      identifier: this.#identifier,
      repeats: this.#repeats,
      reason: this.#reason,
      goodbye: this.#goodbye,
      acked: this.#acked,
    };
  }

  restore(saved: SavedNegotiation): void {
    this.#state = saved.state;
    this.peerMru = saved.peerMru;
    this.#identifier = saved.identifier;
    this.#repeats = saved.repeats;
    this.#reason = saved.reason;
    this.#goodbye = saved.goodbye;
    this.#acked = saved.acked;
  }

  get opened(): boolean {
    return this.#state === 'Opened';
  }

  handleUp(now: number): void {
    this.#event('Up', now);
  }

  handleDown(now: number): void {
    this.#event('Down', now);
  }

  open(now: number): void {
    this.#event('Open', now);
  }

  /** @param text for the peer's log */
  close(now: number, text = ''): void {
    this.#reason = 'closed';
    this.#goodbye = textOf(text).octets;
    this.#event('Close', now);
  }

  handleProtocolReject(now: number): void {
    this.#reason = 'refused';
    this.#event('RXJ-', now);
  }

  /** A packet with a code of 1 to 7; another is answered with Code-Reject. */
  handlePacket(packet: ControlPacket, now: number): void {
    if (this.#state === 'Initial' || this.#state === 'Starting') {
      this.#count('out-of-state');
      return;
    }
    switch (packet.code) {
      case PacketCode.ConfigureRequest: {
        this.#handleRequest(packet, now);
        return;
      }
      case PacketCode.ConfigureAck: {
        this.#handleAck(packet, now);
        return;
      }
      case PacketCode.ConfigureNak:
      case PacketCode.ConfigureReject: {
        this.#handleRefusal(packet, now);
        return;
      }
      case PacketCode.TerminateRequest: {
        this.#handleTerminateRequest(packet, now);
        return;
      }
      case PacketCode.TerminateAck: {
        this.#handleTerminateAck(now);
        return;
      }
      case PacketCode.CodeReject: {
        this.#handleCodeReject(packet, now);
        return;
      }
      default: {
        this.#event('RUC', now, packet);
        return;
      }
    }
  }

  nextTimeout(): number | undefined {
    return this.#deadline;
  }

  handleTimeout(now: number): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    const negotiating = isNegotiating(this.#state);
    if (this.#restarts > 0 && !(negotiating && now >= this.#openBy)) {
      this.#event('TO+', now);
      return;
    }
    if (negotiating) this.#reason = 'timeout';
    this.#event('TO-', now);
  }

  poll(): NegotiationOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #handleRequest(packet: ControlPacket, now: number): void {
    // RFC 1661 §4.1: while closing a request is not looked at, when closed it is answered whatever it asks for.
    if (this.#state === 'Closing' || this.#state === 'Stopping') return;
    if (this.#state === 'Closed') {
      this.#event('RCR+', now, packet);
      return;
    }
    if (this.opened && this.#reackWhenOpened && this.#isRepetition(packet)) {
      this.#repeats++;
      this.#transmit(PacketCode.ConfigureAck, packet.identifier, packet.data);
      return;
    }
    const raw = decodeOptions(packet.data);
    if (isMalformed(raw)) {
      this.#count('malformed-options');
      return;
    }
    if (!isNegotiating(this.#state)) this.#begin(now);
    const reply = this.#consider(packet, raw);
    if (reply === undefined) return;
    this.#event(reply.code === PacketCode.ConfigureAck ? 'RCR+' : 'RCR-', now, reply);
  }

  #ack(identifier: number, data: Uint8Array): ControlPacket {
    const ack = { code: PacketCode.ConfigureAck, identifier, data };
    if (this.#reackWhenOpened) this.#acked = ack;
    return ack;
  }

  #isRepetition(packet: ControlPacket): boolean {
    const acked = this.#acked;
    if (acked === undefined || this.#repeats >= MAX_REPEATS) return false;
    return acked.identifier === packet.identifier && sameOctets(acked.data, packet.data);
  }

  /** Our reply, or nothing when the policy gives up. */
  #consider(packet: ControlPacket, raw: readonly RawOption[]): ControlPacket | undefined {
    const { identifier, data } = packet;
    const repeated = raw.filter((option, at) => raw.findIndex((o) => o.type === option.type) < at);
    // RFC 1661 §6: an option is listed once.
    if (repeated.length > 0) return this.#refuse(identifier, 'reject', repeated);
    const options = raw.map((option) => this.#policy.options.fromRaw(option));
    const verdict: Verdict<O> = this.#policy.consider(options, this.#naksSent < MAX_FAILURE);
    switch (verdict.kind) {
      case 'ack':
        this.#naksSent = 0;
        this.#repeats = 0;
        return this.#ack(identifier, data.slice());
      case 'nak':
      case 'reject':
        return this.#refuse(
          identifier,
          verdict.kind,
          verdict.options.map((option) => this.#policy.options.toRaw(option)),
        );
      case 'fail':
        this.#outputs.push({ kind: 'failed', code: verdict.code });
        return undefined;
    }
  }

  #refuse(
    identifier: number,
    kind: 'nak' | 'reject',
    options: readonly RawOption[],
  ): ControlPacket | undefined {
    if (kind === 'nak') this.#naksSent++;
    if (!this.#mayRefuse()) return undefined;
    const code = kind === 'nak' ? PacketCode.ConfigureNak : PacketCode.ConfigureReject;
    return { code, identifier, data: encodeOptions(options) };
  }

  #handleAck(packet: ControlPacket, now: number): void {
    if (packet.identifier !== this.#expected) {
      this.#count('stale-answer');
      return;
    }
    if (!sameOctets(packet.data, this.#request)) {
      this.#count('bad-ack');
      return;
    }
    this.#expected = undefined;
    this.#request = NONE;
    this.#outputs.push({ kind: 'acked' });
    this.#event('RCA', now);
  }

  #handleRefusal(packet: ControlPacket, now: number): void {
    if (packet.identifier !== this.#expected) {
      this.#count('stale-answer');
      return;
    }
    const raw = decodeOptions(packet.data);
    if (isMalformed(raw)) {
      this.#count('malformed-options');
      return;
    }
    if (packet.code === PacketCode.ConfigureReject && !this.#requested(raw)) {
      this.#count('bad-reject');
      return;
    }
    this.#expected = undefined;
    if (!isNegotiating(this.#state)) {
      this.#event('RCN', now);
      return;
    }
    if (!this.#mayRefuse()) return;
    const options = raw.map((option) => this.#policy.options.fromRaw(option));
    const nak = packet.code === PacketCode.ConfigureNak;
    const code = nak ? this.#policy.naked(options) : this.#policy.rejected(options);
    if (code === undefined) {
      this.#event('RCN', now);
      return;
    }
    this.#outputs.push({ kind: 'failed', code });
  }

  /** RFC 1661 §5.4: a Configure-Reject returns options of our request, unchanged. */
  #requested(rejected: readonly RawOption[]): boolean {
    const own = decodeOptions(this.#request);
    if (isMalformed(own) || rejected.length === 0) return false;
    return rejected.every((option) =>
      own.some((mine) => mine.type === option.type && sameOctets(mine.data, option.data)),
    );
  }

  #mayRefuse(): boolean {
    if (++this.#refusals <= MAX_REFUSALS) return true;
    this.#outputs.push({ kind: 'failed', code: 'NEGOTIATION_FAILED' });
    return false;
  }

  #handleTerminateRequest(packet: ControlPacket, now: number): void {
    if (isNegotiating(this.#state) || this.opened) {
      this.#reason = 'terminated';
      this.#outputs.push({ kind: 'peer-terminated', data: packet.data });
    }
    this.#event('RTR', now, packet);
  }

  #handleTerminateAck(now: number): void {
    const early = this.#state === 'Req-Sent' || this.#state === 'Ack-Sent';
    this.#event('RTA', now);
    if (!early || this.#deadline === undefined) return;
    this.#deadline = Math.min(this.#deadline, now + NOT_READY_TIME);
    // The peer is alive: such an answer does not use up Max-Configure; #openBy bounds it.
    this.#restarts = Math.max(this.#restarts, 1);
  }

  #handleCodeReject(packet: ControlPacket, now: number): void {
    const code = packet.data[0];
    if (code === undefined) {
      this.#count('malformed-packet');
      return;
    }
    // Codes 1 to 7 are the automaton itself: without them there is no going on (RXJ-, RFC 1661 §4.3).
    if (code === 0 || code > PacketCode.CodeReject) {
      this.#event('RXJ+', now);
      return;
    }
    this.#reason = 'refused';
    this.#event('RXJ-', now);
  }

  #event(event: Event, now: number, packet?: ControlPacket): void {
    const from = this.#state;
    const found = transition(from, event);
    if (found === undefined) return;
    this.#state = found.next;
    if (!hasTimer(found.next)) this.#deadline = undefined;
    for (const action of found.actions) {
      switch (action) {
        case 'tlu':
          this.#refusals = 0;
          this.#outputs.push({ kind: 'up' });
          break;
        case 'tld':
          this.#outputs.push({ kind: 'down' });
          break;
        case 'tlf':
          this.#outputs.push({ kind: 'finished', reason: this.#reason });
          break;
        case 'irc':
          this.#restarts = found.actions.includes('str') ? MAX_TERMINATE : this.#maxConfigure;
          break;
        case 'zrc':
          this.#restarts = 0;
          this.#deadline = now + TERMINATE_TIME;
          break;
        case 'scr':
          if (!isNegotiating(from) && event !== 'RCR+' && event !== 'RCR-') this.#begin(now);
          this.#sendRequest(now, event === 'TO+');
          break;
        case 'sca':
        case 'scn':
          this.#outputs.push({ kind: 'transmit', packet: packet! });
          break;
        case 'str':
          this.#restarts--;
          this.#deadline = now + TERMINATE_TIME;
          this.#transmit(PacketCode.TerminateRequest, this.#nextIdentifier(), this.#goodbye);
          break;
        case 'sta':
          this.#transmit(
            PacketCode.TerminateAck,
            packet === undefined ? this.#nextIdentifier() : packet.identifier,
            NONE,
          );
          break;
        case 'scj':
          this.#transmit(
            PacketCode.CodeReject,
            this.#nextIdentifier(),
            encodeControlPacket(packet!).subarray(0, this.peerMru - PACKET_HEADER_LENGTH),
          );
          break;
        case 'tls': // The lower layer is there as long as the link object is.
        case 'ser': // RXR is the link's matter: only LCP has these packets, and they change no state.
          break;
      }
    }
  }

  /** A negotiation begins, before the peer's request is considered or ours is made. */
  #begin(now: number): void {
    this.#policy.restart();
    this.#naksSent = 0;
    this.#refusals = 0;
    this.#restarts = this.#maxConfigure;
    this.#pauses = [...this.#quick];
    this.#openBy = now + MAX_NEGOTIATION_TIME;
  }

  #sendRequest(now: number, again: boolean): void {
    // RFC 1661 §5.1: a new identifier for new contents and after a valid reply; the same for a retransmission.
    if (!again || this.#expected === undefined) {
      this.#expected = this.#nextIdentifier();
      this.#request = this.#policy.options.encode(this.#policy.request());
    }
    this.#restarts--;
    this.#deadline = now + (this.#pauses.shift() ?? RESTART_TIME);
    this.#transmit(PacketCode.ConfigureRequest, this.#expected, this.#request);
  }

  get #maxConfigure(): number {
    return MAX_CONFIGURE + this.#quick.length;
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return this.#identifier;
  }

  #transmit(code: number, identifier: number, data: Uint8Array): void {
    this.#outputs.push({ kind: 'transmit', packet: { code, identifier, data } });
  }
}

const NONE: Uint8Array = new Uint8Array(0);

function isNegotiating(state: State): boolean {
  return state === 'Req-Sent' || state === 'Ack-Rcvd' || state === 'Ack-Sent';
}

/** RFC 1661 §4.2: the restart timer runs in these states. */
function hasTimer(state: State): boolean {
  return isNegotiating(state) || state === 'Closing' || state === 'Stopping';
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, at) => octet === b[at]);
}
