/**
 * What a Disconnect- or CoA-Request wants, and of which sessions: RFC 5176 §3. All attributes are mandatory: one that we do not
 * carry out is a refusal.
 */
import type { Ipv4 } from '../wire/brand.ts';
import { formatAddress } from '../wire/ip.ts';
import { RadiusCode, type DecodedRadiusPacket } from '../wire/radius.ts';
import {
  radiusValue,
  radiusValues,
  type RadiusAttribute,
  type RadiusAttributeName,
} from '../wire/radius-attributes.ts';
import { ServiceType } from './access-request.ts';
import type { AccountedSession } from './accounting-record.ts';
import { AnswerReader } from './answer-reader.ts';
import { readChanges, type Changes } from './grant.ts';

/** RFC 5176 §3.5 */
export const ErrorCause = {
  UnsupportedAttribute: 401,
  MissingAttribute: 402,
  NasIdentificationMismatch: 403,
  InvalidRequest: 404,
  UnsupportedService: 405,
  InvalidAttributeValue: 407,
  SessionContextNotFound: 503,
  /** Only of a Disconnect-Request. */
  SessionContextNotRemovable: 504,
  ResourcesUnavailable: 506,
} as const;
export type ErrorCause = (typeof ErrorCause)[keyof typeof ErrorCause];

/** What a session is found by: as in the records of accounting. */
export type LiveSession = Pick<
  AccountedSession,
  'call' | 'multiSessionId' | 'username' | 'address'
>;

/** What is to be otherwise from now on; what is absent stays. Times in ms. */
export interface SessionChange extends Changes {
  /** Between interim records; 0: none. */
  readonly interimInterval?: number;
  readonly classes?: readonly Uint8Array[];
}

export type Wanted =
  | {
      readonly kind: 'disconnect';
      /** For the Stop; empty: as it was. */
      readonly classes: readonly Uint8Array[];
      /** For the Stop (RFC 2866 §5.10); undefined: as we see it. */
      readonly terminateCause: number | undefined;
    }
  | { readonly kind: 'change'; readonly change: SessionChange };

export interface DynamicRequest {
  readonly wanted: Wanted;
  /** Acct-Session-Id, with which a session is found at once. */
  readonly sessionId: string | undefined;
  /** Whether it is about this session: all that identifies one must be right. */
  readonly matches: (session: LiveSession) => boolean;
}

export interface OwnIdentity {
  /** NAS-Identifier. */
  readonly identifier: string;
  /** NAS-IP-Address: whether it is one of this router's. */
  readonly isOwnAddress: (address: Ipv4) => boolean;
}

type Named<N extends RadiusAttributeName> = Extract<RadiusAttribute, { name: N }>;
type Identifying = (typeof identifying)[number];

/** RFC 5176 §3; each may be there once. */
const identifying = [
  'User-Name',
  'NAS-Port',
  'Framed-IP-Address',
  'Called-Station-Id',
  'Calling-Station-Id',
  'Acct-Session-Id',
  'Acct-Multi-Session-Id',
  'NAS-Port-Id',
] as const satisfies RadiusAttributeName[];
const ofNas = ['NAS-IP-Address', 'NAS-Identifier', 'NAS-IPv6-Address'] as const;
/** What is about the packet. A Reply-Message has nowhere to be shown: PPP has no way to tell a caller who is logged in. */
const beside = [
  'Message-Authenticator',
  'Event-Timestamp',
  'Proxy-State',
  'Reply-Message',
] as const;
const ofDisconnect = ['Class', 'Acct-Terminate-Cause'] as const;
const ofChange = [
  'State',
  'Service-Type',
  'Class',
  'Session-Timeout',
  'Idle-Timeout',
  'Acct-Interim-Interval',
  'Filter-Id',
  'Mikrotik-Rate-Limit',
  'WISPr-Bandwidth-Max-Up',
  'WISPr-Bandwidth-Max-Down',
  'Ascend-Data-Rate',
  'Ascend-Xmit-Rate',
] as const;
const several: readonly RadiusAttributeName[] = [
  'Class',
  'Filter-Id',
  'Proxy-State',
  'Reply-Message',
];
const allowed: Readonly<Record<'disconnect' | 'change', ReadonlySet<RadiusAttributeName>>> = {
  disconnect: new Set([...identifying, ...ofNas, ...beside, ...ofDisconnect]),
  change: new Set([...identifying, ...ofNas, ...beside, ...ofChange]),
};

