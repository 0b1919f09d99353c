import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, DISCONNECT_TIMEOUT, type CallPort } from '../../src/pptp/call.ts';
import { OutputQueue } from '../../src/pptp/output-queue.ts';
import type { RefusalReason } from '../../src/pptp/result-codes.ts';
import { cause, causeCodes, type CauseCode } from '../../src/wire/cause.ts';
import { encodeControlMessage } from '../../src/wire/control-message.ts';
import { OUR_CALL, PEER_CALL, samples } from './messages.ts';
import { outcome } from './outcome.ts';
import { CALL_TIMEOUT, Pair, type End } from './pair.ts';
import { feed, inState, type StateName } from './states.ts';
import { goodbye } from '../../src/wire/goodbye.ts';

/** Octets of the only message that `end` is about to send. */
function transmitted(end: End): string {
  const output = end.connection.poll();
  assert.ok(output?.kind === 'transmit');
  return Buffer.from(output.octets).toString('hex');
}

/** A pair whose receiver answers every request with the call ids given, in turn. */
function answering(...callIds: number[]): Pair {
  const pair = new Pair({ maxCalls: 10 }, { maxCalls: 10 }).establish();
  for (const end of [pair.originator, pair.receiver])
    end.answer = ({ request }) => {
      assert.ok(end.connection.acceptCall(request, callIds.shift()!, pair.now));
    };
  return pair;
}

