/**
 * What MS-CHAP puts into CHAP's fields: the 49-octet response values (RFC 2433 §4, RFC 2759 §4) and the texts of
 * Success (RFC 2759 §5) and Failure (RFC 2433 §6, RFC 2759 §6).
 */
import { bytes, decode, encode, malformed, reserved, struct, u16, u8 } from './codec.ts';
import type { Malformed, Value } from './codec.ts';
import { fromHex, toHex } from './octets.ts';

/** Octets of a challenge: RFC 2433 §3. */
export const MS_CHAP_CHALLENGE_LENGTH = 8;
/** Octets of a challenge and of a peer challenge: RFC 2759 §3, §4. */
export const MS_CHAP_V2_CHALLENGE_LENGTH = 16;

/** The error numbers of a Failure: RFC 2433 §6, RFC 2759 §6. */
export const MsChapError = {
  RestrictedLogonHours: 646,
  AccountDisabled: 647,
  PasswordExpired: 648,
  NoDialinPermission: 649,
  AuthenticationFailure: 691,
  ChangingPassword: 709,
  /** Not of the RFCs: what Windows has for an authentication server that does not answer. */
  ServerSilent: 930,
} as const;

/** What the numbers mean, in a log. */
export const msChapErrorWords: ReadonlyMap<number, string> = new Map([
  [MsChapError.RestrictedLogonHours, 'not at this hour'],
  [MsChapError.AccountDisabled, 'account disabled'],
  [MsChapError.PasswordExpired, 'password expired'],
  [MsChapError.NoDialinPermission, 'no permission to dial in'],
  [MsChapError.AuthenticationFailure, 'wrong user name or password'],
  [MsChapError.ChangingPassword, 'password not changed'],
  [MsChapError.ServerSilent, 'its authentication server does not answer'],
]);

const msChapResponse = struct({
  lmResponse: bytes(24),
  ntResponse: bytes(24),
  /** 1: the NT response counts, 0: only the LM response is there. */
  useNtResponse: u8,
});

const msChapV2Response = struct({
  peerChallenge: bytes(MS_CHAP_V2_CHALLENGE_LENGTH),
  reserved1: reserved(8),
  ntResponse: bytes(24),
  /** 0 by the RFC; Windows 98 sends 4 and cannot take the M= part of a Success. */
  flags: u8,
});

const msChapV2Change = struct({
  encryptedPassword: bytes(516),
  encryptedHash: bytes(16),
  peerChallenge: bytes(MS_CHAP_V2_CHALLENGE_LENGTH),
  reserved1: reserved(8),
  ntResponse: bytes(24),
  /** Reserved. */
  flags: u16,
});

/** RFC 2759 §7: the data of Change-Password version 3. */
export type MsChapV2Change = Value<typeof msChapV2Change>;

/** RFC 2433 §4 */
export type MsChapResponse = Value<typeof msChapResponse>;
/** RFC 2759 §4 */
export type MsChapV2Response = Value<typeof msChapV2Response>;

export function decodeMsChapResponse(value: Uint8Array): MsChapResponse | Malformed {
  return decode(msChapResponse, value, 'MS-CHAP response');
}

export function encodeMsChapResponse(response: MsChapResponse): Uint8Array {
  return encode(msChapResponse, response, 'MS-CHAP response');
}

export function decodeMsChapV2Response(value: Uint8Array): MsChapV2Response | Malformed {
  return decode(msChapV2Response, value, 'MS-CHAP-V2 response');
}

export function encodeMsChapV2Response(response: MsChapV2Response): Uint8Array {
  return encode(msChapV2Response, response, 'MS-CHAP-V2 response');
}

export function decodeMsChapV2Change(value: Uint8Array): MsChapV2Change | Malformed {
  return decode(msChapV2Change, value, 'MS-CHAP-V2 password change');
}

export function encodeMsChapV2Change(change: MsChapV2Change): Uint8Array {
  return encode(msChapV2Change, change, 'MS-CHAP-V2 password change');
}

export interface MsChapFailure {
  /** A MsChapError, or another number. */
  readonly errorCode: number;
  readonly retry: boolean;
  /** The challenge to use for another try: 8 octets with version 1, 16 with version 2. */
  readonly challenge?: Uint8Array;
  /** Version of the change-password protocol: 2 with MS-CHAP, 3 with MS-CHAP-V2. */
  readonly version?: number;
  /** Empty where there is none. */
  readonly message: string;
}

/**
 * Reads `E=691 R=0 C=<hex> V=3 M=<text>`. Only E must be there: Windows 2000 and older leave out other parts, and a
 * part that is not what it should be counts as absent.
 */
export function parseMsChapFailure(text: string): MsChapFailure | Malformed {
  const { fields, message } = splitMessage(text);
  const errorCode = number(fields, 'E');
  if (errorCode === undefined) return malformed('bad-value', 'MS-CHAP failure without E=');
  const challenge = fromHex(/(?:^|\s)C=([0-9A-Fa-f]+)(?:\s|$)/.exec(fields)?.[1] ?? '');
  const version = number(fields, 'V');
  return {
    errorCode,
    retry: number(fields, 'R') === 1,
    ...(challenge === undefined || challenge.length === 0 ? {} : { challenge }),
    ...(version === undefined ? {} : { version }),
    message,
  };
}

export function formatMsChapFailure(failure: MsChapFailure): string {
  const { errorCode, retry, challenge, version, message } = failure;
  const parts = [`E=${errorCode}`, `R=${retry ? 1 : 0}`];
  if (challenge !== undefined) parts.push(`C=${toHex(challenge)}`);
  if (version !== undefined) parts.push(`V=${version}`);
  if (message !== '') parts.push(`M=${message}`);
  return parts.join(' ');
}

export interface MsChapV2Success {
  /** 20 octets: the server's proof that it knows the password. */
  readonly authenticatorResponse: Uint8Array;
  /** Empty where there is none. */
  readonly message: string;
}

/** Reads `S=<40 hex> M=<text>`; the M= part, and the blank before it, may be absent. */
export function parseMsChapV2Success(text: string): MsChapV2Success | Malformed {
  const { fields, message } = splitMessage(text);
  const authenticatorResponse = fromHex(/^S=([0-9A-Fa-f]{40})\s*$/.exec(fields)?.[1] ?? 'none');
  if (authenticatorResponse === undefined)
    return malformed('bad-value', 'MS-CHAP-V2 success without S= and 40 digits');
  return { authenticatorResponse, message };
}

export function formatMsChapV2Success(success: MsChapV2Success): string {
  const { authenticatorResponse, message } = success;
  const response = `S=${toHex(authenticatorResponse)}`;
  return message === '' ? response : `${response} M=${message}`;
}

/** M= comes last and runs to the end; what looks like a field within it is text. */
function splitMessage(text: string): { fields: string; message: string } {
  const at = text.indexOf('M=');
  return at === -1
    ? { fields: text, message: '' }
    : { fields: text.slice(0, at), message: text.slice(at + 2) };
}

function number(fields: string, key: 'E' | 'R' | 'V'): number | undefined {
  const digits = new RegExp(`(?:^|\\s)${key}=(\\d{1,10})(?:\\s|$)`).exec(fields)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
