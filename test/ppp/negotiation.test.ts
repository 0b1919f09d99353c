import assert from 'node:assert/strict';
import test from 'node:test';
import { CcpPolicy } from '../../src/ppp/ccp.ts';
import { IpcpPolicy } from '../../src/ppp/ipcp.ts';
import { Ipv6cpPolicy } from '../../src/ppp/ipv6cp.ts';
import { Negotiation, type NegotiationOutput } from '../../src/ppp/negotiation.ts';
import type { IpcpOption } from '../../src/wire/ipcp-options.ts';
import { seededOctets } from '../support/link.ts';

const ADDRESS = Uint8Array.of(3, 6, 10, 0, 0, 1);
const ZERO = Uint8Array.of(3, 6, 0, 0, 0, 0);

const counted: string[] = [];

function negotiation(keepLocalAddress = false): Negotiation<IpcpOption> {
  const offer = {
    primaryDns: undefined,
    secondaryDns: undefined,
    primaryNbns: undefined,
    secondaryNbns: undefined,
  };
  const policy = new IpcpPolicy({
    localAddress: 0,
    keepLocalAddress,
    peerAddress: undefined,
    offer,
    requestDns: false,
  });
  return new Negotiation(policy, true, (what) => counted.push(what));
}

function drain(machine: Negotiation<IpcpOption>): NegotiationOutput[] {
  const outputs: NegotiationOutput[] = [];
  for (let output; (output = machine.poll()) !== undefined;) outputs.push(output);
  return outputs;
}

function started(keepLocalAddress?: boolean): Negotiation<IpcpOption> {
  const machine = negotiation(keepLocalAddress);
  machine.open(0);
  machine.handleUp(0);
  return machine;
}

/** Kinds and codes, `>2` for a transmitted Configure-Ack; then what was counted. */
const short = (outputs: NegotiationOutput[]): string[] => [
  ...outputs.map((output) => (output.kind === 'transmit' ? `>${output.packet.code}` : output.kind)),
  ...counted.splice(0),
];

const packet = (code: number, identifier: number, data = new Uint8Array(0)) => ({
  code,
  identifier,
  data,
});

test('before the layer below is up nothing is answered', () => {
  const machine = negotiation();
  machine.handlePacket(packet(1, 1), 0);
  machine.open(0);
  machine.handlePacket(packet(5, 1), 0);
  assert.deepEqual(short(drain(machine)), ['out-of-state', 'out-of-state']);
});

test('answers count once, with the right identifier and the right contents', () => {
  const machine = started();
  machine.handlePacket(packet(2, 9, ZERO), 0);
  machine.handlePacket(packet(2, 1, ADDRESS), 0);
  machine.handlePacket(packet(3, 9, ADDRESS), 0);
  machine.handlePacket(packet(3, 1, Uint8Array.of(3)), 0);
  machine.handlePacket(packet(4, 1, ADDRESS), 0);
  machine.handlePacket(packet(4, 1, Uint8Array.of(1, 2)), 0);
  machine.handlePacket(packet(4, 1), 0);
  assert.deepEqual(short(drain(machine)), [
    '>1',
    'stale-answer',
    'bad-ack',
    'stale-answer',
    'malformed-options',
    'bad-reject',
    'bad-reject',
    'bad-reject',
  ]);
  machine.handlePacket(packet(2, 1, ZERO), 0);
  machine.handlePacket(packet(2, 1, ZERO), 0);
  assert.deepEqual(short(drain(machine)), ['acked', 'stale-answer']);
  assert.equal(machine.state, 'Ack-Rcvd');
});

test('a retransmission keeps its identifier, new contents get a new one', () => {
  const machine = started();
  machine.handleTimeout(2999);
  machine.handleTimeout(3000);
  machine.handlePacket(packet(3, 1, ADDRESS), 3000);
  const packets = drain(machine).flatMap((output) =>
    output.kind === 'transmit' ? [output.packet] : [],
  );
  assert.deepEqual(packets, [packet(1, 1, ZERO), packet(1, 1, ZERO), packet(1, 2, ADDRESS)]);
});

test('Naks without end are not followed without end, from either side', () => {
  const naked = started(true);
  let identifier = 1;
  const outputs: NegotiationOutput[] = [];
  for (let at = 0; at < 30; at++) naked.handlePacket(packet(3, identifier++, ADDRESS), 0);
  outputs.push(...drain(naked));
  assert.deepEqual(
    outputs.find(({ kind }) => kind === 'failed'),
    { kind: 'failed', code: 'NEGOTIATION_FAILED' },
  );
  assert.equal(outputs.filter(({ kind }) => kind === 'transmit').length, 21);

  const asked = started();
  for (let at = 0; at < 30; at++) asked.handlePacket(packet(1, at, Uint8Array.of(99, 2)), 0);
  const rejects = short(drain(asked)).filter((one) => one === '>4');
  assert.equal(rejects.length, 20);
});

