/** Every policy of ours against every peer that test/support/mppe-peers.ts plays, as server and as client. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { MppeOptions, MppeStrength } from '../../src/ppp/options.ts';
import { PppProtocol } from '../../src/wire/ppp-frame.ts';
import { GRANT } from '../support/link.ts';
import { admitted, ascii, responded } from '../support/logins.ts';
import { mppePeers, type MppePeer } from '../support/mppe-peers.ts';
import type { Packet, PeerScript } from '../support/peer-script.ts';

const { Lcp, Ccp, Ipcp } = PppProtocol;

const all: readonly MppeStrength[] = [128, 56, 40];
const sets = [0b111, 0b110, 0b101, 0b011, 0b100, 0b010, 0b001].map((set) =>
  all.filter((_, index) => ((set >> (2 - index)) & 1) === 1),
);
const modes = [
  { stateful: false },
  { stateful: true },
  { stateful: true, askStateful: true },
] as const;
const policies: readonly MppeOptions[] = (['required', 'optional'] as const).flatMap((policy) =>
  sets.flatMap((strengths) => modes.map((mode) => ({ policy, strengths, ...mode }))),
);

/** What a session is like: both directions' encryption as `send receive`, or the cause of its end. */
type Outcome = string;

function octets(bits: number | undefined): string {
  return bits === undefined ? '' : `1206${bits.toString(16).padStart(8, '0')}`;
}

function hexOf(address: number): string {
  return address.toString(16);
}

function bitsOf({ data }: Packet): number | undefined {
  return data === '' ? undefined : Number.parseInt(data.slice(4), 16);
}

/** Plays the peer to the end of the negotiation. */
class Play {
  readonly #script: PeerScript;
  readonly #peer: MppePeer;
  #identifier = 0;
  /** Silent until it is asked: pppd and accel-ppp where they do not want MPPE themselves. */
  #asks = false;
  #hungUp = false;
  #isServer = false;

