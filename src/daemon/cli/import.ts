/** `pptp-gateway import pptpd`: reads the files of pptpd and pppd, adds to ours. Works without the daemon. */
import { errorCode, errorText } from '../../platform/errors.ts';
import { files, host, program } from '../../platform/platform.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { importPptpd, type Imported } from '../import/pptpd.ts';
import { uciFiles } from '../configuration/configuration.ts';
import { printable } from '../printable.ts';
import type { Arguments } from './arguments.ts';

/** @throws Fatal when a file cannot be read or written; those before it are written, and the next time goes on there */
export function importFrom({ operands: [what = ''], configDir }: Arguments): ExitCode {
  if (what !== 'pptpd') throw new Fatal(ExitCode.Usage, `import: expected pptpd, not '${what}'`);
  const pptpd = read(files.join(configDir, 'pptpd'));
  /** A path of pptpd's files: its /etc is the folder that ours is in. */
  const readEtc = (path: string) => {
    const here = path.startsWith('/etc/') ? files.join(configDir, '..', path.slice(5)) : path;
    return pptpd !== undefined && isMade(here) ? undefined : read(here, ['ENOENT', 'EISDIR']);
  };
  if (pptpd === undefined && readEtc('/etc/pptpd.conf') === undefined) {
    print(
      `nothing to import: there is no file ${files.join(configDir, 'pptpd')}, and no ${files.join(configDir, '../pptpd.conf')}`,
    );
    return ExitCode.Ok;
  }
  const before = Object.fromEntries(
    uciFiles.map((file) => [file, read(files.join(configDir, file)) ?? '']),
  );
  const { texts, server, users, warnings } = importPptpd(
    { pptpd, read: readEtc, hostname: host.name() },
    before as Imported['texts'],
  );
  for (const line of warnings) print(`warning: ${line}`);
  if (server === undefined) {
    print('pptpd was imported before: nothing to do');
    return ExitCode.Ok;
  }
  // The one with the mark comes last: what breaks off in between is done again.
  for (const file of ['pptp_users', 'network', 'pptp'] as const)
    write(files.join(configDir, file), texts[file]);
  print(
    `imported: server '${server}', switched off (option disabled in ${files.join(configDir, 'network')}), and ${users} users`,
  );
  return ExitCode.Ok;
}

const print = (text: string) => program.print(`${printable(text)}\n`);

/** Made from pptpd's sections by its init script: users that were deleted may still stand there. */
function isMade(path: string): boolean {
  return files.entry(path)?.kind === 'link' && files.linkTarget(path).includes('/var/etc/');
}

/** Octets, one character each. */
function read(path: string, absent: readonly string[] = ['ENOENT']): string | undefined {
  try {
    return files.text(path, 'latin1');
  } catch (error) {
    if (absent.includes(errorCode(error) ?? '')) return undefined;
    throw new Fatal(ExitCode.Failed, errorText(error));
  }
}

/** With the rights of the old one, or for root alone. */
function write(path: string, text: string): void {
  const mode = files.exists(path) ? files.status(path).mode : 0o600;
  try {
    files.replace(path, text, { mode, encoding: 'latin1', lasting: true });
  } catch (error) {
    throw new Fatal(ExitCode.Failed, errorText(error));
  }
}
