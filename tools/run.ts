/**
 * `make run`: a server from the example configuration in the foreground, with a user and a password made up for this run,
 * and what to type into Windows. Ctrl-C ends it and removes its files.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const program = join(root, 'dist/pptp-gateway.js');
const PASSWORD_LENGTH = 20; // of 57 characters: 116 bits, more than MS-CHAPv2 is worth
const alphabet = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'; // no 0 O, 1 l I

const username = `user-${word(4)}`;
const password = word(PASSWORD_LENGTH);
const dir = mkdtempSync(join(tmpdir(), 'pptp-run-')); // 0700
const socket = join(dir, 'ubus.sock');
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));

for (const file of ['network', 'pptp'])
  writeFileSync(join(dir, file), readFileSync(join(root, 'examples', file)), { mode: 0o600 });
const users = readFileSync(join(root, 'examples/pptp_users'), 'utf8');
writeFileSync(
  join(dir, 'pptp_users'),
  filledIn(users, [
    ["\toption enabled '0'\n", ''],
    ["option username 'anna'", `option username '${username}'`],
    ["option password 'CHANGE-ME'", `option password '${password}'`],
  ]),
  { mode: 0o600 },
);
process.stdout.write(`${instructions()}\n`);

const daemon = spawn(process.execPath, [program, 'run', '--config-dir', dir, '--socket', socket], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the daemon too; it does not mind a second one. SIGHUP would make it read its files again.
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    stopping = true;
    daemon.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  });
daemon.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
daemon.once('exit', (code) => process.exit(code ?? (stopping ? 0 : 1)));

function word(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Each placeholder is there exactly once, or the example has changed. */
function filledIn(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((filled, [placeholder, value]) => {
    const [before, after, ...more] = filled.split(placeholder);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`examples/pptp_users: expected once: ${placeholder.trim()}`);
    return before + value + after;
  }, text);
}

function instructions(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([device, entries]) =>
    (entries ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => ({ device, address })),
  );
  const server = addresses[0]?.address ?? 'ADDRESS-OF-THIS-MACHINE';
  return `A PPTP server for this run only. Callers get addresses of 192.168.99.0/24; the server is 192.168.99.1 in there.

  address      ${addresses.map(({ device, address }) => `${address} (${device})`).join(', ') || 'none: this machine has no IPv4 address'}
  user name    ${username}
  password     ${password}

Windows, with the mouse: Settings > Network & internet > VPN > Add VPN
  VPN provider                Windows (built-in)
  Connection name             pptp-gateway
  Server name or address      ${server}
  VPN type                    Point to Point Tunneling Protocol (PPTP)
  Type of sign-in info        User name and password
  User name, password         as above; then Save, and Connect

Windows, in PowerShell:
  Add-VpnConnection -Name pptp-gateway -ServerAddress ${server} -TunnelType Pptp -AuthenticationMethod MSChapv2 -EncryptionLevel Required -SplitTunneling
  rasdial pptp-gateway ${username} ${password}

With -SplitTunneling only 192.168.99.0/24 goes through the tunnel; without it, everything (this machine must then forward:
sysctl -w net.ipv4.ip_forward=1). A firewall on the way must let TCP 1723 and GRE (IP protocol 47) pass.

See who is there:  ${process.execPath} ${program} status --socket ${socket}
Stop:              Ctrl-C
`;
}