describe('calls from end to end', () => {
  // Call ID 0 is an id like any other (pptpd's first), and both ends may have the same.
  for (const [pns, pac] of [
    [0x1234, 0x5678],
    [0, 0],
    [0xffff, 0],
    [1, 1],
  ] as const)
    test(`outgoing, ids ${pns} and ${pac}; the PNS clears it`, () => {
      const pair = answering(pac);
      pair.originator.connection.placeCall(pns, pair.now);
      pair.advance(100);
      assert.deepEqual(pair.originator.takeEvents(), [
        { kind: 'call-up', callId: pns, peerCallId: pac, direction: 'outgoing' },
      ]);
      assert.deepEqual(pair.receiver.takeEvents(), [
        {
          kind: 'call-requested',
          request: 0,
          direction: 'outgoing',
          peerCallId: pns,
          phoneNumber: '',
        },
        { kind: 'call-up', callId: pac, peerCallId: pns, direction: 'outgoing' },
      ]);
      assert.deepEqual(pair.originator.takeSent(), ['OutgoingCallRequest']);
      assert.deepEqual(pair.receiver.takeSent(), ['OutgoingCallReply']);

      pair.originator.connection.clearCall(pns, cause('USER_REQUEST'), pair.now);
      pair.advance(10);
      assert.deepEqual(pair.originator.sent, [{ name: 'CallClearRequest', callId: pns }]);
      assert.deepEqual(pair.originator.events, [], 'not before the answer');
      pair.advance(10);
      assert.deepEqual(pair.originator.takeEvents(), [
        { kind: 'call-down', callId: pns, cause: cause('USER_REQUEST') },
      ]);
      assert.deepEqual(pair.receiver.sent, [
        {
          name: 'CallDisconnectNotify',
          callId: pac,
          resultCode: 4,
          errorCode: 0,
          causeCode: 0,
          callStatistics: '',
        },
      ]);
      assert.deepEqual(pair.receiver.takeEvents(), [
        { kind: 'call-down', callId: pac, cause: cause('HANGUP', 'Call-Clear-Request') },
      ]);
      assert.equal(pair.originator.connection.callCount, 0);
      assert.equal(pair.receiver.connection.callCount, 0);
    });

  test('incoming: the PAC offers it, three messages, the PAC clears it', () => {
    const pair = answering(0);
    pair.originator.connection.offerCall(5, pair.now);
    pair.advance(100);
    assert.equal(outcome(pair.originator), '>IncomingCallRequest, >IncomingCallConnected, up 5/0');
    assert.deepEqual(pair.receiver.takeEvents(), [
      {
        kind: 'call-requested',
        request: 0,
        direction: 'incoming',
        peerCallId: 5,
        phoneNumber: '',
      },
      { kind: 'call-up', callId: 0, peerCallId: 5, direction: 'incoming' },
    ]);
    pair.receiver.takeSent();
    pair.originator.connection.clearCall(5, cause('IDLE_TIMEOUT'), pair.now);
    pair.advance(100);
    assert.equal(outcome(pair.originator), '>CallDisconnectNotify 3/0, call-down IDLE_TIMEOUT');
    assert.deepEqual(pair.receiver.takeEvents(), [
      {
        kind: 'call-down',
        callId: 0,
        cause: cause(
          'HANGUP',
          'Call-Disconnect-Notify result 3 (AdminShutdown); it says: idle for too long',
        ),
      },
    ]);
  });

  test('incoming: the PNS clears it', () => {
    const pair = answering(8);
    pair.originator.connection.offerCall(5, pair.now);
    pair.advance(100);
    outcome(pair.originator);
    outcome(pair.receiver);
    pair.receiver.connection.clearCall(8, cause('SHUTDOWN'), pair.now);
    pair.advance(100);
    assert.equal(outcome(pair.receiver), '>CallClearRequest, call-down SHUTDOWN');
    assert.equal(outcome(pair.originator), '>CallDisconnectNotify 4/0, call-down HANGUP');
  });

  test('several calls on one connection, both kinds both ways; the end of one leaves the others', () => {
    const pair = answering(10, 11, 12, 13);
    const { originator, receiver } = pair;
    originator.connection.placeCall(0, pair.now);
    originator.connection.placeCall(1, pair.now);
    originator.connection.offerCall(2, pair.now);
    receiver.connection.placeCall(3, pair.now);
    pair.advance(100);
    const ups = (end: End) => end.takeEvents().flatMap((e) => (e.kind === 'call-up' ? [e] : []));
    const own = ups(originator);
    assert.deepEqual(
      own.map(({ callId, peerCallId }) => [callId, peerCallId]),
      [
        [13, 3],
        [0, 10],
        [1, 11],
        [2, 12],
      ],
    );
    assert.equal(ups(receiver).length, 4);

    originator.connection.clearCall(1, cause('USER_REQUEST'), pair.now);
    pair.advance(100);
    assert.deepEqual(originator.takeEvents(), [
      { kind: 'call-down', callId: 1, cause: cause('USER_REQUEST') },
    ]);
    assert.deepEqual(receiver.takeEvents(), [
      { kind: 'call-down', callId: 11, cause: cause('HANGUP', 'Call-Clear-Request') },
    ]);
    assert.equal(originator.connection.callCount, 3);
    assert.equal(receiver.connection.callCount, 3);
    originator.connection.placeCall(1, pair.now);
    receiver.answer = ({ request }) => {
      receiver.connection.refuseCall(request, 'busy');
    };
    pair.advance(100);
    assert.deepEqual(originator.takeEvents(), [
      { kind: 'call-down', callId: 1, cause: cause('CALL_REFUSED', 'result 4 (Busy)') },
    ]);

    originator.takeSent();
    receiver.takeSent();
    originator.connection.stop(cause('SHUTDOWN'), pair.now);
    pair.advance(100);
    // Call-Disconnect-Notify for the two calls where it is the PAC, then Stop.
    assert.deepEqual(originator.takeSent(), [
      'CallDisconnectNotify',
      'CallDisconnectNotify',
      'StopControlConnectionRequest',
    ]);
    const kinds = originator.takeEvents().map(({ kind }) => kind);
    assert.deepEqual(kinds, ['call-down', 'call-down', 'call-down', 'down']);
    assert.equal(receiver.takeEvents().filter(({ kind }) => kind === 'call-down').length, 3);
  });

  test('serial numbers of the calls of one connection differ', () => {
    const pair = new Pair().establish();
    pair.originator.connection.placeCall(1, pair.now);
    pair.originator.connection.offerCall(2, pair.now);
    pair.advance(0);
    const serials = pair.originator.sent.map((m) =>
      'callSerialNumber' in m ? m.callSerialNumber : undefined,
    );
    assert.deepEqual(serials, [0, 1]);
  });
});

