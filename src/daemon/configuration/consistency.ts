/** Faults that show only when sections are seen together. */
import type { ClientLinkOptions, ServerOptions, User } from '../../session/options.ts';
import { formatAddress, prefixRange, type AddressRange } from '../../wire/ip.ts';
import type { Place, Problem } from './problems.ts';

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
      against: { file: 'network', section: other },
    });
  }
}

export function checkServers(servers: readonly ServerOptions[], problems: Problem[]): void {
  const complain = (
    section: string,
    option: string,
    value: string,
    message: string,
    other: string,
  ) => {
    const against = other === section ? {} : { against: { file: 'network', section: other } };
    problems.push({
      severity: 'error',
      file: 'network',
      section,
      option,
      value,
      message,
      ...against,
    });
  };
  const address = claims();
  const everywhere = claims();
  const somewhere = claims();
  for (const { name, localAddress, port, listen } of servers) {
    let other = address(localAddress, name);
    if (other !== undefined)
      complain(
        name,
        'localip',
        formatAddress(localAddress),
        `the address is also that of server '${other}'`,
        other,
      );
    if (listen.length === 0) {
      other = everywhere(port, name);
      if (other !== undefined)
        complain(
          name,
          'listen',
          '',
          `server '${other}' listens everywhere on port ${port} too: say what each listens on`,
          other,
        );
    }
    for (const device of listen) {
      other = somewhere(`${port} ${device}`, name);
      if (other !== undefined)
        complain(
          name,
          'listen',
          device,
          other === name ? 'is there twice' : `server '${other}' listens there on port ${port} too`,
          other,
        );
    }
  }
  servers.forEach((server, i) => {
    const other = servers
      .slice(0, i)
      .find((before) => overlap(addresses(server), addresses(before)));
    if (other === undefined) return;
    problems.push({
      severity: 'error',
      file: 'network',
      section: server.name,
      option: server.proxyArp ? 'range' : 'network',
      message: `shares addresses with server '${other.name}'`,
      against: { file: 'network', section: other.name },
    });
  });
}

/** All addresses that lead to a server's device. */
function addresses({ network, pool }: ServerOptions): readonly AddressRange[] {
  return network.length === 32 ? pool : [prefixRange(network)];
}

function overlap(some: readonly AddressRange[], others: readonly AddressRange[]): boolean {
  return some.some((a) => others.some((b) => a.first <= b.last && b.first <= a.last));
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
  for (const { section, username: name, address, servers: names } of users) {
    const complain = (option: string, value: string, message: string, against: Place) =>
      problems.push({
        severity: 'error',
        file: 'pptp_users',
        section,
        option,
        value,
        message,
        against,
      });
    let other = username(name, section);
    if (other !== undefined)
      complain('username', name, `is also the name of user section '${other}'`, {
        file: 'pptp_users',
        section: other,
      });
    if (address !== undefined) {
      other = fixed(address, section);
      if (other !== undefined)
        complain(
          'ipaddr',
          formatAddress(address),
          `is also the address of user section '${other}'`,
          { file: 'pptp_users', section: other },
        );
      const server = servers.find(({ localAddress }) => localAddress === address);
      if (server !== undefined)
        complain('ipaddr', formatAddress(address), `is the address of server '${server.name}'`, {
          file: 'network',
          section: server.name,
        });
    }
    for (const unknown of names.filter((word) => !known.has(word))) {
      problems.push({
        severity: 'warning',
        file: 'pptp_users',
        section,
        option: 'server',
        value: unknown,
        message: 'there is no such server',
      });
    }
  }
}
