/**
 * A PPP link (RFC 1661 §3.2): Dead, Establish, Authenticate, Network, Terminate.
 *
 * Sans-IO: feed it with handle…, drain poll() after each call, call handleTimeout when nextTimeout() has come. What
 * happens within the phases is in lcp-layer.ts, authentication/ and network-phase.ts.
 */
import { cause, type Cause } from '../wire/cause.ts';
import { isMalformed } from '../wire/codec.ts';
import { goodbye, peersGoodbye } from '../wire/goodbye.ts';
import { PacketCode } from '../wire/control-packet.ts';
import { decodePppFrame, PppProtocol } from '../wire/ppp-frame.ts';
import { takeFirst } from '../wire/queue.ts';
import {
  beginAuthentication,
  isComplete,
  keysOf,
  restoreAuthentication,
  saveAuthentication,
  sideOf,
  type Authentication,
} from './authentication/authentication.ts';
import { KeyUse, type PacketCount } from './key-use.ts';
import { LcpLayer } from './lcp-layer.ts';
import type { FinishReason } from './negotiation.ts';
import { NetworkPhase } from './network-phase.ts';
import {
  checkLinkOptions,
  mutualMethods,
  type Grant,
  type LinkOptions,
  type Refusal,
} from './options.ts';
import type { LinkOutput } from './output.ts';

/** Network-layer frames of a peer that is done with authentication before we are. */
type EarlyFrames = Map<number, Uint8Array>;

/** RFC 1661 §3.2 */
type Phase =
  | { readonly name: 'Dead' }
  | { readonly name: 'Establish' }
  | {
      readonly name: 'Authenticate';
      readonly authentication: Authentication;
      readonly early: EarlyFrames;
    }
  /** The peer may still repeat what it said, or challenge us anew. */
  | {
      readonly name: 'Network';
      readonly authentication: Authentication;
      readonly network: NetworkPhase;
    }
  /** LCP was told to close, for this reason. */
  | { readonly name: 'Terminate'; readonly cause: Cause }
  /** Dead again, for good. */
  | { readonly name: 'finished' };

/** ms for a refused caller to hang up by itself: our Terminate-Request must not overtake the Failure. */
const REFUSAL_TIME = 2000;

export type SavedLink = NonNullable<ReturnType<PppLink['save']>>;

export class PppLink {
  readonly #options: LinkOptions;
  readonly #lcp: LcpLayer;
  readonly #keyUse: KeyUse;
  readonly #outputs: LinkOutput[] = [];
  #phase: Phase = { name: 'Dead' };
  /** The peer's login was refused: why, and until when it may hang up by itself. */
  #refusal: { readonly cause: Cause; readonly closeAt: number } | undefined;

  /**
   * @param packets what the data path has carried
   * @throws RangeError for options with which a link could not do what it is asked to
   */
  constructor(options: LinkOptions, packets: PacketCount) {
    checkLinkOptions(options);
    this.#options = options;
    this.#keyUse = new KeyUse(packets);
    this.#lcp = new LcpLayer(options);
  }

