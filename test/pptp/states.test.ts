/** Every state x every message: what comes of it, and that a second one of the same does no harm (CVE-2022-23253). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  controlMessageNames,
  encodeControlMessage,
  type ControlMessageName,
} from '../../src/wire/control-message.ts';
import { samples } from './messages.ts';
import { outcome } from './outcome.ts';
import { feed, inState, stateNames, type StateName } from './states.ts';

type Row = Partial<Record<ControlMessageName, string>>;

function all(text: (name: ControlMessageName) => string): Row {
  return Object.fromEntries(controlMessageNames.map((name) => [name, text(name)]));
}

const unexpected = all((name) => `unexpected ${name}`);

/** Before the connection is established: requests are refused with Not-Connected. */
const early: Row = {
  ...unexpected,
  EchoRequest: '>EchoReply 2/1, unexpected EchoRequest',
  OutgoingCallRequest: '>OutgoingCallReply 2/1, unexpected OutgoingCallRequest',
  IncomingCallRequest: '>IncomingCallReply 2/1, unexpected IncomingCallRequest',
};

const stopped = '>StopControlConnectionReply 1/0';

const noCall: Row = {
  StartControlConnectionRequest:
    '>StartControlConnectionReply 3/0, unexpected StartControlConnectionRequest',
  StartControlConnectionReply: 'unexpected StartControlConnectionReply',
  StopControlConnectionRequest: `${stopped}, down HANGUP`,
  StopControlConnectionReply: 'unexpected StopControlConnectionReply',
  EchoRequest: '>EchoReply 1/0',
  EchoReply: 'unexpected EchoReply',
  OutgoingCallRequest: 'requested outgoing',
  OutgoingCallReply: 'unknown call OutgoingCallReply',
  IncomingCallRequest: 'requested incoming',
  IncomingCallReply: 'unknown call IncomingCallReply',
  IncomingCallConnected: 'unknown call IncomingCallConnected',
  CallClearRequest: 'unknown call CallClearRequest',
  CallDisconnectNotify: 'unknown call CallDisconnectNotify',
  WanErrorNotify: 'ignored WanErrorNotify',
  SetLinkInfo: 'ignored SetLinkInfo',
};

const badCallId = {
  OutgoingCallRequest: '>OutgoingCallReply 2/5, repeated-call-id',
  IncomingCallRequest: '>IncomingCallReply 2/5, repeated-call-id',
};
const noReply = {
  OutgoingCallReply: 'unexpected OutgoingCallReply',
  IncomingCallReply: 'unexpected IncomingCallReply',
  IncomingCallConnected: 'unexpected IncomingCallConnected',
};
const disconnected = '>CallDisconnectNotify 4/0';

/** A call whose two ids are known. `cause` is what its end is put down to. */
function known(role: 'PNS' | 'PAC', cause: string): Row {
  const strange = (name: string, sender: string) => (sender === role ? `unexpected ${name}, ` : '');
  return {
    ...noCall,
    ...badCallId,
    ...noReply,
    StopControlConnectionRequest: `${stopped}, call-down ${cause}, down HANGUP`,
    CallClearRequest: `${disconnected}, ${strange('CallClearRequest', 'PNS')}call-down ${cause}`,
    CallDisconnectNotify: `${strange('CallDisconnectNotify', 'PAC')}call-down ${cause}`,
  };
}

/** A call of ours whose id at the peer is not known: new requests of the peer are other calls. */
function unanswered(role: 'PNS' | 'PAC', cause: string): Row {
  return {
    ...known(role, cause),
    OutgoingCallRequest: noCall.OutgoingCallRequest!,
    IncomingCallRequest: noCall.IncomingCallRequest!,
  };
}