test('malformed options of a request are not answered', () => {
  const machine = started();
  machine.handlePacket(packet(1, 1, Uint8Array.of(3, 1)), 0);
  machine.handlePacket(packet(1, 1, Uint8Array.of(3, 9, 1)), 0);
  assert.deepEqual(short(drain(machine)), ['>1', 'malformed-options', 'malformed-options']);
});

test('closing: two Terminate-Requests a second apart, requests are not looked at, then at rest', () => {
  const machine = started();
  machine.close(0);
  machine.handlePacket(packet(1, 1, ADDRESS), 0);
  machine.handleTimeout(1000);
  machine.handleTimeout(2000);
  assert.deepEqual(short(drain(machine)), ['>1', '>5', '>5', 'finished']);
  assert.equal(machine.state, 'Closed');
  assert.equal(machine.nextTimeout(), undefined);
  machine.handlePacket(packet(1, 7, ADDRESS), 3000);
  const [answer] = drain(machine);
  assert.deepEqual(answer, { kind: 'transmit', packet: packet(6, 7) });
});

test('a protocol at rest is opened again by the request of the peer', () => {
  const machine = started();
  for (let now = 3000; now <= 30_000; now += 3000) machine.handleTimeout(now);
  assert.equal(machine.state, 'Stopped');
  drain(machine);
  machine.handlePacket(packet(1, 7, ADDRESS), 40_000);
  assert.deepEqual(short(drain(machine)), ['>1', '>2']);
  machine.handlePacket(packet(3, 2, ADDRESS), 40_000);
  machine.handlePacket(packet(2, 3, ADDRESS), 40_000);
  assert.deepEqual(short(drain(machine)), ['>1', 'acked', 'up']);
  assert.equal(machine.opened, true);
  machine.handlePacket(packet(5, 8), 41_000);
  assert.deepEqual(short(drain(machine)), ['peer-terminated', 'down', '>6']);
  machine.handleTimeout(42_000);
  assert.deepEqual(drain(machine), [{ kind: 'finished', reason: 'terminated' }]);
});

test('CCP: all strengths are asked for, then the best that the peer names; insisting ends', () => {
  const mppe = { policy: 'required', strengths: [128, 40], stateful: false } as const;
  const policy = new CcpPolicy(mppe, mppe.strengths);
  const nak = (bits: number): string | undefined =>
    policy.naked([
      { name: 'mppe', bits },
      { name: 'unknown', type: 26, data: new Uint8Array(0) },
    ]);
  assert.deepEqual(policy.request(), [{ name: 'mppe', bits: 0x01000060 }]);
  assert.equal(nak(0x010000a0), undefined);
  assert.deepEqual(policy.request(), [{ name: 'mppe', bits: 0x01000020 }]);
  assert.equal(nak(0x01000080), 'MPPE_REQUIRED');
  assert.equal(nak(0), 'MPPE_REQUIRED');
  policy.restart();
  // Stateful, which is not allowed: the same again, twice.
  assert.equal(nak(0x40), undefined);
  assert.equal(nak(0x40), undefined);
  assert.equal(nak(0x40), undefined);
  assert.deepEqual(policy.request(), [{ name: 'mppe', bits: 0x01000040 }]);
  assert.equal(nak(0x40), 'MPPE_REQUIRED');
  assert.equal(policy.rejected([{ name: 'unknown', type: 1, data: new Uint8Array(0) }]), undefined);
  const union = { name: 'mppe', bits: 0x01000060 } as const;
  assert.deepEqual(policy.consider([union], false), { kind: 'fail', code: 'MPPE_REQUIRED' });
  assert.deepEqual(policy.consider([], false), { kind: 'fail', code: 'MPPE_REQUIRED' });
  const optional = new CcpPolicy({ ...mppe, policy: 'optional' }, mppe.strengths);
  assert.deepEqual(optional.consider([union], false), { kind: 'reject', options: [union] });
  assert.equal(optional.naked([{ name: 'mppe', bits: 0 }]), undefined);
  assert.deepEqual(optional.request(), [{ name: 'mppe', bits: 0 }]);
  assert.equal(optional.receive, undefined);
});

test('IPV6CP: compression is rejected, a missing identifier asked for, ours is given up never', () => {
  const policy = new Ipv6cpPolicy({ random: seededOctets(3) });
  const compression = { name: 'ipv6Compression', protocol: 0x4f, data: new Uint8Array(0) } as const;
  assert.deepEqual(policy.consider([compression], true), {
    kind: 'reject',
    options: [compression],
  });
  assert.equal(policy.consider([], true).kind, 'nak');
  assert.equal(policy.consider([], false).kind, 'ack');
  assert.equal(policy.peerIdentifier, undefined);
  const value = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9);
  assert.equal(policy.consider([{ name: 'interfaceIdentifier', value }], true).kind, 'ack');
  const own = policy.localIdentifier;
  assert.equal(own[0]! & 2, 0);
  policy.naked([compression, { name: 'interfaceIdentifier', value }]);
  policy.naked([{ name: 'interfaceIdentifier', value: new Uint8Array(8) }]);
  assert.equal(policy.localIdentifier, own);
  assert.equal(policy.rejected(), 'NEGOTIATION_FAILED');
});
