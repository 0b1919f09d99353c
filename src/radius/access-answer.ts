/**
 * What an answer to an Access-Request means: RFC 2865 §4.2 to §4.4, RFC 2548 §2, RFC 3579 §2. What is wrong with one attribute is
 * named, and the others count; only what the caller could not be let in with makes the whole unusable.
 */
import { cause, type Cause } from '../wire/cause.ts';
import { isMalformed } from '../wire/codec.ts';
import {
  parseMsChapFailure,
  parseMsChapV2Success,
  type MsChapFailure,
  type MsChapV2Success,
} from '../wire/ms-chap.ts';
import { RadiusCode, type DecodedRadiusPacket } from '../wire/radius.ts';
import { FramedProtocol, ServiceType, type RadiusLogin } from './access-request.ts';
import { AnswerReader } from './answer-reader.ts';
import { readGrant, type Grant } from './grant.ts';

/** How the login goes on, and what in the answer could not be understood, for the log. */
export type AccessAnswer = AccessOutcome & { readonly faults: readonly string[] };

type AccessOutcome =
  | {
      readonly kind: 'accept';
      readonly grant: Grant;
      /** MS-CHAPv2: the proof that the caller wants to see. */
      readonly success: MsChapV2Success | undefined;
      readonly eap: Uint8Array | undefined;
    }
  | {
      readonly kind: 'reject';
      /** For the caller; may be empty. */
      readonly message: string;
      /** Why, in the words of MS-CHAP; with an error of 648 the password can be changed. */
      readonly failure: MsChapFailure | undefined;
      readonly eap: Uint8Array | undefined;
    }
  /** EAP goes on: the caller's next packet goes to the same server, with `state`. */
  | {
      readonly kind: 'challenge';
      readonly eap: Uint8Array;
      readonly state: Uint8Array | undefined;
    }
  /** It is to be taken for a refusal, for a reason that the owner wants to know. */
  | { readonly kind: 'unusable'; readonly cause: Cause };

/** Reads the answer to a request with this login. */
export function readAccessAnswer(
  answer: DecodedRadiusPacket,
  { method }: Pick<RadiusLogin, 'method'>,
): AccessAnswer {
  const reader = new AnswerReader(answer);
  const outcome = read(answer.code, reader, method);
  return { ...outcome, faults: reader.faults };
}

function read(code: number, reader: AnswerReader, method: RadiusLogin['method']): AccessOutcome {
  const eap = reader.value('EAP-Message');
  switch (code) {
    case RadiusCode.AccessAccept:
      return accepted(reader, method, eap);
    case RadiusCode.AccessChallenge:
      if (method !== 'eap') return unusable(`Access-Challenge for ${method}`);
      if (eap === undefined) return unusable('Access-Challenge without EAP-Message');
      return { kind: 'challenge', eap, state: reader.value('State') };
    default:
      return {
        kind: 'reject',
        message: reader
          .values('Reply-Message')
          .map(({ text }) => text)
          .join(' '),
        failure: failure(reader),
        eap,
      };
  }
}

function accepted(
  reader: AnswerReader,
  method: RadiusLogin['method'],
  eap: Uint8Array | undefined,
): AccessOutcome {
  // RFC 2865 §5.6: a service that we do not have is a refusal.
  const service = reader.value('Service-Type') ?? ServiceType.Framed;
  if (service !== ServiceType.Framed) return unusable(`Service-Type ${service}`);
  const protocol = reader.value('Framed-Protocol') ?? FramedProtocol.Ppp;
  if (protocol !== FramedProtocol.Ppp) return unusable(`Framed-Protocol ${protocol}`);
  const isV2 = method === 'mschap-v2' || method === 'mschap-v2-change';
  const success = isV2 ? proofOf(reader) : undefined;
  if (typeof success === 'string')
    return { kind: 'unusable', cause: cause('RADIUS_NOT_PROVEN', success) };
  return { kind: 'accept', grant: readGrant(reader), success, eap };
}

/** Without it the caller would say that the server is an impostor. */
function proofOf(reader: AnswerReader): MsChapV2Success | string {
  const text = reader.value('MS-CHAP2-Success')?.value.text;
  if (text === undefined) return 'MS-CHAP2-Success is missing';
  const success = parseMsChapV2Success(text);
  return isMalformed(success) ? 'MS-CHAP2-Success is wrong' : success;
}

function failure(reader: AnswerReader): MsChapFailure | undefined {
  const error = reader.value('MS-CHAP-Error');
  return error === undefined
    ? undefined
    : reader.checked('MS-CHAP-Error', parseMsChapFailure(error.value.text));
}

function unusable(detail: string): AccessOutcome {
  return { kind: 'unusable', cause: cause('RADIUS_UNUSABLE', detail) };
}
