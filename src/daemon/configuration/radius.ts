/** RADIUS servers, and this router as they see it (a NAS), from /etc/config/pptp_radius. */
import { SharedSecret } from '../../radius/shared-secret.ts';
import type { UciSection } from '../../router/uci.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import { parseAddress } from '../../wire/ip.ts';
import { parseIpv6Address } from '../../wire/ipv6.ts';
import { nasOptions, radiusOptions } from './radius-options.ts';
import { complainer, type Problem } from './problems.ts';
import { placeOf, readSection } from './section.ts';

export type RadiusRole = 'auth' | 'acct';

/** A RADIUS server. Times in ms. */
export interface RadiusOptions {
  /** Name of the UCI section. */
  readonly name: string;
  /** Name or address, IPv4 or IPv6. */
  readonly server: string;
  readonly secret: SharedSecret;
  readonly roles: readonly RadiusRole[];
  readonly transport:
    | { readonly kind: 'udp'; readonly authPort: number; readonly acctPort: number }
    | ({ readonly kind: 'tls'; readonly port: number } & RadiusTls);
  /** The lowest is asked first. */
  readonly priority: number;
  readonly weight: number;
  readonly timeout: number;
  readonly tries: number;
  readonly deadTime: number;
  /** Our own address to ask from; undefined: as the routing table says. */
  readonly source: string | undefined;
  readonly messageAuthenticator: 'auto' | 'always' | 'never';
  /** It may end and change live sessions. */
  readonly coa: boolean;
}

/** Paths of PEM files. */
interface RadiusTls {
  readonly ca: string | undefined;
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
  /** What the certificate of the server must be for. */
  readonly peerName: string;
}

/** This router, as RADIUS servers see it. */
export interface NasOptions {
  /** undefined: the host name. */
  readonly identifier: string | undefined;
  /** undefined: the address that the caller has called. */
  readonly address: Ipv4 | undefined;
  /** ms; 0: never. */
  readonly interimInterval: number;
  readonly coaPort: number;
  /** Folder where accounting records wait; undefined: the daemon's own. */
  readonly records: string | undefined;
}

/** RFC 6614 §2.3 */
const RADSEC_PORT = 2083;
const RADSEC_SECRET = new SharedSecret('radsec');
const AUTH_PORT = 1812;

/** undefined: it has faults. */
export function radiusFromSection(
  section: UciSection,
  problems: Problem[],
): RadiusOptions | undefined {
  const values = readSection(section, radiusOptions, problems);
  if (values === undefined) return undefined;
  const known = problems.length;
  const complain = complainer(problems, placeOf(section));
  const { server, secret, transport, certificate, key, port } = values;
  if (transport === 'udp' && secret === undefined)
    complain('secret', undefined, 'is required: the secret that this server has for this router');
  if (transport === 'udp')
    for (const option of ['ca', 'certificate', 'key', 'tls_name'] as const)
      if (values[option] !== undefined)
        complain(option, values[option], 'belongs to transport tls');
  if ((certificate === undefined) !== (key === undefined))
    complain(
      certificate === undefined ? 'certificate' : 'key',
      undefined,
      'is required: certificate and key belong together',
    );
  if (values.coa && parseAddress(server) === undefined && parseIpv6Address(server) === undefined)
    complain('coa', '1', 'needs an address in option server: a name can be forged');
  if (problems.length > known) return undefined;
  return {
    name: section.name,
    server,
    secret: secret ?? RADSEC_SECRET,
    roles: values.role,
    transport:
      transport === 'udp'
        ? { kind: 'udp', authPort: port ?? AUTH_PORT, acctPort: values.acct_port }
        : {
            kind: 'tls',
            port: port ?? RADSEC_PORT,
            ca: values.ca,
            own: certificate === undefined || key === undefined ? undefined : { certificate, key },
            peerName: values.tls_name ?? server,
          },
    priority: values.priority,
    weight: values.weight,
    timeout: values.timeout,
    tries: values.tries,
    deadTime: values.dead_time,
    source: values.source,
    messageAuthenticator: values.message_authenticator,
    coa: values.coa,
  };
}

export function nasFromSection(section: UciSection, problems: Problem[]): NasOptions | undefined {
  const values = readSection(section, nasOptions, problems);
  return (
    values && {
      identifier: values.identifier,
      address: values.address,
      interimInterval: values.interim_interval,
      coaPort: values.coa_port,
      records: values.records,
    }
  );
}
