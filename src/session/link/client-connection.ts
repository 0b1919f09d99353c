/**
 * One TCP connection of a link to its server, from the moment TCP is up until it is closed: control connection, one call,
 * PPP. It tries once; what follows a failure is decided by the link (client-link.ts).
 */
import type { CallId, Ipv4 } from '../../wire/brand.ts';
import { cause, type Cause } from '../../wire/cause.ts';
import { formatAddress } from '../../wire/ip.ts';
import { takeFirst } from '../../wire/queue.ts';
import type { Claims } from '../claims.ts';
import { earliest } from '../deadlines.ts';
import type { Attempt, Gateway } from '../gateway.ts';
import type { ClientLinkOptions, Rates } from '../options.ts';
import type {
  CallPath,
  SessionEvent,
  SessionOutput,
  SessionStatus,
  Step,
  Tunnel,
} from '../ports.ts';
import { Session, type SessionNews, type SessionOwner } from '../session.ts';
import { TunnelConnection, type TunnelConnectionOutput } from '../tunnel-connection.ts';

const HANDSHAKE_TIMEOUT = 15_000;
const CALL_TIMEOUT = 30_000;
/** From the call to the addresses. */
const LINK_TIME = 90_000;

export type ConnectionOutput =
  /** For the daemon. Answer to 'tunnel-up': establish, or end. */
  | Exclude<SessionOutput, { kind: 'disconnect' | 'done' }>
  /** Nothing uses the path any more. */
  | { readonly kind: 'release'; readonly path: CallPath }
  /** It failed and says goodbye now. */
  | { readonly kind: 'closing'; readonly cause: Cause }
  /** Last: close TCP. */
  | { readonly kind: 'closed'; readonly cause: Cause };

/** What a connection asks of its link. */
export interface ConnectionPort {
  /** CallPaths.open for the link. */
  openPath(peer: Ipv4, local: Ipv4, now: number): CallPath | undefined;
  /** CallPaths.reopen for the link. */
  reopenPath(callId: CallId): CallPath;
  /** What a frame has brought is among the outputs. */
  settled(now: number): void;
  /** Does what somebody else wants, outside the connection's own verbs. */
  outside(act: () => void, now: number): void;
  /** What is given back when the link has thrown. */
  readonly claims: Claims;
}

/** Addresses of the two ends of TCP, and the one we would like inside the tunnel. */
interface Ends {
  readonly peer: Ipv4;
  readonly local: Ipv4;
  readonly wanted: Ipv4 | undefined;
  /** ms of a call without any GRE packet after which it is given up; undefined: as long as PPP goes on asking. */
  readonly silence: number | undefined;
}

type State =
  /** The Start exchange; the gateway knows of it, since it may collide with the peer's own attempt. */
  | { readonly name: 'control'; readonly leaveAttempt: () => void }
  | { readonly name: 'call'; readonly path: CallPath }
  /** Without a tunnel the addresses must be agreed on by then. */
  | {
      readonly name: 'link';
      readonly session: Session;
      readonly by: number | undefined;
      readonly silentBy: number | undefined;
    }
  | { readonly name: 'closing'; readonly session: Session | undefined }
  | { readonly name: 'closed' };

export type SavedConnection = NonNullable<ReturnType<ClientConnection['save']>>;

export class ClientConnection implements SessionOwner {
  readonly #options: ClientLinkOptions;
  readonly #gateway: Gateway;
  readonly #port: ConnectionPort;
  readonly #ends: Ends;
  readonly #tunnel: TunnelConnection;
  readonly #outputs: ConnectionOutput[] = [];
  #state: State;
  #lcpUp = false;
  #rates: Rates;

