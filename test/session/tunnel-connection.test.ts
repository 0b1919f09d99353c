/** The orderly end of a tunnel's control connection, whatever the peer does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlConnection } from '../../src/pptp/control-connection.ts';
import type { SessionOutput } from '../../src/session/ports.ts';
import {
  TunnelConnection,
  type TunnelConnectionOutput,
} from '../../src/session/tunnel-connection.ts';
import { cause } from '../../src/wire/cause.ts';
import { decodeControlMessage } from '../../src/wire/control-message.ts';
import { isMalformed } from '../../src/wire/codec.ts';

const random = (length: number) => new Uint8Array(length);
const common = {
  handshakeTimeout: 15_000,
  callTimeout: 30_000,
  random,
  count: () => undefined,
} as const;

/** An initiator and a peer that answers until `silent`; the initiator has one call. */
function connected() {
  const told: TunnelConnectionOutput[] = [];
  const sent: string[] = [];
  const outputs: SessionOutput[] = [];
  const tunnel = new TunnelConnection(
    { initiator: true, maxCalls: 1, ...common },
    {
      outputs: { push: (output) => outputs.push(output) },
      act: (output) => {
        told.push(output);
        if (output.kind === 'established') tunnel.control.placeCall(1, 0);
      },
    },
    0,
  );
  const peer = new ControlConnection({
    initiator: false, hostName: '', vendorName: '', firmwareRevision: 0, maxCalls: 1, ...common,
  }); // prettier-ignore
  peer.handleOpen(0);
  const world = { tunnel, told, sent, silent: false, exchange };
  function exchange(now: number): void {
    tunnel.pump(now);
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind !== 'write') continue;
      const message = decodeControlMessage(output.octets);
      assert(!isMalformed(message));
      sent.push(message.name);
      if (world.silent) continue;
      peer.handleOctets(output.octets, now);
      for (let answer = peer.poll(); answer !== undefined; answer = peer.poll()) {
        if (answer.kind === 'call-requested') peer.acceptCall(answer.request, 2, now);
        if (answer.kind === 'transmit') tunnel.handleOctets(answer.octets, now);
      }
    }
  }
  exchange(0);
  assert.equal(told.at(-1)?.kind, 'call-up');
  sent.length = 0;
  return world;
}

const why = cause('USER_REQUEST');

test('when the last call has ended the peer is told to stop, and the end has our cause', () => {
  const { tunnel, told, sent, exchange } = connected();
  tunnel.close(why, 100);
  exchange(100);
  assert.deepEqual(sent, [], 'the call is its owner’s to end');
  tunnel.control.clearCall(1, why, 200);
  exchange(200);
  assert.deepEqual(sent, ['CallClearRequest', 'StopControlConnectionRequest']);
  assert.deepEqual(told.at(-1), { kind: 'down', cause: why });
  assert.equal(tunnel.nextTimeout(), undefined);
});

test('a call does not end and the peer says nothing: stopped after 1.8 s, over after 2.8 s', () => {
  const world = connected();
  const { tunnel, told, sent, exchange } = world;
  world.silent = true;
  tunnel.close(why, 1_000);
  tunnel.close(cause('SHUTDOWN'), 1_500);
  exchange(1_000);
  assert.equal(tunnel.nextTimeout(), 2_800);
  tunnel.handleTimeout(2_800);
  exchange(2_800);
  assert.deepEqual(sent, ['StopControlConnectionRequest']);
  for (let at = tunnel.nextTimeout(); at !== undefined; at = tunnel.nextTimeout()) {
    assert(at <= 3_800);
    tunnel.handleTimeout(at);
  }
  assert.deepEqual(told.at(-1), { kind: 'down', cause: why }, 'that of the first close');
});

test('abandoned: no goodbye', () => {
  const { tunnel, told, sent, exchange } = connected();
  tunnel.abandon(cause('CONTROL_COLLISION'), 100);
  exchange(100);
  assert.deepEqual(sent, []);
  assert.deepEqual(told.map(({ kind }) => kind).slice(-2), ['call-down', 'down']);
  assert.equal(tunnel.ending?.code, 'CONTROL_COLLISION');
});

test('the peer ends it: we do not', () => {
  const { tunnel, told } = connected();
  tunnel.handleClosed(100);
  const last = told.at(-1);
  assert(last?.kind === 'down');
  assert.equal(last.cause.code, 'HANGUP');
  assert.equal(tunnel.ending, undefined);
});
