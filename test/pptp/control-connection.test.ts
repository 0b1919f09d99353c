import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { losesCollision } from '../../src/pptp/collision.ts';
import { ControlConnection, STOP_TIMEOUT } from '../../src/pptp/control-connection.ts';
import { cause } from '../../src/wire/cause.ts';
import { encodeControlMessage, type ControlMessage } from '../../src/wire/control-message.ts';
import { samples } from './messages.ts';
import { outcome } from './outcome.ts';
import { End, HANDSHAKE_TIMEOUT, options, Pair } from './pair.ts';
import { feed, inState, type StateName } from './states.ts';

describe('Start exchange', () => {
  test('each end learns who the other is', () => {
    const pair = new Pair(
      { hostName: 'caller', vendorName: 'one', firmwareRevision: 0x0102 },
      { hostName: 'server', vendorName: 'two', firmwareRevision: 0x0304 },
    ).open();
    assert.deepEqual([...pair.originator.events, ...pair.receiver.events], [], 'not at once');
    pair.advance(20);
    assert.deepEqual(pair.receiver.takeEvents(), [
      {
        kind: 'established',
        peer: {
          hostName: 'caller',
          vendorName: 'one',
          firmwareRevision: 0x0102,
          protocolVersion: 0x0100,
        },
      },
    ]);
    assert.deepEqual(pair.originator.takeEvents(), [
      {
        kind: 'established',
        peer: {
          hostName: 'server',
          vendorName: 'two',
          firmwareRevision: 0x0304,
          protocolVersion: 0x0100,
        },
      },
    ]);
  });

  test('the octets of both messages', () => {
    const hex = (end: End) => {
      const output = end.connection.poll();
      assert.ok(output?.kind === 'transmit');
      assert.equal(output.octets.length, 156);
      return Buffer.from(output.octets)
        .toString('hex')
        .replace(/(00)+$/, '');
    };
    const name = Buffer.from('router').toString('hex') + '00'.repeat(58);
    const vendor = Buffer.from('pptp-gateway').toString('hex');
    const originator = new End({ initiator: true });
    originator.connection.handleOpen(0);
    assert.equal(
      hex(originator),
      `009c00011a2b3c4d0001000001000000000000030000000300000001${name}${vendor}`,
    );
    const receiver = new End({ maxCalls: 70_000 });
    receiver.connection.handleOpen(0);
    receiver.connection.handleOctets(
      encodeControlMessage(samples.StartControlConnectionRequest),
      0,
    );
    assert.equal(
      hex(receiver),
      `009c00011a2b3c4d00020000010001000000000300000003ffff0001${name}${vendor}`,
    );
  });

  test('Result Code 0 is success, Reserved0 and the capabilities mean nothing', () => {
    const end = inState('wait-ctl-reply');
    const octets = encodeControlMessage({ ...samples.StartControlConnectionReply, resultCode: 0 });
    octets.set([0x12, 0x34], 10);
    end.connection.handleOctets(octets, 0);
    end.drain();
    assert.equal(outcome(end), 'established');
  });

  for (const [resultCode, code, detail] of [
    [2, 'CONTROL_REFUSED', 'result 2 (GeneralError), error 4 (NoResource)'],
    [3, 'CONTROL_REFUSED', 'result 3 (ChannelAlreadyExists)'],
    [4, 'CONTROL_REFUSED', 'result 4 (NotAuthorized)'],
    [5, 'CONTROL_VERSION', 'result 5 (ProtocolVersionNotSupported)'],
    [77, 'CONTROL_REFUSED', 'result 77'],
  ] as const)
    test(`refused: ${detail}`, () => {
      const end = inState('wait-ctl-reply');
      const errorCode = resultCode === 2 ? 4 : 0;
      feed(end, { ...samples.StartControlConnectionReply, resultCode, errorCode });
      assert.deepEqual(end.takeSent(), []);
      assert.deepEqual(end.takeEvents(), [{ kind: 'down', cause: cause(code, detail) }]);
    });

  test('a later version is answered with ours, an earlier one with Result Code 5', () => {
    const later = inState('wait-ctl-request');
    feed(later, { ...samples.StartControlConnectionRequest, protocolVersion: 0x0200 });
    assert.ok(later.sent[0]?.name === 'StartControlConnectionReply');
    assert.equal(later.sent[0].protocolVersion, 0x0100);
    assert.equal(outcome(later), '>StartControlConnectionReply 1/0, established');

    const earlier = inState('wait-ctl-request');
    feed(earlier, { ...samples.StartControlConnectionRequest, protocolVersion: 0x00ff });
    assert.deepEqual(earlier.events, [
      { kind: 'down', cause: cause('CONTROL_VERSION', 'version 0x00ff') },
    ]);
    assert.equal(outcome(earlier), '>StartControlConnectionReply 5/0, down CONTROL_VERSION');
  });

  test('an earlier version in the reply is stopped with Stop-Protocol', () => {
    const end = inState('wait-ctl-reply');
    feed(end, { ...samples.StartControlConnectionReply, protocolVersion: 1 });
    assert.deepEqual(end.sent, [{ name: 'StopControlConnectionRequest', reason: 2 }]);
    assert.deepEqual(end.events, []);
    feed(end, samples.StopControlConnectionReply);
    assert.deepEqual(end.takeEvents(), [
      { kind: 'down', cause: cause('CONTROL_VERSION', 'version 0x0001') },
    ]);
  });

  test('time-outs, to the millisecond', () => {
    for (const [state, code] of [
      ['wait-ctl-request', 'HANDSHAKE_TIMEOUT'],
      ['wait-ctl-reply', 'CONTROL_TIMEOUT'],
      ['wait-close', 'CONTROL_COLLISION'],
    ] as const) {
      const end = inState(state);
      const deadline = 5000 + HANDSHAKE_TIMEOUT;
      assert.equal(end.connection.nextTimeout(), deadline);
      end.connection.handleTimeout(deadline - 1);
      end.drain();
      assert.equal(outcome(end), '', state);
      end.connection.handleTimeout(deadline);
      end.drain();
      assert.equal(outcome(end), `down ${code}`);
      assert.equal(end.connection.nextTimeout(), undefined);
      end.connection.handleTimeout(deadline + 1e9);
      assert.equal(end.connection.poll(), undefined);
    }
  });

  test('octets do not put off the time-out of the handshake', () => {
    const end = inState('wait-ctl-request');
    const octets = encodeControlMessage(samples.StartControlConnectionRequest);
    end.connection.handleOctets(octets.subarray(0, 100), 5000 + HANDSHAKE_TIMEOUT - 1);
    assert.equal(end.connection.nextTimeout(), 5000 + HANDSHAKE_TIMEOUT);
  });

  test('a lost reply: the originator gives up, the receiver sees TCP close', () => {
    const pair = new Pair();
    pair.receiver.lost.add('StartControlConnectionReply');
    pair.open().advance(HANDSHAKE_TIMEOUT + 100);
    assert.equal(outcome(pair.originator), '>StartControlConnectionRequest, down CONTROL_TIMEOUT');
    assert.equal(
      outcome(pair.receiver),
      '>StartControlConnectionReply 1/0, established, down HANGUP',
    );
  });
});