describe('octets', () => {
  const zeros = (count: number) => '00'.repeat(count);
  const header = (length: string, code: string) => `${length}00011a2b3c4d${code}0000`;

  test('Outgoing-Call-Request', () => {
    const end = inState('established');
    end.connection.placeCall(0x1234, 5000);
    assert.equal(
      transmitted(end),
      `${header('00a8', '0007')}123400000000096005f5e100${'00000003'.repeat(2)}` +
        `00400000${zeros(4)}${zeros(128)}`,
    );
  });

  test('Outgoing-Call-Reply returns the window of the caller, or ours for 0', () => {
    for (const [asked, told] of [
      [3, '0003'],
      [0, '0040'],
      [0xffff, 'ffff'],
    ] as const) {
      const end = inState('established');
      feed(end, { ...samples.OutgoingCallRequest, packetReceiveWindowSize: asked });
      end.connection.acceptCall(0, 0, 5000);
      assert.equal(
        transmitted(end),
        `${header('0020', '0008')}000000090100000005f5e100${told}0000${zeros(4)}`,
      );
    }
  });

  test('Incoming-Call-Request, -Reply and -Connected', () => {
    const pac = inState('established');
    pac.connection.offerCall(5, 5000);
    assert.equal(
      transmitted(pac),
      `${header('00dc', '0009')}0005000000000002${zeros(8)}${zeros(192)}`,
    );
    const pns = inState('PNS incoming requested');
    pns.connection.acceptCall(0, 0x0102, 5000);
    assert.equal(transmitted(pns), `${header('0018', '000a')}010200090100004000000000`);
    const offered = inState('PAC incoming wait-reply');
    offered.connection.handleOctets(encodeControlMessage(samples.IncomingCallReply), 5000);
    assert.equal(transmitted(offered), `${header('001c', '000b')}0009000005f5e1000040000000000003`);
  });

  const refusals: [RefusalReason, outgoing: string, incoming: string][] = [
    ['not-connected', '0201', '0201'],
    ['no-resource', '0204', '0204'],
    ['bad-call-id', '0205', '0205'],
    ['no-carrier', '0300', '0300'],
    ['busy', '0400', '0300'],
    ['no-dial-tone', '0500', '0300'],
    ['time-out', '0600', '0300'],
    ['not-accepted', '0700', '0300'],
  ];
  for (const [reason, outgoing, incoming] of refusals)
    test(`refused, ${reason}: Result and Error Code`, () => {
      const pac = inState('PAC outgoing wait-cs-ans');
      assert.equal(pac.connection.refuseCall(0, reason), true);
      assert.equal(transmitted(pac), `${header('0020', '0008')}00000009${outgoing}${zeros(14)}`);
      const pns = inState('PNS incoming requested');
      assert.equal(pns.connection.refuseCall(0, reason), true);
      assert.equal(transmitted(pns), `${header('0018', '000a')}00000009${incoming}${zeros(6)}`);
      for (const end of [pac, pns]) {
        assert.equal(end.connection.poll(), undefined);
        assert.equal(end.connection.callCount, 0);
        assert.equal(end.connection.refuseCall(0, reason), false);
        assert.equal(end.connection.acceptCall(0, 1, 5000), false);
      }
    });

  const lostCarrier: CauseCode[] = [
    'CALL_TIMEOUT',
    'CONTROL_ECHO_TIMEOUT',
    'CONTROL_LOST',
    'GRE_BLOCKED',
    'HANGUP',
    'LCP_TIMEOUT',
    'LOOPBACK',
    'PEER_DEAD',
    'PEER_TERMINATED',
  ];
  const noResource: CauseCode[] = [
    'ADDRESS_IN_USE',
    'DEVICE_FAILED',
    'POOL_EMPTY',
    'TOO_MANY_HALF_OPEN',
    'TOO_MANY_SESSIONS',
  ];
  test('Call-Disconnect-Notify of the PAC, for every cause', () => {
    for (const code of causeCodes) {
      const end = inState('PAC outgoing established');
      end.connection.clearCall(OUR_CALL, cause(code), 5000);
      const codes = lostCarrier.includes(code)
        ? '0100'
        : noResource.includes(code)
          ? '0204'
          : '0300';
      const text = Buffer.from(goodbye(cause(code)), 'latin1').toString('hex');
      assert.equal(
        transmitted(end),
        `${header('0094', '000d')}0007${codes}${zeros(4)}${text}${zeros(128 - text.length / 2)}`,
      );
      end.drain();
      assert.equal(outcome(end), `call-down ${code}`);
    }
  });

  test('Call-Clear-Request of the PNS carries its own id', () => {
    const end = inState('PNS outgoing established');
    end.connection.clearCall(OUR_CALL, cause('USER_REQUEST'), 5000);
    assert.equal(transmitted(end), `${header('0010', '000c')}00070000`);
  });
});

