import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CALL_TIMEOUT,
  CLEAR_TIMEOUT,
  FIRST_CALL_TIMEOUT,
  FIRST_MESSAGE_TIMEOUT,
  MAX_CALLS,
  MAX_HELD,
  START_TIMEOUT,
} from '../../src/relay/relayed-connection.ts';
import { outgoingCallReply, outgoingCallRequest } from '../../src/pptp/messages.ts';
import { cause } from '../../src/wire/cause.ts';
import { encodeControlMessage, type ControlMessage } from '../../src/wire/control-message.ts';
import { countingIds, Middle } from './middle.ts';

const echo = (identifier: number): ControlMessage => ({ name: 'EchoRequest', identifier });
const clear = (callId: number): ControlMessage => ({ name: 'CallClearRequest', callId });
const notify = (callId: number): ControlMessage => ({
  name: 'CallDisconnectNotify',
  callId,
  resultCode: 4,
  errorCode: 0,
  causeCode: 0,
  callStatistics: '',
});
const linkInfo = (peerCallId: number): ControlMessage => ({
  name: 'SetLinkInfo',
  peerCallId,
  sendAccm: 0xffffffff,
  receiveAccm: 0xffffffff,
});
const accepted = { resultCode: 1, errorCode: 0 };
const refused = { resultCode: 4, errorCode: 0 };

