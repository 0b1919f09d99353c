import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as codes from '../../src/wire/control-codes.ts';

/** The lists of RFC 2637, typed in from its text, section by section. */
const printed: readonly (readonly [string, Record<string, number>, string])[] = [
  ['2.1 framing', codes.Framing, '1 Asynchronous, 2 Synchronous, 3 Either'],
  ['2.1 bearer', codes.Bearer, '1 Analog, 2 Digital, 3 Either'],
  [
    '2.2',
    codes.StartResult,
    '1 Successful, 2 GeneralError, 3 ChannelAlreadyExists, 4 NotAuthorized, 5 ProtocolVersionNotSupported',
  ],
  ['2.3', codes.StopReason, '1 None, 2 StopProtocol, 3 StopLocalShutdown'],
  ['2.4', codes.StopResult, '1 Ok, 2 GeneralError'],
  ['2.6', codes.EchoResult, '1 Ok, 2 GeneralError'],
  [
    '2.8',
    codes.OutgoingCallResult,
    '1 Connected, 2 GeneralError, 3 NoCarrier, 4 Busy, 5 NoDialTone, 6 TimeOut, 7 DoNotAccept',
  ],
  ['2.10', codes.IncomingCallResult, '1 Connect, 2 GeneralError, 3 DoNotAccept'],
  ['2.13', codes.DisconnectResult, '1 LostCarrier, 2 GeneralError, 3 AdminShutdown, 4 Request'],
  [
    '2.16',
    codes.GeneralError,
    '0 None, 1 NotConnected, 2 BadFormat, 3 BadValue, 4 NoResource, 5 BadCallId, 6 PacError',
  ],
];

describe('codes of control messages', () => {
  for (const [section, table, text] of printed) {
    it(`are those of RFC 2637 section ${section}`, () => {
      const line = Object.entries(table).map(([name, code]) => `${code} ${name}`);
      assert.equal(line.join(', '), text);
    });
  }

  it('know the one version of the protocol', () => {
    assert.equal(codes.PROTOCOL_VERSION, 0x0100);
  });
});
