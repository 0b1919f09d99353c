/** A script for Windows PowerShell 5.1 and newer. All of it is ASCII, so that no code page changes its meaning. */
import { formatPrefix } from '../../wire/ip.ts';
import { ADDRESS_TO_FILL_IN, type ClientSetup } from './client-setup.ts';

/**
 * A text as an expression of PowerShell. Within single quotes only the quote itself means something, and four typographic ones that
 * are taken for it; like all that is not printable ASCII they are written as numbers.
 */
export function powerShellText(text: string): string {
  const parts = text.match(/[ -~]+|[^ -~]/g) ?? [''];
  // Without the u: characters of UTF-16, as .NET has them.
  const written = parts.map((part) =>
    /^[ -~]/.test(part)
      ? `'${part.replaceAll("'", "''")}'`
      : `[char]0x${part.charCodeAt(0).toString(16)}`,
  );
  if (written.length === 1 && written[0]!.startsWith("'")) return written[0]!;
  // What stands first decides what + means.
  return `(${["''", ...written].join(' + ')})`;
}

export function powerShellScript(setup: ClientSetup): string {
  const { name, address, username, routes, domains, remarks } = setup;
  const [domain] = domains;
  const words = [
    '-TunnelType Pptp -AuthenticationMethod MSChapv2 -EncryptionLevel Required',
    ...(routes.length === 0 ? [] : ['-SplitTunneling']),
    ...(domain === undefined ? [] : [`-DnsSuffix ${powerShellText(domain)}`]),
    '-RememberCredential -Force',
  ];
  const lines = [
    '# Makes a VPN connection of Windows 10, 11 or Server, as its user, and replaces one of the same name. Run it by',
    '#   powershell -ExecutionPolicy Bypass -File NAME-OF-THIS-FILE.ps1',
    '# No password is in it: Windows asks for it at the first connection, and keeps it.',
    ...remarks.map((remark) => `# ${remark}`),
    "$ErrorActionPreference = 'Stop'",
    `$Name = ${powerShellText(name)}`,
    `$User = ${powerShellText(username)}`,
    ...(address === undefined
      ? [
          '# Fill in the name or address under which the router is reached from outside:',
          `$Server = '${ADDRESS_TO_FILL_IN}'`,
          `if ($Server -eq '${ADDRESS_TO_FILL_IN}') { throw 'Fill in the address of the router in this file first: $Server' }`,
        ]
      : [`$Server = ${powerShellText(address)}`]),
    'if (Get-VpnConnection -Name $Name -ErrorAction SilentlyContinue) { Remove-VpnConnection -Name $Name -Force }',
    `Add-VpnConnection -Name $Name -ServerAddress $Server ${words.join(' ')}`,
    ...(routes.length === 0
      ? ['# Everything goes through the tunnel.']
      : [
          '# These networks are reached through the tunnel, everything else as before.',
          `foreach ($Network in ${routes.map((route) => powerShellText(formatPrefix(route))).join(', ')}) {`,
          '  Add-VpnConnectionRoute -ConnectionName $Name -DestinationPrefix $Network',
          '}',
        ]),
    'Write-Host ("Ready: connect to " + $Name + " in the network menu; user name: " + $User)',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
