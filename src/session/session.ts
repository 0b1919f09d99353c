/* eslint max-lines: ['error', { max: 510, skipBlankLines: true, skipComments: true }] -- one machine, with what of it goes on */
/**
 * A call that is up, its PPP link and its addresses: what callers and client links share.
 *
 * The link decides, the path carries: this is the only place where the outputs of one become calls of the other. The owner is
 * told what it must know as it happens.
 */
import { PppLink } from '../ppp/link.ts';
import type { Grant, LinkOptions, Refusal } from '../ppp/options.ts';
import type { LinkOutput } from '../ppp/output.ts';
import type { CallId } from '../wire/brand.ts';
import { cause, type Cause } from '../wire/cause.ts';
import type { Prefix } from '../wire/ip.ts';
import { innerMtu } from '../wire/mppe-header.ts';
import { readU16 } from '../wire/octets.ts';
import { PppProtocol } from '../wire/ppp-frame.ts';
import { agree, encryptionText, type Agreed, type Encryption } from './agreed.ts';
import { earliest } from './deadlines.ts';
import type { Rates } from './options.ts';
import type {
  CallerOutput,
  CallPath,
  FrameReceiver,
  InformParameters,
  SessionAccount,
  SessionStatus,
  Tunnel,
} from './ports.ts';
import { Reach } from './reach.ts';
import { SessionIpv6, type Ipv6Source } from './session-ipv6.ts';

/** How long the peer has to acknowledge the end of the PPP link, ms. */
const TERMINATE_TIME = 1_000;
/** How long a refused peer has to hang up, ms; PPP itself says goodbye after 2 s. */
const REFUSAL_TIME = 3_000;
/** How long a tunnel waits for IPv6, ms: a device is configured once. */
const IPV6_TIME = 1_000;

/** What the data path puts in front of an IPv6 packet. */
const IPV6_PROTOCOL_LENGTH = 2;

type IpUp = Extract<LinkOutput, { kind: 'ip-up' }>;

/** What the kernel is told and the status shows, apart from what is negotiated. */
export interface SessionSettings {
  readonly tunnel: Pick<
    Tunnel,
    | 'name'
    | 'device'
    | 'role'
    | 'peer'
    | 'defaultRoute'
    | 'metric'
    | 'proxyArp'
    | 'ipv6Client'
    | 'ipv6Routes'
  >;
  /** Pass on the name servers that the peer gives. */
  readonly peerDns: boolean;
  readonly link: LinkOptions;
}

/** Who it is; known for a caller once it is logged in. */
export interface Identity {
  readonly id: number;
  readonly username: string;
  readonly routes: readonly Prefix[];
  /** Of a caller. */
  readonly account: SessionAccount | undefined;
  readonly inform: InformParameters | undefined;
}

export type SessionNews =
  /** The first GRE packet of the peer. */
  | { readonly kind: 'gre' }
  /** `login`: admit or refuse, now or later. `closing`: PPP has begun to end by itself. `down`: last, the path is not used any more. */
  | Extract<LinkOutput, { kind: 'lcp-up' | 'login' | 'authenticated' | 'closing' | 'down' }>
  /** IP may flow, or not any more; 'session-down': its counters are final. */
  | Extract<CallerOutput, { kind: 'tunnel-up' | 'tunnel-changed' | 'tunnel-down' | 'event' }>;

export interface SessionOwner {
  tell(news: SessionNews, now: number): void;
  /** What a frame has brought was told. */
  settled(now: number): void;
}

type Ip =
  | { readonly name: 'down' }
  /** The addresses are agreed on; IPv6, which is negotiated beside them, may come until then. */
  | { readonly name: 'waiting'; readonly by: number }
  | { readonly name: 'up'; readonly tunnel: Tunnel };

type State =
  | { readonly name: 'open'; readonly ip: Ip }
  /** No IP flows any more, and PPP says goodbye, until `by` at the latest; undefined: it ends by itself. */
  | { readonly name: 'ending'; readonly cause: Cause; readonly by: number | undefined }
  | { readonly name: 'finished' };