describe('keep-alive', () => {
  test('Echo-Request after 60 s of silence, and the answer', () => {
    // Start-Request left at 0 and was heard at 10; its reply was heard at 20; now it is 100.
    const pair = new Pair({}, { random: () => Uint8Array.of(1, 2, 3, 4) }).establish();
    pair.advance(60_009 - 100);
    assert.deepEqual(pair.receiver.sent, []);
    pair.advance(1);
    assert.deepEqual(pair.receiver.sent, [{ name: 'EchoRequest', identifier: 0x01020304 }]);
    pair.advance(20);
    assert.deepEqual(pair.originator.sent, [
      { name: 'EchoReply', identifier: 0x01020304, resultCode: 1, errorCode: 0 },
    ]);
    assert.equal(pair.receiver.connection.nextTimeout(), pair.now + 60_000);
    assert.deepEqual([...pair.receiver.events, ...pair.originator.events], []);
  });

  test('an hour of silence between two ends: alive, and no more than one echo a minute each way', () => {
    const pair = new Pair().establish().advance(3_600_000);
    const asked = [pair.originator, pair.receiver].flatMap((end) =>
      end.sent.filter(({ name }) => name === 'EchoRequest'),
    );
    assert.ok(asked.length >= 55 && asked.length <= 120, `${asked.length}`);
    assert.deepEqual(pair.originator.events, []);
    assert.deepEqual(pair.receiver.events, []);
  });

  function silent(): End {
    const end = inState('PNS outgoing established');
    assert.equal(end.connection.nextTimeout(), 65_000);
    end.connection.handleTimeout(64_999);
    end.drain();
    assert.equal(outcome(end), '');
    end.connection.handleTimeout(65_000);
    end.drain();
    assert.deepEqual(end.sent, [{ name: 'EchoRequest', identifier: 0xa5a5a5a5 }]);
    end.takeSent();
    assert.equal(end.connection.nextTimeout(), 125_000);
    return end;
  }

  test('lost after 60 s more without anything: 120 s in all', () => {
    const end = silent();
    end.connection.handleTimeout(124_999);
    end.drain();
    assert.equal(outcome(end), '');
    end.connection.handleTimeout(125_000);
    end.drain();
    assert.equal(outcome(end), 'call-down CONTROL_ECHO_TIMEOUT, down CONTROL_ECHO_TIMEOUT');
  });

  test('any octet is life, whatever it belongs to; the Echo-Reply may still come', () => {
    const end = silent();
    end.connection.handleOctets(new Uint8Array(), 80_000);
    assert.equal(end.connection.nextTimeout(), 125_000, 'no octets are no life');
    const reply = encodeControlMessage({ ...samples.EchoReply, identifier: 0xa5a5a5a5 });
    end.connection.handleOctets(reply.subarray(0, 1), 90_000);
    assert.equal(end.connection.nextTimeout(), 150_000);
    end.connection.handleOctets(reply.subarray(1), 91_000);
    end.drain();
    assert.equal(outcome(end), '');
    end.connection.handleOctets(reply, 92_000);
    end.drain();
    assert.equal(outcome(end), 'unexpected EchoReply', 'answered once already');
  });

  test('a reply with another identifier, or an error, is life too', () => {
    const end = silent();
    feed(end, { ...samples.EchoReply, identifier: 1, resultCode: 2, errorCode: 1 }, 90_000);
    assert.equal(outcome(end), 'unexpected EchoReply');
    assert.equal(end.connection.nextTimeout(), 150_000);
  });

  test('an Echo-Request is answered with its four octets unchanged', () => {
    const end = inState('established');
    const octets = encodeControlMessage(samples.EchoRequest);
    octets.set([0xff, 0x00, 0x80, 0x7f], 12);
    end.connection.handleOctets(octets, 5000);
    const output = end.connection.poll();
    assert.ok(output?.kind === 'transmit');
    assert.equal(
      Buffer.from(output.octets).toString('hex'),
      '001400011a2b3c4d00060000ff00807f01000000',
    );
  });

  test('other times may be set', () => {
    const pair = new Pair({ echoInterval: 500, echoTimeout: 200 });
    pair.establish();
    pair.originator.lost.add('EchoRequest');
    pair.receiver.lost.add('EchoRequest');
    pair.advance(700);
    assert.equal(outcome(pair.originator), '>EchoRequest, down CONTROL_ECHO_TIMEOUT');
  });
});

