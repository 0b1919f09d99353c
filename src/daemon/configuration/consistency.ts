/** Faults that show only when sections are seen together. */
import { fitsAnswer } from '../../data-path/dhcp/answer.ts';
import type { ClientLinkOptions, ServerOptions, User } from '../../session/options.ts';
import { informOf } from '../../session/server/grant.ts';
import {
  addressFault,
  formatAddress,
  formatPrefix,
  parseAddress,
  prefixContains,
  prefixOf,
  prefixRange,
  type AddressRange,
} from '../../wire/ip.ts';
import { toHex } from '../../wire/octets.ts';
import { clashes, type Surrounding } from './clashes.ts';
import { complainer, type Place, type Problem } from './problems.ts';
import type { RadiusOptions } from './radius.ts';
import { giveNoKeys } from './security.ts';

const inNetwork = (section: string): Place => ({ file: 'network', section });
const inUsers = (section: string): Place => ({ file: 'pptp_users', section });

/** Remembers who has what; the second one to have it is told whose it is. */
function claims(): (key: string | number, owner: string) => string | undefined {
  const owners = new Map<string | number, string>();
  return (key, owner) => {
    const other = owners.get(key);
    if (other === undefined) owners.set(key, owner);
    return other;
  };
}

export function checkDevices(
  tunnels: readonly (ServerOptions | ClientLinkOptions)[],
  problems: Problem[],
): void {
  const claim = claims();
  for (const { kind, name, device } of tunnels) {
    const other = claim(device, name);
    if (other === undefined) continue;
    problems.push({
      severity: 'error',
      file: 'network',
      section: name,
      ...(kind === 'link' ? { option: 'pppname', value: device } : {}),
      message: `the device ${device} is also that of section '${other}'`,
      against: inNetwork(other),
    });
  }
}

export function checkServers(servers: readonly ServerOptions[], problems: Problem[]): void {
  const address = claims();
  const everywhere = claims();
  const somewhere = claims();
  for (const { name, localAddress, port, listen } of servers) {
    const complain = complainer(problems, inNetwork(name));
    let other = address(localAddress, name);
    if (other !== undefined)
      complain(
        'localip',
        formatAddress(localAddress),
        `the address is also that of server '${other}'`,
        inNetwork(other),
      );
    if (listen.length === 0) {
      other = everywhere(port, name);
      if (other !== undefined)
        complain(
          'listen',
          '',
          `server '${other}' listens everywhere on port ${port} too: say what each listens on`,
          inNetwork(other),
        );
    }
    for (const device of listen) {
      other = somewhere(`${port} ${device}`, name);
      if (other === name) complain('listen', device, 'is there twice');
      else if (other !== undefined)
        complain(
          'listen',
          device,
          `server '${other}' listens there on port ${port} too`,
          inNetwork(other),
        );
    }
  }
  servers.forEach((server, i) => {
    const other = servers
      .slice(0, i)
      .find((before) => overlap(addresses(server), addresses(before)));
    if (other === undefined) return;
    complainer(problems, inNetwork(server.name))(
      server.proxyArp ? 'range' : 'network',
      undefined,
      `shares addresses with server '${other.name}'`,
      inNetwork(other.name),
    );
  });
}

/** All addresses that lead to a server's device. */
function addresses({ network, pool }: ServerOptions): readonly AddressRange[] {
  return network.length === 32 ? pool : [prefixRange(network)];
}

function overlap(some: readonly AddressRange[], others: readonly AddressRange[]): boolean {
  return some.some((a) => others.some((b) => a.first <= b.last && b.first <= a.last));
}

/** @param others networks that interfaces of the router have besides */
export function checkSurroundings(
  servers: readonly ServerOptions[],
  others: readonly Surrounding[],
  problems: Problem[],
): void {
  for (const server of servers)
    for (const clash of clashes(server, others))
      problems.push({ file: 'network', section: server.name, ...clash });
}

/** The way to a link's server must not lead into the link itself. */
export function checkRoutes(links: readonly ClientLinkOptions[], problems: Problem[]): void {
  for (const { name, server, routes, hostRoute } of links) {
    const address = parseAddress(server);
    if (address === undefined) continue;
    for (const route of routes.filter((prefix) => prefixContains(prefix, address))) {
      const what = 'the server itself would be looked for inside the tunnel';
      if (route.length === 32)
        complainer(problems, inNetwork(name))('route', formatPrefix(route), what);
      else if (!hostRoute)
        complainer(problems, inNetwork(name), 'warning')(
          'route',
          formatPrefix(route),
          `${what}, unless other rules than the main routing table keep it outside (nohostroute)`,
        );
    }
  }
}

/** Of servers whose callers are users of ours there should be some. */
export function checkCallers(
  servers: readonly ServerOptions[],
  users: readonly User[],
  problems: Problem[],
): void {
  for (const { name, accounts } of servers) {
    if (accounts.includes('radius')) continue;
    if (
      users.some(
        (user) => user.enabled && (user.servers.length === 0 || user.servers.includes(name)),
      )
    )
      continue;
    const message =
      'nobody can log in: there is no user in pptp_users who is enabled and may call it';
    problems.push({ severity: 'warning', ...inNetwork(name), message });
  }
}

