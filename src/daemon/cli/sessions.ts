/** `pptp-gateway sessions`: whose, in which order, with which columns. */
import { program } from '../../platform/platform.ts';
import { ExitCode, Fatal } from '../exit-codes.ts';
import { printable } from '../printable.ts';
import type { ControlClient } from '../control/client.ts';
import type { SessionDocument, SessionsDocument, StatusDocument } from '../reports/documents.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { sessionColumns, type SessionColumn } from './command-table.ts';
import { Patience } from './patience.ts';
import { duration, octets, shortened, titled } from './tables.ts';

/** ms between two looks of --watch */
const WATCH = 1_000;

interface Column {
  readonly title: string;
  readonly text: (session: SessionDocument) => string;
  /** What it is sorted by, where that is not the text: the most first. */
  readonly rank?: (session: SessionDocument) => number;
}

const rate = (limit: number | undefined) => (limit === undefined ? 'any' : `${limit} kbit/s`);
const isLimited = ({ rate_up: up, rate_down: down }: SessionDocument) =>
  up !== undefined || down !== undefined;
const expected = ({ rx_packets: received, lost }: SessionDocument) => received + lost;

const columns: Readonly<Record<SessionColumn, Column>> = {
  id: { title: 'ID', text: ({ id }) => String(id), rank: ({ id }) => -id },
  via: { title: 'VIA', text: ({ server, link }) => server ?? link ?? '' },
  user: { title: 'USER', text: ({ username }) => shortened(printable(username)) },
  from: { title: 'FROM', text: ({ peer }) => peer },
  address: {
    title: 'ADDRESS',
    text: ({ link, address, local_address: own }) => (link === undefined ? address : own),
  },
  since: {
    title: 'SINCE',
    text: ({ uptime }) => duration(uptime),
    rank: ({ uptime }) => uptime,
  },
  login: {
    title: 'LOGIN',
    text: ({ account, auth }) => (account === 'radius' ? `${auth} RADIUS` : auth),
  },
  encryption: { title: 'ENCRYPTION', text: ({ mppe }) => mppe },
  rx: { title: 'RX', text: (each) => octets(each.rx_bytes), rank: (each) => each.rx_bytes },
  tx: { title: 'TX', text: (each) => octets(each.tx_bytes), rank: (each) => each.tx_bytes },
  loss: {
    title: 'LOSS',
    text: (each) => {
      const all = expected(each);
      const share = all === 0 ? '' : ` (${((100 * each.lost) / all).toFixed(2)} %)`;
      return `${each.lost} of ${all}${share}`;
    },
    rank: (each) => each.lost / Math.max(1, expected(each)),
  },
  rate: {
    title: 'RATE UP, DOWN',
    text: (each) => (isLimited(each) ? `${rate(each.rate_up)}, ${rate(each.rate_down)}` : ''),
    rank: ({ rate_up: up = Infinity, rate_down: down = Infinity }) => Math.min(up, down),
  },
  groups: { title: 'GROUPS', text: ({ groups = [] }) => shortened(groups.join(', ')) },
  note: { title: 'NOTE', text: ({ note = '' }) => shortened(note) },
  routes: { title: 'ROUTES', text: ({ routes }) => routes.join(' ') },
  ipv6: { title: 'IPV6', text: ({ ipv6 = [] }) => ipv6.join(' ') },
  mtu: { title: 'MTU', text: ({ mru }) => String(mru), rank: ({ mru }) => mru },
};
const usual: readonly SessionColumn[] = sessionColumns.slice(0, 11);

/** Where somebody has one. */
const rare = ['ipv6', 'rate', 'groups', 'note'] as const;

/** @param wanted undefined: the usual ones */
export function sessionTable(
  sessions: readonly SessionDocument[],
  wanted: readonly SessionColumn[] = [
    ...usual,
    ...rare.filter((name) => sessions.some((each) => columns[name].text(each) !== '')),
  ],
): string {
  const shown = wanted.map((name) => columns[name]);
  return titled(
    shown.map(({ title }) => title),
    sessions.map((session) => shown.map(({ text }) => text(session))),
  );
}

/** @throws {Fatal} nobody is called so */
export async function showSessions(
  client: ControlClient,
  { operands: [whose], sort, columns: wanted, watch }: Arguments,
  answer: Answer,
): Promise<ExitCode> {
  const look = async () => {
    const found = await allSessions(client);
    const those = whose === undefined ? found : found.filter((each) => isOf(each, whose));
    return sort === undefined ? those : sorted(those, columns[sort]);
  };
  const text = (sessions: readonly SessionDocument[]) =>
    sessions.length === 0 ? 'no sessions' : sessionTable(sessions, wanted);
  let sessions = await look();
  if (whose !== undefined && sessions.length === 0) await mustExist(client, whose);
  if (!watch) {
    answer.give({ sessions });
    answer.say(text(sessions));
    return ExitCode.Ok;
  }
  const patience = new Patience();
  for (; ; sessions = await look()) {
    answer.tell({ sessions }, onScreen(text(sessions)));
    if (!(await patience.pause(WATCH))) return ExitCode.Ok;
  }
}

export async function allSessions(client: ControlClient): Promise<readonly SessionDocument[]> {
  const found: SessionDocument[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const { sessions, next } = (await client.call('sessions', { after })) as SessionsDocument;
    found.push(...sessions);
    after = next;
  }
  return found;
}

/** Of a server, a link or a user, also as the user writes it: DOMAIN\user. */
function isOf({ server, link, username }: SessionDocument, name: string): boolean {
  return [server, link, username].includes(name) || username === name.replace(/^.*\\/s, '');
}

/** Nobody may be connected to a server; but a name that means nothing is a slip. */
async function mustExist(client: ControlClient, name: string): Promise<void> {
  const { servers, links, disabled } = (await client.call('status')) as StatusDocument;
  if ([...servers, ...links, ...disabled].some((each) => each.name === name)) return;
  throw new Fatal(
    ExitCode.NotFound,
    `there is no server or link '${name}', and no session of such a user`,
  );
}

function sorted(sessions: readonly SessionDocument[], { text, rank }: Column) {
  return [...sessions].sort((a, b) =>
    rank === undefined ? (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0) : rank(b) - rank(a),
  );
}

/** In place of what was there; as much of it as there is room for. */
function onScreen(text: string): string {
  const { screen } = program;
  if (screen === undefined) return text;
  const lines = text.split('\n').slice(0, screen.rows - 1);
  return `\u001b[H\u001b[J${lines.join('\n')}`;
}