  constructor(script: PeerScript, peer: MppePeer) {
    this.#script = script;
    this.#peer = peer;
    if (peer.request() !== undefined) this.#ask();
    for (let packets; (packets = script.answers()).length > 0 && !this.#hungUp;)
      for (const packet of packets) this.#take(packet);
    script.wait(70_000);
  }

  #take(packet: Packet): void {
    if (this.#hungUp) return;
    if (packet.protocol === Ccp) this.#takeCcp(packet);
    else if (packet.protocol === Ipcp && packet.code === 1) this.#takeIpcp(packet);
    const { goodbye } = this.#peer;
    if (goodbye === undefined) return;
    this.#hungUp = true;
    this.#script.send(Lcp, 5, 99, ascii(goodbye));
  }

  #takeCcp(packet: Packet): void {
    const { identifier } = packet;
    const bits = bitsOf(packet);
    switch (packet.code) {
      case 1: {
        const answer = this.#peer.consider(bits);
        if (answer.kind === 'nak') this.#script.send(Ccp, 3, identifier, octets(answer.bits));
        else this.#script.send(Ccp, answer.kind === 'ack' ? 2 : 4, identifier, packet.data);
        if (!this.#asks && this.#peer.goodbye === undefined) this.#ask();
        break;
      }
      case 3:
        this.#peer.naked(bits!);
        if (this.#peer.goodbye === undefined) this.#ask();
        break;
      case 4:
        this.#peer.rejected();
        if (this.#peer.goodbye === undefined) this.#ask();
        break;
      case 5:
        this.#script.send(Ccp, 6, identifier);
        if (!this.#peer.required) break;
        this.#hungUp = true;
        this.#script.send(Lcp, 5, 99);
        break;
      default:
        break;
    }
  }

  /** Assigns our client an address; to our server the peer says the one that it was granted. */
  #takeIpcp({ identifier, data }: Packet): void {
    const [assigned, own] = [`0306${hexOf(GRANT.peerAddress)}`, `0306${hexOf(GRANT.localAddress)}`];
    const asksForAddress = data.startsWith('030600000000');
    if (asksForAddress) this.#isServer = true;
    if (asksForAddress)
      this.#script.send(Ipcp, 3, identifier, data.replace('030600000000', assigned));
    else {
      this.#script.send(Ipcp, 2, identifier, data);
      this.#script.send(Ipcp, 1, 1, this.#isServer ? own : assigned);
    }
  }

  #ask(): void {
    this.#asks = true;
    this.#identifier += 1;
    this.#script.send(Ccp, 1, this.#identifier, octets(this.#peer.request()));
  }
}

function outcomeOf(script: PeerScript): Outcome {
  if (script.cause !== undefined) return script.cause.code;
  assert.ok(script.isIpUp, 'neither up nor down');
  const { send, receive } = script.encryption;
  return [send, receive]
    .map((choice) => (choice ? `${choice.strength}${choice.stateful ? ' stateful' : ''}` : 'none'))
    .join(', ');
}

/** What must come of it: the best common strength, or clear text where both ends allow that. */
function expected(ours: MppeOptions, peer: MppePeer): Outcome {
  const best = ours.strengths.find((strength) => peer.strengths.includes(strength));
  if (best === undefined) {
    if (ours.policy === 'required') return 'MPPE_REQUIRED';
    return peer.required ? 'PEER_TERMINATED' : 'none, none';
  }
  const weAsk = ours.askStateful === true;
  if (weAsk && peer.stateful === 'hangs up')
    return ours.policy === 'required' ? 'MPPE_REQUIRED' : 'PEER_TERMINATED';
  // It changes to what it is told, but for accel-ppp, which knows one way only.
  const mayBe = ours.stateful && peer.stateful !== 'declines';
  const send = mayBe && (weAsk || peer.stateful === 'asks');
  const receive = mayBe && weAsk;
  return [send, receive].map((stateful) => `${best}${stateful ? ' stateful' : ''}`).join(', ');
}

const roles = {
  server: (mppe: MppeOptions): PeerScript => admitted({ mppe }),
  client: (mppe: MppeOptions): PeerScript => responded({ mppe }),
} as const;

for (const [role, start] of Object.entries(roles)) {
  test(`MPPE as a ${role}: every set of strengths and mode against every peer`, () => {
    for (const mppe of policies) {
      for (const make of mppePeers) {
        const peer = make();
        const script = start(mppe);
        new Play(script, peer);
        const what = `${JSON.stringify(mppe)} and ${peer.name}`;
        assert.equal(outcomeOf(script), expected(mppe, peer), what);
      }
    }
  });
}

test('where no strength is shared the cause says what the peer asks for', () => {
  const strict: MppeOptions = { policy: 'required', strengths: [128], stateful: false };
  const hint = "(pppd 2.5's require-mppe does; require-mppe-128 is meant)";
  const cases: [MppeOptions, number, string | undefined][] = [
    [strict, 0x01000020, `asks for 40 bits only ${hint}`],
    [strict, 0x010000a0, 'asks for 56 or 40 bits only'],
    [strict, 0x00000040, 'asks for the stateful mode only'],
    [strict, 0x00000000, 'asks for no encryption'],
    [{ ...strict, strengths: [40] }, 0x01000040, 'asks for 128 bits only'],
    [{ ...strict, strengths: [56] }, 0x01000020, 'asks for 40 bits only'],
    [strict, 0x01000040, undefined],
  ];
  const endings: ((script: PeerScript) => void)[] = [
    (script) => script.send(Lcp, 5, 9, ascii('MPPE required but peer negotiation failed')),
    (script) => script.act((link, now) => link.handleLowerDown({ code: 'HANGUP' }, now)),
    (script) => {
      const request = script.answers().find(({ protocol, code }) => protocol === Ccp && code === 1);
      script.send(Ccp, 4, request!.identifier, request!.data);
    },
  ];
  for (const [mppe, bits, objection] of cases)
    for (const [role, who] of [
      ['server', 'caller'],
      ['client', 'server'],
    ] as const)
      for (const end of endings) {
        const script = roles[role](mppe);
        script.send(Ccp, 1, 1, octets(bits));
        end(script);
        script.wait(4000);
        const words = 'it says: MPPE required but peer negotiation failed';
        const said = end === endings[0] ? words : undefined;
        if (objection !== undefined)
          assert.deepEqual(script.cause, {
            code: 'MPPE_REQUIRED',
            detail: `the ${who} ${objection}${said === undefined ? '' : `; ${said}`}`,
          });
        else assert.equal(script.cause?.detail, said);
      }
});

test('without encryption of ours nobody is told about it', () => {
  const script = roles.server({ policy: 'optional', strengths: [128], stateful: false });
  script.send(Ccp, 1, 1, '120601000020').send(Lcp, 5, 9);
  assert.equal(script.wait(4000).cause?.code, 'PEER_TERMINATED');
});