/** Who shall decide on logins has to be there. */
export function checkAccounts(
  servers: readonly ServerOptions[],
  radius: readonly RadiusOptions[],
  problems: Problem[],
): void {
  if (radius.some(({ roles }) => roles.includes('auth'))) return;
  for (const { name, accounts } of servers)
    if (accounts.includes('radius'))
      complainer(problems, inNetwork(name), 'warning')(
        'accounts',
        accounts.join(' '),
        'there is no RADIUS server for logins (pptp_radius: config radius with role auth)',
      );
}

/** What does not fit is left out of the answer, and nobody would see why. */
export function checkInform(
  servers: readonly ServerOptions[],
  users: readonly User[],
  problems: Problem[],
): void {
  const fits = (server: ServerOptions, user?: User) =>
    fitsAnswer(informOf(server, user, server.dns));
  const what =
    'with domain, more than an answer to DHCPINFORM has room for: callers miss some of it';
  const crowded = servers.filter((server) => !fits(server));
  for (const { name, clientRoutes } of crowded)
    complainer(problems, inNetwork(name), 'warning')(
      'client_route',
      clientRoutes.map(formatPrefix).join(' '),
      what,
    );
  const roomy = servers.filter((server) => !crowded.includes(server));
  for (const user of users)
    if (roomy.some((server) => !fits(server, user)))
      complainer(problems, inUsers(user.section), 'warning')(
        'client_route',
        user.clientRoutes.map(formatPrefix).join(' '),
        what,
      );
}

/** @param known names of servers, also of those that are switched off or have faults */
export function checkUsers(
  users: readonly User[],
  servers: readonly ServerOptions[],
  known: ReadonlySet<string>,
  problems: Problem[],
): void {
  const username = claims();
  const fixed = claims();
  const password = claims();
  for (const { section, username: name, secret, address, routes, servers: names } of users) {
    const complain = complainer(problems, inUsers(section));
    let other = username(name, section);
    if (other !== undefined)
      complain('username', name, `is also the name of user section '${other}'`, inUsers(other));
    for (const route of routes) {
      const server = servers.find(
        ({ network: { address: own, length } }) =>
          route.length >= length && prefixContains(prefixOf(own, length), route.address),
      );
      if (server !== undefined)
        complain(
          'route',
          formatPrefix(route),
          `is in the network of server '${server.name}'`,
          inNetwork(server.name),
        );
    }
    const impossible = address === undefined ? undefined : addressFault(address);
    if (address !== undefined && impossible !== undefined)
      complain('ipaddr', formatAddress(address), impossible);
    if (address !== undefined) {
      other = fixed(address, section);
      if (other !== undefined)
        complain(
          'ipaddr',
          formatAddress(address),
          `is also the address of user section '${other}'`,
          inUsers(other),
        );
      const server = servers.find(({ localAddress }) => localAddress === address);
      if (server !== undefined)
        complain(
          'ipaddr',
          formatAddress(address),
          `is the address of server '${server.name}'`,
          inNetwork(server.name),
        );
    }
    const warn = complainer(problems, inUsers(section), 'warning');
    // Whose it is stays untold: who reads the log would know a password.
    if (password(toHex(secret.ntHash), section) !== undefined)
      warn(
        'password',
        undefined,
        'another user has the same password: whoever knows one can log in as both',
      );
    for (const unknown of names.filter((word) => !known.has(word)))
      warn('server', unknown, 'there is no such server');
  }
  for (const user of users) checkSecurity(user, servers, problems);
}

/** From the weakest. */
const policies = ['off', 'optional', 'required'] as const;

/** What a user's own login methods and encryption are on the servers that he may call. */
function checkSecurity(
  { section, servers: names, auth, mppe }: User,
  servers: readonly ServerOptions[],
  problems: Problem[],
): void {
  if (auth.length === 0 && mppe === undefined) return;
  const warn = complainer(problems, inUsers(section), 'warning');
  for (const server of servers) {
    const { name } = server;
    if (names.length > 0 && !names.includes(name)) continue;
    const methods = server.auth.filter((method) => auth.length === 0 || auth.includes(method));
    const policy = mppe ?? server.mppe.policy;
    if (methods.length === 0)
      warn('auth', auth.join(' '), `server '${name}' allows none of these: no login there`);
    else if (policy === 'required' && giveNoKeys(methods))
      warn('auth', auth.join(' '), `server '${name}': no keys for the encryption that is required`);
    if (policies.indexOf(policy) < policies.indexOf(server.mppe.policy))
      warn(
        'mppe',
        policy,
        `weaker than server '${name}' has it (${server.mppe.policy}): this user's traffic may pass unencrypted`,
      );
  }
}