export type SavedSession = NonNullable<ReturnType<Session['save']>>;

export class Session implements FrameReceiver {
  readonly path: CallPath;
  readonly #settings: SessionSettings;
  readonly #peerCallId: CallId;
  readonly #owner: SessionOwner;
  readonly #link: PppLink;
  readonly #reach: Reach;
  #state: State = { name: 'open', ip: { name: 'down' } };
  #identity: Identity | undefined;
  #grant: Grant | undefined;
  #auth = 'none';
  #mppe: Encryption = { send: undefined, receive: undefined };
  /** As LCP has agreed. */
  #framing: { readonly pfc: boolean; readonly acfc: boolean; readonly mru: number };
  /** Without MPPE. */
  #mtu: number;
  /** When IP last came up; kept for the status while it is negotiated anew. */
  #agreed: Agreed | undefined;
  #ipv6: { readonly local: Uint8Array; readonly peer: Uint8Array } | undefined;
  #ipv6Source: Ipv6Source | undefined;
  #ownIpv6: SessionIpv6 | undefined;
  /** Packets of IPv6 that are no traffic, in all: they are encrypted as traffic is. */
  readonly #ownPackets = { send: 0, receive: 0 };
  #rates: Rates = { up: 0, down: 0, burst: 0 };
  /** undefined: not established, or not any more. */
  #since: number | undefined;
  #rxPackets = 0;
  /** Of the last askEcho. */
  #echo: { identifier: number | undefined; askedAt: number; time?: number } | undefined;

