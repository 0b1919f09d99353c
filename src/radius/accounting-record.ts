/**
 * What accounting says of a session: RFC 2866 §5, RFC 2869 §5 (gigawords, Event-Timestamp), RFC 2867 and 2868 (tunnel), RFC 5080
 * §2.3 (what an interim record may hold). Input is what comes from the caller, as the access server sees it.
 */
import type { Ipv4 } from '../wire/brand.ts';
import type { RadiusAttribute } from '../wire/radius-attributes.ts';
import { textFromOctets, type Text } from '../wire/text.ts';
import { callAttributes, type RadiusCall } from './access-request.ts';

/** This router, as its servers see it. */
export interface NasIdentity {
  readonly identifier: string;
  /** undefined: it has no address of its own to tell. */
  readonly address: Ipv4 | undefined;
}

/**
 * What is the same in all records of a session. Servers find a session's row by much of it, so it is kept as it was at the start
 * over any change of the configuration.
 */
export interface AccountedSession {
  /** Its `sessionId` must not be empty. */
  readonly call: RadiusCall;
  /** Acct-Multi-Session-Id: the same in sessions that belong together. */
  readonly multiSessionId: string | undefined;
  readonly username: string;
  /** The caller's address in the tunnel. */
  readonly address: Ipv4;
  readonly authentic: 'radius' | 'local';
  /** What the server wants to see again (Class). */
  readonly classes: readonly Uint8Array[];
  /** Between interim records, ms; 0: none. */
  readonly interimInterval: number;
}

export interface SessionCounters {
  readonly inputOctets: number;
  readonly outputOctets: number;
  readonly inputPackets: number;
  readonly outputPackets: number;
}

/** How far a session had come. */
export interface Reading {
  /** Wall clock, ms since 1970. */
  readonly at: number;
  /** That the session had lasted. */
  readonly seconds: number;
  readonly counters: SessionCounters;
}

export type RecordKind = 'start' | 'interim' | 'stop';

export interface AccountingRecord {
  readonly kind: RecordKind;
  /** Within its session, from 0, ascending. */
  readonly number: number;
  readonly reading: Reading;
  /** Of a stop: Acct-Terminate-Cause. */
  readonly terminateCause: number | undefined;
}

export const NOTHING_YET: SessionCounters = {
  inputOctets: 0,
  outputOctets: 0,
  inputPackets: 0,
  outputPackets: 0,
};

/** RFC 2866 §5.1 */
const STATUS_TYPES = { start: 1, stop: 2, interim: 3, on: 7, off: 8 } as const;
/** RFC 2866 §5.6 */
const AUTHENTIC = { radius: 1, local: 2 } as const;
const MAX_TEXT = 253;
const GIGAWORD = 2 ** 32;
const encoder = new TextEncoder();

/** All but Acct-Delay-Time, which is another each time that it is sent. */
export function recordAttributes(
  session: AccountedSession,
  { kind, reading, terminateCause }: AccountingRecord,
): RadiusAttribute[] {
  return [
    { name: 'Acct-Status-Type', value: STATUS_TYPES[kind] },
    { name: 'Event-Timestamp', value: u32Of(reading.at / 1000) },
    ...sessionAttributes(session),
    ...(kind === 'start' ? [] : readingAttributes(reading)),
    ...(terminateCause === undefined
      ? []
      : [{ name: 'Acct-Terminate-Cause', value: terminateCause } as const]),
  ];
}

/** Accounting-On and -Off, likewise: the access server has begun, or ends, and none of its sessions goes on. */
export function markAttributes(
  kind: 'on' | 'off',
  nas: NasIdentity,
  at: number,
): RadiusAttribute[] {
  return [
    { name: 'Acct-Status-Type', value: STATUS_TYPES[kind] },
    { name: 'Event-Timestamp', value: u32Of(at / 1000) },
    // RFC 2866 §5.5: every record has one.
    ...text('Acct-Session-Id', `${kind}-${u32Of(at / 1000).toString(16)}`),
    ...nasAttributes(nas),
  ];
}

function nasAttributes({ identifier, address }: NasIdentity): RadiusAttribute[] {
  return [
    ...text('NAS-Identifier', identifier),
    ...(address === undefined ? [] : [{ name: 'NAS-IP-Address', value: address } as const]),
  ];
}

function sessionAttributes(session: AccountedSession): RadiusAttribute[] {
  return [
    ...text('User-Name', session.username),
    ...callAttributes(session.call),
    ...text('Acct-Multi-Session-Id', session.multiSessionId ?? ''),
    ...text('Acct-Tunnel-Connection', session.call.sessionId),
    { name: 'Framed-IP-Address', value: session.address },
    { name: 'Acct-Authentic', value: AUTHENTIC[session.authentic] },
    ...session.classes.map((value) => ({ name: 'Class', value }) as const),
  ];
}

function readingAttributes({ seconds, counters }: Reading): RadiusAttribute[] {
  const { inputOctets, outputOctets, inputPackets, outputPackets } = counters;
  return [
    { name: 'Acct-Session-Time', value: u32Of(seconds) },
    { name: 'Acct-Input-Octets', value: inputOctets % GIGAWORD },
    { name: 'Acct-Input-Gigawords', value: u32Of(inputOctets / GIGAWORD) },
    { name: 'Acct-Output-Octets', value: outputOctets % GIGAWORD },
    { name: 'Acct-Output-Gigawords', value: u32Of(outputOctets / GIGAWORD) },
    { name: 'Acct-Input-Packets', value: inputPackets % GIGAWORD },
    { name: 'Acct-Output-Packets', value: outputPackets % GIGAWORD },
  ];
}

type TextName =
  | 'Acct-Session-Id'
  | 'Acct-Multi-Session-Id'
  | 'Acct-Tunnel-Connection'
  | 'User-Name'
  | 'NAS-Identifier';

/** Empty text is left out (RFC 2865 §5), and of one that is too long the beginning is sent: a record must be encodable. */
function text(name: TextName, words: string): { name: TextName; value: Text }[] {
  const octets = new Uint8Array(MAX_TEXT);
  const { written } = encoder.encodeInto(words, octets);
  return written === 0 ? [] : [{ name, value: textFromOctets(octets.subarray(0, written)) }];
}

function u32Of(value: number): number {
  return Math.min(Math.max(Math.floor(value), 0), GIGAWORD - 1);
}
