/** `pptp-gateway import pptpd`: reads the files of pptpd and pppd, adds to ours. Works without the daemon. */
import { files, host } from '../../platform/platform.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { importPptpd, writtenFiles, type Imported } from '../import/pptpd.ts';
import { printable } from '../printable.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { ownNetworks } from './own-networks.ts';
import { read, writeAll } from './text-files.ts';
import { usageError } from './words.ts';

/** @throws Fatal when a file cannot be read or written: none is changed */
export function importFrom(
  { operands: [what = ''], configDir }: Arguments,
  answer: Answer,
): ExitCode {
  const print = (text: string) => answer.say(printable(text));
  if (what !== 'pptpd') throw usageError(`import: expected pptpd, not '${what}'`);
  const pptpd = read(files.join(configDir, 'pptpd'));
  /** A path of pptpd's files: its /etc is the folder that ours is in. */
  const readEtc = (path: string) => {
    const here = path.startsWith('/etc/') ? files.join(configDir, '..', path.slice(5)) : path;
    return pptpd !== undefined && isMade(here) ? undefined : read(here, ['ENOENT', 'EISDIR']);
  };
  if (pptpd === undefined && readEtc('/etc/pptpd.conf') === undefined)
    throw new Fatal(
      ExitCode.NotFound,
      `nothing to import: there is no file ${files.join(configDir, 'pptpd')}, and no ${files.join(configDir, '../pptpd.conf')}`,
    );
  const before = Object.fromEntries(
    writtenFiles.map((file) => [file, read(files.join(configDir, file)) ?? '']),
  );
  const { texts, server, users, warnings } = importPptpd(
    {
      pptpd,
      read: readEtc,
      hostname: host.name(),
      networks: pptpd === undefined ? ownNetworks() : [],
    },
    before as Imported['texts'],
  );
  answer.give({ imported: server !== undefined, server, users, warnings });
  for (const line of warnings) print(`warning: ${line}`);
  if (server === undefined) {
    print('pptpd was imported before: nothing to do');
    return ExitCode.Ok;
  }
  // The one with the mark comes last: what breaks off in between is done again.
  const order = ['pptp_users', 'network', 'pptp'] as const;
  writeAll(order.map((file) => [files.join(configDir, file), texts[file]] as const));
  print(
    `imported: server '${server}', switched off (option disabled in ${files.join(configDir, 'network')}), and ${users} users`,
  );
  return ExitCode.Ok;
}

/** Made from pptpd's sections by its init script: users that were deleted may still stand there. */
function isMade(path: string): boolean {
  return files.entry(path)?.kind === 'link' && files.linkTarget(path).includes('/var/etc/');
}
