/** `pptp-gateway import pptpd`: reads the files of pptpd and pppd, adds to ours. Works without the daemon. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorText } from '../../platform/errors.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { importPptpd, type Imported } from '../import/pptpd.ts';
import { files } from '../configuration/configuration.ts';
import { printable } from '../printable.ts';
import type { Arguments } from './arguments.ts';

/** @throws Fatal when a file cannot be read or written; those before it are written, and the next time goes on there */
export function importFrom({ operands: [what = ''], configDir }: Arguments): ExitCode {
  if (what !== 'pptpd') throw new Fatal(ExitCode.Usage, `import: expected pptpd, not '${what}'`);
  const pptpd = read(join(configDir, 'pptpd'));
  /** A path of pptpd's files: its /etc is the folder that ours is in. */
  const readEtc = (path: string) => {
    const here = path.startsWith('/etc/') ? join(configDir, '..', path.slice(5)) : path;
    return pptpd !== undefined && isMade(here) ? undefined : read(here, ['ENOENT', 'EISDIR']);
  };
  if (pptpd === undefined && readEtc('/etc/pptpd.conf') === undefined) {
    print(
      `nothing to import: there is no file ${join(configDir, 'pptpd')}, and no ${join(configDir, '../pptpd.conf')}`,
    );
    return ExitCode.Ok;
  }
  const before = Object.fromEntries(files.map((file) => [file, read(join(configDir, file)) ?? '']));
  const { texts, server, users, warnings } = importPptpd(
    { pptpd, read: readEtc, hostname: hostname() },
    before as Imported['texts'],
  );
  for (const line of warnings) print(`warning: ${line}`);
  if (server === undefined) {
    print('pptpd was imported before: nothing to do');
    return ExitCode.Ok;
  }
  // The one with the mark comes last: what breaks off in between is done again.
  for (const file of ['pptp_users', 'network', 'pptp'] as const)
    write(join(configDir, file), texts[file]);
  print(
    `imported: server '${server}', switched off (option disabled in ${join(configDir, 'network')}), and ${users} users`,
  );
  return ExitCode.Ok;
}

const print = (text: string) => process.stdout.write(`${printable(text)}\n`);

/** Made from pptpd's sections by its init script: users that were deleted may still stand there. */
function isMade(path: string): boolean {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink && readlinkSync(path).includes('/var/etc/');
}

/** Octets, one character each. */
function read(path: string, absent: readonly string[] = ['ENOENT']): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (absent.includes(code ?? '')) return undefined;
    throw new Fatal(ExitCode.Failed, message);
  }
}

/** The old file or the new one, whatever happens; with the rights of the old one, or for root alone. */
function write(path: string, text: string): void {
  const mode = (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777;
  const fresh = join(path, `../.${path.slice(path.lastIndexOf('/') + 1)}.pptp-gateway`);
  try {
    rmSync(fresh, { force: true });
    const file = openSync(fresh, 'wx', mode);
    try {
      fchmodSync(file, mode); // whatever the umask
      writeFileSync(file, text, 'latin1');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new Fatal(ExitCode.Failed, errorText(error));
  }
}
