/** A connection of NetworkManager with its plug-in for PPTP: a key file as nm-settings-keyfile(5) has it. */
import { formatPrefix } from '../../wire/ip.ts';
import { ADDRESS_TO_FILL_IN, type ClientSetup } from './client-setup.ts';

/** A value of a key file: GLib's escapes; blanks at its ends would not be part of it. */
export function keyFileText(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
  };
  return text
    .replace(/[\\\n\r\t]/g, (character) => escapes[character]!)
    .replace(/^ +| +$/g, (blanks) => '\\s'.repeat(blanks.length));
}

export function networkManagerFile(setup: ClientSetup): string {
  const { name, address, username, routes, domains, strong, remarks } = setup;
  const lines = [
    '# A connection for NetworkManager with its plug-in for PPTP (package network-manager-pptp). As root:',
    '#   install -m 600 FILE /etc/NetworkManager/system-connections/',
    '#   nmcli connection reload',
    '# No password is in it: the desktop asks for it and keeps it; "nmcli --ask connection up" asks, too.',
    ...remarks.map((remark) => `# ${remark}`),
    '[connection]',
    `id=${keyFileText(name)}`,
    'type=vpn',
    'autoconnect=false',
    '',
    '[vpn]',
    'service-type=org.freedesktop.NetworkManager.pptp',
    ...(address === undefined
      ? ['# Fill in the name or address under which the router is reached from outside:']
      : []),
    `gateway=${keyFileText(address ?? ADDRESS_TO_FILL_IN)}`,
    `user=${keyFileText(username)}`,
    'password-flags=1',
    ...['eap', 'pap', 'chap', 'mschap'].map((method) => `refuse-${method}=yes`),
    'require-mppe=yes',
    ...(strong ? ['require-mppe-128=yes'] : []),
    '',
    '[ipv4]',
    'method=auto',
    ...(routes.length === 0
      ? ['# Everything goes through the tunnel.']
      : [
          '# These networks are reached through the tunnel, everything else as before.',
          'never-default=true',
        ]),
    ...routes.map((route, n) => `route${n + 1}=${formatPrefix(route)}`),
    ...(domains.length === 0
      ? []
      : [`dns-search=${domains.map((domain) => `${domain};`).join('')}`]),
    '',
    '[ipv6]',
    'method=disabled',
  ];
  return `${lines.join('\n')}\n`;
}
