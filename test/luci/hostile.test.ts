/** Names, addresses and messages of peers stay text on every page. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { luci, recorder, type Luci } from './luci.ts';

const markup = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'';
const session = {
  id: 1,
  server: markup,
  username: markup,
  peer: markup,
  address: markup,
  local_address: markup,
  uptime: 5,
  mppe: markup,
  rx_bytes: 1,
  tx_bytes: 2,
  rx_packets: 3,
  lost: 4,
};
const cause = { code: markup, text: markup, detail: markup };

function hostile(): Luci {
  const { form } = recorder();
  const router = luci({ form });
  Object.assign(router.answers, {
    'pptp.status': {
      version: markup,
      uptime: 1,
      config: 'refused',
      problems: [{ file: markup, section: markup, option: markup, message: markup }],
      servers: [{ name: markup, sessions: 1, max_sessions: 2, state: markup, cause }],
      links: [
        { name: markup, server: markup, state: 'waiting', cause, retry_in: 3 },
        {
          name: `${markup}2`,
          server: markup,
          state: 'up',
          session: { ...session, id: 2, server: undefined, link: markup },
        },
      ],
      radius: [{ name: markup, state: markup, waiting: 1, distrusted: false }],
      disabled: [{ name: markup, kind: 'link' }],
      relays: [
        {
          name: markup,
          direction: markup,
          src: markup,
          dest: markup,
          backend: markup,
          reason: markup,
          calls: [{ id: 3, client: markup, server: markup, since: 1, rx_bytes: 1, tx_bytes: 1 }],
        },
      ],
    },
    'pptp.sessions': { sessions: [session] },
    'pptp.failures': {
      failures: [
        {
          time: 9,
          first: 1,
          count: 3,
          kind: 'server',
          name: markup,
          peer: markup,
          username: markup,
          cause,
        },
      ],
    },
    'pptp.bans': {
      bans: [
        { address: markup, server: markup, username: markup, tries: 5, since: 1, seconds_left: 9 },
      ],
    },
    'pptp.check': { id: 1 },
    'pptp.radius_test': { id: 1 },
    'pptp.client_setup': { file: markup, text: markup },
    'pptp.check_status': {
      id: 1,
      name: markup,
      done: true,
      steps: [{ step: markup, result: 'failed', detail: markup }],
      cause,
    },
    'network.interface.dump': {
      interface: [{ interface: markup, proto: 'pptp', errors: [{ code: markup }] }],
    },
    'session.access': { access: true },
    'pptp.log': {
      log: [{ time: 1, level: 'warning', text: `server ${markup} session 1 user "${markup}": x` }],
    },
    'network.get_proto_handlers': {},
  });
  router.uci['pptp_users'] = { u: { '.type': 'user', '.name': 'u', username: markup } };
  return router;
}

/** What follows from answers that have been given already. */
async function until(isThere: () => unknown): Promise<void> {
  while (isThere() === null) await new Promise((resolve) => setImmediate(resolve));
}

function check({ document }: Luci): void {
  assert.equal(document.querySelectorAll('img, script').length, 0);
  assert.ok(document.body.textContent.includes('<img src=x onerror=alert(1)>'));
}

describe('hostile names stay text', () => {
  for (const page of ['overview', 'links', 'passthrough', 'log'])
    test(page, async () => {
      const router = hostile();
      const view = router.module(`view.pptp-gateway.${page}`);
      const node = await view.render(await view.load());
      router.document.body.append(node);
      for (const poll of router.polls) await poll();
      check(router);
    });

  test('widget', async () => {
    const router = hostile();
    const widget = router.module('view.status.include.80_pptp-gateway');
    router.document.body.append(widget.render(await widget.load()));
    check(router);
  });

  test('the column of who is on, and the set-up of a PC', async () => {
    const router = hostile();
    const users = router.module('view.pptp-gateway.users');
    users.sessions = [session];
    const node = router.document.createElement('span');
    router.document.body.append(node);
    users.showOnline('u', node);
    await users.showSetUp('u');
    check(router);
  });

  test('check', async () => {
    const router = hostile();
    await router.module('pptp-gateway.check-dialog').open(markup);
    check(router);
  });

  test('test of a RADIUS server', async () => {
    const router = hostile();
    router.module('pptp-gateway.radius-dialog').open(markup);
    const [name, password] = router.document.querySelectorAll('input');
    name.value = markup;
    password.value = markup;
    router.document.querySelector('.button-row button:last-child').click();
    await until(() => router.document.querySelector('[data-step]'));
    check(router);
  });

  test('the daemon does not run', async () => {
    const router = luci();
    const view = router.module('view.pptp-gateway.overview');
    router.document.body.append(await view.render(await view.load()));
    assert.match(router.document.body.textContent, /pptp-gateway is not running/);
  });
});

test('a table keeps its rows and touches only what differs', () => {
  const router = luci();
  const { LiveTable } = router.module('pptp-gateway.live-table');
  let built = 0;
  const table = new LiveTable(
    [
      { title: 'Name', text: ({ name }: { name: string }) => name },
      {
        title: 'Number',
        text: ({ number }: { number: number }) => String(number),
        value: ({ number }: { number: number }) => number,
      },
      { title: '', build: () => (built++, router.E('button', {}, ['x'])) },
    ],
    { key: ({ name }: { name: string }) => name, placeholder: 'none' },
  );
  const names = () =>
    [...table.node.querySelectorAll('tr:not(.table-titles)')].map(
      (row) => row.firstElementChild.textContent,
    );
  assert.deepEqual(names(), ['none']);
  table.update([
    { name: 'b', number: 10 },
    { name: 'a', number: 9 },
  ]);
  assert.deepEqual(names(), ['a', 'b']);
  const row = table.node.querySelectorAll('tr')[1];
  const text = row.firstElementChild.firstChild;
  table.update([
    { name: 'a', number: 11 },
    { name: 'b', number: 10 },
    { name: 'c', number: 1 },
  ]);
  assert.equal(table.node.querySelectorAll('tr')[1], row);
  assert.equal(row.firstElementChild.firstChild, text);
  assert.equal(row.children[1].textContent, '11');
  table.sortBy(1); // by number, not by text
  assert.deepEqual(names(), ['c', 'b', 'a']);
  table.sortBy(1);
  assert.deepEqual(names(), ['a', 'b', 'c']);
  table.update([{ name: 'c', number: 1 }]);
  assert.deepEqual(names(), ['c']);
  assert.equal(built, 3);
  table.update([]);
  assert.deepEqual(names(), ['none']);
});
