/** Commands for MikroTik's RouterOS 7. */
import { formatAddress, formatPrefix } from '../../wire/ip.ts';
import { ADDRESS_TO_FILL_IN, type ClientSetup } from './client-setup.ts';

/** A text in double quotes, where \ and $ mean something, and in old versions ?: all but the plainest is written as octets. */
export function routerOsText(text: string): string {
  const octets = [...new TextEncoder().encode(text)];
  const written = octets.map((octet) => {
    const character = String.fromCharCode(octet);
    return /[A-Za-z0-9 ._@/-]/.test(character)
      ? character
      : `\\${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `"${written.join('')}"`;
}

export function routerOsScript(setup: ClientSetup): string {
  const { address, username, routes, domains, dns, remarks } = setup;
  const name = routerOsText(setup.name);
  const [server] = dns;
  const lines = [
    '# For the terminal of RouterOS 7, or: /import FILE. No password is in it, and the connection is off: give it one and switch it on by',
    `#   /interface pptp-client set [find name=${name}] password="..." disabled=no`,
    ...remarks.map((remark) => `# ${remark}`),
    ...(address === undefined
      ? [`# Fill in how the router is reached from outside in place of ${ADDRESS_TO_FILL_IN}.`]
      : []),
    `/ppp profile add name=${name} use-encryption=required use-compression=no change-tcp-mss=yes`,
    `/interface pptp-client add name=${name} connect-to=${routerOsText(address ?? ADDRESS_TO_FILL_IN)} user=${routerOsText(username)} profile=${name} allow=mschap2 add-default-route=${routes.length === 0 ? 'yes' : 'no'} disabled=yes`,
    ...routes.map((route) => `/ip route add dst-address=${formatPrefix(route)} gateway=${name}`),
    ...(server === undefined
      ? []
      : domains.map(
          (domain) =>
            `/ip dns static add type=FWD name=${routerOsText(domain)} match-subdomain=yes forward-to=${formatAddress(server)}`,
        )),
  ];
  return `${lines.join('\n')}\n`;
}
