import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { statusText } from '../../../src/daemon/cli/status.ts';
import { caller, linkThat, nothing, standIn } from './stand-in.ts';
import { startProgram } from './program.ts';

const links = Array.from({ length: 200 }, (_, i) =>
  linkThat(i % 50 === 3 ? 'blocked' : i % 20 === 7 ? 'waiting' : 'up', `branch${i}`),
);
const sessions = links.map((_, i) => caller({ id: i + 1, username: `user${i}` }));

test('two hundred links stay readable: what is not well, and how many the others are', () => {
  const text = statusText({ ...nothing, links }, sessions, false);
  const lines = text.split('\n');
  assert.ok(lines.length < 30, text);
  assert.match(text, /^200 links: 186 up, 4 blocked, 10 waiting$/m);
  assert.match(text, /^branch3 +pptp-branch3 +192\.0\.2\.1 +blocked +GRE_BLOCKED: No GRE/m);
  assert.doesNotMatch(text, /^branch4 /m);
  assert.match(text, /^200 sessions: pptp-gateway sessions$/m);

  const down = links.map(({ name }) => linkThat('waiting', name));
  const worst = statusText({ ...nothing, links: down }, [], false);
  assert.match(worst, /^… and 180 more: pptp-gateway status --all$/m);
  assert.equal(statusText({ ...nothing, links }, sessions, true).split('\n').length, 405);
});

test('few links have all their rows; nothing at all is said', () => {
  const text = statusText({ ...nothing, links: links.slice(0, 20) }, sessions.slice(0, 20), false);
  assert.match(text, /^branch4 .* up$/m);
  assert.match(text, /^20 +home +user19 /m);
  assert.match(statusText(nothing, [], false), /nothing to run/);
});

/** What it prints on a terminal of its own. */
async function onTerminal(context: TestContext, socket: string, env: string): Promise<string> {
  const command = `env ${env} ${process.execPath} --import tsx src/daemon/main.ts status --socket ${socket}`;
  const { stdout } = await startProgram(context, ['script', '-qec', command, '/dev/null']).ended;
  return stdout;
}

test('colours: on a terminal, and not with NO_COLOR', async (context) => {
  const { command, socket } = await standIn(context, { status: { ...nothing, links } });
  const isColoured = (text: string) => text.includes('\u001b[');
  assert.ok(!isColoured((await command('status')).stdout));
  const term = 'TERM=xterm';
  assert.ok((await onTerminal(context, socket, term)).includes('\u001b[31mblocked\u001b[0m'));
  const plain = await onTerminal(context, socket, `${term} NO_COLOR=1`);
  assert.match(plain, /4 blocked/);
  assert.ok(!isColoured(plain));
  assert.ok(!isColoured(await onTerminal(context, socket, 'TERM=dumb')));
});
