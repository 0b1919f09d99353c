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
import { decodePppFrame, encodePppFrame, PppProtocol } from '../wire/ppp-frame.ts';
import { takeFirst } from '../wire/queue.ts';
import { Authentication, type Methods } from './authentication/authentication.ts';
import { KeyUse, type PacketCount } from './key-use.ts';
import { LcpLayer } from './lcp-layer.ts';
import type { FinishReason } from './negotiation.ts';
import { NetworkPhase } from './network-phase.ts';
import { checkLinkOptions, type Grant, type LinkOptions, type Refusal } from './options.ts';
import type { LinkOutput } from './output.ts';

/** RFC 1661 §3.2 */
export type Phase = 'Dead' | 'Establish' | 'Authenticate' | 'Network' | 'Terminate';

export interface LinkStatus {
  readonly phase: Phase;
  /** Login methods in use. */
  readonly methods: Methods;
  /** Encryption of the two directions; undefined: none. */
  readonly mppe: NetworkPhase['mppe'];
  /** Octets: what we may send, at most our own MRU. */
  readonly peerMru: number;
  readonly isIpUp: boolean;
}

/** ms for a refused caller to hang up by itself: our Terminate-Request must not overtake the Failure. */
const REFUSAL_TIME = 2000;

export class PppLink {
  readonly #options: LinkOptions;
  readonly #lcp: LcpLayer;
  readonly #keyUse: KeyUse;
  #outputs: LinkOutput[] = [];
  #phase: Phase = 'Dead';
  #authentication: Authentication | undefined;
  #network: NetworkPhase | undefined;
  #grant: Grant | undefined;
  /** Network-layer frames of a peer that is done with authentication before we are. */
  #early: Map<number, Uint8Array> | undefined;
  /** Why the link is being closed. */
  #cause: Cause | undefined;
  #closeAt: number | undefined;
  /** LCP was told to close. */
  #closing = false;
  #finished = false;

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