describe('time-outs', () => {
  function timesOut(state: StateName, wait: number, what: string): End {
    const end = inState(state);
    assert.equal(end.connection.nextTimeout(), 5000 + wait);
    end.connection.handleTimeout(5000 + wait - 1);
    end.drain();
    assert.equal(outcome(end), '');
    end.connection.handleTimeout(5000 + wait);
    end.drain();
    assert.equal(outcome(end), what);
    return end;
  }

  test('nobody answers the request of the peer: refused, withdrawn', () => {
    for (const [state, what] of [
      ['PAC outgoing wait-cs-ans', '>OutgoingCallReply 6/0, withdrawn CALL_TIMEOUT'],
      ['PNS incoming requested', '>IncomingCallReply 3/0, withdrawn CALL_TIMEOUT'],
    ] as const) {
      const end = timesOut(state, CALL_TIMEOUT, what);
      assert.equal(end.connection.acceptCall(0, 1, 5000), false);
      assert.equal(end.connection.callCount, 0);
    }
  });

  test('the PNS clears a call that the peer does not answer', () => {
    for (const state of ['PNS outgoing wait-reply', 'PNS incoming wait-connect'] as const) {
      const end = timesOut(state, CALL_TIMEOUT, '>CallClearRequest');
      assert.equal(end.connection.nextTimeout(), 5000 + CALL_TIMEOUT + DISCONNECT_TIMEOUT);
      end.connection.handleTimeout(5000 + CALL_TIMEOUT + DISCONNECT_TIMEOUT);
      end.drain();
      assert.equal(outcome(end), 'call-down CALL_TIMEOUT');
    }
  });

  test('the PAC takes back an offer that the peer does not answer', () => {
    timesOut(
      'PAC incoming wait-reply',
      CALL_TIMEOUT,
      '>CallDisconnectNotify 1/0, call-down CALL_TIMEOUT',
    );
  });

  test('no Call-Disconnect-Notify: over all the same', () => {
    for (const state of [
      'PNS outgoing wait-disconnect',
      'PNS outgoing wait-disconnect before the reply',
      'PNS incoming wait-disconnect',
    ] as const)
      timesOut(state, DISCONNECT_TIMEOUT, 'call-down USER_REQUEST');
  });

  test('an established call waits for nothing but the keep-alive', () => {
    assert.equal(inState('PNS outgoing established').connection.nextTimeout(), 65_000);
  });

  test('a peer that loses our Outgoing-Call-Request', () => {
    const pair = answering(1);
    pair.originator.lost.add('OutgoingCallRequest');
    pair.originator.connection.placeCall(0, pair.now);
    pair.advance(CALL_TIMEOUT + DISCONNECT_TIMEOUT);
    assert.equal(
      outcome(pair.originator),
      '>OutgoingCallRequest, >CallClearRequest, call-down CALL_TIMEOUT',
    );
    assert.equal(outcome(pair.receiver), 'unknown call CallClearRequest');
  });

  test('a reply that comes too late belongs to no call any more', () => {
    const pair = new Pair().establish();
    pair.originator.connection.placeCall(0, pair.now);
    pair.receiver.lost.add('CallDisconnectNotify');
    pair.advance(CALL_TIMEOUT - 15);
    pair.originator.connection.clearCall(0, cause('USER_REQUEST'), pair.now);
    pair.advance(DISCONNECT_TIMEOUT);
    feed(pair.originator, { ...samples.OutgoingCallReply, peerCallId: 0 }, pair.now);
    assert.equal(
      outcome(pair.originator),
      '>OutgoingCallRequest, >CallClearRequest, call-down USER_REQUEST, unknown call OutgoingCallReply',
    );
  });
});