  /** The call is up. `identity`: known already for a link. */
  constructor(
    path: CallPath,
    peerCallId: CallId,
    settings: SessionSettings,
    identity: Identity | undefined,
    owner: SessionOwner,
    now: number,
  ) {
    this.path = path;
    this.#peerCallId = peerCallId;
    this.#settings = settings;
    this.#identity = identity;
    this.#owner = owner;
    this.#framing = { pfc: false, acfc: false, mru: settings.link.mru };
    this.#mtu = settings.link.mru;
    this.#reach = new Reach(path, now);
    const carried = { send: 'txPackets', receive: 'rxPackets' } as const;
    this.#link = new PppLink(
      settings.link,
      (direction) => path.counters()[carried[direction]] + this.#ownPackets[direction],
    );
  }

  /**
   * What another session with the same settings goes on with. undefined: something is being negotiated, or it ends (#state).
   * Not carried: path, #settings, #peerCallId, #owner and #ipv6Source, which are given anew; #echo, whoever waits for it.
   */
  save() {
    const link = this.#link.save();
    const tunnel = this.#tunnel;
    if (link === undefined || tunnel === undefined || this.#agreed === undefined) return undefined;
    return {
      callId: this.path.callId,
      peerCallId: this.#peerCallId,
      link,
      reach: this.#reach.save(),
      tunnel,
      identity: this.#identity,
      grant: this.#grant,
      auth: this.#auth,
      mppe: this.#mppe,
      framing: this.#framing,
      mtu: this.#mtu,
      agreed: this.#agreed,
      ipv6: this.#ipv6,
      ownIpv6: this.#ownIpv6?.save(),
      ownPackets: { ...this.#ownPackets },
      rates: this.#rates,
      since: this.#since,
      rxPackets: this.#rxPackets,
    };
  }

  /** Instead of start; the path goes on as it was. @throws Error the settings do not fit */
  restore(saved: SavedSession, now: number, ipv6?: Ipv6Source): void {
    this.#ipv6Source = ipv6;
    Object.assign(this.#ownPackets, saved.ownPackets);
    this.#link.restore(saved.link, now);
    this.#reach.restore(saved.reach);
    this.#state = { name: 'open', ip: { name: 'up', tunnel: saved.tunnel } };
    this.#identity = saved.identity;
    this.#grant = saved.grant;
    this.#auth = saved.auth;
    this.#mppe = saved.mppe;
    this.#framing = saved.framing;
    this.#mtu = saved.mtu;
    this.#agreed = saved.agreed;
    this.#ipv6 = saved.ipv6;
    this.#since = saved.since;
    this.#rxPackets = saved.rxPackets;
    this.path.connect(this.#peerCallId, this);
    this.setRates(saved.rates, now);
    if (saved.ownIpv6 === undefined) return;
    this.#ownIpv6 = this.#newIpv6();
    this.#ownIpv6?.restore(saved.ownIpv6);
  }

  /** The tunnel that is up. */
  get tunnel(): Tunnel | undefined {
    return this.#tunnel;
  }

  /** The path is connected and PPP starts. */
  start(now: number): void {
    this.#requireEncryption();
    this.path.connect(this.#peerCallId, this);
    this.#link.handleLowerUp(now);
    this.#drain(now);
  }

  handleFrame(frame: Uint8Array, now: number): void {
    if (this.#state.name === 'finished') return;
    this.#hear(this.#reach.ppp(), now);
    if (readU16(frame, 0) === PppProtocol.Ipv6) this.#receiveIpv6(frame, now);
    else this.#link.handleFrame(frame, now);
    this.#drain(now);
    this.#owner.settled(now);
  }

  /** The tunnel stands: packets get through to the peer. */
  handleTunnelReady(now: number): void {
    if (this.#tunnel !== undefined) this.#ownIpv6?.open(now);
  }

  /** The path cannot decrypt any more (stateful MPPE). */
  handleDesynchronized(now: number): void {
    if (this.#state.name === 'finished') return;
    this.#link.handleDesynchronized(now);
    this.#drain(now);
    this.#owner.settled(now);
  }

  /** The login was right. */
  admit(identity: Identity, method: string, grant: Grant, now: number, ipv6?: Ipv6Source): void {
    if (this.#state.name === 'finished') return;
    this.#identity = identity;
    this.#ipv6Source = ipv6;
    this.#grant = grant;
    this.#auth = method;
    this.#requireEncryption();
    this.#setFraming();
    this.#link.admit(grant, now);
    this.#drain(now);
  }

  /** The login goes on by EAP, as in PppLink. */
  challenge(request: Uint8Array | 'mschap-v2', now: number): void {
    if (this.#state.name === 'finished') return;
    this.#link.challenge(request, now);
    this.#drain(now);
  }

  /** Whoever logs in is not let in, but may try again on the same link. @returns false: not with this method */
  retry(told: Refusal, now: number): boolean {
    if (this.#state.name !== 'open') return false;
    const mayRetry = this.#link.retry(told, now);
    this.#drain(now);
    return mayRetry;
  }

  /** Its account has changed in what does not end it. */
  renew(account: SessionAccount, now: number): void {
    if (this.#identity === undefined) return;
    this.#identity = { ...this.#identity, account };
    const isOther = this.#ownIpv6?.review(now) === true;
    if (isOther || this.#tunnel?.groups.join() !== account.groups.join()) this.#changeTunnel(now);
  }

  /** Whoever logs in is not let in. PPP ends. @param told what the peer learns of it, if it has proved its password */
  refuse(why: Cause, now: number, told?: Refusal): void {
    const state = this.#state;
    if (state.name === 'finished') return;
    const ending = state.name === 'ending' ? state.cause : why;
    this.#leave({ name: 'ending', cause: ending, by: now + REFUSAL_TIME }, ending, now);
    this.#link.refuse(why, now, told);
    this.#drain(now);
  }

  /** How fast it may be from now on. */
  setRates(rates: Rates, now: number): void {
    if (this.#state.name === 'finished') return;
    const { up, down, burst } = rates;
    const [receive, send] = this.#settings.tunnel.role === 'caller' ? [up, down] : [down, up];
    this.#rates = rates;
    this.path.setRates({ receive, send, burst }, now);
  }

  /** Asks the peer for a sign of life, without changing anything; echoTime tells of it. */
  askEcho(now: number): void {
    if (this.#state.name === 'finished') return;
    this.#echo = { identifier: this.#link.sendEcho(now), askedAt: now };
    this.#drain(now);
  }

  /** How long the answer to the last askEcho took, ms; undefined: none has come. */
  get echoTime(): number | undefined {
    return this.#echo?.time;
  }

  /** The tunnel is up: from now on this is an established session. undefined: it went down meanwhile. */
  establish(now: number): SessionStatus | undefined {
    if (this.#tunnel === undefined) return undefined;
    this.#since ??= now;
    return this.status();
  }

  /** Ends it in order. IP stops at once; PPP is terminated within a second. */
  end(why: Cause, now: number): void {
    const state = this.#state;
    const by = now + TERMINATE_TIME;
    switch (state.name) {
      case 'open': {
        const ending = this.#reach.explain(why, now);
        this.#leave({ name: 'ending', cause: ending, by }, ending, now);
        this.#link.close(ending, now);
        this.#drain(now);
        break;
      }
      case 'ending':
        this.#state = { ...state, by: state.by ?? by };
        break;
      case 'finished':
        break;
    }
  }

  /** The call is gone. */
  lost(why: Cause, now: number): void {
    if (this.#state.name === 'finished') return;
    this.#link.handleLowerDown(why, now);
    this.#drain(now);
    this.#finish(why, now);
  }

  nextTimeout(): number | undefined {
    const state = this.#state;
    switch (state.name) {
      case 'open': {
        const by = state.ip.name === 'waiting' ? state.ip.by : undefined;
        return earliest(this.#link.nextTimeout(), by, this.#ownIpv6?.nextTimeout());
      }
      case 'ending':
        return earliest(this.#link.nextTimeout(), state.by);
      case 'finished':
        return undefined;
    }
  }

  handleTimeout(now: number): void {
    const state = this.#state;
    if (state.name === 'finished') return;
    if (state.name === 'ending' && state.by !== undefined && now >= state.by) {
      this.lost(state.cause, now);
      return;
    }
    if (state.name === 'open' && state.ip.name === 'waiting' && now >= state.ip.by)
      this.#tunnelUp(now);
    this.#look(now);
    if (this.#ownIpv6?.handleTimeout(now) === true) this.#changeTunnel(now);
    this.#link.handleTimeout(now);
    this.#drain(now);
  }

  /** undefined until it was established. */
  status(): SessionStatus | undefined {
    if (this.#identity === undefined || this.#agreed === undefined) return undefined;
    if (this.#since === undefined) return undefined;
    const { name, role, peer } = this.#settings.tunnel;
    const { localAddress, peerAddress, encryption, mtu } = this.#agreed;
    return {
      ...this.#identity,
      kind: role,
      name,
      peer,
      callId: this.path.callId,
      peerCallId: this.#peerCallId,
      localAddress,
      peerAddress,
      since: this.#since,
      auth: this.#auth,
      mppe: encryption,
      mtu,
      ipv6: this.#tunnelIpv6(),
      rates: this.#rates,
      counters: this.path.counters(),
      roundTrip: this.#link.roundTrip,
    };
  }

  /** The login method, "none" before. */
  get auth(): string {
    return this.#auth;
  }

  /** The method that the peer has logged in with; before, those that it may choose from. */
  get methods(): readonly string[] {
    const { authenticatePeer } = this.#settings.link;
    return this.#auth === 'none' ? (authenticatePeer?.methods ?? []) : [this.#auth];
  }

  /** As in "mppe-128", "mppe-40 stateful", "none". */
  get encryption(): string {
    return encryptionText(this.#mppe);
  }

  /** Some GRE has come, if only acknowledgments. */
  get heardGre(): boolean {
    return this.path.heard();
  }

  get #tunnel(): Tunnel | undefined {
    const state = this.#state;
    return state.name === 'open' && state.ip.name === 'up' ? state.ip.tunnel : undefined;
  }

  #drain(now: number): void {
    for (let output = this.#link.poll(); output !== undefined; output = this.#link.poll())
      this.#act(output, now);
  }

  #act(output: LinkOutput, now: number): void {
    const state = this.#state;
    switch (output.kind) {
      case 'transmit':
        this.path.transmit(output.frame);
        break;
      case 'login':
        this.#owner.tell(output, now);
        break;
      case 'authenticated':
        this.#auth = output.method;
        this.#owner.tell(output, now);
        break;
      case 'mppe': {
        const { direction, mppe } = output;
        const mode = mppe && { strength: mppe.strength, stateful: mppe.stateful };
        this.#mppe = { ...this.#mppe, [direction]: mode };
        this.path.setMppe(direction, mppe);
        this.#requireEncryption();
        break;
      }
      case 'flush':
        this.path.flush();
        break;
      case 'lcp-up':
        this.#reach.lcpUp = true;
        this.#framing = { pfc: output.peerPfc, acfc: output.peerAcfc, mru: output.peerMru };
        this.#setFraming();
        this.#owner.tell(output, now);
        break;
      case 'ip-up':
        if (state.name === 'open') this.#ipUp(output, now);
        break;
      case 'ip-down':
        if (state.name === 'open') this.#tunnelDown(now);
        break;
      case 'ipv6-up':
        this.#ipv6 = { local: output.localIdentifier, peer: output.peerIdentifier };
        this.#ownIpv6 = this.#newIpv6();
        this.#ownIpv6?.review(now);
        if (state.name === 'open' && state.ip.name !== 'down') this.#tunnelUp(now);
        break;
      case 'ipv6-down':
        this.#ipv6 = undefined;
        this.#ownIpv6 = undefined;
        if (this.#tunnel !== undefined) this.#tunnelUp(now);
        break;
      case 'echo-reply':
        if (this.#echo?.identifier === output.identifier)
          this.#echo.time ??= now - this.#echo.askedAt;
        break;
      case 'closing': {
        if (state.name !== 'open') break;
        const ending = this.#reach.explain(output.cause, now);
        this.#leave({ name: 'ending', cause: ending, by: undefined }, ending, now);
        this.#owner.tell({ kind: 'closing', cause: ending }, now);
        break;
      }
      case 'down':
        this.#finish(output.cause, now);
        break;
    }
  }

  #ipUp(output: IpUp, now: number): void {
    this.#tunnelDown(now);
    const agreed = agree(output, this.#settings.tunnel.peer, this.#mppe, this.#mtu);
    if (typeof agreed === 'string') return this.#link.close(cause('ADDRESS_REFUSED', agreed), now);
    this.#agreed = agreed;
    if (this.#settings.link.ipv6 && this.#ipv6 === undefined)
      this.#state = { name: 'open', ip: { name: 'waiting', by: now + IPV6_TIME } };
    else this.#tunnelUp(now);
  }

  #requireEncryption(): void {
    const both = this.#mppe.send !== undefined && this.#mppe.receive !== undefined;
    const { policy } = this.#grant?.mppe ?? this.#settings.link.mppe;
    this.path.requireEncryption(policy === 'required' || both);
  }

  #setFraming(): void {
    const { pfc, acfc, mru } = this.#framing;
    this.#mtu = Math.min(mru, this.#grant?.mtu ?? mru);
    this.path.setFraming({ pfc, acfc, mtu: this.#mtu });
  }

  /** With all that is agreed on now, in the place of the one that is up. */
  #tunnelUp(now: number): void {
    this.#tunnelDown(now);
    if (this.#agreed === undefined) return;
    const { tunnel: settings, peerDns } = this.#settings;
    const { localAddress, peerAddress, mtu, dns } = this.#agreed;
    const tunnel: Tunnel = {
      ...settings,
      localAddress,
      peerAddress,
      routes: this.#identity?.routes ?? [],
      groups: this.#identity?.account?.groups ?? [],
      inform: this.#identity?.inform,
      mtu,
      dns: peerDns ? dns : [],
      ipv6: this.#tunnelIpv6(),
    };
    this.#state = { name: 'open', ip: { name: 'up', tunnel } };
    this.#owner.tell({ kind: 'tunnel-up', path: this.path, tunnel }, now);
  }

  /** It stays up, with what is another now. */
  #changeTunnel(now: number): void {
    const before = this.#tunnel;
    if (before === undefined) return;
    const groups = this.#identity?.account?.groups ?? [];
    const tunnel = { ...before, groups, ipv6: this.#tunnelIpv6() };
    this.#state = { name: 'open', ip: { name: 'up', tunnel } };
    this.#owner.tell({ kind: 'tunnel-changed', path: this.path, tunnel }, now);
  }

  #tunnelIpv6(): Tunnel['ipv6'] {
    const prefixes = this.#isIpv6Denied ? undefined : this.#ownIpv6?.prefixes;
    return this.#ipv6 && { ...this.#ipv6, ...(prefixes === undefined ? {} : { prefixes }) };
  }

  /** The sets know IPv4 addresses: what a rule keeps a group from, IPv6 would be a way round. */
  get #isIpv6Denied(): boolean {
    return (this.#identity?.account?.groups ?? []).length > 0;
  }

  #newIpv6(): SessionIpv6 | undefined {
    const source = this.#ipv6Source;
    if (source === undefined || this.#ipv6 === undefined) return undefined;
    const { random, count } = this.#settings.link;
    const { local: ourIdentifier, peer: peerIdentifier } = this.#ipv6;
    const mtu = innerMtu(this.#mtu, this.#mppe.send !== undefined);
    const transmit = (packet: Uint8Array) => {
      if (this.#isIpv6Denied) return;
      this.#ownPackets.send += 1;
      this.path.transmitIpv6(packet);
    };
    return new SessionIpv6(
      { mtu, ourIdentifier, peerIdentifier },
      { random, count, source, transmit },
    );
  }

  #receiveIpv6(frame: Uint8Array, now: number): void {
    this.#ownPackets.receive += 1;
    this.#link.handleTraffic(now);
    const packet = frame.subarray(IPV6_PROTOCOL_LENGTH);
    if (this.#ownIpv6?.receive(packet, now) === true) this.#changeTunnel(now);
  }

  #tunnelDown(now: number): void {
    const tunnel = this.#tunnel;
    this.#state = { name: 'open', ip: { name: 'down' } };
    if (tunnel !== undefined)
      this.#owner.tell({ kind: 'tunnel-down', path: this.path, tunnel }, now);
  }

  /** IP stops for good; an established session is over. */
  #leave(next: Exclude<State, { name: 'open' }>, why: Cause, now: number): void {
    const session = this.status();
    if (this.#state.name === 'open') this.#tunnelDown(now);
    this.#since = undefined;
    this.#state = next;
    if (session === undefined) return;
    const event = { what: 'session-down', session, cause: why } as const;
    this.#owner.tell({ kind: 'event', event }, now);
  }

  #finish(why: Cause, now: number): void {
    const state = this.#state;
    if (state.name === 'finished') return;
    const end = state.name === 'ending' ? state.cause : this.#reach.explain(why, now);
    this.#leave({ name: 'finished' }, end, now);
    this.#owner.tell({ kind: 'down', cause: end }, now);
  }

  /**
   * What came past the link. Any GRE shows that it arrives here, but only IP that the peer lives: its acknowledgments may
   * come from another program than its PPP.
   */
  #look(now: number): void {
    this.#hear(this.#reach.gre(), now);
    const { rxPackets } = this.path.counters();
    if (rxPackets === this.#rxPackets) return;
    this.#rxPackets = rxPackets;
    this.#link.handleTraffic(now);
  }

  #hear(isFirst: boolean, now: number): void {
    if (isFirst) this.#owner.tell({ kind: 'gre' }, now);
  }
}
