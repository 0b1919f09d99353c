/** `events`: what happens, as the daemon tells its bus, until Ctrl-C. */
import { program } from '../../platform/platform.ts';
import type { Table } from '../../ubus-js/index.ts';
import type { ControlClient } from '../control/client.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { printable } from '../printable.ts';
import type { BanDocument, CauseDocument, SessionDocument } from '../reports/documents.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { shortened } from './tables.ts';

/** Octets that wait for a reader who is slow; events beyond them are left out, and counted. */
const MOST_UNREAD = 1 << 20;

export async function events(
  client: ControlClient,
  _options: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  answer.follow();
  const lines = new EventLines(answer, program);
  await client.follow('pptp.*', (event, data) => lines.add(event, data));
  program.complain('following what happens, until Ctrl-C\n');
  const enough = new Promise<'enough'>((resolve) => {
    const end = () => resolve('enough');
    program.onSignal('SIGINT', end);
    program.onSignal('SIGTERM', end);
    program.onOutputClosed(end);
  });
  if ((await Promise.race([enough, client.gone])) === 'enough') return ExitCode.Ok;
  throw new Fatal(
    ExitCode.NotRunning,
    'the daemon has gone away (or has given us up: what it told was not read)',
  );
}

export class EventLines {
  readonly #answer: Pick<Answer, 'tell'>;
  readonly #output: Pick<typeof program, 'unprinted'>;
  #omitted = 0;

  constructor(answer: Pick<Answer, 'tell'>, output: Pick<typeof program, 'unprinted'>) {
    this.#answer = answer;
    this.#output = output;
  }

  add(event: string, data: Table): void {
    if (this.#output.unprinted > MOST_UNREAD) {
      this.#omitted++;
      return;
    }
    if (this.#omitted > 0) this.#print('omitted', { count: this.#omitted });
    this.#omitted = 0;
    this.#print(event, data);
  }

  #print(event: string, data: Table): void {
    const time = Date.now() / 1000;
    const text = `${new Date(time * 1000).toISOString()} ${eventText(event, data)}`;
    this.#answer.tell({ time, event, data }, printable(text));
  }
}

/** For people: one line. */
export function eventText(event: string, data: Table): string {
  switch (event) {
    case 'pptp.session':
      return sessionText(data as SessionEventDocument);
    case 'pptp.link': {
      const { link, state, retry_in: retryIn, cause } = data as LinkEventDocument;
      const next = retryIn === undefined ? '' : ` Next attempt in ${retryIn} s.`;
      return `link ${link}: ${state}${because(cause)}${next}`;
    }
    case 'pptp.ban': {
      const { action, address, server, since, until, tries, username, why } =
        data as BanDocument & { readonly action: string; readonly why?: string };
      return action === 'banned'
        ? `${address} locked out by ${server} for ${until - since} s: ${tries} failed logins, the last as ${shortened(username)}`
        : `${address} no longer locked out by ${server} (${why ?? action})`;
    }
    case 'omitted':
      return `${Number(data['count'])} events are left out here: they were not read in time`;
    default:
      return `${event} ${JSON.stringify(data)}`;
  }
}

type SessionEventDocument = Partial<SessionDocument> &
  Pick<SessionDocument, 'username' | 'peer'> & {
    readonly action: string;
    readonly cause?: CauseDocument;
  };
type LinkEventDocument = {
  readonly link: string;
  readonly state: string;
  readonly retry_in?: number;
  readonly cause?: CauseDocument;
};

function sessionText(data: SessionEventDocument): string {
  const { action, server, link, username, peer, cause } = data;
  const via = server === undefined ? `link ${link ?? ''}` : `server ${server}`;
  const who = `${shortened(username)} ${server === undefined ? 'at' : 'from'} ${peer}`;
  if (action === 'auth-failed') return `${via}: login of ${who} failed${because(cause)}`;
  const inside = server === undefined ? data.local_address : data.address;
  return `${via}: session ${data.id ?? ''} of ${who} as ${inside ?? ''} ${action}${because(cause)}`;
}

function because(cause: CauseDocument | undefined): string {
  return cause === undefined ? '' : `: ${cause.code} ${cause.text}`;
}