describe('Stop', () => {
  for (const [code, reason] of [
    ['SHUTDOWN', 3],
    ['USER_REQUEST', 1],
    ['CONTROL_VERSION', 2],
  ] as const)
    test(`${code} is Reason ${reason}; the reply ends the connection`, () => {
      const pair = new Pair().establish();
      pair.originator.connection.stop(cause(code), pair.now);
      pair.advance(0);
      assert.deepEqual(pair.originator.sent, [{ name: 'StopControlConnectionRequest', reason }]);
      pair.advance(10);
      assert.deepEqual(pair.receiver.sent, [
        { name: 'StopControlConnectionReply', resultCode: 1, errorCode: 0 },
      ]);
      pair.advance(10);
      assert.deepEqual(pair.originator.takeEvents(), [{ kind: 'down', cause: cause(code) }]);
      const [down, ...more] = pair.receiver.takeEvents();
      assert.ok(down?.kind === 'down');
      assert.equal(down.cause.code, 'HANGUP');
      assert.match(
        down.cause.detail!,
        new RegExp(`^Stop-Control-Connection-Request ${reason} \\(`),
      );
      assert.deepEqual(more, []);
    });

  test('without a reply TCP is closed after STOP_TIMEOUT', () => {
    const end = inState('wait-stop-reply');
    assert.equal(end.connection.nextTimeout(), 5000 + STOP_TIMEOUT);
    end.connection.handleTimeout(5000 + STOP_TIMEOUT - 1);
    end.drain();
    assert.equal(outcome(end), '');
    end.connection.handleTimeout(5000 + STOP_TIMEOUT);
    end.drain();
    assert.equal(outcome(end), 'down SHUTDOWN');
  });

  test('both ends at once', () => {
    const pair = new Pair().establish();
    pair.originator.connection.stop(cause('SHUTDOWN'), pair.now);
    pair.receiver.connection.stop(cause('USER_REQUEST'), pair.now);
    pair.advance(100);
    for (const [end, code] of [
      [pair.originator, 'SHUTDOWN'],
      [pair.receiver, 'USER_REQUEST'],
    ] as const)
      assert.equal(
        outcome(end),
        `>StopControlConnectionRequest, >StopControlConnectionReply 1/0, down ${code}`,
      );
  });

  test('before the connection is established there is nothing to stop', () => {
    const idle = new End({});
    idle.connection.stop(cause('SHUTDOWN'), 0);
    idle.drain();
    assert.equal(outcome(idle), 'down SHUTDOWN');
    for (const state of ['wait-ctl-request', 'wait-ctl-reply', 'wait-close'] as const) {
      const end = inState(state);
      end.connection.stop(cause('SHUTDOWN'), 0);
      end.drain();
      assert.equal(outcome(end), 'down SHUTDOWN', state);
    }
  });

  test('a second stop, or one after the end, changes nothing', () => {
    for (const state of ['wait-stop-reply', 'closed'] as const) {
      const end = inState(state);
      end.connection.stop(cause('USER_REQUEST'), 6000);
      assert.equal(end.connection.poll(), undefined, state);
    }
  });
});