const table: Record<StateName, Row> = {
  'wait-ctl-request': {
    ...early,
    StartControlConnectionRequest: '>StartControlConnectionReply 1/0, established',
    StopControlConnectionRequest: `${stopped}, unexpected StopControlConnectionRequest, down CONTROL_LOST`,
  },
  'wait-ctl-reply': {
    ...early,
    StartControlConnectionReply: 'established',
    StopControlConnectionRequest: `${stopped}, unexpected StopControlConnectionRequest, down CONTROL_REFUSED`,
  },
  'wait-close': unexpected,
  'wait-stop-reply': {
    ...unexpected,
    StopControlConnectionRequest: `${stopped}, down SHUTDOWN`,
    StopControlConnectionReply: 'down SHUTDOWN',
  },
  closed: all(() => ''),
  established: noCall,

  'PAC outgoing wait-cs-ans': {
    ...noCall,
    StopControlConnectionRequest: `${stopped}, withdrawn HANGUP, down HANGUP`,
    OutgoingCallRequest: 'unexpected OutgoingCallRequest',
    IncomingCallRequest: badCallId.IncomingCallRequest,
    CallClearRequest: `${disconnected}, withdrawn HANGUP`,
    CallDisconnectNotify: 'unexpected CallDisconnectNotify, withdrawn HANGUP',
  },
  'PAC outgoing established': known('PAC', 'HANGUP'),
  'PNS outgoing wait-reply': {
    ...unanswered('PNS', 'CALL_REFUSED'),
    OutgoingCallReply: 'up 7/9',
  },
  'PNS outgoing established': known('PNS', 'HANGUP'),
  'PNS outgoing wait-disconnect before the reply': {
    ...unanswered('PNS', 'USER_REQUEST'),
    OutgoingCallReply: '',
  },
  'PNS outgoing wait-disconnect': known('PNS', 'USER_REQUEST'),

  'PNS incoming requested': {
    ...noCall,
    StopControlConnectionRequest: `${stopped}, withdrawn HANGUP, down HANGUP`,
    OutgoingCallRequest: badCallId.OutgoingCallRequest,
    IncomingCallRequest: 'unexpected IncomingCallRequest',
    CallClearRequest: `${disconnected}, unexpected CallClearRequest, withdrawn HANGUP`,
    CallDisconnectNotify: 'withdrawn HANGUP',
  },
  'PNS incoming wait-connect': {
    ...known('PNS', 'HANGUP'),
    IncomingCallConnected: 'up 7/9',
  },
  'PNS incoming established': known('PNS', 'HANGUP'),
  'PNS incoming wait-disconnect': known('PNS', 'USER_REQUEST'),
  'PAC incoming wait-reply': {
    ...unanswered('PAC', 'CALL_REFUSED'),
    IncomingCallReply: '>IncomingCallConnected, up 7/9',
  },
  'PAC incoming established': known('PAC', 'HANGUP'),
};

for (const state of stateNames)
  test(`${state} x every message`, () => {
    for (const name of controlMessageNames) {
      const end = inState(state);
      feed(end, samples[name]);
      assert.equal(outcome(end), table[state][name], name);
    }
  });

/** What may come of a message that is sent once more: never a second call, never a second answer to the same thing. */
test('every message twice, in one segment: the repeated one changes nothing', () => {
  const final = /^(up|established|call-down|withdrawn|requested|down)/;
  for (const state of stateNames)
    for (const name of controlMessageNames) {
      const end = inState(state);
      const octets = encodeControlMessage(samples[name]);
      end.connection.handleOctets(Uint8Array.from([...octets, ...octets]), 5000);
      end.drain();
      const changes = outcome(end)
        .split(', ')
        .filter((what) => final.test(what));
      assert.deepEqual([...new Set(changes)], changes, `${state}, ${name}`);
    }
});

test('every message after every other one, in every state: never more than one end', () => {
  for (const state of stateNames)
    for (const first of controlMessageNames)
      for (const second of controlMessageNames) {
        const end = inState(state);
        feed(end, samples[first]);
        feed(end, samples[second]);
        const downs = end.events.filter(({ kind }) => kind === 'down');
        assert.ok(downs.length <= 1, `${state}, ${first}, ${second}`);
        const isOver = end.connection.nextTimeout() === undefined;
        assert.equal(isOver, state === 'closed' || downs.length === 1);
        assert.ok(end.connection.callCount <= 3);
        for (const { kind } of end.events.slice(0, -1))
          assert.notEqual(kind, 'down', 'down is last');
      }
});
