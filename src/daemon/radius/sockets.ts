/** Sockets to RADIUS servers: names are looked up, certificates read, when one is opened. */
import { errorText } from '../../platform/errors.ts';
import type { PeerCertificate, TlsIdentity } from '../../platform/sockets.ts';
import { datagrams, files, host, sockets } from '../../platform/platform.ts';
import { parseAddress } from '../../wire/ip.ts';
import { parseIpv6Address } from '../../wire/ipv6.ts';
import type { RadiusOptions, RadiusRole } from '../configuration/radius.ts';

export interface ServerSocket {
  /** Only once it is open. */
  send(octets: Uint8Array): void;
  /** Nothing more is heard of it. */
  close(): void;
}

export interface ServerSocketEvents {
  /** @param peer with TLS: who the server is */
  readonly opened: (peer?: PeerCertificate) => void;
  /** A datagram, or what came over a stream. */
  readonly octets: (octets: Uint8Array) => void;
  /** It goes on all the same. */
  readonly trouble: (detail: string) => void;
  /** It could not be opened, or the other end has closed it. Last, and not after close(). */
  readonly closed: (detail: string) => void;
}

/** Opens a socket to a server, or says `closed`. */
export function openServerSocket(
  { server, source, transport }: RadiusOptions,
  role: RadiusRole,
  events: ServerSocketEvents,
): ServerSocket {
  let open: ServerSocket | undefined;
  let isWanted = true;
  const closed = (detail: string) => {
    if (!isWanted) return;
    isWanted = false;
    open?.close();
    events.closed(detail);
  };
  const heard: ServerSocketEvents = { ...events, closed };
  void addressOf(server, source)
    .then((address) => {
      if (!isWanted) return;
      if (transport.kind === 'tls') {
        open = openTls({ address, port: transport.port, from: source }, transport, heard);
        return;
      }
      const port = role === 'auth' ? transport.authPort : transport.acctPort;
      open = datagrams.connect({ address, port }, source, {
        opened: () => heard.opened(),
        datagram: events.octets,
        failed: (error) => events.trouble(errorText(error)),
        closed: (error) => closed(errorText(error)),
      });
    })
    .catch((error: unknown) => closed(errorText(error)));
  return {
    send: (octets) => open?.send(octets),
    close: () => {
      isWanted = false;
      open?.close();
    },
  };
}

/** What a name means, in the family that our own address has. @throws nobody knows the name */
export async function addressOf(server: string, source: string | undefined): Promise<string> {
  if (parseAddress(server) !== undefined || parseIpv6Address(server) !== undefined) return server;
  const families: readonly (4 | 6)[] =
    source === undefined ? [4, 6] : [parseAddress(source) === undefined ? 6 : 4];
  let refusal = new Error(`${server} has no address`);
  for (const family of families)
    try {
      const [first] = await host.resolve(server, family);
      if (first !== undefined) return first;
    } catch (error) {
      if (error instanceof Error) refusal = error;
    }
  throw refusal;
}

function openTls(
  to: { readonly address: string; readonly port: number; readonly from: string | undefined },
  transport: RadiusOptions['transport'] & { kind: 'tls' },
  { opened, octets, closed }: ServerSocketEvents,
): ServerSocket {
  const socket = sockets.connectTls({ ...to, identity: identityOf(transport) }, opened);
  socket.hear({
    octets,
    closed: (error) => closed(error === undefined ? 'it closed the connection' : errorText(error)),
  });
  return { send: (packet) => socket.write(packet), close: () => socket.destroy() };
}

/** @throws a file cannot be read */
function identityOf({
  ca,
  own,
  peerName,
}: RadiusOptions['transport'] & { kind: 'tls' }): TlsIdentity {
  return {
    peerName,
    authorities: ca === undefined ? undefined : files.text(ca),
    own: own && { certificate: files.text(own.certificate), key: files.text(own.key) },
  };
}