/** The request in a packet of which the authenticators are right, or why it is refused. */
export function dynamicRequest(
  packet: DecodedRadiusPacket,
  own: OwnIdentity,
): DynamicRequest | ErrorCause {
  const { code, attributes, skipped, faults } = packet;
  const kind = code === RadiusCode.DisconnectRequest ? 'disconnect' : 'change';
  if (faults.length > 0) return ErrorCause.InvalidRequest;
  const names = attributes.map(({ name }) => name);
  if (skipped > 0 || !names.every((name) => allowed[kind].has(name)))
    return ErrorCause.UnsupportedAttribute;
  const single = names.filter((name) => !several.includes(name));
  if (new Set(single).size < single.length) return ErrorCause.InvalidRequest;
  if (!isForUs(attributes, own)) return ErrorCause.NasIdentificationMismatch;
  const identity = attributes.filter((attribute): attribute is Named<Identifying> =>
    identifying.includes(attribute.name as Identifying),
  );
  if (identity.length === 0) return ErrorCause.MissingAttribute;
  const wanted = kind === 'disconnect' ? disconnection(attributes) : changeOf(packet);
  if (typeof wanted === 'number') return wanted;
  return {
    wanted,
    sessionId: radiusValue(attributes, 'Acct-Session-Id')?.text,
    matches: (session) => identity.every((attribute) => isOf(session, attribute)),
  };
}

function isForUs(attributes: readonly RadiusAttribute[], own: OwnIdentity): boolean {
  const identifier = radiusValue(attributes, 'NAS-Identifier');
  const address = radiusValue(attributes, 'NAS-IP-Address');
  if (identifier !== undefined && identifier.text !== own.identifier) return false;
  if (address !== undefined && !own.isOwnAddress(address)) return false;
  return radiusValue(attributes, 'NAS-IPv6-Address') === undefined; // we never have one
}

function isOf(session: LiveSession, { name, value }: Named<Identifying>): boolean {
  const { call } = session;
  switch (name) {
    case 'User-Name':
      return value.text === session.username;
    case 'NAS-Port':
      return value === call.port;
    case 'Framed-IP-Address':
      return value === session.address;
    case 'Called-Station-Id':
      return value.text === formatAddress(call.local);
    case 'Calling-Station-Id':
      return value.text === formatAddress(call.peer);
    case 'Acct-Session-Id':
      return value.text === call.sessionId;
    case 'Acct-Multi-Session-Id':
      return value.text === session.multiSessionId;
    case 'NAS-Port-Id':
      return value.text === call.portId;
  }
}

function disconnection(attributes: readonly RadiusAttribute[]): Wanted {
  return {
    kind: 'disconnect',
    classes: radiusValues(attributes, 'Class'),
    terminateCause: radiusValue(attributes, 'Acct-Terminate-Cause'),
  };
}

function changeOf(packet: DecodedRadiusPacket): Wanted | ErrorCause {
  const reader = new AnswerReader(packet);
  // RFC 5176 §3.2: Authorize Only is optional, and not for us.
  if ((reader.value('Service-Type') ?? ServiceType.Framed) !== ServiceType.Framed)
    return ErrorCause.UnsupportedService;
  const interval = reader.value('Acct-Interim-Interval');
  const classes = reader.values('Class');
  const change: SessionChange = {
    ...readChanges(reader),
    ...(interval === undefined ? {} : { interimInterval: 1000 * interval }),
    ...(classes.length === 0 ? {} : { classes }),
  };
  if (reader.faults.length > 0) return ErrorCause.InvalidAttributeValue;
  return Object.keys(change).length === 0
    ? ErrorCause.MissingAttribute
    : { kind: 'change', change };
}
