/**
 * CCP on a link (RFC 1962, RFC 3078): when packets are encrypted, and whether IP may flow meanwhile.
 *
 * `required`: IP waits until CCP is open, and the link ends if it cannot be. `optional`: IP waits until CCP is open, was
 * refused by the peer, or is CCP_PATIENCE old. A CCP that goes down makes IP wait again. How often it may start again
 * from the same keys is the matter of key-use.ts.
 */
import { cause, type Cause, type CauseCode } from '../wire/cause.ts';
import type { CcpOption } from '../wire/ccp-options.ts';
import { encodeControlPacket, PacketCode, type ControlPacket } from '../wire/control-packet.ts';
import { encodePppFrame, PppProtocol } from '../wire/ppp-frame.ts';
import { takeFirst } from '../wire/queue.ts';
import { CcpPolicy, type MppeChoice } from './ccp.ts';
import type { Direction, KeyUse } from './key-use.ts';
import { startKeys, type MppeKeySource } from './mppe-key-source.ts';
import { Negotiation, type FinishReason } from './negotiation.ts';
import type { LinkOptions, MppeStrength } from './options.ts';
import type { LinkOutput } from './output.ts';

/** ms that IP waits for an optional encryption. */
export const CCP_PATIENCE = 5000;
/** ms until an unanswered Reset-Request is repeated. */
export const RESET_TIME = 1000;
/** ms from an answer to the next Reset-Request: the flushed packet may still be on its way. */
const RESET_PAUSE = 50;

export type EncryptionOutput =
  | Extract<LinkOutput, { kind: 'transmit' | 'mppe' | 'flush' }>
  /** CCP was open and is not any more: IP must stop. */
  | { readonly kind: 'down' }
  /** The keys must not be used again: only a new login goes on. Nothing but the end of encryption comes after it. */
  | { readonly kind: 'keys-spent' }
  /** `required` cannot be had. */
  | { readonly kind: 'failed'; readonly cause: Cause };

export class Encryption {
  readonly #required: boolean;
  /** What the owner calls the peer. */
  readonly #peerName: string;
  readonly #count: LinkOptions['count'];
  readonly #keys: MppeKeySource;
  readonly #keyUse: KeyUse;
  readonly #policy: CcpPolicy;
  readonly #negotiation: Negotiation<CcpOption>;
  readonly #outputs: EncryptionOutput[] = [];
  /** `optional`: IP goes on without encryption. If CCP opens later it is used all the same. */
  #waitOver = false;
  #waitUntil: number | undefined;
  readonly #announced = { send: false, receive: false };
  #isSpent = false;
  #reset = { identifier: 0, nextAt: 0, pending: false };

  /**
   * @param keyUse of the link; it outlives logins
   * @param strengths allowed ones for which `keys` has keys; at least one
   * @param peerMru bounds what is sent back in Code-Rejects, octets
   */
  constructor(
    { mppe, authenticatePeer, count }: LinkOptions,
    keys: MppeKeySource,
    keyUse: KeyUse,
    strengths: readonly MppeStrength[],
    peerMru: number,
  ) {
    this.#peerName = authenticatePeer === undefined ? 'server' : 'caller';
    this.#count = count;
    this.#required = mppe.policy === 'required';
    this.#keys = keys;
    this.#keyUse = keyUse;
    keyUse.renew();
    this.#policy = new CcpPolicy(mppe, strengths);
    // A Linux peer stops encrypting at any Configure-Request: the table's full restart brings both ends in step.
    this.#negotiation = new Negotiation(this.#policy, false, this.#count);
    this.#negotiation.peerMru = peerMru;
  }

