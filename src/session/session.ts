/**
 * A call that is up, its PPP link and its addresses: what callers and client links share.
 *
 * The link decides, the path carries: this is the only place where the outputs of one become calls of the other. What the
 * owner must know comes out of `poll`.
 */
import { PppLink } from '../ppp/link.ts';
import type { Grant, LinkOptions, Refusal } from '../ppp/options.ts';
import type { LinkOutput as PppOutput, MppeState } from '../ppp/output.ts';
import { cause as because, type Cause, type CauseCode } from '../wire/cause.ts';
import { addressFault, formatAddress, type Prefix } from '../wire/ip.ts';
import { MPPE_OVERHEAD } from '../wire/mppe-header.ts';
import { takeFirst } from '../wire/queue.ts';
import { earliest } from './deadlines.ts';
import type { Ipv6Client } from './options.ts';
import type { CallPath, Tunnel, SessionStatus } from './ports.ts';

/** How long the peer has to acknowledge the end of the PPP link, ms. */
const TERMINATE_TIME = 1_000;
/** How long a refused peer has to hang up, ms; PPP itself says goodbye after 2 s. */
const REFUSAL_TIME = 3_000;
/** A call that ends without any GRE after this long was not just refused, ms. */
const GRE_PATIENCE = 5_000;
/** How long a tunnel waits for IPv6, ms: a device is configured once. */
const IPV6_TIME = 1_000;

type MppeMode = Omit<MppeState, 'startKey'>;
type IpUp = Extract<PppOutput, { kind: 'ip-up' }>;
type LoginAttempt = Extract<PppOutput, { kind: 'login' }>['attempt'];

/** What the kernel is told and the status shows, apart from what is negotiated. */
export interface SessionSettings {
  readonly kind: 'caller' | 'link';
  /** Server or link. */
  readonly name: string;
  readonly device: string;
  /** Outside address of the peer. */
  readonly peer: number;
  readonly mtu: number;
  readonly defaultRoute: boolean;
  readonly metric: number;
  /** Pass on the name servers that the peer gives. */
  readonly peerDns: boolean;
  readonly proxyArp: boolean;
  readonly ipv6Client: Ipv6Client | undefined;
  readonly link: LinkOptions;
}

/** Who it is; known for a caller once he is logged in. */
export interface Identity {
  readonly id: number;
  readonly username: string;
  readonly routes: readonly Prefix[];
}

export type SessionStage =
  /** The first GRE packet of the peer. */
  | { readonly kind: 'gre' }
  | { readonly kind: 'lcp-up'; readonly peerMru: number }
  /** Answer: admit or refuse. */
  | { readonly kind: 'login'; readonly attempt: LoginAttempt }
  | { readonly kind: 'authenticated' }
  /** IP may flow. */
  | { readonly kind: 'tunnel-up'; readonly tunnel: Tunnel }
  | { readonly kind: 'tunnel-down'; readonly tunnel: Tunnel }
  /** An established session is over; its counters are final. */
  | { readonly kind: 'ended'; readonly session: SessionStatus; readonly cause: Cause }
  /** PPP has begun to end by itself; 'down' follows with this cause. */
  | { readonly kind: 'closing'; readonly cause: Cause }
  /** PPP is finished: the owner frees the path. Last. */
  | { readonly kind: 'down'; readonly cause: Cause };

/** What was agreed when IP last came up; kept for the status while everything is taken down. */
interface Agreed {
  readonly localAddress: number;
  readonly peerAddress: number;
  readonly dns: readonly number[];
  readonly encryption: string;
  readonly mtu: number;
}