describe('TCP closes', () => {
  for (const [state, closed, broken] of [
    ['wait-ctl-request', 'down CONTROL_LOST', 'down CONTROL_LOST'],
    ['wait-ctl-reply', 'down CONTROL_REFUSED', 'down CONTROL_REFUSED'],
    ['wait-close', 'down CONTROL_COLLISION', 'down CONTROL_COLLISION'],
    ['wait-stop-reply', 'down SHUTDOWN', 'down SHUTDOWN'],
    ['established', 'down HANGUP', 'down CONTROL_LOST'],
    [
      'PAC outgoing wait-cs-ans',
      'withdrawn HANGUP, down HANGUP',
      'withdrawn CONTROL_LOST, down CONTROL_LOST',
    ],
    [
      'PNS outgoing wait-reply',
      'call-down CALL_REFUSED, down HANGUP',
      'call-down CONTROL_LOST, down CONTROL_LOST',
    ],
    [
      'PNS outgoing established',
      'call-down HANGUP, down HANGUP',
      'call-down CONTROL_LOST, down CONTROL_LOST',
    ],
    // pptpd's answer to Call-Clear-Request.
    [
      'PNS outgoing wait-disconnect',
      'call-down USER_REQUEST, down HANGUP',
      'call-down USER_REQUEST, down CONTROL_LOST',
    ],
    ['closed', '', ''],
  ] as [StateName, string, string][])
    test(`in ${state}`, () => {
      const end = inState(state);
      end.connection.handleClosed(6000);
      end.drain();
      assert.equal(outcome(end), closed);
      const other = inState(state);
      other.connection.handleClosed(6000, 'ECONNRESET');
      const failed = other.connection.poll();
      if (state === 'established')
        assert.deepEqual(failed, { kind: 'down', cause: cause('CONTROL_LOST', 'ECONNRESET') });
      const again = inState(state);
      again.connection.handleClosed(6000, 'ECONNRESET');
      again.drain();
      assert.equal(outcome(again), broken);
      again.connection.handleClosed(6000);
      assert.equal(again.connection.poll(), undefined, 'once');
    });

  test('before it was open', () => {
    const end = new End({});
    assert.equal(end.connection.nextTimeout(), undefined);
    end.connection.handleTimeout(1e9);
    end.connection.handleClosed(0);
    end.drain();
    assert.equal(outcome(end), 'down CONTROL_LOST');
  });
});