describe('replies', () => {
  for (const [resultCode, errorCode, detail] of [
    [2, 4, 'result 2 (GeneralError), error 4 (NoResource)'],
    [4, 0, 'result 4 (Busy)'],
    [7, 0, 'result 7 (DoNotAccept)'],
    [0, 0, 'result 0'],
    [200, 99, 'result 200, error 99'],
  ] as const)
    test(`Outgoing-Call-Reply: ${detail}`, () => {
      const end = inState('PNS outgoing wait-reply');
      feed(end, { ...samples.OutgoingCallReply, resultCode, errorCode });
      assert.deepEqual(end.takeEvents(), [
        { kind: 'call-down', callId: OUR_CALL, cause: cause('CALL_REFUSED', detail) },
      ]);
      assert.deepEqual(end.takeSent(), []);
    });

  test('Incoming-Call-Reply that refuses', () => {
    const end = inState('PAC incoming wait-reply');
    feed(end, { ...samples.IncomingCallReply, resultCode: 3 });
    assert.deepEqual(end.takeEvents(), [
      {
        kind: 'call-down',
        callId: OUR_CALL,
        cause: cause('CALL_REFUSED', 'result 3 (DoNotAccept)'),
      },
    ]);
  });

  test('a refusal that crosses Call-Clear-Request is the end: no Call-Disconnect-Notify will come', () => {
    const end = inState('PNS outgoing wait-disconnect before the reply');
    feed(end, { ...samples.OutgoingCallReply, resultCode: 4 });
    assert.equal(outcome(end), 'call-down USER_REQUEST');
  });

  test('a success that crosses Call-Clear-Request does not bring the call up', () => {
    const end = inState('PNS outgoing wait-disconnect before the reply');
    feed(end, samples.OutgoingCallReply);
    assert.equal(outcome(end), '');
    feed(end, { ...samples.OutgoingCallReply, resultCode: 4 });
    assert.equal(outcome(end), 'unexpected OutgoingCallReply', 'the second one');
    feed(end, samples.CallDisconnectNotify);
    assert.equal(outcome(end), 'call-down USER_REQUEST');
  });

  test('numbers reach the floor above', () => {
    const requested = inState('established');
    feed(requested, samples.OutgoingCallRequest);
    feed(requested, { ...samples.IncomingCallRequest, callId: 10 });
    assert.deepEqual(requested.takeEvents(), [
      {
        kind: 'call-requested',
        request: 0,
        direction: 'outgoing',
        peerCallId: PEER_CALL,
        phoneNumber: '123',
      },
      {
        kind: 'call-requested',
        request: 1,
        direction: 'incoming',
        peerCallId: 10,
        phoneNumber: '789',
      },
    ]);
  });
});

describe('which call a message means', () => {
  const notify = (callId: number) => ({ ...samples.CallDisconnectNotify, callId });
  const clear = (callId: number) => ({ ...samples.CallClearRequest, callId });

  for (const [what, id] of [
    ['the PAC’s, as the RFC says', PEER_CALL],
    ['ours, as accel-ppp sends it', OUR_CALL],
    ['ours with its octets swapped, as old accel-ppp sends it', OUR_CALL << 8],
  ] as const)
    test(`Call-Disconnect-Notify with ${what}`, () => {
      for (const [state, code] of [
        ['PNS outgoing established', 'HANGUP'],
        ['PNS outgoing wait-disconnect', 'USER_REQUEST'],
        ['PNS outgoing wait-reply', 'CALL_REFUSED'],
      ] as const) {
        const end = inState(state);
        feed(end, notify(id));
        assert.equal(outcome(end), `call-down ${code}`);
      }
    });

  test('Call-Clear-Request with an id that is wrong, on a connection with one call', () => {
    const end = inState('PAC outgoing established');
    feed(end, clear(0x1111));
    assert.equal(outcome(end), '>CallDisconnectNotify 4/0, call-down HANGUP');
  });

  test('with a second call, now or before, an unknown id means none', () => {
    const end = inState('PAC outgoing established');
    feed(end, { ...samples.OutgoingCallRequest, callId: 10 });
    end.connection.acceptCall(1, 8, 5000);
    end.drain();
    outcome(end);
    feed(end, clear(0x1111));
    assert.equal(outcome(end), 'unknown call CallClearRequest');
    feed(end, clear(PEER_CALL));
    assert.equal(outcome(end), '>CallDisconnectNotify 4/0, call-down HANGUP');
    feed(end, clear(0x1111));
    feed(end, notify(0x1111));
    assert.equal(outcome(end), 'unknown call CallClearRequest, unknown call CallDisconnectNotify');
    assert.equal(end.connection.callCount, 1);
  });

  test('an id that is the peer’s of one call and ours of another means the former', () => {
    const end = inState('established');
    for (const [callId, peerCallId] of [
      [1, 2],
      [2, 3],
    ] as const) {
      end.connection.placeCall(callId, 5000);
      feed(end, { ...samples.OutgoingCallReply, callId: peerCallId, peerCallId: callId });
    }
    end.takeSent();
    end.takeEvents();
    feed(end, notify(2));
    assert.deepEqual(
      end.takeEvents().map((e) => (e.kind === 'call-down' ? e.callId : e)),
      [1],
    );
  });

  test('Call-Clear-Request before the request is answered is told the only id there is', () => {
    const end = inState('PAC outgoing wait-cs-ans');
    feed(end, samples.CallClearRequest);
    assert.ok(end.sent[0]?.name === 'CallDisconnectNotify');
    assert.equal(end.sent[0].callId, PEER_CALL);
    assert.equal(end.connection.acceptCall(0, OUR_CALL, 5000), false, 'too late');
  });
});

