/** A stand-in for the daemon: its bus, where `pptp` answers with what a test wants to have shown. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LogDocument } from '../../../src/daemon/reports/log.ts';
import type {
  LinkDocument,
  SessionDocument,
  StatusDocument,
} from '../../../src/daemon/reports/documents.ts';
import { sessionDocument } from '../../../src/daemon/reports/documents.ts';
import { method, UbusServer, type Method } from '../../../src/ubus-js/index.ts';
import { session } from '../status.ts';
import { folder, run } from './program.ts';

/** Of a caller, unless it is to be otherwise. */
export function caller(change: Partial<SessionDocument>): SessionDocument {
  return { ...sessionDocument(session, 61_000), routes: [], drops: {}, ...change };
}

export function linkThat(state: LinkDocument['state'], name: string): LinkDocument {
  const cause = { code: 'GRE_BLOCKED', text: 'No GRE packet came back.' };
  const why = state === 'up' ? {} : { cause, retry_in: 60 };
  return { name, device: `pptp-${name}`, server: '192.0.2.1', state, dns: [], ...why };
}

export const nothing: StatusDocument = {
  version: '1.0.0',
  uptime: 5,
  upgrades: 0,
  config: 'current',
  problems: [],
  servers: [],
  links: [],
  disabled: [],
  relays: [],
  radius: [],
};

/** What it answers; a test may change it while it runs. */
export interface Answers {
  status: StatusDocument;
  sessions: readonly SessionDocument[];
  log: LogDocument;
}

export async function standIn(
  context: TestContext,
  { status = nothing, sessions = [], log = { log: [], next: 0 } }: Partial<Answers>,
  more: Readonly<Record<string, Method>> = {},
) {
  const answers: Answers = { status, sessions, log };
  const socket = join(folder(context), 'ubus.sock');
  const bus = await UbusServer.listen(socket, { publish: false });
  context.after(() => bus.close());
  bus.add({
    path: 'pptp',
    methods: {
      status: method({}, () => answers.status),
      sessions: method({ after: 'int32?' }, () => ({ sessions: answers.sessions })),
      log: method({ after: 'int32?' }, () => answers.log),
      ...more,
    },
  });
  return {
    answers,
    bus,
    socket,
    command: (...words: string[]) => run(context, [...words, '--socket', socket]),
  };
}
