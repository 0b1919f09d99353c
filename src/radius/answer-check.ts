/** Whether an answer is one: RFC 2865 §3 (Response Authenticator), RFC 3579 §3.2 and CVE-2024-3596 (Message-Authenticator). */
import { isMalformed } from '../wire/codec.ts';
import { RadiusCode, type DecodedRadiusPacket } from '../wire/radius.ts';
import { radiusValue } from '../wire/radius-attributes.ts';
import type { RadiusCounter } from './client-options.ts';
import type { Past } from './client-socket.ts';
import type { Asked } from './exchange.ts';
import { openAnswer } from './sealing.ts';

/** RFC 5997 §4.2: a server for accounting answers Status-Server as it does accounting. */
const answersTo: Readonly<Record<number, readonly number[]>> = {
  [RadiusCode.AccessRequest]: [
    RadiusCode.AccessAccept,
    RadiusCode.AccessReject,
    RadiusCode.AccessChallenge,
  ],
  [RadiusCode.AccountingRequest]: [RadiusCode.AccountingResponse],
  [RadiusCode.StatusServer]: [RadiusCode.AccessAccept, RadiusCode.AccountingResponse],
};

export interface Checked {
  readonly answer: DecodedRadiusPacket;
  /** It has a Message-Authenticator though it need not: all that has to do with EAP has one (RFC 3579 §3.2). */
  readonly isSigned: boolean;
}

/** The answer to the question under whose identifier it came; otherwise what it is to be counted as. */
export function checkAnswer(question: Asked, octets: Uint8Array): Checked | RadiusCounter {
  const { exchange, before } = question;
  const opened = openAnswer(octets, question.authenticator, question.secret);
  if (typeof opened === 'string') return outlived(before, octets) ?? opened;
  if (isMalformed(opened)) return 'malformed';
  const { packet: answer, hasMessageAuthenticator } = opened;
  const { code } = exchange.request;
  if (answersTo[code]?.includes(answer.code) !== true) return 'unexpected-code';
  const isEap = isOfEap(question, answer);
  if (
    !hasMessageAuthenticator &&
    code === RadiusCode.AccessRequest &&
    (isEap || needsSignature(question))
  )
    return 'no-message-authenticator';
  return { answer, isSigned: hasMessageAuthenticator && !isEap };
}

/** It carries EAP, or lets in without it whom EAP was to let in. */
function isOfEap({ exchange }: Asked, answer: DecodedRadiusPacket): boolean {
  if (radiusValue(answer.attributes, 'EAP-Message') !== undefined) return true;
  const { attributes } = exchange.request;
  return (
    answer.code !== RadiusCode.AccessReject && attributes.some(({ name }) => name === 'EAP-Message')
  );
}

function needsSignature({ exchange, socket }: Asked): boolean {
  const { options, isSigning } = socket.server;
  if (exchange.purpose === 'secret-check') return false;
  const { messageAuthenticator } = options;
  return messageAuthenticator === 'always' || (messageAuthenticator === 'auto' && isSigning);
}

/** An answer to what nobody waits for any more. */
export function outlived(
  past: Past | undefined,
  octets: Uint8Array,
): 'late' | 'duplicate' | undefined {
  if (past === undefined) return undefined;
  const opened = openAnswer(octets, past.authenticator, past.secret);
  if (typeof opened === 'string' || isMalformed(opened)) return undefined;
  return past.state === 'answered' ? 'duplicate' : 'late';
}
