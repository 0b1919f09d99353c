/** A password that is read from a file: among the arguments every user of the machine could see it. */
import { errorText } from '../../platform/errors.ts';
import { files, program } from '../../platform/platform.ts';
import { password } from '../configuration/option-types.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';

/** The first line. @param file - is standard input @throws Fatal */
export function passwordIn(file: string): string {
  let text;
  try {
    text = file === '-' ? program.readInput() : files.text(file);
  } catch (error) {
    throw new Fatal(ExitCode.Failed, `--password-file: ${errorText(error)}`);
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (password.parse(line) === undefined)
    throw new Fatal(
      ExitCode.Usage,
      `--password-file: expected ${password.allowed} in the first line`,
    );
  return line;
}
