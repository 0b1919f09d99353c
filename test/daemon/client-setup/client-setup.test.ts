/** Files for callers' machines: whose, for which server, and what stands in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientSetup, type ClientSetup } from '../../../src/daemon/client-setup/client-setup.ts';
import { setupFormats, type SetupFormatName } from '../../../src/daemon/client-setup/formats.ts';
import { powerShellText } from '../../../src/daemon/client-setup/powershell.ts';
import { routerOsText } from '../../../src/daemon/client-setup/routeros.ts';
import type { ServerOptions, User } from '../../../src/session/options.ts';
import { parsePrefix } from '../../../src/wire/ip.ts';
import { ip, serverOptions, user } from '../../support/world.ts';

const SECRET = 'secret of anna';
const OFFICE = parsePrefix('10.20.0.0/16')!;
const LAN = parsePrefix('192.168.1.0/24')!;
const home: ServerOptions = {
  ...serverOptions,
  clientRoutes: [OFFICE, LAN],
  domains: ['office.lan', 'example.com'],
};

const made = (
  server: Partial<ServerOptions> = {},
  anna: Partial<User> = {},
  address: string | undefined = 'vpn.example.com',
): ClientSetup => {
  const users = [user('anna', anna)];
  const found = clientSetup(
    { servers: [{ ...home, ...server }], users },
    users[0]!.username,
    undefined,
    address,
  );
  assert.ok(typeof found !== 'string', JSON.stringify(found));
  return found;
};
const unfilled = (): ClientSetup => ({ ...made(), address: undefined });
const formats = Object.keys(setupFormats) as SetupFormatName[];
const text = (format: SetupFormatName, setup: ClientSetup) => setupFormats[format].write(setup);

test('a PowerShell script: MS-CHAPv2, required encryption, split routes, domain, no password', () => {
  assert.equal(
    text('windows', made()),
    [
      '# Makes a VPN connection of Windows 10, 11 or Server, as its user, and replaces one of the same name. Run it by',
      '#   powershell -ExecutionPolicy Bypass -File NAME-OF-THIS-FILE.ps1',
      '# No password is in it: Windows asks for it at the first connection, and keeps it.',
      "$ErrorActionPreference = 'Stop'",
      "$Name = 'PPTP home'",
      "$User = 'anna'",
      "$Server = 'vpn.example.com'",
      'if (Get-VpnConnection -Name $Name -ErrorAction SilentlyContinue) { Remove-VpnConnection -Name $Name -Force }',
      "Add-VpnConnection -Name $Name -ServerAddress $Server -TunnelType Pptp -AuthenticationMethod MSChapv2 -EncryptionLevel Required -SplitTunneling -DnsSuffix 'office.lan' -RememberCredential -Force",
      '# These networks are reached through the tunnel, everything else as before.',
      "foreach ($Network in '10.20.0.0/16', '192.168.1.0/24') {",
      '  Add-VpnConnectionRoute -ConnectionName $Name -DestinationPrefix $Network',
      '}',
      'Write-Host ("Ready: connect to " + $Name + " in the network menu; user name: " + $User)',
      '',
    ].join('\r\n'),
  );
});

test('a key file of NetworkManager', () => {
  assert.equal(
    text('networkmanager', made()).replace(/^#.*\n/gm, ''),
    `[connection]
id=PPTP home
type=vpn
autoconnect=false

[vpn]
service-type=org.freedesktop.NetworkManager.pptp
gateway=vpn.example.com
user=anna
password-flags=1
refuse-eap=yes
refuse-pap=yes
refuse-chap=yes
refuse-mschap=yes
require-mppe=yes
require-mppe-128=yes

[ipv4]
method=auto
never-default=true
route1=10.20.0.0/16
route2=192.168.1.0/24
dns-search=office.lan;example.com;

[ipv6]
method=disabled
`,
  );
});

test('commands of RouterOS', () => {
  assert.equal(
    text('routeros', made()).replace(/^#.*\n/gm, ''),
    `/ppp profile add name="PPTP home" use-encryption=required use-compression=no change-tcp-mss=yes
/interface pptp-client add name="PPTP home" connect-to="vpn.example.com" user="anna" profile="PPTP home" allow=mschap2 add-default-route=no disabled=yes
/ip route add dst-address=10.20.0.0/16 gateway="PPTP home"
/ip route add dst-address=192.168.1.0/24 gateway="PPTP home"
/ip dns static add type=FWD name="office.lan" match-subdomain=yes forward-to=192.168.99.1
/ip dns static add type=FWD name="example.com" match-subdomain=yes forward-to=192.168.99.1
`,
  );
});

test("a user's own networks and domain stand in place of the server's", () => {
  const setup = made({}, { clientRoutes: [LAN], domains: ['lab.lan'] });
  assert.deepEqual([setup.routes, setup.domains], [[LAN], ['lab.lan']]);
});

test('without networks everything goes through the tunnel', () => {
  const setup = made({ clientRoutes: [], domains: [] });
  assert.doesNotMatch(text('windows', setup), /Split|VpnConnectionRoute|DnsSuffix/);
  assert.doesNotMatch(text('networkmanager', setup), /never-default|route1|dns-search/);
  assert.match(text('routeros', setup), /add-default-route=yes/);
  assert.doesNotMatch(text('routeros', setup), /ip route|ip dns/);
});

test('without an address there is a place for it, which is marked', () => {
  for (const format of formats) {
    const found = text(format, unfilled());
    assert.match(found, /fill in/i);
    assert.match(found, /ADDRESS-OF-THIS-ROUTER/);
  }
  assert.match(text('windows', unfilled()), /throw/);
});

test('no password, whatever kind of user it is', () => {
  for (const format of formats) assert.ok(!text(format, made()).includes(SECRET));
});

test('what is impossible is said', () => {
  const servers = [home, { ...home, name: 'lab' }];
  const say = (
    username: string,
    server?: string,
    from: readonly ServerOptions[] = servers,
    more: Partial<User> = {},
  ) => clientSetup({ servers: from, users: [user('anna', more)] }, username, server, undefined);
  assert.equal(say('anna'), "'anna' may call several servers: name one of home, lab");
  assert.equal((say('anna', 'lab') as ClientSetup).name, 'PPTP lab');
  assert.equal(say('anna', 'other'), "'anna' may call home, lab, not 'other'");
  assert.equal(
    (say('anna', undefined, servers, { servers: ['lab'] }) as ClientSetup).server,
    'lab',
  );
  assert.equal(
    say('anna', 'home', servers, { servers: ['lab'] }),
    "'anna' may call lab, not 'home'",
  );
  assert.equal(
    say('anna', undefined, servers, { servers: ['gone'] }),
    "there is no server that 'anna' may call",
  );
  assert.equal(say('bert'), "there is no user 'bert', and no server that asks RADIUS");
  assert.equal(
    (say('bert', undefined, [home, { ...home, name: 'lab', accounts: ['radius'] }]) as ClientSetup)
      .server,
    'lab',
  );
  assert.match(say('anna', undefined, [{ ...home, auth: ['eap'] }]) as string, /MS-CHAPv2/);
  const mppe = { ...home.mppe, policy: 'off' } as const;
  assert.match(say('anna', undefined, [{ ...home, mppe }]) as string, /no encryption/);
  const other = say('anna', undefined, [{ ...home, port: 1724 }]) as ClientSetup;
  for (const format of formats)
    assert.match(text(format, other), /# The server listens on TCP port 1724/);
  const weak = { ...home.mppe, strengths: [40] } as const;
  assert.doesNotMatch(text('networkmanager', made({ mppe: weak })), /mppe-128/);
});

/** As PowerShell reads a string in single quotes (about_Quoting_Rules; the typographic ones are taken for the same), and a sum. */
function readPowerShell(expression: string): string {
  let rest = expression.replace(/^\((.*)\)$/s, '$1');
  let value = '';
  for (;;) {
    const quoted = /^['‘’‚‛]((?:[^'‘’‚‛]|['‘’‚‛]{2})*)['‘’‚‛]/.exec(rest);
    const character = /^\[char\]0x([0-9a-f]{1,4})/.exec(rest);
    const found = quoted ?? character;
    assert.ok(found !== null, `not an expression: ${rest}`);
    value +=
      quoted === null
        ? String.fromCharCode(parseInt(character![1]!, 16))
        : quoted[1]!.replace(/(['‘’‚‛])['‘’‚‛]/g, '$1');
    rest = rest.slice(found[0].length);
    if (rest === '') return value;
    assert.ok(rest.startsWith(' + '), rest);
    rest = rest.slice(3);
  }
}

/** As RouterOS reads a string (its manual, "Strings"): \ and two hexadecimal digits, or a letter; $ begins a variable. */
function readRouterOs(expression: string): string {
  const [, inner] = /^"((?:[^"\\$?]|\\[0-9A-F]{2})*)"$/.exec(expression) ?? [];
  assert.ok(inner !== undefined, `not a string: ${expression}`);
  const octets = inner.replace(/\\([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(octets, 'latin1').toString('utf8');
}

/** Names as hostile as they come: quotes of all kinds, what begins something in one of the three, other scripts, emoji. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc
    .array(
      fc.constantFrom(
        ...["'", '"', '‘', '’', '‚', '‛', '“', '`', '$', '$(', ')', ';', '\\', '#', '[char]0x41'],
        ...[
          '&',
          '|',
          '\u2028',
          '\u202e',
          '\u0085',
          'é',
          '漢',
          '🙂',
          ' ',
          '?',
          '%',
          '{',
          '}',
          '=',
          'a',
        ],
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

test('any text is written so that PowerShell and RouterOS read the same', () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const [shell, mikrotik] = [powerShellText(name), routerOsText(name)];
      for (const written of [shell, mikrotik]) assert.match(written, /^[ -~]*$/);
      assert.equal(readPowerShell(shell), name);
      if (!/\p{Surrogate}/u.test(name)) assert.equal(readRouterOs(mikrotik), name);
    }),
    { numRuns: 2000 },
  );
});

test('a hostile name changes nothing but itself: every line is the one that a plain name has', () => {
  fc.assert(
    fc.property(hostile, (username) => {
      const plain = made();
      const evil: ClientSetup = { ...plain, username, name: `PPTP ${username}` };
      const without = (format: SetupFormatName, setup: ClientSetup) =>
        format === 'windows'
          ? text(format, setup)
              .replaceAll(powerShellText(setup.name), 'NAME')
              .replace(powerShellText(setup.username), 'USER')
          : text(format, setup)
              .replaceAll(routerOsText(setup.name), 'NAME')
              .replace(`user=${routerOsText(setup.username)}`, 'USER');
      for (const format of ['windows', 'routeros'] as const)
        assert.equal(without(format, evil), without(format, plain));
      assert.equal(ip('192.168.99.1'), plain.dns[0]);
    }),
  );
});
