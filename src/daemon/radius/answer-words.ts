/** What a RADIUS server's answer to a login says, in words. */
import { cause, type Cause } from '../../wire/cause.ts';
import { isMalformed } from '../../wire/codec.ts';
import { formatAddress } from '../../wire/ip.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { MsChapError, msChapErrorWords, parseMsChapFailure } from '../../wire/ms-chap.ts';
import { RadiusCode, type DecodedRadiusPacket } from '../../wire/radius.ts';
import {
  radiusValue,
  radiusValues,
  type RadiusAttribute,
  type RadiusAttributeName,
  type RadiusValue,
} from '../../wire/radius-attributes.ts';
import { readable, type Text } from '../../wire/text.ts';

type Words<N extends RadiusAttributeName> = (value: RadiusValue<N>) => string;

const text =
  (what: string) =>
  ({ text: value }: Text) =>
    `${what} ${readable(value) ?? '?'}`;
const addressed = (what: string) => (value: Ipv4) => `${what} ${formatAddress(value)}`;
const known = () => '';

/** Attributes that say something to a person; others are named. '' : said elsewhere. */
const words: { readonly [N in RadiusAttributeName]?: Words<N> } = {
  'Framed-IP-Address': (value) =>
    // RFC 2865 §5.8
    value === 0xffffffff || value === 0xfffffffe
      ? 'an address of this router'
      : `address ${formatAddress(value)}`,
  'Framed-IP-Netmask': addressed('netmask'),
  'Framed-Pool': text('pool'),
  'Framed-Route': text('route'),
  'Framed-MTU': (value) => `MTU ${value}`,
  'Session-Timeout': (value) => `at most ${value} s`,
  'Idle-Timeout': (value) => `ended after ${value} s without traffic`,
  'Acct-Interim-Interval': (value) => `counters every ${value} s`,
  'Port-Limit': (value) => `${value} sessions at a time`,
  'Filter-Id': text('filter'),
  'Reply-Message': ({ text: value }) => `message "${readable(value) ?? ''}"`,
  Class: ({ length }) => `Class (${length} octets)`,
  'MS-Primary-DNS-Server': addressed('DNS'),
  'MS-Secondary-DNS-Server': addressed('DNS'),
  'MS-Primary-NBNS-Server': addressed('WINS'),
  'MS-Secondary-NBNS-Server': addressed('WINS'),
  // RFC 2548 §2.4.4, §2.4.5
  'MS-MPPE-Encryption-Policy': (value) =>
    value === 2 ? 'encryption required' : 'encryption allowed',
  'MS-MPPE-Encryption-Types': (value) =>
    `MPPE of ${
      [
        [4, 128],
        [8, 56],
        [2, 40],
      ]
        .flatMap(([bit, bits]) => (value & bit! ? [bits] : []))
        .join(', ') || '?'
    } bits`,
  'Mikrotik-Rate-Limit': text('rate'),
  'WISPr-Bandwidth-Max-Up': (value) => `${value} bit/s from the caller`,
  'WISPr-Bandwidth-Max-Down': (value) => `${value} bit/s to the caller`,
  'Ascend-Data-Rate': (value) => `${value} bit/s from the caller`,
  'Ascend-Xmit-Rate': (value) => `${value} bit/s to the caller`,
  'MS-MPPE-Send-Key': known,
  'MS-MPPE-Recv-Key': known,
  'MS-CHAP2-Success': known,
  'Message-Authenticator': known,
  'Service-Type': known,
  'Framed-Protocol': known,
  'Proxy-State': known,
};

/** What an Access-Accept gives. */
export function inWords({ attributes, skipped, faults }: DecodedRadiusPacket): string {
  const hasKeys =
    radiusValue(attributes, 'MS-MPPE-Send-Key') !== undefined &&
    radiusValue(attributes, 'MS-MPPE-Recv-Key') !== undefined;
  return [
    ...attributes.map(phrase).filter((each) => each !== ''),
    hasKeys ? 'MPPE keys' : 'no MPPE keys: no encryption is possible',
    ...(skipped === 0 ? [] : [`${skipped} attribute${skipped === 1 ? '' : 's'} unknown here`]),
    ...faults.map((fault) => `not readable: ${readable(fault) ?? '?'}`),
  ].join(', ');
}

function phrase({ name, value }: RadiusAttribute): string {
  const say = words[name] as Words<typeof name> | undefined;
  return say === undefined ? name : say(value);
}

/** Why an answer is no Access-Accept, with the server's own words. */
export function refusalCause({ code, attributes }: DecodedRadiusPacket): Cause {
  if (code === RadiusCode.AccessChallenge) return cause('RADIUS_UNUSABLE', 'Access-Challenge');
  const error = radiusValue(attributes, 'MS-CHAP-Error');
  const failure = error && parseMsChapFailure(error.value.text);
  const number = failure === undefined || isMalformed(failure) ? undefined : failure.errorCode;
  const messages = radiusValues(attributes, 'Reply-Message').flatMap(
    ({ text: message }) => readable(message) ?? [],
  );
  const detail = [
    ...(number === undefined ? [] : [`E=${number}: ${msChapErrorWords.get(number) ?? 'refused'}`]),
    ...messages,
  ].join('; ');
  const isKnown = number !== undefined && number !== MsChapError.AuthenticationFailure;
  return cause(isKnown ? 'LOGIN_DENIED' : 'AUTH_TOPEER_FAILED', detail === '' ? undefined : detail);
}
