/** What a caller's machine must be told to dial a server of ours, as the configuration has it. */
import type { ServerOptions, User } from '../../session/options.ts';
import { informOf } from '../../session/server/grant.ts';
import type { Ipv4 } from '../../wire/brand.ts';
import type { Prefix } from '../../wire/ip.ts';

export interface ClientSetup {
  /** Of the connection. */
  readonly name: string;
  readonly server: string;
  /** How the server is reached from outside; undefined: to be filled in. */
  readonly address: string | undefined;
  readonly username: string;
  /** Networks to reach through the tunnel; none: everything. */
  readonly routes: readonly Prefix[];
  /** The first is the machine's own. */
  readonly domains: readonly string[];
  readonly dns: readonly Ipv4[];
  /** The server takes encryption of 128 bits. */
  readonly strong: boolean;
  /** Sentences for who reads the file. */
  readonly remarks: readonly string[];
}

export interface Callable {
  readonly servers: readonly ServerOptions[];
  readonly users: readonly User[];
}

/** Where an address is to be filled in. */
export const ADDRESS_TO_FILL_IN = 'ADDRESS-OF-THIS-ROUTER';
/** RFC 2637 §3: clients know no other. */
const PORT = 1723;

/**
 * @param serverName undefined: the only one that the user may call
 * @returns or why there is none, a sentence
 */
export function clientSetup(
  { servers, users }: Callable,
  username: string,
  serverName: string | undefined,
  address: string | undefined,
): ClientSetup | string {
  const user = users.find((each) => each.username === username);
  const known = servers.filter(({ name, accounts }) =>
    user === undefined
      ? accounts.includes('radius')
      : user.servers.length === 0 || user.servers.includes(name),
  );
  if (known.length === 0)
    return user === undefined
      ? `there is no user '${username}', and no server that asks RADIUS`
      : `there is no server that '${username}' may call`;
  const found = serverName === undefined ? known : known.filter(({ name }) => name === serverName);
  const names = known.map(({ name }) => name).join(', ');
  const [server] = found;
  if (server === undefined) return `'${username}' may call ${names}, not '${serverName!}'`;
  if (found.length > 1) return `'${username}' may call several servers: name one of ${names}`;
  const { name, auth, mppe, port } = server;
  if (!auth.includes('mschap-v2'))
    return `server '${name}' does not take MS-CHAPv2 (option auth), which this set-up is for`;
  if (mppe.policy === 'off')
    return `server '${name}' has no encryption (option mppe), which this set-up asks for`;
  const { routes, domains, dns } = informOf(server, user, server.dns);
  return {
    name: `PPTP ${name}`,
    server: name,
    address,
    username,
    routes,
    domains,
    dns,
    strong: mppe.strengths.includes(128),
    remarks:
      port === PORT
        ? []
        : [`The server listens on TCP port ${port}, and this calls ${PORT}: lead that one there.`],
  };
}