export class Session {
  readonly path: CallPath;
  readonly #settings: SessionSettings;
  readonly #peerCallId: number;
  readonly #link: PppLink;
  readonly #startedAt: number;
  #identity: Identity | undefined;
  #auth = 'none';
  /** The keys are the data path's alone. */
  #mppe: { send: MppeMode | undefined; receive: MppeMode | undefined } = {
    send: undefined,
    receive: undefined,
  };
  /** Without MPPE. */
  #mtu: number;
  #agreed: Agreed | undefined;
  #ipv6: Tunnel['ipv6'];
  /** Until then the tunnel waits for IPV6CP, which runs beside IPCP. */
  #ipv6By: number | undefined;
  #tunnel: Tunnel | undefined;
  #since: number | undefined;
  /** The first GRE was told. */
  #toldGre = false;
  /** A PPP frame has come. */
  #heardPpp = false;
  #lcpUp = false;
  #rxPackets = 0;
  /** Of the last askEcho. */
  #echo: { identifier: number | undefined; askedAt: number; time?: number } | undefined;
  #ending: Cause | undefined;
  #terminateBy: number | undefined;
  #finished = false;
  readonly #stages: SessionStage[] = [];

  /** The call is up: the path is connected and PPP starts. `identity`: known already for a link. */
  constructor(
    path: CallPath,
    peerCallId: number,
    settings: SessionSettings,
    identity: Identity | undefined,
    now: number,
  ) {
    this.path = path;
    this.#peerCallId = peerCallId;
    this.#settings = settings;
    this.#identity = identity;
    this.#startedAt = now;
    this.#mtu = settings.mtu;
    this.#link = new PppLink(settings.link, (direction) => packets(path, direction));
    this.#requireEncryption();
    path.connect(peerCallId, now);
    this.#link.handleLowerUp(now);
    this.#drain(now);
  }

  handleFrame(frame: Uint8Array, now: number): void {
    if (this.#finished) return;
    this.#heardPpp = true;
    this.#hear();
    this.#link.handleFrame(frame, now);
    this.#drain(now);
  }

  /** The path cannot decrypt any more (stateful MPPE). */
  handleDesynchronized(now: number): void {
    if (this.#finished) return;
    this.#link.handleDesynchronized(now);
    this.#drain(now);
  }

  /** The login was right. */
  admit(identity: Identity, method: string, grant: Grant, now: number): void {
    if (this.#finished) return;
    this.#identity = identity;
    this.#auth = method;
    this.#link.admit(grant, now);
    this.#drain(now);
  }

  /** Whoever logs in is not let in. PPP ends. @param told what he learns of it, if he has proved his password */
  refuse(cause: Cause, now: number, told?: Refusal): void {
    if (this.#finished) return;
    this.#ending ??= cause;
    this.#takeDown(cause);
    this.#terminateBy = now + REFUSAL_TIME;
    this.#link.refuse(cause, now, told);
    this.#drain(now);
  }

  /** Asks the peer for a sign of life, without changing anything; echoTime tells of it. */
  askEcho(now: number): void {
    if (this.#finished) return;
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
  end(cause: Cause, now: number): void {
    if (this.#finished || this.#terminateBy !== undefined) return;
    this.#terminateBy = now + TERMINATE_TIME;
    if (this.#ending !== undefined) return; // PPP says goodbye already
    this.#ending = this.#explain(cause, now);
    this.#takeDown(this.#ending);
    this.#link.close(this.#ending, now);
    this.#drain(now);
  }

  /** The call is gone. */
  lost(cause: Cause, now: number): void {
    if (this.#finished) return;
    this.#link.handleLowerDown(cause, now);
    this.#drain(now);
    this.#finish(cause, now);
  }

  nextTimeout(): number | undefined {
    if (this.#finished) return undefined;
    return earliest(this.#link.nextTimeout(), this.#terminateBy, this.#ipv6By);
  }

  handleTimeout(now: number): void {
    if (this.#finished) return;
    if (this.#ending !== undefined && this.#terminateBy !== undefined && now >= this.#terminateBy) {
      this.lost(this.#ending, now);
      return;
    }
    if (this.#ipv6By !== undefined && now >= this.#ipv6By) this.#tunnelUp();
    this.#look(now);
    this.#link.handleTimeout(now);
    this.#drain(now);
  }

  poll(): SessionStage | undefined {
    return takeFirst(this.#stages);
  }

  /** undefined until it was established. */
  status(): SessionStatus | undefined {
    if (this.#identity === undefined || this.#agreed === undefined) return undefined;
    if (this.#since === undefined) return undefined;
    const { kind, name, peer } = this.#settings;
    return {
      ...this.#identity,
      kind,
      name,
      peer,
      callId: this.path.callId,
      peerCallId: this.#peerCallId,
      localAddress: this.#agreed.localAddress,
      peerAddress: this.#agreed.peerAddress,
      since: this.#since,
      auth: this.#auth,
      mppe: this.#agreed.encryption,
      mtu: this.#agreed.mtu,
      counters: this.path.counters(),
    };
  }

  /** The login method, "none" before. */
  get auth(): string {
    return this.#auth;
  }

  /** As in "mppe-128", "mppe-40 stateful", "none". */
  get encryption(): string {
    const send = mppeText(this.#mppe.send);
    const receive = mppeText(this.#mppe.receive);
    return send === receive ? send : `send ${send}, receive ${receive}`;
  }

  /** Some GRE has come, if only acknowledgments. */
  get heardGre(): boolean {
    return this.path.lastHeard() !== -Infinity;
  }

  #drain(now: number): void {
    for (let output = this.#link.poll(); output !== undefined; output = this.#link.poll()) {
      this.#act(output, now);
    }
  }

  #act(output: PppOutput, now: number): void {
    switch (output.kind) {
      case 'transmit':
        this.path.transmit(output.frame, now);
        break;
      case 'login':
        this.#stages.push({ kind: 'login', attempt: output.attempt });
        break;
      case 'authenticated':
        this.#auth = output.method;
        this.#stages.push({ kind: 'authenticated' });
        break;
      case 'mppe':
        this.#mppe[output.direction] = withoutKey(output.mppe);
        this.path.setMppe(output.direction, output.mppe);
        this.#requireEncryption();
        break;
      case 'flush':
        this.path.flush();
        break;
      case 'resynchronized':
        this.path.resynchronized();
        break;
      case 'frame-options':
        this.#lcpUp = true;
        this.#mtu = Math.min(this.#settings.mtu, output.peerMru);
        this.path.setFraming({ pfc: output.peerPfc, acfc: output.peerAcfc, mtu: this.#mtu });
        this.#stages.push({ kind: 'lcp-up', peerMru: output.peerMru });
        break;
      case 'ip-up': {
        this.#tunnelDown();
        const fault = this.#addressFault(output);
        if (fault !== undefined) {
          this.#link.close(because('ADDRESS_REFUSED', fault), now);
          break;
        }
        this.#agreed = {
          localAddress: output.localAddress,
          peerAddress: output.peerAddress,
          dns: output.dns.filter((server) => addressFault(server) === undefined),
          encryption: this.encryption,
          mtu: this.#innerMtu(),
        };
        if (this.#settings.link.ipv6 && this.#ipv6 === undefined) this.#ipv6By = now + IPV6_TIME;
        else this.#tunnelUp();
        break;
      }
      case 'ip-down':
        this.#ipv6By = undefined;
        this.#tunnelDown();
        break;
      case 'ipv6-up':
        this.#ipv6 = { local: output.localIdentifier, peer: output.peerIdentifier };
        if (this.#tunnel !== undefined) this.#tunnelDown();
        else if (this.#ipv6By === undefined) break;
        this.#tunnelUp();
        break;
      case 'ipv6-down':
        this.#ipv6 = undefined;
        if (this.#tunnel === undefined) break;
        this.#tunnelDown();
        this.#tunnelUp();
        break;
      case 'echo-reply':
        if (this.#echo?.identifier === output.identifier)
          this.#echo.time ??= now - this.#echo.askedAt;
        break;
      case 'closing':
        if (this.#ending !== undefined) break;
        this.#ending = this.#explain(output.cause, now);
        this.#takeDown(this.#ending);
        this.#stages.push({ kind: 'closing', cause: this.#ending });
        break;
      case 'down':
        this.#finish(output.cause, now);
        break;
    }
  }

  /** What is impossible in the addresses that were agreed on; 0 for the peer's: it told none. */
  #addressFault({ localAddress, peerAddress }: IpUp): string | undefined {
    for (const address of [localAddress, peerAddress]) {
      const fault = address === 0 ? undefined : addressFault(address);
      if (fault !== undefined) return `${formatAddress(address)} ${fault}`;
    }
    return localAddress === this.#settings.peer
      ? `${formatAddress(localAddress)} is its own address outside the tunnel`
      : undefined;
  }

  #requireEncryption(): void {
    const both = this.#mppe.send !== undefined && this.#mppe.receive !== undefined;
    this.path.requireEncryption(this.#settings.link.mppe.policy === 'required' || both);
  }

  /** RFC 3078 §3: what MPPE adds counts against the peer's MRU. */
  #innerMtu(): number {
    return this.#mppe.send === undefined ? this.#mtu : this.#mtu - MPPE_OVERHEAD;
  }

  #tunnelUp(): void {
    this.#ipv6By = undefined;
    if (this.#agreed === undefined || this.#ending !== undefined) return;
    const { kind, peer, name, device, defaultRoute, metric, peerDns, proxyArp, ipv6Client } =
      this.#settings;
    this.#tunnel = {
      name,
      device,
      role: kind,
      peer,
      localAddress: this.#agreed.localAddress,
      peerAddress: this.#agreed.peerAddress,
      routes: this.#identity?.routes ?? [],
      mtu: this.#agreed.mtu,
      defaultRoute,
      metric,
      dns: peerDns ? this.#agreed.dns : [],
      ipv6: this.#ipv6,
      proxyArp,
      ipv6Client,
    };
    this.#stages.push({ kind: 'tunnel-up', tunnel: this.#tunnel });
  }

  #tunnelDown(): void {
    if (this.#tunnel === undefined) return;
    this.#stages.push({ kind: 'tunnel-down', tunnel: this.#tunnel });
    this.#tunnel = undefined;
  }

  /** IP stops for good, and the status is frozen. */
  #takeDown(cause: Cause): void {
    const session = this.status();
    this.#tunnelDown();
    this.#since = undefined;
    if (session !== undefined) this.#stages.push({ kind: 'ended', session, cause });
  }

  #finish(linkCause: Cause, now: number): void {
    if (this.#finished) return;
    this.#finished = true;
    const cause = this.#ending ?? this.#explain(linkCause, now);
    this.#takeDown(cause);
    this.#stages.push({ kind: 'down', cause });
  }

  /** The better explanation when a call ended while GRE never came, or never arrived there: something on the way drops it. */
  #explain(cause: Cause, now: number): Cause {
    const patient = now - this.#startedAt >= GRE_PATIENCE;
    if (!patient || !silenceCodes.has(cause.code)) return cause;
    const obstacle = this.path.obstacle();
    if (!this.heardGre) return because('GRE_BLOCKED', obstacle);
    if (obstacle !== undefined && !this.#lcpUp) return because('LCP_TIMEOUT', obstacle);
    if (!this.#heardPpp)
      return because('LCP_TIMEOUT', 'it acknowledges our GRE packets, but sends no PPP');
    return this.#lcpUp || !hangupCodes.has(cause.code)
      ? cause
      : because('LCP_TIMEOUT', 'it hung up');
  }

  /**
   * What came past the link. Any GRE shows that it arrives here, but only IP that the peer lives: its acknowledgments may
   * come from another program than its PPP.
   */
  #look(now: number): void {
    if (this.heardGre) this.#hear();
    const { rxPackets } = this.path.counters();
    if (rxPackets === this.#rxPackets) return;
    this.#rxPackets = rxPackets;
    this.#link.handleTraffic(now);
  }

  #hear(): void {
    if (this.#toldGre) return;
    this.#toldGre = true;
    this.#stages.push({ kind: 'gre' });
  }
}

/** What a call ends with when its GRE does not arrive, at one end or the other. */
const silenceCodes: ReadonlySet<CauseCode> = new Set<CauseCode>([
  'LCP_TIMEOUT',
  'AUTH_TIMEOUT',
  'HANDSHAKE_TIMEOUT',
  'HANGUP',
  'CONTROL_LOST',
]);

/** The peer had enough. */
const hangupCodes: ReadonlySet<CauseCode> = new Set<CauseCode>(['HANGUP', 'CONTROL_LOST']);

function withoutKey(mppe: MppeState | undefined): MppeMode | undefined {
  return mppe && { strength: mppe.strength, stateful: mppe.stateful };
}

/** IP packets that the call has carried. */
function packets(path: CallPath, direction: 'send' | 'receive'): number {
  const { txPackets, rxPackets } = path.counters();
  return direction === 'send' ? txPackets : rxPackets;
}

function mppeText(mppe: MppeMode | undefined): string {
  if (mppe === undefined) return 'none';
  return `mppe-${mppe.strength}${mppe.stateful ? ' stateful' : ''}`;
}
