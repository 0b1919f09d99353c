/** `pptp-gateway import pptpd`: reads the files of pptpd, adds to ours. Works without the daemon. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { importPptpd, type Imported } from '../import/pptpd.ts';
import { files } from '../configuration/configuration.ts';
import { printable } from '../printable.ts';
import type { Arguments } from './arguments.ts';

/** @throws Fatal when a file cannot be read or written; those before it are written, and the next time goes on there */
export function importFrom({ operands: [what = ''], configDir }: Arguments): ExitCode {
  if (what !== 'pptpd') throw new Fatal(ExitCode.Usage, `import: expected pptpd, not '${what}'`);
  const pptpd = read(join(configDir, 'pptpd'));
  if (pptpd === undefined) {
    print(`nothing to import: there is no file ${join(configDir, 'pptpd')}`);
    return ExitCode.Ok;
  }
  const before = Object.fromEntries(files.map((file) => [file, read(join(configDir, file)) ?? '']));
  const { texts, server, users, warnings } = importPptpd(
    {
      pptpd,
      options: read(join(configDir, '../ppp/options.pptpd')),
      chapSecrets: read(join(configDir, '../ppp/chap-secrets')),
    },
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

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
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
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new Fatal(ExitCode.Failed, error instanceof Error ? error.message : String(error));
  }
}