  constructor(
    options: ClientLinkOptions,
    gateway: Gateway,
    port: ConnectionPort,
    ends: Ends,
    now: number,
    saved?: SavedConnection,
  ) {
    this.#options = options;
    this.#gateway = gateway;
    this.#port = port;
    this.#ends = ends;
    this.#rates = options.rates;
    this.#tunnel = new TunnelConnection(
      {
        initiator: true,
        maxCalls: 1,
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        callTimeout: CALL_TIMEOUT,
        random: gateway.random,
        count: (what) => gateway.count(`control: ${what}`),
      },
      {
        outputs: { push: (output) => this.#outputs.push(output) },
        act: (output, at) => this.#actOnControl(output, at),
      },
      now,
      saved?.tunnel,
    );
    if (saved !== undefined) {
      this.#state = this.#restored(saved, now);
      return;
    }
    const attempt: Attempt = {
      peer: ends.peer,
      local: ends.local,
      lose: (at) => port.outside(() => this.#lose(at), at),
    };
    gateway.enterAttempt(attempt);
    const leaveAttempt = port.claims.add(() => gateway.leaveAttempt(attempt));
    this.#state = { name: 'control', leaveAttempt };
    this.#tunnel.pump(now);
  }

  /**
   * What another connection goes on with. undefined: it is not up, or something is being negotiated.
   * Not carried: #options, #gateway, #port; #outputs, of which there are none.
   */
  save() {
    const state = this.#state;
    const session =
      state.name === 'link' && state.by === undefined ? state.session.save() : undefined;
    const tunnel = this.#tunnel.save();
    if (session === undefined || tunnel === undefined || this.#outputs.length > 0) return undefined;
    return { ends: this.#ends, tunnel, session, lcpUp: this.#lcpUp, rates: this.#rates };
  }

  /** Outside address of the server. */
  get peer(): Ipv4 {
    return this.#ends.peer;
  }

  /** That of the call while it is up. */
  get path(): CallPath | undefined {
    return this.#session()?.path;
  }

  /** Of the session that is up. */
  get upTunnel(): Tunnel | undefined {
    return this.#session()?.tunnel;
  }

  /** Whether the peer has ever answered in PPP: then another address of the same server would not do better. */
  get reachedPpp(): boolean {
    return this.#lcpUp;
  }

  handleOctets(octets: Uint8Array, now: number): void {
    this.#tunnel.handleOctets(octets, now);
  }

  handleClosed(now: number, failure?: string): void {
    this.#tunnel.handleClosed(now, failure);
  }

  /** The tunnel is up. */
  establish(now: number): SessionStatus | undefined {
    return this.#state.name === 'link' ? this.#state.session.establish(now) : undefined;
  }

  status(): SessionStatus | undefined {
    return this.#state.name === 'link' ? this.#state.session.status() : undefined;
  }

  /** See Session. */
  setRates(rates: Rates, now: number): void {
    this.#rates = rates;
    this.#session()?.setRates(rates, now);
  }

  askEcho(now: number): void {
    this.#session()?.askEcho(now);
    this.#tunnel.pump(now);
  }

  get echoTime(): number | undefined {
    return this.#session()?.echoTime;
  }

  /** Says goodbye: PPP, call, control connection; 'closed' within 3 s. */
  end(cause: Cause, now: number): void {
    this.#beginClosing(cause, now);
    this.#tunnel.pump(now);
  }

  nextTimeout(): number | undefined {
    if (this.#state.name === 'closed') return undefined;
    const { by, silentBy } = this.#state.name === 'link' ? this.#state : {};
    return earliest(this.#tunnel.nextTimeout(), by, silentBy, this.#session()?.nextTimeout());
  }

  handleTimeout(now: number): void {
    if (this.#state.name === 'closed') return;
    const state = this.#state;
    if (state.name === 'link') {
      const isOver = (by: number | undefined) => by !== undefined && now >= by;
      const isSilent = isOver(state.silentBy);
      if (isSilent) this.#state = { ...state, silentBy: undefined };
      if (isOver(state.by) || (isSilent && !state.session.heardGre))
        this.#beginClosing(slowness(state.session, this.#lcpUp), now);
    }
    const session = this.#session();
    const next = session?.nextTimeout();
    if (next !== undefined && next <= now) session?.handleTimeout(now);
    this.#tunnel.handleTimeout(now);
  }

  poll(): ConnectionOutput | undefined {
    return takeFirst(this.#outputs);
  }

  #session(): Session | undefined {
    return 'session' in this.#state ? this.#state.session : undefined;
  }

  /** RFC 2637 §3.1.3: the peer's own attempt wins. */
  #lose(now: number): void {
    this.#tunnel.abandon(cause('CONTROL_COLLISION'), now);
  }

  #actOnControl(output: TunnelConnectionOutput, now: number): void {
    switch (output.kind) {
      case 'established':
        this.#step('control', [output.peer.vendorName, output.peer.hostName].join(' ').trim());
        this.#placeCall(now);
        break;
      case 'call-requested':
        this.#tunnel.control.refuseCall(output.request, 'not-accepted');
        break;
      case 'request-withdrawn':
        break;
      case 'call-up':
        this.#step('call', `ids ${output.callId} and ${output.peerCallId}`);
        this.#startLink(output.peerCallId, now);
        break;
      case 'call-down':
        this.#callDown(output.cause, now);
        break;
      case 'down':
        this.#enter({ name: 'closed' });
        this.#outputs.push({ kind: 'closed', cause: output.cause });
        break;
    }
  }

  tell(news: SessionNews, now: number): void {
    switch (news.kind) {
      case 'gre':
        this.#step('gre', formatAddress(this.#ends.peer));
        break;
      case 'lcp-up':
        this.#lcpUp = true;
        this.#step('lcp', `MRU ${news.peerMru}`);
        break;
      case 'tunnel-changed': // a link is in no groups
        break;
      case 'login':
        // Nobody is asked to log in to a link.
        break;
      case 'authenticated':
        this.#step('login', this.#session()?.auth ?? 'none');
        break;
      case 'tunnel-up':
        this.#tunnelUp(news);
        break;
      case 'tunnel-down':
        this.#outputs.push(news);
        if (this.#state.name === 'link') this.#state = { ...this.#state, by: now + LINK_TIME };
        break;
      case 'event':
        this.#outputs.push(news);
        break;
      case 'closing':
        this.#beginClosing(news.cause, now);
        break;
      case 'down':
        this.#beginClosing(news.cause, now);
        this.#release(this.#session()?.path, news.cause, now);
        break;
    }
  }

  settled(now: number): void {
    this.#tunnel.pump(now);
    this.#port.settled(now);
  }

  /** The path exists before the request: GRE may overtake the reply. */
  #placeCall(now: number): void {
    if (this.#state.name !== 'control') return;
    const path = this.#port.openPath(this.#ends.peer, this.#ends.local, now);
    if (path === undefined) {
      this.#beginClosing(cause('TOO_MANY_SESSIONS'), now);
      return;
    }
    this.#enter({ name: 'call', path });
    this.#tunnel.control.placeCall(path.callId, now);
  }

  #restored({ session: saved, lcpUp, rates }: SavedConnection, now: number): State {
    const path = this.#port.reopenPath(saved.callId);
    const session = this.#newSession(path, saved.peerCallId, saved.identity?.id ?? 0, now);
    this.#lcpUp = lcpUp;
    this.#rates = rates;
    session.restore(saved, now);
    return { name: 'link', session, by: undefined, silentBy: undefined };
  }

  #startLink(peerCallId: CallId, now: number): void {
    if (this.#state.name !== 'call') return;
    const { path } = this.#state;
    const session = this.#newSession(path, peerCallId, this.#gateway.nextId(), now);
    const { silence } = this.#ends;
    const silentBy = silence === undefined ? undefined : now + silence;
    this.#enter({ name: 'link', session, by: now + LINK_TIME, silentBy });
    session.setRates(this.#rates, now);
    session.start(now);
  }

  #newSession(path: CallPath, peerCallId: CallId, id: number, now: number): Session {
    const { name, device, mtu, defaultRoute, metric, peerDns, ...options } = this.#options;
    const { username, secret, auth, mppe, ipv6, ipv6Client, ipv6Routes, keepalive, routes } =
      options;
    return new Session(
      path,
      peerCallId,
      {
        tunnel: {
          name,
          device,
          role: 'link',
          peer: this.#ends.peer,
          defaultRoute,
          metric,
          proxyArp: false,
          ipv6Client,
          ipv6Routes,
        },
        peerDns,
        link: {
          mru: mtu,
          identity: { username, secret, methods: auth },
          mppe,
          ip: { localAddress: this.#ends.wanted ?? 0, requestDns: peerDns },
          ipv6,
          ...(keepalive === undefined ? {} : { keepalive }),
          random: this.#gateway.random,
          count: (what) => this.#gateway.count(`ppp: ${what}`),
        },
      },
      { id, username, routes, account: undefined, inform: undefined },
      this,
      now,
    );
  }

  #tunnelUp(news: Extract<SessionNews, { kind: 'tunnel-up' }>): void {
    if (this.#state.name !== 'link') return;
    const { session } = this.#state;
    this.#state = { ...this.#state, by: undefined };
    if (session.auth === 'none') this.#step('login', 'not asked for');
    this.#step('encryption', session.encryption);
    const { localAddress, peerAddress } = news.tunnel;
    this.#step('addresses', `${formatAddress(localAddress)} and ${formatAddress(peerAddress)}`);
    this.#outputs.push(news);
  }

  #callDown(cause: Cause, now: number): void {
    if (this.#state.name === 'call') this.#beginClosing(cause, now);
    else this.#session()?.lost(cause, now); // its 'down' explains the cause
  }

  #beginClosing(cause: Cause, now: number): void {
    const state = this.#state;
    if (state.name === 'closing' || state.name === 'closed') return;
    const session = this.#session();
    this.#enter({ name: 'closing', session });
    this.#outputs.push({ kind: 'closing', cause });
    this.#tunnel.close(cause, now);
    if (state.name === 'call') this.#release(state.path, cause, now);
    session?.end(cause, now);
  }

  #enter(state: State): void {
    if (this.#state.name === 'control') this.#state.leaveAttempt();
    this.#state = state;
  }

  /** Nothing uses the path any more, and the call ends. */
  #release(path: CallPath | undefined, cause: Cause, now: number): void {
    if (path === undefined) return;
    this.#outputs.push({ kind: 'release', path });
    this.#tunnel.control.clearCall(path.callId, cause, now);
  }

  #step(step: Step, detail: string): void {
    this.#event({ what: 'step', link: this.#options.name, step, detail });
  }

  #event(event: SessionEvent): void {
    this.#outputs.push({ kind: 'event', event });
  }
}

/** What took too long. */
function slowness({ path, heardGre, auth }: Session, lcpUp: boolean): Cause {
  const obstacle = path.obstacle();
  if (!heardGre) return cause('GRE_BLOCKED', obstacle);
  if (!lcpUp) return cause('LCP_TIMEOUT', obstacle);
  return cause(auth === 'none' ? 'AUTH_TIMEOUT' : 'IPCP_TIMEOUT');
}
