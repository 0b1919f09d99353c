/** The programs that the interop tests use, on this machine and in the guests, and the Debian packages they come in. */
import { accessSync, constants } from 'node:fs';

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
};

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