  /**
   * What another link with the same options goes on with. undefined: something is being negotiated, or it ends.
   * Not carried: #options; #outputs and #refusal, of which there are none.
   */
  save() {
    const { name } = this.#phase;
    if (name !== 'Network' || this.#outputs.length > 0 || this.#refusal !== undefined)
      return undefined;
    const lcp = this.#lcp.save();
    const authentication = saveAuthentication(this.#phase.authentication);
    const network = this.#phase.network.save();
    if (lcp === undefined || authentication === undefined || network === undefined)
      return undefined;
    return { lcp, keyUse: this.#keyUse.save(), authentication, network };
  }

  /** Instead of handleLowerUp. @throws Error the options do not fit */
  restore({ lcp, keyUse, authentication: saved, network: phase }: SavedLink, now: number): void {
    this.#lcp.restore(lcp);
    const authentication = restoreAuthentication(saved, this.#lcp.policy, this.#options, now);
    const network = this.#networkPhase(authentication);
    network.restore(phase);
    this.#keyUse.restore(keyUse);
    this.#phase = { name: 'Network', authentication, network };
  }

  /** The call is connected: GRE can carry frames. */
  handleLowerUp(now: number): void {
    if (this.#phase.name !== 'Dead') return;
    this.#phase = { name: 'Establish' };
    this.#lcp.handleUp(now);
    this.#drain(now);
  }

  /** The call is gone. `down` follows with the cause of a close that was under way, else with `reason`. */
  handleLowerDown(reason: Cause, now: number): void {
    if (this.#phase.name === 'finished') return;
    const objection = this.#network?.objection;
    this.#lcp.handleDown(now);
    this.#drain(now);
    this.#finish(objection ?? reason);
  }

  /** One PPP frame without GRE; FF 03 and the first octet of the protocol may be missing. Never throws, whatever it is. */
  handleFrame(frame: Uint8Array, now: number): void {
    if (this.#phase.name === 'finished' || this.#phase.name === 'Dead') return;
    const decoded = decodePppFrame(frame);
    if (isMalformed(decoded)) {
      this.#options.count('malformed-frame');
      return;
    }
    this.handleTraffic(now);
    this.#handlePayload(decoded.protocol, decoded.payload, now);
    this.#drain(now);
  }

  /**
   * The attempt of the last 'login', by EAP in pass-through, is not decided yet: the peer is asked this first, and answers with
   * another 'login'. Ignored when the link is no longer waiting for it.
   * @param request an EAP Request, whole; 'mschap-v2', after an identity: we ask by EAP-MSCHAPv2
   */
  challenge(request: Uint8Array | 'mschap-v2', now: number): void {
    const authenticator = this.#authentication?.authenticator;
    if (authenticator?.method === 'eap') authenticator.challenge(request, now);
    this.#drain(now);
  }

  /**
   * The attempt of the last 'login' is let in. Ignored when the link is no longer waiting for it.
   * @throws Error unless the attempt was verified
   */
  admit(grant: Grant, now: number): void {
    this.#authentication?.authenticator?.admit(grant, now);
    this.#drain(now);
  }

  /**
   * The attempt of the last 'login' is refused; `down` follows with this reason.
   * @param told what the peer learns of it, if it has proved its password
   */
  refuse(reason: Cause, now: number, told?: Refusal): void {
    if (this.#authentication?.authenticator?.refuse(told, now) !== true) return;
    this.#refusal = { cause: reason, closeAt: now + REFUSAL_TIME };
    this.#drain(now);
  }

  /** The attempt of the last 'login' is refused, but may be repeated: see Authenticator. @returns whether it may */
  retry(told: Refusal, now: number): boolean {
    const authenticator = this.#authentication?.authenticator;
    if (authenticator === undefined || authenticator.method === 'eap') return false;
    const mayRetry = authenticator.retry(told, now);
    this.#drain(now);
    return mayRetry;
  }

  /** The data path lost MPPE synchronization in stateful mode. May be called for every such packet. */
  handleDesynchronized(now: number): void {
    this.#network?.handleDesynchronized(now);
    this.#drain(now);
  }

  /** Something came from the peer. */
  handleTraffic(now: number): void {
    this.#lcp.handleTraffic(now);
  }

  /** Asks the peer for an answer. @returns the identifier of its 'echo-reply'; undefined: there is no link now */
  sendEcho(now: number): number | undefined {
    if (this.#phase.name !== 'Network') return undefined;
    const identifier = this.#lcp.sendEcho(now);
    this.#drain(now);
    return identifier;
  }

  /** ms, of the last echo that was answered; undefined: none was. */
  get roundTrip(): number | undefined {
    return this.#lcp.roundTrip;
  }

  /** Ends the link properly; `down` comes within about 2 s. The first reason counts. */
  close(reason: Cause, now: number): void {
    this.#close(reason, now);
    this.#drain(now);
  }

  nextTimeout(): number | undefined {
    const earliest = Math.min(
      this.#lcp.nextTimeout() ?? Infinity,
      this.#authentication?.authenticator?.nextTimeout() ?? Infinity,
      this.#authentication?.login?.nextTimeout() ?? Infinity,
      this.#network?.nextTimeout() ?? Infinity,
      this.#refusal?.closeAt ?? Infinity,
    );
    return earliest === Infinity ? undefined : earliest;
  }

  handleTimeout(now: number): void {
    if (this.#phase.name === 'finished') return;
    this.#lcp.handleTimeout(now);
    this.#authentication?.authenticator?.handleTimeout(now);
    this.#authentication?.login?.handleTimeout(now);
    this.#network?.handleTimeout(now);
    this.#drain(now);
    if (this.#refusal === undefined || now < this.#refusal.closeAt) return;
    this.#close(this.#refusal.cause, now);
    this.#drain(now);
  }

  poll(): LinkOutput | undefined {
    return takeFirst(this.#outputs);
  }

  get #authentication(): Authentication | undefined {
    return 'authentication' in this.#phase ? this.#phase.authentication : undefined;
  }

  get #network(): NetworkPhase | undefined {
    return this.#phase.name === 'Network' ? this.#phase.network : undefined;
  }

  #handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    const phase = this.#phase;
    switch (protocol) {
      case PppProtocol.Lcp:
        this.#lcp.handlePayload(payload, now);
        break;
      case PppProtocol.Chap:
      case PppProtocol.Pap:
      case PppProtocol.Eap:
        this.#handleAuthentication(protocol, payload, now);
        break;
      case PppProtocol.Ip:
      case PppProtocol.Ipv6:
      case PppProtocol.Compressed:
        this.#options.count('unexpected-data');
        break;
      default:
        // RFC 1661 §3.5: before the peer is authenticated there is nothing but LCP and authentication.
        if (phase.name === 'Authenticate') this.#keepEarly(phase.early, protocol, payload);
        else if (phase.name !== 'Network') this.#options.count('out-of-state');
        else if (!phase.network.handlePayload(protocol, payload, now))
          this.#lcp.rejectProtocol(protocol, payload);
    }
  }

  /** One frame each of CCP, IPCP and IPV6CP is kept until authentication is complete, and looked at only then. */
  #keepEarly(early: EarlyFrames, protocol: number, payload: Uint8Array): void {
    const isNetworkProtocol =
      protocol === PppProtocol.Ccp ||
      protocol === PppProtocol.Ipcp ||
      protocol === PppProtocol.Ipv6cp;
    if (isNetworkProtocol && payload[0] === PacketCode.ConfigureRequest)
      early.set(protocol, payload);
    else this.#options.count('out-of-state');
  }

  #handleAuthentication(protocol: number, payload: Uint8Array, now: number): void {
    const side = this.#authentication && sideOf(this.#authentication, protocol, payload);
    if (side === undefined) this.#options.count('unexpected-authentication');
    else side.handlePayload(protocol, payload, now);
  }

  #handleProtocolRejected(protocol: number, now: number): void {
    if (isLoginProtocol(protocol)) {
      if (this.#phase.name === 'Authenticate') this.#close(cause('AUTH_METHOD_REFUSED'), now);
    } else if (this.#network === undefined) this.#options.count('out-of-state');
    else this.#network.handleProtocolReject(protocol, now);
  }

  #drain(now: number): void {
    this.#drainLcp(now);
    this.#drainAuthentication(now);
    const phase = this.#phase;
    if (phase.name === 'Authenticate' && isComplete(phase.authentication))
      this.#enterNetwork(phase, now);
    if (this.#network !== undefined) this.#drainNetwork(this.#network, now);
  }

  #drainLcp(now: number): void {
    for (let output; (output = this.#lcp.poll()) !== undefined;) {
      switch (output.kind) {
        case 'transmit':
        case 'echo-reply':
          this.#outputs.push(output);
          break;
        case 'up':
          this.#enterAuthenticate(now);
          break;
        case 'down':
          if ('authentication' in this.#phase) this.#leaveNetwork({ name: 'Establish' }, now);
          break;
        case 'peer-terminated':
          this.#handlePeerTerminated(peersGoodbye(output.data), now);
          break;
        case 'failed':
          this.#close(cause(output.code), now);
          break;
        case 'finished':
          this.#finish(finishCause(output.reason));
          break;
        case 'protocol-rejected':
          this.#handleProtocolRejected(output.protocol, now);
          break;
      }
    }
  }

  /** @param text what the peer says about it */
  #handlePeerTerminated(text: string | undefined, now: number): void {
    const isLoggingIn = this.#authentication?.login?.isAccepted === false;
    const reason = cause('PEER_TERMINATED', isLoggingIn ? 'during the login' : undefined);
    // During negotiation the automaton would go on asking; there is nobody left to ask.
    const why = this.#refusedMethod() ?? this.#network?.objection ?? reason;
    this.#close(saying(why, text), now);
  }

  /** The two ends wanted different login methods, and neither a login nor IP came of it. */
  #refusedMethod(): Cause | undefined {
    const { authenticator, login } = this.#authentication ?? {};
    const hasMethod = authenticator !== undefined || login !== undefined;
    if (!this.#lcp.policy.methodsDiffer || hasMethod || this.#network?.isIpUp) return undefined;
    return cause('AUTH_METHOD_REFUSED');
  }

  #enterAuthenticate(now: number): void {
    const { policy } = this.#lcp;
    const { peerPfc, peerAcfc } = policy;
    const { mru, identity } = this.#options;
    const peerMru = Math.min(policy.peerMru, mru);
    this.#outputs.push({ kind: 'lcp-up', peerPfc, peerAcfc, peerMru });
    if (this.#refusal !== undefined) {
      this.#close(this.#refusal.cause, now);
      return;
    }
    // Whoever asks for no login proves nothing either: an impostor could get around mschap-v2 in this way.
    const isTrusting = identity?.methods.some((method) => !mutualMethods.includes(method)) ?? true;
    if (policy.ownMethod === undefined && !isTrusting) {
      this.#close(
        policy.methodsDiffer // it wanted another method first
          ? cause('AUTH_METHOD_REFUSED')
          : cause('SERVER_NOT_TRUSTED', 'it asked for no login'),
        now,
      );
      return;
    }
    const authentication = beginAuthentication(policy, this.#options, now);
    this.#phase = { name: 'Authenticate', authentication, early: new Map() };
  }

  #drainAuthentication(now: number): void {
    for (;;) {
      const { authenticator, login } = this.#authentication ?? {};
      const output = authenticator?.poll() ?? login?.poll();
      if (output === undefined) return;
      if (output.kind === 'failed') this.#close(output.cause, now);
      else this.#outputs.push(output);
    }
  }

  #enterNetwork(
    { authentication, early }: Extract<Phase, { name: 'Authenticate' }>,
    now: number,
  ): void {
    const network = this.#networkPhase(authentication);
    this.#phase = { name: 'Network', authentication, network };
    network.start(now);
    for (const [protocol, payload] of early) this.#handlePayload(protocol, payload, now);
  }

  #networkPhase(authentication: Authentication): NetworkPhase {
    const grant = authentication.authenticator?.admitted?.grant;
    const { mppe = this.#options.mppe } = grant ?? {};
    return new NetworkPhase(
      { ...this.#options, mppe },
      keysOf(authentication),
      this.#keyUse,
      grant,
      this.#lcp.policy.peerMru,
    );
  }

  /** LCP is down, or about to be: everything above starts anew when it is up again. */
  #leaveNetwork(next: Phase, now: number): void {
    const network = this.#network;
    this.#phase = next;
    if (network === undefined) return;
    network.stop(now);
    this.#drainNetwork(network, now);
  }

  #drainNetwork(network: NetworkPhase, now: number): void {
    for (let output; (output = network.poll()) !== undefined;) {
      if (output.kind === 'failed') this.#close(output.cause, now);
      else if (output.kind === 'keys-spent') this.#logInAnew(now);
      else this.#outputs.push(output);
    }
  }

  /** Whoever of the two ends has to log in does it again, and so there are new keys. */
  #logInAnew(now: number): void {
    if (this.#phase.name === 'Terminate') return;
    this.#options.count('spent-keys');
    this.#lcp.restart(now);
    this.#drainLcp(now);
  }

  /** The first reason counts. */
  #close(reason: Cause, now: number): void {
    if (this.#phase.name === 'Terminate' || this.#phase.name === 'finished') return;
    const why = this.#refusal?.cause ?? reason;
    this.#refusal = undefined;
    this.#outputs.push({ kind: 'closing', cause: why });
    this.#leaveNetwork({ name: 'Terminate', cause: why }, now);
    this.#lcp.close(now, goodbye(why));
    this.#drainLcp(now);
    // Without a timer there is nobody to say goodbye to.
    if (this.#lcp.isResting) this.#finish(why);
  }

  /** @param reason where nothing else was about to end the link */
  #finish(reason: Cause): void {
    const phase = this.#phase;
    if (phase.name === 'finished') return;
    const why = phase.name === 'Terminate' ? phase.cause : (this.#refusal?.cause ?? reason);
    this.#phase = { name: 'finished' };
    this.#refusal = undefined;
    this.#outputs.push({ kind: 'down', cause: why });
  }
}

function isLoginProtocol(protocol: number): boolean {
  const { Chap, Pap, Eap } = PppProtocol;
  return protocol === Chap || protocol === Pap || protocol === Eap;
}

/** With what the peer says about it. */
function saying({ code, detail }: Cause, text: string | undefined): Cause {
  const said = text === undefined ? [] : [`it says: ${text}`];
  const parts = [...(detail === undefined ? [] : [detail]), ...said];
  return cause(code, parts.length === 0 ? undefined : parts.join('; '));
}

function finishCause(reason: FinishReason): Cause {
  switch (reason) {
    case 'timeout':
    case 'closed':
      return cause('LCP_TIMEOUT');
    case 'terminated':
      return cause('PEER_TERMINATED');
    case 'refused':
      return cause('NEGOTIATION_FAILED', 'the peer rejected LCP');
  }
}
