/** Rows of links: which buttons they have, and that dialogs have the same ones everywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { luci, recorder, type Luci } from './luci.ts';

type Any = any;

const names = ['up', 'connecting', 'waiting', 'demand', 'stopping', 'blocked', 'down'];

function router(): Luci {
  const made = luci({ form: recorder().form });
  Object.assign(made.answers, {
    'pptp.status': {
      servers: [],
      relays: [],
      links: names.map((state) => ({ name: state, server: 'vpn.example.com', state })),
      disabled: [{ name: 'off', kind: 'link' }],
    },
    'network.interface.dump': { interface: [{ interface: 'old', proto: 'pptp', up: true }] },
    'network.get_proto_handlers': { pptpserver: {} },
    'session.access': { access: true },
  });
  return made;
}

test('a row offers one of Connect, Disconnect and Stop trying, or none, with its buttons on one line', async () => {
  const view = router().module('view.pptp-gateway.links');
  const node: Any = await view.render(await view.load());
  const offered: Record<string, string> = {};
  for (const row of node.querySelectorAll('tr:not(.table-titles)')) {
    const cell = row.lastElementChild;
    assert.match(cell.className, /nowrap cbi-section-actions/);
    offered[row.firstElementChild.textContent] = [...cell.querySelectorAll('button')]
      .filter((button) => button.style.display !== 'none')
      .map(({ textContent }) => textContent)
      .filter((text) => ['Connect', 'Disconnect', 'Stop trying'].includes(text))
      .join();
  }
  assert.deepEqual(offered, {
    up: 'Disconnect',
    stopping: 'Disconnect',
    old: 'Disconnect',
    connecting: 'Stop trying',
    waiting: 'Stop trying',
    demand: 'Connect',
    blocked: 'Connect',
    down: 'Connect',
    off: '',
  });
});

test('every dialog has Dismiss first, and at most one button more, in one row at its end', async () => {
  for (const open of [
    (made: Luci) => made.module('pptp-gateway.link-forms').remove('up'),
    (made: Luci) => made.module('pptp-gateway.radius-dialog').open('main'),
    (made: Luci) => void made.module('pptp-gateway.check-dialog').open('up'),
    (made: Luci) => {
      const users = made.module('view.pptp-gateway.users');
      users.showSetUp('u');
    },
  ]) {
    const made = router();
    made.uci['pptp_users'] = { u: { '.type': 'user', '.name': 'u', username: 'anna' } };
    made.uci['network'] = {};
    await open(made);
    const dialogRow = made.document.body.lastElementChild;
    assert.equal(dialogRow.className, 'button-row');
    const [dismiss, action, ...more] = dialogRow.querySelectorAll('button');
    assert.deepEqual([dismiss.textContent, dismiss.className], ['Dismiss', 'btn cbi-button']);
    if (action !== undefined)
      assert.match(action.className, /^btn cbi-button cbi-button-(positive|negative) important$/);
    assert.deepEqual(more, []);
  }
});

test('what people type as the name of a section becomes one that uci takes', () => {
  const { nameOf } = luci().module('pptp-gateway.named-section');
  for (const [typed, name] of [
    ['Branch office', 'Branch_office'],
    [' b\u00fcro-2 ', 'buro_2'],
    ['a..b', 'a_b'],
    ['ok_1', 'ok_1'],
  ] as const)
    assert.equal(nameOf(typed), name);
});