  /** The call is connected: GRE can carry frames. */
  handleLowerUp(now: number): void {
    if (this.#finished || this.#phase !== 'Dead') return;
    this.#phase = 'Establish';
    this.#lcp.handleUp(now);
    this.#drain(now);
  }

  /** The call is gone. `down` follows with the cause of a close that was under way, else with `reason`. */
  handleLowerDown(reason: Cause, now: number): void {
    if (this.#finished) return;
    const objection = this.#network?.objection;
    this.#lcp.handleDown(now);
    this.#drain(now);
    this.#finish(this.#cause ?? objection ?? reason);
  }

  /** One PPP frame without GRE; FF 03 and the first octet of the protocol may be missing. Never throws, whatever it is. */
  handleFrame(frame: Uint8Array, now: number): void {
    if (this.#finished || this.#phase === 'Dead') return;
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
   * The attempt of the last 'login' is let in. Ignored when the link is no longer waiting for it.
   * @throws Error unless the attempt was verified
   */
  admit(grant: Grant, now: number): void {
    if (this.#authentication?.isDeciding !== true) return;
    this.#authentication.admit();
    this.#grant = grant;
    this.#drain(now);
  }

  /**
   * The attempt of the last 'login' is refused; `down` follows with this reason.
   * @param told what the peer learns of it, if it has proved its password
   */
  refuse(reason: Cause, now: number, told?: Refusal): void {
    if (this.#authentication?.isDeciding !== true) return;
    this.#authentication.refuse(told);
    this.#cause = reason;
    this.#closeAt = now + REFUSAL_TIME;
    this.#drain(now);
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
    if (this.#phase !== 'Network') return undefined;
    const identifier = this.#lcp.sendEcho();
    this.#drain(now);
    return identifier;
  }

  /** Ends the link properly; `down` comes within about 2 s. The first reason counts. */
  close(reason: Cause, now: number): void {
    if (this.#finished) return;
    this.#close(reason, now);
    this.#drain(now);
  }

  nextTimeout(): number | undefined {
    const earliest = Math.min(
      this.#lcp.nextTimeout() ?? Infinity,
      this.#authentication?.nextTimeout() ?? Infinity,
      this.#network?.nextTimeout() ?? Infinity,
      this.#closeAt ?? Infinity,
    );
    return earliest === Infinity ? undefined : earliest;
  }

  handleTimeout(now: number): void {
    if (this.#finished) return;
    this.#lcp.handleTimeout(now);
    this.#authentication?.handleTimeout(now);
    this.#network?.handleTimeout(now);
    this.#drain(now);
    if (this.#closeAt !== undefined && now >= this.#closeAt)
      this.#close(this.#cause ?? cause('PEER_AUTH_FAILED'), now);
    this.#drain(now);
  }

  poll(): LinkOutput | undefined {
    return takeFirst(this.#outputs);
  }

  get status(): LinkStatus {
    return {
      phase: this.#phase,
      methods: this.#authentication?.methods ?? { peer: undefined, own: undefined },
      mppe: this.#network?.mppe ?? { send: undefined, receive: undefined },
      peerMru: this.#peerMru,
      isIpUp: this.#network?.isIpUp ?? false,
    };
  }

  get #peerMru(): number {
    return Math.min(this.#lcp.policy.peerMru, this.#options.mru);
  }

  #handlePayload(protocol: number, payload: Uint8Array, now: number): void {
    switch (protocol) {
      case PppProtocol.Lcp: {
        this.#lcp.handlePayload(payload, now);
        return;
      }
      case PppProtocol.Chap:
      case PppProtocol.Pap: {
        this.#handleAuthentication(protocol, payload, now);
        return;
      }
      case PppProtocol.Ip:
      case PppProtocol.Ipv6:
      case PppProtocol.Compressed: {
        this.#options.count('unexpected-data');
        return;
      }
    }
    // RFC 1661 §3.5: before the peer is authenticated there is nothing but LCP and authentication.
    if (this.#phase === 'Authenticate') {
      this.#keepEarly(protocol, payload);
      return;
    }
    if (this.#network === undefined) {
      this.#options.count('out-of-state');
      return;
    }
    if (!this.#network.handlePayload(protocol, payload, now))
      this.#lcp.rejectProtocol(protocol, payload);
  }

  /** One frame each of CCP, IPCP and IPV6CP is kept until authentication is complete, and looked at only then. */
  #keepEarly(protocol: number, payload: Uint8Array): void {
    const isNetworkProtocol =
      protocol === PppProtocol.Ccp ||
      protocol === PppProtocol.Ipcp ||
      protocol === PppProtocol.Ipv6cp;
    if (isNetworkProtocol && payload[0] === PacketCode.ConfigureRequest)
      (this.#early ??= new Map<number, Uint8Array>()).set(protocol, payload);
    else this.#options.count('out-of-state');
  }

  #handleAuthentication(protocol: number, payload: Uint8Array, now: number): void {
    if (this.#authentication?.handlePayload(protocol, payload, now) !== true)
      this.#options.count('unexpected-authentication');
  }

  #handleProtocolRejected(protocol: number, now: number): void {
    if (protocol === PppProtocol.Chap || protocol === PppProtocol.Pap) {
      if (this.#phase === 'Authenticate') this.#close(cause('AUTH_METHOD_REFUSED'), now);
    } else if (this.#network === undefined) this.#options.count('out-of-state');
    else this.#network.handleProtocolReject(protocol, now);
  }

  #drain(now: number): void {
    this.#drainLcp(now);
    this.#drainAuthentication(now);
    const isComplete = this.#authentication?.isComplete === true && this.#cause === undefined;
    if (this.#phase === 'Authenticate' && isComplete) this.#enterNetwork(now);
    this.#drainNetwork(now);
  }

  #drainLcp(now: number): void {
    for (let output; (output = this.#lcp.poll()) !== undefined;) {
      switch (output.kind) {
        case 'transmit':
          this.#transmit(PppProtocol.Lcp, output.payload);
          break;
        case 'up':
          this.#enterAuthenticate(now);
          break;
        case 'down':
          this.#leaveNetwork(now);
          break;
        case 'peer-terminated':
          this.#handlePeerTerminated(peersGoodbye(output.data), now);
          break;
        case 'failed':
          this.#close(cause(output.code), now);
          break;
        case 'finished':
          this.#finish(this.#cause ?? finishCause(output.reason));
          break;
        case 'protocol-rejected':
          this.#handleProtocolRejected(output.protocol, now);
          break;
        case 'echo-reply':
          this.#outputs.push(output);
          break;
      }
    }
  }

  /** @param text what the peer says about it */
  #handlePeerTerminated(text: string | undefined, now: number): void {
    const isLoggingIn = this.#authentication?.isLoggingIn === true;
    const reason = cause('PEER_TERMINATED', isLoggingIn ? 'during the login' : undefined);
    // During negotiation the automaton would go on asking; there is nobody left to ask.
    const why = this.#refusedMethod() ?? this.#network?.objection ?? reason;
    this.#close(saying(why, text), now);
  }

  /** The two ends wanted different login methods, and neither a login nor IP came of it. */
  #refusedMethod(): Cause | undefined {
    const { methods, isIpUp } = this.status;
    const hasMethod = methods.own !== undefined || methods.peer !== undefined;
    if (!this.#lcp.policy.methodsDiffer || hasMethod || isIpUp) return undefined;
    return cause('AUTH_METHOD_REFUSED');
  }

  #enterAuthenticate(now: number): void {
    const { ownMethod, peerMethod, peerPfc, peerAcfc, peerAccm } = this.#lcp.policy;
    const { identity } = this.#options;
    this.#phase = 'Authenticate';
    const peerMru = this.#peerMru;
    this.#outputs.push({ kind: 'frame-options', accm: peerAccm, peerPfc, peerAcfc, peerMru });
    if (this.#cause !== undefined) {
      this.#close(this.#cause, now);
      return;
    }
    // Whoever asks for no login proves nothing either: an impostor could get around mschap-v2 in this way.
    if (ownMethod === undefined && identity?.methods.every((method) => method === 'mschap-v2')) {
      const refused = this.#lcp.policy.methodsDiffer; // it wanted another method first
      this.#close(
        refused
          ? cause('AUTH_METHOD_REFUSED')
          : cause('SERVER_NOT_TRUSTED', 'it asked for no login'),
        now,
      );
      return;
    }
    const methods = { peer: peerMethod, own: ownMethod };
    this.#authentication = new Authentication(methods, this.#options, now);
  }

  #drainAuthentication(now: number): void {
    for (let output; (output = this.#authentication?.poll()) !== undefined;) {
      switch (output.kind) {
        case 'transmit':
          this.#transmit(output.protocol, output.payload);
          break;
        case 'login':
        case 'authenticated':
          this.#outputs.push(output);
          break;
        case 'failed':
          this.#close(output.cause, now);
          break;
      }
    }
  }

  #enterNetwork(now: number): void {
    this.#phase = 'Network';
    this.#network = new NetworkPhase(
      this.#options,
      this.#authentication?.keys,
      this.#keyUse,
      this.#grant,
      this.#lcp.policy.peerMru,
    );
    this.#network.start(now);
    const early = this.#early;
    this.#early = undefined;
    for (const [protocol, payload] of early ?? []) this.#handlePayload(protocol, payload, now);
  }

  /** LCP is down: everything above starts anew when it is up again. */
  #leaveNetwork(now: number): void {
    this.#network?.stop(now);
    this.#drainNetwork(now);
    this.#network = undefined;
    this.#authentication = undefined;
    this.#grant = undefined;
    this.#early = undefined;
    this.#phase = this.#closing ? 'Terminate' : 'Establish';
  }

  #drainNetwork(now: number): void {
    for (let output; (output = this.#network?.poll()) !== undefined;) {
      if (output.kind === 'failed') this.#close(output.cause, now);
      else if (output.kind === 'keys-spent') this.#logInAnew(now);
      else this.#outputs.push(output);
    }
  }

  /** Whoever of the two ends has to log in does it again, and so there are new keys. */
  #logInAnew(now: number): void {
    if (this.#closing) return;
    this.#options.count('spent-keys');
    this.#lcp.restart(now);
    this.#drainLcp(now);
  }

  #close(reason: Cause, now: number): void {
    if (this.#finished || this.#closing) return;
    this.#cause ??= reason;
    this.#closing = true;
    this.#outputs.push({ kind: 'closing', cause: this.#cause });
    this.#phase = 'Terminate';
    this.#closeAt = undefined;
    this.#lcp.close(now, goodbye(this.#cause));
    this.#drainLcp(now);
    // Without a timer there is nobody to say goodbye to.
    if (this.#lcp.isResting) this.#finish(this.#cause);
  }

  #finish(reason: Cause): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#phase = 'Dead';
    this.#closeAt = undefined;
    this.#outputs.push({ kind: 'down', cause: reason });
  }

  #transmit(protocol: number, payload: Uint8Array): void {
    this.#outputs.push({ kind: 'transmit', frame: encodePppFrame(protocol, payload) });
  }
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
