/** `bans` and `unban`: addresses that are locked out after failed logins. */
import type { ControlClient } from '../control/client.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { printable } from '../printable.ts';
import type { BanDocument, BansDocument } from '../reports/documents.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { duration, shortened, table } from './tables.ts';

export async function bans(
  client: ControlClient,
  _options: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  const found = await allBans(client);
  answer.give({ bans: found });
  answer.say(bansText(found));
  return ExitCode.Ok;
}

export async function unban(
  client: ControlClient,
  { operands: [address], all }: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  if ((address === undefined) !== all)
    throw new Fatal(ExitCode.Usage, 'unban: either ADDRESS or --all');
  const { lifted } = await client.call('unban', address === undefined ? { all } : { address });
  const count = Number(lifted);
  answer.give({ lifted: count });
  answer.say(`let in again: ${count} address${count === 1 ? '' : 'es'}`);
  return ExitCode.Ok;
}

async function allBans(client: ControlClient): Promise<readonly BanDocument[]> {
  const found: BanDocument[] = [];
  for (let after: string | undefined = '0.0.0.0'; after !== undefined;) {
    const answer = (await client.call('bans', { after })) as BansDocument;
    found.push(...answer.bans);
    after = answer.next;
  }
  return found;
}

function bansText(found: readonly BanDocument[]): string {
  if (found.length === 0) return 'no address is locked out';
  return table([
    ['ADDRESS', 'SERVER', 'SINCE', 'FOR ANOTHER', 'TRIES', 'LAST USER'],
    ...found.map((ban) => [
      ban.address,
      ban.server,
      new Date(ban.since * 1000).toISOString(),
      duration(ban.seconds_left),
      String(ban.tries),
      shortened(printable(ban.username)),
    ]),
  ]);
}