describe('bad input', () => {
  const get = new TextEncoder().encode('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const wrongLength = encodeControlMessage(samples.EchoRequest).slice();
  wrongLength[9] = 1;

  for (const [what, octets] of [
    ['another protocol', get],
    ['a length that is not that of the type', wrongLength],
  ] as const)
    test(`${what} ends the connection and its calls`, () => {
      for (const state of ['wait-ctl-request', 'wait-ctl-reply', 'wait-stop-reply'] as const) {
        const end = inState(state);
        end.connection.handleOctets(octets, 6000);
        end.drain();
        assert.equal(outcome(end), 'malformed, down CONTROL_MALFORMED', state);
      }
      const end = inState('PAC outgoing established');
      end.connection.handleOctets(octets, 6000);
      end.connection.handleOctets(octets, 6000);
      end.drain();
      assert.equal(outcome(end), 'malformed, call-down CONTROL_MALFORMED, down CONTROL_MALFORMED');
    });

  test('what came before the bad octets in the same segment still counts', () => {
    const end = inState('wait-ctl-request');
    const start = encodeControlMessage(samples.StartControlConnectionRequest);
    end.connection.handleOctets(Uint8Array.from([...start, ...get]), 6000);
    end.drain();
    assert.equal(
      outcome(end),
      '>StartControlConnectionReply 1/0, established, malformed, down CONTROL_MALFORMED',
    );
  });

  test('an unknown message that keeps step is counted and passed over', () => {
    const end = inState('established');
    const unknown = encodeControlMessage(samples.EchoRequest);
    unknown[9] = 16;
    end.connection.handleOctets(
      Uint8Array.from([...unknown, ...encodeControlMessage(samples.EchoRequest)]),
      6000,
    );
    end.drain();
    assert.equal(outcome(end), '>EchoReply 1/0, unknown-type');
  });

  test('a flood of messages in one go ends the connection; the queue is bounded', () => {
    const end = inState('PAC outgoing established');
    const one = encodeControlMessage(samples.EchoRequest);
    const many = new Uint8Array(4096 * one.length);
    for (let i = 0; i < 4096; i++) many.set(one, i * one.length);
    end.connection.handleOctets(many.subarray(0, 256 * one.length), 6000);
    end.drain();
    assert.equal(end.takeSent().length, 256, '256 at a time are answered');
    end.connection.handleOctets(many.subarray(0, 257 * one.length), 6000);
    end.drain();
    assert.equal(outcome(end), 'flood, call-down CONTROL_MALFORMED, down CONTROL_MALFORMED');

    const undrained = inState('established');
    for (let i = 0; i < 4096; i++) undrained.connection.handleOctets(one, 6000);
    undrained.drain();
    assert.equal(outcome(undrained), 'flood, down CONTROL_MALFORMED');
  });

  test('a hundred thousand messages in one go', () => {
    const one = encodeControlMessage(samples.EchoRequest);
    const many = new Uint8Array(100_000 * one.length);
    for (let i = 0; i < 100_000; i++) many.set(one, i * one.length);
    const end = inState('wait-ctl-request');
    end.connection.handleOctets(many, 6000);
    end.drain();
    assert.equal(outcome(end), 'flood, down CONTROL_MALFORMED');
  });
});

describe('every output speaks of the state that holds', () => {
  const together = (...messages: ControlMessage[]) =>
    Uint8Array.from(messages.flatMap((message) => [...encodeControlMessage(message)]));

  test('Start-Reply and Stop-Request in one segment: a call can be placed in between', () => {
    const end = inState('wait-ctl-reply');
    const { connection } = end;
    connection.handleOctets(
      together(samples.StartControlConnectionReply, samples.StopControlConnectionRequest),
      6000,
    );
    assert.equal(connection.poll()?.kind, 'established');
    assert.equal(connection.placeCall(7, 6000), true);
    end.drain();
    assert.equal(
      outcome(end),
      '>OutgoingCallRequest, >StopControlConnectionReply 1/0, call-down CALL_REFUSED, down HANGUP',
    );
  });

  test('request and Call-Clear-Request in one segment: the call can be accepted in between', () => {
    const end = inState('established');
    end.connection.handleOctets(
      together(samples.OutgoingCallRequest, samples.CallClearRequest),
      6000,
    );
    end.answer = ({ request }) => {
      assert.equal(end.connection.acceptCall(request, 7, 6000), true);
    };
    end.drain();
    assert.equal(
      outcome(end),
      '>OutgoingCallReply 1/0, >CallDisconnectNotify 4/0, requested outgoing, up 7/9, call-down HANGUP',
    );
  });

  test('a connection that is ending or over takes no calls, and that is no misuse', () => {
    for (const state of ['wait-stop-reply', 'closed'] as const) {
      const end = inState(state);
      assert.equal(end.connection.placeCall(1, 6000), false);
      assert.equal(end.connection.offerCall(1, 6000), false);
      assert.equal(end.connection.poll(), undefined);
    }
  });
});

describe('collision (RFC 2637 §3.1.3)', () => {
  const low = 0xc0212d11; // 192.33.45.17
  const high = 0xc0212d59; // 192.33.45.89

  test('the lower address loses, as unsigned numbers; nobody loses against himself', () => {
    assert.equal(losesCollision(low, high), true);
    assert.equal(losesCollision(high, low), false);
    assert.equal(losesCollision(0x0a000001, high), true);
    assert.equal(losesCollision(high | 0, 0x0a000001), false, 'not as signed ones');
    assert.equal(losesCollision(low, low), false);
  });

  test('both ends open: one connection remains, nothing is sent on the loser’s', () => {
    const loses = { low: losesCollision(low, high), high: losesCollision(high, low) };
    const byLow = new Pair({}, { wonCollision: () => !loses.high }).open();
    const byHigh = new Pair({}, { wonCollision: () => !loses.low }).open();
    byLow.advance(10);
    byHigh.advance(10);
    // The Start-Control-Connection-Requests have met; low sees that it has lost.
    byLow.originator.connection.abandon(cause('CONTROL_COLLISION'));
    byLow.advance(100);
    byHigh.advance(100);
    assert.equal(
      outcome(byLow.originator),
      '>StartControlConnectionRequest, down CONTROL_COLLISION',
    );
    assert.equal(outcome(byLow.receiver), 'down CONTROL_COLLISION');
    assert.equal(outcome(byHigh.originator), '>StartControlConnectionRequest, established');
    assert.equal(outcome(byHigh.receiver), '>StartControlConnectionReply 1/0, established');
  });

  test('abandoned at once and without a message, in every state; once', () => {
    for (const state of ['wait-ctl-reply', 'established', 'wait-stop-reply'] as const) {
      const end = inState(state);
      end.connection.abandon(cause('CONTROL_COLLISION'));
      end.connection.abandon(cause('USER_REQUEST'));
      end.drain();
      assert.equal(outcome(end), 'down CONTROL_COLLISION', state);
    }
  });
});

test('what does not fit our own state throws', () => {
  const fresh = new ControlConnection(options());
  assert.throws(() => fresh.handleOctets(new Uint8Array(1), 0), /before handleOpen/);
  assert.throws(() => fresh.placeCall(1, 0), /placeCall in state idle/);
  fresh.handleOpen(0);
  assert.throws(() => fresh.handleOpen(0), /handleOpen in state wait-ctl-request/);
  assert.throws(() => fresh.offerCall(1, 0), /offerCall in state wait-ctl-request/);
});

test('the last word is down: nothing comes after it, whatever is done', () => {
  for (const state of [
    'established',
    'PAC outgoing established',
    'PNS incoming requested',
  ] as const) {
    const end = inState(state);
    feed(end, samples.StopControlConnectionRequest);
    end.takeEvents();
    end.takeSent();
    assert.equal(end.connection.callCount, 0);
    assert.equal(end.connection.nextTimeout(), undefined);
    end.connection.handleOctets(encodeControlMessage(samples.EchoRequest), 7000);
    end.connection.handleTimeout(1e9);
    end.connection.clearCall(7, cause('USER_REQUEST'), 7000);
    assert.equal(end.connection.acceptCall(0, 7, 7000), false);
    assert.equal(end.connection.refuseCall(0, 'busy'), false);
    assert.equal(end.connection.poll(), undefined, state);
  }
});

test('a message that follows the end in the same segment is not looked at', () => {
  const end = inState('established');
  const stop = encodeControlMessage(samples.StopControlConnectionRequest);
  const echo = encodeControlMessage(samples.EchoRequest);
  end.connection.handleOctets(Uint8Array.from([...stop, ...echo]), 6000);
  end.drain();
  assert.equal(outcome(end), '>StopControlConnectionReply 1/0, down HANGUP');
});