describe('limits', () => {
  test('more calls than maxCalls are refused with No-Resource, and the connection lives', () => {
    const end = inState('established');
    for (let callId = 0; callId < 6; callId++)
      feed(end, { ...samples.OutgoingCallRequest, callId });
    assert.equal(end.connection.callCount, 4);
    assert.equal(
      outcome(end),
      `${'>OutgoingCallReply 2/4, '.repeat(2)}${'requested outgoing, '.repeat(4)}call-limit, call-limit`,
    );
    assert.throws(() => end.connection.placeCall(1, 5000), /more than 4 calls/);
    assert.throws(() => end.connection.offerCall(1, 5000), /more than 4 calls/);
    end.connection.refuseCall(0, 'busy');
    end.connection.offerCall(1, 5000);
    assert.equal(end.connection.callCount, 4);
  });

  test('our own call ids: 0..65535 and not in use', () => {
    const end = inState('PNS outgoing established');
    for (const command of ['placeCall', 'offerCall'] as const) {
      assert.throws(() => end.connection[command](OUR_CALL, 5000), /7 is in use/);
      for (const callId of [-1, 65_536, 1.5, NaN])
        assert.throws(() => end.connection[command](callId, 5000), RangeError);
    }
    feed(end, { ...samples.OutgoingCallRequest, callId: 10 });
    assert.throws(() => end.connection.acceptCall(1, OUR_CALL, 5000), /7 is in use/);
    assert.throws(() => end.connection.acceptCall(1, 65_536, 5000), RangeError);
    assert.equal(end.connection.acceptCall(1, 65_535, 5000), true);
  });

  test('a call that is over or ending is not cleared again', () => {
    for (const state of ['PNS outgoing wait-disconnect', 'established'] as const) {
      const end = inState(state);
      end.connection.clearCall(OUR_CALL, cause('SHUTDOWN'), 5000);
      assert.equal(end.connection.poll(), undefined);
    }
  });
});

describe('a call by itself, where the table of calls does not lead', () => {
  const outputs = new OutputQueue();
  const port: CallPort = { callTimeout: 10, count: () => undefined, outputs };

  function kinds(): string[] {
    const found: string[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift())
      found.push(output.kind);
    return found;
  }

  test('over: nothing more comes of it', () => {
    const call = Call.place(port, 1, 0, 0);
    call.handleReply({ ...samples.OutgoingCallReply, resultCode: 7 });
    assert.deepEqual(kinds(), ['transmit', 'call-down']);
    assert.equal(call.state, 'idle');
    assert.equal(call.deadline(), undefined);
    call.clear(cause('SHUTDOWN'), 0);
    call.handleLost(cause('SHUTDOWN'));
    call.handleTimeout(1e9);
    assert.equal(call.accept(1, 0), false);
    assert.equal(call.refuse('busy'), false);
    assert.deepEqual(kinds(), []);
  });

  test('a request is answered, not cleared', () => {
    const call = Call.requested(port, samples.OutgoingCallRequest, 0, 0);
    call.clear(cause('SHUTDOWN'), 0);
    assert.equal(call.state, 'requested');
    assert.deepEqual(kinds(), ['call-requested']);
  });
});
