/**
 * The RADIUS attributes that an access server and its servers exchange, each declared once: number, vendor, type and how it is
 * hidden. Encoder, decoder (radius.ts) and types come from here. RFC 2865 §5, 2866 §5, 2867 §3, 2868 §3, 2869 §5, 2548 §2, 3162 §2,
 * 3579 §3, 4818 §3, 5176 §3.5, 6911 §3, and the rates of Mikrotik, WISPr and Ascend.
 */
import { bytes, ipv4, rest, u32, type Codec, type Value } from './codec.ts';
import {
  chapPassword,
  concatenated,
  identifiedText,
  ipv6Prefix,
  msChapCpw2,
  msChapEncryptedPassword,
  msChapMppeKeys,
  msChapResponse,
  msChapV2Cpw,
  msChapV2Response,
  numbered,
  opaque,
  password,
  someText,
  taggedInteger,
  taggedText,
  type Series,
} from './radius-values.ts';

/** RFC 2865 §5.2, also RFC 2548 §2.4.1 (user-password); RFC 2548 §2.4.2 (salt). */
export type Hiding = 'user-password' | 'salt';

export interface Declaration<T> {
  /** undefined: a standard attribute. */
  readonly vendor: number | undefined;
  readonly type: number;
  readonly value: Codec<T>;
  readonly hiding: Hiding | undefined;
  readonly series: Series | undefined;
}

interface Manner {
  readonly hiding?: Hiding;
  readonly series?: Series;
}

const of =
  (vendor: number | undefined) =>
  <T>(type: number, value: Codec<T>, { hiding, series }: Manner = {}): Declaration<T> => ({
    vendor,
    type,
    value,
    hiding,
    series,
  });

const standard = of(undefined);
const ascend = of(529);
const microsoft = of(311);
const wispr = of(14122);
const mikrotik = of(14988);

/** In seconds, since 1970: RFC 2869 §5.3. */
const time = u32;
/** 16 octets: RFC 3162 §2.1. */
const ipv6 = bytes(16);

