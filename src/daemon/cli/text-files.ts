/** Files of the configuration as commands read and write them: texts of octets, one character each. */
import { errorCode, errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';

/** @throws Fatal */
export function read(path: string, absent: readonly string[] = ['ENOENT']): string | undefined {
  try {
    return files.text(path, 'latin1');
  } catch (error) {
    if (absent.includes(errorCode(error) ?? '')) return undefined;
    throw new Fatal(ExitCode.Failed, errorText(error));
  }
}

/**
 * All of them, in this order, or none: what a full disk refuses it refuses before the first one is changed. Each with the
 * rights of the old file, or for root alone.
 * @throws Fatal
 */
export function writeAll(texts: readonly (readonly [path: string, text: string])[]): void {
  const folder = files.folderOf(texts[0]?.[0] ?? '');
  try {
    files.makeFolder(folder);
    files.replaceAll(
      texts.map(([path, text]) => {
        const mode = files.exists(path) ? files.status(path).mode : 0o600;
        return { path, text, mode, encoding: 'latin1', lasting: true } as const;
      }),
    );
  } catch (error) {
    throw new Fatal(ExitCode.Failed, `${folder} cannot be written to: ${errorText(error)}`);
  }
}
