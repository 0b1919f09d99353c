/**
 * What a caller is told of the networks behind the server when it asks by DHCPINFORM: RFC 2131 §4.3.5. Its address it has from
 * IPCP; there are no leases here.
 */
import type { Ipv4 } from '../../wire/brand.ts';
import {
  BootpOperation,
  dhcpLength,
  DhcpMessageType,
  dhcpOptionLength,
  dhcpOptions,
  type DhcpMessage,
  type DhcpOption,
  type DhcpOptionName,
  type DhcpOptionValue,
} from '../../wire/dhcp.ts';
import { netmask, type Prefix } from '../../wire/ip.ts';

/** What a session has to tell. */
export interface InformParameters {
  /** Length of the network that the caller's address is in. */
  readonly prefixLength: number;
  readonly dns: readonly Ipv4[];
  /** The first is the caller's own, all are searched. */
  readonly domains: readonly string[];
  /** Networks to reach through the tunnel. */
  readonly routes: readonly Prefix[];
}

/** RFC 2131 §2: what every client takes, octets of the IP packet; and of its two headers. */
export const DHCP_LEAST_PACKET = 576;
export const DHCP_OVERHEAD = 28;

/** A field of the message, whatever its value is. */
export function optionOf<N extends DhcpOptionName>(
  { options }: DhcpMessage,
  name: N,
): DhcpOptionValue<N> | undefined {
  return options.find((option) => option.name === name)?.value as DhcpOptionValue<N> | undefined;
}

/**
 * The answer to a DHCPINFORM: what was asked for and fits, the most important first.
 * @param server our address inside the tunnel, which is the way to the networks
 * @param most octets of the message
 */
export function answerInform(
  request: DhcpMessage,
  server: Ipv4,
  parameters: InformParameters,
  most: number,
): DhcpMessage {
  const wanted = optionOf(request, 'parameter-request-list');
  const identifier = optionOf(request, 'client-identifier');
  const options: DhcpOption[] = [
    { name: 'message-type', value: DhcpMessageType.Ack },
    { name: 'server-identifier', value: server },
    // RFC 6842 §3
    ...(identifier === undefined
      ? []
      : [{ name: 'client-identifier', value: identifier } as const]),
  ];
  let taken = options.reduce((sum, option) => sum + dhcpOptionLength(option), 0);
  for (const option of told(server, parameters)) {
    const { code } = dhcpOptions[option.name];
    // Who does not say what it wants gets what the RFCs have.
    if (!(wanted === undefined ? code < 224 : wanted.includes(code))) continue;
    const length = dhcpOptionLength(option);
    if (dhcpLength(taken + length) > most) continue;
    options.push(option);
    taken += length;
  }
  const { hardwareType, hardwareLength, transaction, flags, clientAddress } = request;
  return {
    operation: BootpOperation.Reply,
    hardwareType,
    hardwareLength,
    hops: 0,
    transaction,
    seconds: 0,
    flags,
    clientAddress,
    yourAddress: 0,
    nextServer: 0,
    relayAgent: request.relayAgent,
    hardwareAddress: request.hardwareAddress,
    options,
  };
}

function told(
  server: Ipv4,
  { prefixLength, dns, domains, routes }: InformParameters,
): readonly DhcpOption[] {
  const ways = routes.map((route) => ({ ...route, router: server }));
  return [
    { name: 'subnet-mask', value: netmask(prefixLength) },
    ...(dns.length === 0 ? [] : [{ name: 'domain-name-servers', value: dns } as const]),
    ...(domains[0] === undefined ? [] : [{ name: 'domain-name', value: domains[0] } as const]),
    ...(ways.length === 0
      ? []
      : [
          { name: 'classless-routes', value: ways } as const,
          { name: 'microsoft-classless-routes', value: ways } as const,
        ]),
    ...(domains.length === 0 ? [] : [{ name: 'domain-search', value: domains } as const]),
  ];
}

/** Whether all of it has room in an answer that any client takes, one with a long identifier too. */
export function fitsAnswer(parameters: InformParameters): boolean {
  const identifier = 32;
  const options = told(0, parameters).filter(({ name }) => name !== 'microsoft-classless-routes');
  const length = options.reduce(
    (sum, option) => sum + dhcpOptionLength(option),
    3 + 6 + identifier,
  );
  return dhcpLength(length) <= DHCP_LEAST_PACKET - DHCP_OVERHEAD;
}
