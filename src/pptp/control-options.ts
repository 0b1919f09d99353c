/** What the owner of a control connection decides about it. Times are milliseconds. */
import type { ControlMessage } from '../wire/control-message.ts';
import type { ControlIdentity } from './messages.ts';

/** RFC 2637 §3.1.4 */
export const ECHO_INTERVAL = 60_000;
export const ECHO_TIMEOUT = 60_000;

/**
 * Input that was tolerated. 'unexpected …' is a message that does not fit the state (repeated ones too);
 * 'unknown call …' one whose call id belongs to no call here; 'ignored …' one that is known and has no effect here.
 */
export type ControlCounter =
  | 'malformed'
  | 'unknown-type'
  | 'flood'
  | 'call-limit'
  | 'repeated-call-id'
  | `unexpected ${ControlMessage['name']}`
  | `unknown call ${ControlMessage['name']}`
  | `ignored ${ControlMessage['name']}`;

export interface ControlConnectionOptions extends ControlIdentity {
  /** We opened TCP, so we send Start-Control-Connection-Request. */
  readonly initiator: boolean;
  /** Calls at a time, unanswered requests included; more are refused with No-Resource. */
  readonly maxCalls: number;
  /** Silence before Echo-Request; default ECHO_INTERVAL. */
  readonly echoInterval?: number;
  /** Silence after Echo-Request before the connection is given up; default ECHO_TIMEOUT. */
  readonly echoTimeout?: number;
  /** From TCP to the end of the Start exchange. Below 5,000 slow peers are lost. */
  readonly handshakeTimeout: number;
  /** For a request for a call to be answered, by the peer or by us. */
  readonly callTimeout: number;
  readonly random: (length: number) => Uint8Array;
  /** Input was tolerated. */
  readonly count: (what: ControlCounter) => void;
  /**
   * RFC 2637 §3.1.3, asked when the peer's Start-Control-Connection-Request comes: whether our own attempt towards the
   * same peer is under way and wins (see losesCollision). If so, nothing is sent here and the peer is expected to close.
   */
  readonly wonCollision?: (now: number) => boolean;
}