export const radiusAttributes = {
  'User-Name': standard(1, someText),
  'User-Password': standard(2, password, { hiding: 'user-password' }),
  'CHAP-Password': standard(3, chapPassword),
  'NAS-IP-Address': standard(4, ipv4),
  'NAS-Port': standard(5, u32),
  'Service-Type': standard(6, u32),
  'Framed-Protocol': standard(7, u32),
  'Framed-IP-Address': standard(8, ipv4),
  'Framed-IP-Netmask': standard(9, ipv4),
  'Filter-Id': standard(11, someText),
  'Framed-MTU': standard(12, u32),
  'Reply-Message': standard(18, someText),
  'Framed-Route': standard(22, someText),
  State: standard(24, opaque),
  Class: standard(25, opaque),
  'Session-Timeout': standard(27, u32),
  'Idle-Timeout': standard(28, u32),
  'Termination-Action': standard(29, u32),
  'Called-Station-Id': standard(30, someText),
  'Calling-Station-Id': standard(31, someText),
  'NAS-Identifier': standard(32, someText),
  'Proxy-State': standard(33, opaque),
  'Acct-Status-Type': standard(40, u32),
  'Acct-Delay-Time': standard(41, u32),
  'Acct-Input-Octets': standard(42, u32),
  'Acct-Output-Octets': standard(43, u32),
  'Acct-Session-Id': standard(44, someText),
  'Acct-Authentic': standard(45, u32),
  'Acct-Session-Time': standard(46, u32),
  'Acct-Input-Packets': standard(47, u32),
  'Acct-Output-Packets': standard(48, u32),
  'Acct-Terminate-Cause': standard(49, u32),
  'Acct-Multi-Session-Id': standard(50, someText),
  'Acct-Link-Count': standard(51, u32),
  'Acct-Input-Gigawords': standard(52, u32),
  'Acct-Output-Gigawords': standard(53, u32),
  'Event-Timestamp': standard(55, time),
  'CHAP-Challenge': standard(60, opaque),
  'NAS-Port-Type': standard(61, u32),
  'Port-Limit': standard(62, u32),
  'Tunnel-Type': standard(64, taggedInteger),
  'Tunnel-Medium-Type': standard(65, taggedInteger),
  'Tunnel-Client-Endpoint': standard(66, taggedText),
  'Tunnel-Server-Endpoint': standard(67, taggedText),
  'Acct-Tunnel-Connection': standard(68, someText),
  'Connect-Info': standard(77, someText),
  'EAP-Message': standard(79, rest, { series: concatenated }),
  'Message-Authenticator': standard(80, bytes(16)),
  'Tunnel-Assignment-Id': standard(82, taggedText),
  'Acct-Interim-Interval': standard(85, u32),
  'NAS-Port-Id': standard(87, someText),
  'Framed-Pool': standard(88, someText),
  'Tunnel-Client-Auth-Id': standard(90, taggedText),
  'Tunnel-Server-Auth-Id': standard(91, taggedText),
  'NAS-IPv6-Address': standard(95, ipv6),
  /** 8 octets: RFC 3162 §2.2. */
  'Framed-Interface-Id': standard(96, bytes(8)),
  'Framed-IPv6-Prefix': standard(97, ipv6Prefix),
  'Framed-IPv6-Route': standard(99, someText),
  'Framed-IPv6-Pool': standard(100, someText),
  'Error-Cause': standard(101, u32),
  'Delegated-IPv6-Prefix': standard(123, ipv6Prefix),
  'Framed-IPv6-Address': standard(168, ipv6),
  'DNS-Server-IPv6-Address': standard(169, ipv6),

  'MS-CHAP-Response': microsoft(1, msChapResponse),
  'MS-CHAP-Error': microsoft(2, identifiedText),
  'MS-CHAP-CPW-2': microsoft(4, msChapCpw2),
  'MS-CHAP-NT-Enc-PW': microsoft(6, msChapEncryptedPassword, { series: numbered }),
  'MS-MPPE-Encryption-Policy': microsoft(7, u32),
  'MS-MPPE-Encryption-Types': microsoft(8, u32),
  'MS-CHAP-Domain': microsoft(10, identifiedText),
  'MS-CHAP-Challenge': microsoft(11, opaque),
  'MS-CHAP-MPPE-Keys': microsoft(12, msChapMppeKeys, { hiding: 'user-password' }),
  'MS-MPPE-Send-Key': microsoft(16, rest, { hiding: 'salt' }),
  'MS-MPPE-Recv-Key': microsoft(17, rest, { hiding: 'salt' }),
  'MS-CHAP2-Response': microsoft(25, msChapV2Response),
  'MS-CHAP2-Success': microsoft(26, identifiedText),
  'MS-CHAP2-CPW': microsoft(27, msChapV2Cpw),
  'MS-Primary-DNS-Server': microsoft(28, ipv4),
  'MS-Secondary-DNS-Server': microsoft(29, ipv4),
  'MS-Primary-NBNS-Server': microsoft(30, ipv4),
  'MS-Secondary-NBNS-Server': microsoft(31, ipv4),

  /** Text of rates: radius-texts.ts. */
  'Mikrotik-Rate-Limit': mikrotik(8, someText),
  /** bit/s, from and to the user. */
  'WISPr-Bandwidth-Max-Up': wispr(7, u32),
  'WISPr-Bandwidth-Max-Down': wispr(8, u32),
  /** bit/s, from and to the user. */
  'Ascend-Data-Rate': ascend(197, u32),
  'Ascend-Xmit-Rate': ascend(255, u32),
} as const;

type Table = typeof radiusAttributes;
export type RadiusAttributeName = keyof Table;

/** What an attribute holds, hidden ones in the clear. */
export type RadiusValue<N extends RadiusAttributeName> = Value<Table[N]['value']>;

/** One arm per attribute, told apart by `name`. */
export type RadiusAttribute = {
  [N in RadiusAttributeName]: { readonly name: N; readonly value: RadiusValue<N> };
}[RadiusAttributeName];

/** The first attribute of this name. */
export function radiusValue<N extends RadiusAttributeName>(
  attributes: readonly RadiusAttribute[],
  name: N,
): RadiusValue<N> | undefined {
  return radiusValues(attributes, name)[0];
}

/** All attributes of this name, in their order. */
export function radiusValues<N extends RadiusAttributeName>(
  attributes: readonly RadiusAttribute[],
  name: N,
): RadiusValue<N>[] {
  return attributes.flatMap((attribute) =>
    attribute.name === name ? [attribute.value as RadiusValue<N>] : [],
  );
}
