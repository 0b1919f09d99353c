/** The configuration as it stands in a folder of UCI files. */
import { errorCode, errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import { stockClientInstalled } from '../../router/stock-client.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { parseConfiguration, uciFiles, type Configuration } from './configuration.ts';
import type { Problem } from './problems.ts';

/**
 * @param leaveOut sections with errors, as long as something else is left to run; what was in force of them `before` stays
 * @throws ConfigError, or Fatal where there is nothing to read
 */
export function readConfiguration(
  dir: string,
  {
    leaveOut = false,
    before,
  }: { readonly leaveOut?: boolean; readonly before?: Configuration } = {},
): Configuration {
  const texts: Partial<Record<(typeof uciFiles)[number], string>> = {};
  for (const file of uciFiles) {
    try {
      texts[file] = files.text(files.join(dir, file));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw new Fatal(ExitCode.Configuration, errorText(error));
    }
  }
  if (texts.network === undefined)
    throw new Fatal(
      ExitCode.Configuration,
      `there is no file ${files.join(dir, 'network')}: see --config-dir`,
    );
  return parseConfiguration(texts, {
    stockClient: stockClientInstalled(),
    leaveOut,
    before,
    folder: dir,
  });
}

/** Files with passwords that others than their owner can read. */
export function openSecrets(dir: string, { links, users, radius }: Configuration): Problem[] {
  const secret = [
    ...(links.length > 0 ? ['network'] : []),
    ...(users.length > 0 ? ['pptp_users'] : []),
    ...(radius.length > 0 ? ['pptp_radius'] : []),
  ];
  return secret.flatMap((file) => {
    const path = files.join(dir, file);
    const mode = files.exists(path) ? files.status(path).mode : 0;
    if ((mode & 0o077) === 0) return [];
    const message = `there are passwords in it, and others can read it (mode ${mode.toString(8)}): chmod 600 ${path}`;
    return [{ severity: 'warning', file, path, message }];
  });
}
