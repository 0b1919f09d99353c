/** The programs that the interop tests use, on this machine and in the guests, and the Debian packages they come in. */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

/** What every Debian has (dash, coreutils, grep, util-linux, mount) is left out. */
const packages = {
  '/usr/bin/linux.uml': 'user-mode-linux',
  '/usr/sbin/pppd': 'ppp',
  '/usr/sbin/pptpd': 'pptpd',
  '/usr/sbin/pptp': 'pptp-linux',
  '/usr/sbin/ip': 'iproute2',
  '/usr/sbin/insmod': 'kmod',
  '/usr/bin/pgrep': 'procps',
  '/usr/bin/ping': 'iputils-ping',
  '/usr/bin/nc': 'netcat-openbsd',
  '/usr/bin/openssl': 'openssl',
  '/usr/sbin/radvd': 'radvd',
  '/usr/sbin/kea-dhcp6': 'kea-dhcp6-server',
  '/usr/sbin/dhcpcd': 'dhcpcd-base',
};

/** A root file system with Debian 13's pptpd, pptp-linux, pppd and FreeRADIUS; throws, with what to do, where there is none. */
export function debian13Root(): string {
  const root = resolve(import.meta.dirname, '../../node_modules/.cache/debian-13');
  if (!isProgram(`${root}/usr/sbin/freeradius`))
    throw new Error(`${root} is missing: tools/setup.sh test makes it`);
  return root;
}

/** Throws, with what to do, when the tests cannot run here. */
export function assertEquipped(): void {
  if (process.getuid?.() !== 0) throw new Error('the interop tests must run as root');
  const missing = Object.entries(packages).filter(([path]) => !isProgram(path));
  if (missing.length > 0) {
    const names = missing.map(([, name]) => name).join(' ');
    throw new Error(`the interop tests need programs that are not here: apt-get install ${names}`);
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