describe('a relayed control connection', () => {
  it('calls the server only when the client has sent a whole message', () => {
    const middle = new Middle();
    const octets = encodeControlMessage(echo(1));
    middle.octets('client', octets.subarray(0, 15));
    assert.deepEqual(middle.kinds(), []);
    middle.octets('client', octets.subarray(15));
    assert.deepEqual(middle.kinds(), ['connect']);
    assert.deepEqual(middle.take('server'), [echo(1)]);
  });

  it('tells each end another id than the other has chosen, and turns it back', () => {
    const middle = new Middle().start();
    const told = middle.call('client', 7, 0);
    assert.deepEqual(told, { client: 1001, server: 1000 });
    assert.equal(middle.machine.calls.length, 1);

    middle.send('client', linkInfo(told.client));
    assert.deepEqual(middle.one('server', 'SetLinkInfo'), linkInfo(0));
    middle.send('client', clear(7));
    assert.deepEqual(middle.one('server', 'CallClearRequest'), clear(1000));
    middle.send('server', notify(0));
    assert.deepEqual(middle.one('client', 'CallDisconnectNotify'), notify(1001));
    assert.equal(middle.machine.calls.length, 0);
    assert.equal(middle.open.size, 0);
  });

  it('relays incoming calls and WAN-Error-Notify', () => {
    const middle = new Middle().start();
    const told = middle.offer(5, 6);
    const counts = { crcErrors: 1, framingErrors: 2, hardwareOverruns: 3 };
    const error = { ...counts, bufferOverruns: 4, timeOutErrors: 5, alignmentErrors: 6 };
    middle.send('client', { name: 'WanErrorNotify', peerCallId: told.client, ...error });
    assert.equal(middle.one('server', 'WanErrorNotify').peerCallId, 6);
    middle.send('server', clear(6));
    assert.equal(middle.one('client', 'CallClearRequest').callId, told.client);
    middle.send('client', notify(5));
    assert.equal(middle.one('server', 'CallDisconnectNotify').callId, told.server);
    assert.equal(middle.open.size, 0);
  });

  it('relays calls that the server asks for', () => {
    const middle = new Middle().start();
    middle.call('server', 3, 4);
    assert.deepEqual(
      [...middle.open.values()].map((ways) => ways.size),
      [2],
    );
  });

  it('carries several calls, also with the same ids at both ends', () => {
    const middle = new Middle().start();
    const told = [1, 2, 1, 3].map((id) => middle.call('client', id, 9));
    assert.equal(new Set(told.flatMap(({ client, server }) => [client, server])).size, 8);
    assert.equal(middle.machine.calls.length, 4);
    middle.send('client', clear(2));
    assert.equal(middle.one('server', 'CallClearRequest').callId, told[1]!.server);
  });

  it('lets packets to the end that asks pass before the other hears of the request', () => {
    const middle = new Middle().start();
    middle.kinds();
    middle.machine.handleOctets('client', encodeControlMessage(outgoingCallRequest(1, 1)), 0);
    assert.deepEqual([middle.machine.poll()?.kind, middle.machine.poll()?.kind], ['open', 'write']);
  });

  it('holds the reply, and what follows it, until packets pass', () => {
    const middle = new Middle().start();
    middle.answer = undefined;
    middle.send('client', outgoingCallRequest(1, 1));
    const { callId } = middle.one('server', 'OutgoingCallRequest');
    middle.send('server', outgoingCallReply(2, callId, accepted, 64));
    middle.send('server', echo(1));
    middle.send('client', echo(2)); // the other way nothing waits
    assert.deepEqual(middle.take('client'), []);
    assert.deepEqual(middle.take('server'), [echo(2)]);
    const [call] = middle.open.keys();
    middle.machine.handleOpened(call!, undefined, middle.now);
    middle.drain();
    assert.deepEqual(
      middle.take('client').map(({ name }) => name),
      ['OutgoingCallReply', 'EchoRequest'],
    );
    middle.machine.handleOpened(call!, undefined, middle.now); // once
    middle.drain();
    assert.deepEqual(middle.take('client'), []);
  });

  it('refuses a call whose packets cannot pass, and tells the other end', () => {
    const middle = new Middle().start();
    middle.answer = () => cause('FIREWALL_FAILED');
    middle.send('client', outgoingCallRequest(1, 1));
    const { callId } = middle.one('server', 'OutgoingCallRequest');
    middle.send('server', outgoingCallReply(2, callId, accepted, 64));
    const reply = middle.one('client', 'OutgoingCallReply');
    assert.deepEqual([reply.peerCallId, reply.resultCode, reply.errorCode], [1, 2, 4]);
    assert.deepEqual(middle.one('server', 'CallClearRequest'), clear(callId));
    assert.equal(middle.open.size, 0);
    assert.equal(middle.endedBy(), undefined);
  });

  it('forgets a call that is refused', () => {
    const middle = new Middle().start();
    middle.send('client', outgoingCallRequest(1, 1));
    const { callId } = middle.one('server', 'OutgoingCallRequest');
    middle.send('server', outgoingCallReply(0, callId, refused, 64));
    const reply = middle.one('client', 'OutgoingCallReply');
    assert.deepEqual([reply.callId, reply.peerCallId, reply.resultCode], [0, 1, 4]);
    assert.equal(middle.open.size, 0);
    assert.ok(!middle.kinds().includes('call-up'));
  });

  it('passes on what it does not know as it is', () => {
    const middle = new Middle().start();
    const strange = encodeControlMessage(echo(1));
    strange[9] = 77; // type
    strange.set([0xde, 0xad], 10); // Reserved0
    middle.octets('client', strange);
    assert.deepEqual(middle.received.server.splice(0), [strange]);

    const longer = new Uint8Array(28);
    longer.set(encodeControlMessage(linkInfo(0)));
    longer[1] = 28; // Length
    longer[13] = 99; // an id of no call at all
    middle.octets('server', longer);
    assert.deepEqual(middle.received.client.splice(0), [longer]);
    assert.deepEqual(middle.counted(), ['unknown-type', 'unknown-call-id']);
  });

  it('knows the other ways in which peers name a call when it ends', () => {
    // accel-ppp: the peer's id, before August 2026 with its octets swapped.
    for (const swap of [false, true]) {
      const middle = new Middle().start();
      const told = middle.call('client', 0x1234, 5);
      const named = swap ? ((told.server & 255) << 8) | (told.server >> 8) : told.server;
      middle.send('server', notify(named));
      const { callId } = middle.one('client', 'CallDisconnectNotify');
      assert.equal(callId, swap ? 0x3412 : 0x1234);
      assert.equal(middle.open.size, 0);
    }
  });

  it('does not pass on the id of a call of somebody else', () => {
    const ids = countingIds();
    const [victim, attacker] = [new Middle(ids).start(), new Middle(ids).start()];
    const told = victim.call('client', 1, 2);
    attacker.call('client', 1, 2);
    for (const message of [clear(told.server), notify(told.server), linkInfo(told.server)]) {
      attacker.send('client', message);
      assert.deepEqual(attacker.take('server'), [], message.name);
    }
    assert.deepEqual(attacker.counted(), Array(3).fill('foreign-call-id'));
  });

  it('does not pass it on in a reply either, wherever it stands', () => {
    const ids = countingIds();
    const [victim, attacker] = [new Middle(ids).start(), new Middle(ids).start()];
    const told = victim.call('client', 1, 2);
    attacker.send('client', outgoingCallReply(told.server, 7, accepted, 64));
    assert.deepEqual(attacker.take('server'), [], 'nobody has asked for it');
    attacker.send('client', outgoingCallRequest(1, 1));
    const { callId } = attacker.one('server', 'OutgoingCallRequest');
    attacker.send('server', outgoingCallReply(told.client, callId, refused, 64));
    const refusal = attacker.one('client', 'OutgoingCallReply');
    assert.deepEqual([refusal.callId, refusal.peerCallId], [0, 1]);
  });

  it('ends at octets that are no control messages', () => {
    const middle = new Middle().start();
    middle.call('client', 1, 2);
    middle.octets('server', Uint8Array.from(Buffer.from('HTTP/1.1 400 Bad Request\r\n')));
    assert.equal(middle.endedBy(), 'CONTROL_MALFORMED');
    assert.equal(middle.open.size, 0);
  });

  it('drops a message that is too short for its ids', () => {
    const middle = new Middle().start();
    const short = encodeControlMessage(clear(1)).slice(0, 13);
    short[1] = 13;
    middle.octets('client', short);
    assert.deepEqual(middle.take('server'), []);
    assert.deepEqual(middle.counted(), ['malformed']);
  });

  it('refuses more calls than it can hold, by itself', () => {
    const middle = new Middle().start();
    for (let i = 0; i < MAX_CALLS; i++) middle.call('client', i, i);
    middle.send('client', outgoingCallRequest(500, 1));
    const reply = middle.one('client', 'OutgoingCallReply');
    assert.deepEqual([reply.peerCallId, reply.resultCode], [500, 2]);
    assert.deepEqual(middle.take('server'), []);
    assert.equal(middle.machine.calls.length, MAX_CALLS);
  });

  it('ends when too many messages have to wait', () => {
    const middle = new Middle().start();
    middle.answer = undefined;
    middle.send('client', outgoingCallRequest(1, 1));
    const { callId } = middle.one('server', 'OutgoingCallRequest');
    middle.send('server', outgoingCallReply(2, callId, accepted, 64));
    for (let i = 0; i <= MAX_HELD; i++) middle.send('server', echo(i));
    assert.equal(middle.endedBy(), 'CONTROL_MALFORMED');
  });

  it('ends a call on request with a word to both ends, and with the last one the connection', () => {
    const middle = new Middle().start();
    const told = [middle.call('client', 1, 2), middle.offer(3, 4)];
    const [outgoing, incoming] = middle.machine.calls;
    middle.machine.disconnect(outgoing!, cause('USER_REQUEST'));
    middle.drain();
    assert.equal(middle.one('client', 'CallDisconnectNotify').callId, told[0]!.client);
    assert.equal(middle.one('server', 'CallClearRequest').callId, told[0]!.server);
    assert.equal(middle.endedBy(), undefined);
    middle.machine.disconnect(incoming!, cause('USER_REQUEST'));
    middle.drain();
    assert.equal(middle.one('client', 'CallClearRequest').callId, told[1]!.client);
    assert.equal(middle.one('server', 'CallDisconnectNotify').callId, told[1]!.server);
    assert.equal(middle.endedBy(), 'USER_REQUEST');
  });

  it('ends with either end', () => {
    for (const [side, errno, code] of [
      ['client', undefined, 'HANGUP'],
      ['server', 'ECONNRESET', 'CONTROL_LOST'],
    ] as const) {
      const middle = new Middle().start();
      middle.call('client', 1, 2);
      middle.kinds();
      middle.machine.handleClosed(side, errno);
      middle.drain();
      assert.deepEqual(middle.kinds(), ['remove', 'call-down', 'done']);
      assert.equal(middle.endedBy(), code);
      assert.equal(middle.machine.nextTimeout(), undefined);
    }
  });

  it('waits for nobody for ever', () => {
    const silent = new Middle();
    silent.octets('client', Uint8Array.of(0, 156));
    silent.wait(FIRST_MESSAGE_TIMEOUT);
    assert.equal(silent.endedBy(), 'HANDSHAKE_TIMEOUT');

    const started = new Middle();
    started.send('client', echo(1));
    started.wait(FIRST_MESSAGE_TIMEOUT);
    assert.equal(started.endedBy(), undefined);
    started.wait(START_TIMEOUT);
    assert.equal(started.endedBy(), 'HANDSHAKE_TIMEOUT');

    const without = new Middle().start();
    without.wait(FIRST_CALL_TIMEOUT - 1);
    without.send('client', echo(1));
    assert.equal(without.endedBy(), undefined);
    without.wait(1);
    assert.equal(without.endedBy(), 'HANDSHAKE_TIMEOUT');

    const asked = new Middle().start();
    asked.send('client', outgoingCallRequest(1, 1));
    asked.wait(CALL_TIMEOUT);
    assert.deepEqual([asked.open.size, asked.endedBy()], [0, undefined]);

    const cleared = new Middle().start();
    cleared.call('client', 1, 2);
    cleared.send('client', clear(1));
    cleared.wait(CLEAR_TIMEOUT);
    assert.deepEqual([cleared.machine.calls.length, cleared.open.size], [0, 0]);

    const stopped = new Middle().start();
    stopped.call('client', 1, 2);
    stopped.send('server', { name: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 });
    stopped.wait(CLEAR_TIMEOUT);
    assert.equal(stopped.endedBy(), 'HANGUP');
  });

  it('is idle without messages and packets only', () => {
    const middle = new Middle(countingIds(), 60_000).start();
    middle.call('client', 1, 2);
    middle.wait(50_000);
    middle.send('client', echo(1));
    middle.wait(50_000);
    middle.machine.handleTraffic(middle.now);
    middle.wait(59_999);
    assert.equal(middle.endedBy(), undefined);
    middle.wait(1);
    assert.equal(middle.endedBy(), 'IDLE_TIMEOUT');
  });
});
