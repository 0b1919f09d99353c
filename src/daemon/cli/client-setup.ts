/** `pptp-gateway windows` and its like: files that set a user's machine up. */
import { errorText } from '../../platform/errors.ts';
import { files } from '../../platform/platform.ts';
import type { SetupFormatName } from '../client-setup/formats.ts';
import type { ControlClient } from '../control/client.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import type { SetupDocument } from '../reports/documents.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';

export function clientSetupCommand(format: SetupFormatName) {
  return async (
    client: ControlClient,
    { operands: [username = '', server], address, output }: Arguments,
    answer: Answer,
  ): Promise<ExitCode> => {
    const document = (await client.call('client_setup', {
      format,
      username,
      ...(server === undefined ? {} : { server }),
      ...(address === undefined ? {} : { address }),
    })) as SetupDocument;
    answer.give(document);
    if (output === undefined) answer.say(document.text.replace(/\n$/, ''));
    else write(output, document.text);
    return ExitCode.Ok;
  };
}

function write(path: string, text: string): void {
  try {
    files.writeSecret(path, new TextEncoder().encode(text)); // NetworkManager takes no file that others can read
  } catch (error) {
    throw new Fatal(ExitCode.Failed, `${path} cannot be written: ${errorText(error)}`);
  }
}