  /**
   * undefined: CCP is being negotiated.
   * Not carried: #required, #peerName, #count, which are of the options; #keys, which are the login's; #keyUse, which is the link's;
   * #outputs and #waitUntil, of which there are none; #isSpent, after which LCP is not open.
   */
  save() {
    const negotiation = this.#negotiation.save();
    const isQuiet = this.#outputs.length === 0 && this.#waitUntil === undefined && !this.#isSpent;
    if (negotiation === undefined || !isQuiet) return undefined;
    const { send, receive } = this.#announced;
    return {
      policy: this.#policy.save(),
      negotiation,
      waitOver: this.#waitOver,
      announced: { send, receive },
      reset: this.#reset,
    };
  }

  restore(saved: NonNullable<ReturnType<Encryption['save']>>): void {
    this.#policy.restore(saved.policy);
    this.#negotiation.restore(saved.negotiation);
    this.#waitOver = saved.waitOver;
    Object.assign(this.#announced, saved.announced);
    this.#reset = saved.reset;
  }

  /** IP may flow: encrypted, or without where that is allowed. */
  get isSettled(): boolean {
    return this.#negotiation.opened || this.#waitOver;
  }

  /** `required`, and the peer wants what is not allowed: if it ends the link now, this is why. */
  get objection(): Cause | undefined {
    const { objection } = this.#policy;
    if (!this.#required || this.isSettled || objection === undefined) return undefined;
    return cause('MPPE_REQUIRED', `the ${this.#peerName} ${objection}`);
  }

  start(now: number): void {
    this.#waitUntil = now + CCP_PATIENCE;
    this.#negotiation.open(now);
    this.#negotiation.handleUp(now);
    this.#drain(now);
  }

  /** LCP is no longer open. */
  stop(now: number): void {
    this.#negotiation.handleDown(now);
    this.#drain(now);
    this.#waitUntil = undefined;
    this.#clearBoth();
  }

  handlePacket(packet: ControlPacket, now: number): void {
    const isReset = packet.code === PacketCode.ResetRequest || packet.code === PacketCode.ResetAck;
    if (isReset) this.#handleReset(packet, now);
    else this.#negotiation.handlePacket(packet, now);
    this.#drain(now);
  }

  handleProtocolReject(now: number): void {
    this.#negotiation.handleProtocolReject(now);
    this.#drain(now);
  }

  /** Packets cannot be decrypted any more: Reset-Request (RFC 3078 §7.2), one at a time. */
  handleDesynchronized(now: number): void {
    const isStateful = this.#negotiation.opened && this.#policy.receive?.stateful === true;
    if (!isStateful || now < this.#reset.nextAt) return;
    const { identifier: last, pending } = this.#reset;
    const identifier = pending ? last : (last + 1) & 0xff;
    this.#reset = { identifier, nextAt: now + RESET_TIME, pending: true };
    this.#transmit({ code: PacketCode.ResetRequest, identifier, data: new Uint8Array(0) });
  }

  nextTimeout(): number | undefined {
    const restart = this.#negotiation.nextTimeout();
    const wait = this.#waitUntil;
    if (restart === undefined || wait === undefined) return restart ?? wait;
    return Math.min(restart, wait);
  }

  handleTimeout(now: number): void {
    this.#negotiation.handleTimeout(now);
    if (this.#waitUntil !== undefined && now >= this.#waitUntil) {
      this.#waitUntil = undefined;
      if (!this.#required) this.#goWithout();
    }
    this.#drain(now);
  }

  poll(): EncryptionOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #drain(now: number): void {
    for (let output; (output = this.#negotiation.poll()) !== undefined;) {
      switch (output.kind) {
        case 'transmit':
          this.#prepare(output.packet.code);
          if (!this.#isSpent) this.#transmit(output.packet);
          break;
        case 'acked':
          if (!this.#announced.receive) this.#announce('receive', this.#policy.receive);
          break;
        case 'up':
          this.#waitUntil = undefined;
          this.#reset = { ...this.#reset, nextAt: now, pending: false };
          break;
        case 'down':
          this.#outputs.push({ kind: 'down' });
          this.#clearBoth();
          // Stopping: the peer ended CCP for good.
          if (this.#negotiation.state !== 'Stopping') {
            this.#waitOver = false;
            this.#waitUntil = now + CCP_PATIENCE;
          }
          break;
        case 'peer-terminated':
          this.#handleRefused('MPPE_REQUIRED');
          break;
        case 'finished':
          this.#handleFinished(output.reason, now);
          break;
        case 'failed':
          this.#handleRefused('MPPE_REQUIRED');
          this.#negotiation.close(now);
          break;
      }
    }
  }

  /** Receiving is ready before our Request leaves; sending is set when our Ack tells the peer so. */
  #prepare(code: number): void {
    // Once IP flows without encryption, the peer's Ack is awaited: until then plain packets still come.
    if (code === PacketCode.ConfigureRequest && !this.#waitOver)
      this.#announce('receive', this.#policy.receive);
    if (code === PacketCode.ConfigureAck) this.#announce('send', this.#policy.send);
  }

  #handleFinished(reason: FinishReason, now: number): void {
    const isAcknowledged = this.#announced.send;
    this.#handleRefused(reason === 'timeout' ? 'CCP_TIMEOUT' : 'MPPE_REQUIRED');
    if (this.#required || reason !== 'timeout' || !isAcknowledged) return;
    // The peer has our Ack and may be open, and encrypt what we could not read: another negotiation brings both in step.
    this.#negotiation.handleDown(now);
    this.#negotiation.handleUp(now);
  }

  #handleRefused(code: CauseCode): void {
    if (!this.#required) this.#goWithout();
    else {
      const objection = code === 'MPPE_REQUIRED' ? this.objection : undefined;
      this.#outputs.push({ kind: 'failed', cause: objection ?? cause(code) });
    }
  }

  #goWithout(): void {
    this.#waitOver = true;
    this.#waitUntil = undefined;
    if (!this.#negotiation.opened) this.#clearBoth();
  }

  #handleReset({ code, identifier, data }: ControlPacket, now: number): void {
    if (!this.#negotiation.opened) this.#count('out-of-state');
    else if (code === PacketCode.ResetRequest) {
      this.#transmit({ code: PacketCode.ResetAck, identifier, data });
      this.#outputs.push({ kind: 'flush' });
    } else if (this.#reset.pending && this.#reset.identifier === identifier) {
      // Nothing else to do: the flushed packet itself synchronizes us.
      this.#reset = { identifier, nextAt: now + RESET_PAUSE, pending: false };
    } else this.#count('stale-answer');
  }

  /** Every negotiation starts from the login's keys and count 0 again. */
  #announce(direction: Direction, choice: MppeChoice | undefined): void {
    const keys = choice && startKeys(this.#keys, choice.strength);
    if (choice === undefined || keys === undefined) {
      this.#clear(direction);
      return;
    }
    if (!this.#takeKeys(direction)) return;
    this.#announced[direction] = true;
    const mppe = { ...choice, startKey: keys[direction] };
    this.#outputs.push({ kind: 'mppe', direction, mppe });
  }

  #takeKeys(direction: Direction): boolean {
    const use = this.#keyUse.start(direction);
    if (use === 'repeated') this.#count('repeated-keys');
    if (use !== 'spent') return true;
    if (!this.#isSpent) this.#outputs.push({ kind: 'keys-spent' });
    this.#isSpent = true;
    return false;
  }

  #clearBoth(): void {
    this.#clear('send');
    this.#clear('receive');
  }

  #clear(direction: Direction): void {
    this.#keyUse.stop(direction);
    if (this.#announced[direction])
      this.#outputs.push({ kind: 'mppe', direction, mppe: undefined });
    this.#announced[direction] = false;
  }

  #transmit(packet: ControlPacket): void {
    const frame = encodePppFrame(PppProtocol.Ccp, encodeControlPacket(packet));
    this.#outputs.push({ kind: 'transmit', frame });
  }
}
