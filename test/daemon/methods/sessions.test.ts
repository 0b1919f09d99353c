import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Daemon } from '../../../src/daemon/daemon.ts';
import type { SessionsDocument } from '../../../src/daemon/reports/documents.ts';
import { sessionMethods } from '../../../src/daemon/methods/sessions.ts';
import type { SessionStatus } from '../../../src/session/ports.ts';
import { encodeTable } from '../../../src/ubus-js/index.ts';
import { session } from '../status.ts';

const many = Array.from({ length: 4096 }, (_, i): SessionStatus => ({ ...session, id: i + 1 }));

/** As much of a daemon as `sessions` looks at. */
const daemon = {
  servers: new Map([['home', {}]]),
  sessions: () => many.toReversed(),
} as unknown as Daemon;

test('more sessions than one message holds come in parts, each once', async () => {
  const { sessions } = sessionMethods(daemon);
  const ids: number[] = [];
  let parts = 0;
  for (let after: number | undefined = 0; after !== undefined; parts++) {
    const part = (await sessions.handle({ server: 'home', after }, {})) as SessionsDocument;
    assert.ok(encodeTable(part).length < 1 << 20);
    ids.push(...part.sessions.map(({ id }) => id));
    after = part.next;
  }
  assert.ok(parts > 1);
  assert.deepEqual(
    ids,
    many.map(({ id }) => id),
  );
});

test('a session is ended by its user, however the user writes the name', async () => {
  const asked: (number | string)[] = [];
  const disconnect = (which: number | string) => {
    asked.push(which);
    return which === 'anna' ? 2 : 0;
  };
  const methods = sessionMethods({
    servers: new Map([['home', { server: { disconnect } }]]),
    links: new Map(),
    relays: { disconnect: () => 'none' },
  } as unknown as Daemon);
  assert.deepEqual(await methods.disconnect.handle({ username: 'CORP\\anna' }, {}), { ended: 2 });
  assert.deepEqual(asked, ['CORP\\anna', 'anna']);
  for (const args of [{ username: 'CORP\\bob' }, { username: '\\' }, { id: 7 }])
    await assert.rejects(async () => methods.disconnect.handle(args, {}), /there is no session/);
});
