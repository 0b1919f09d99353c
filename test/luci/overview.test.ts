/** The Overview of a new owner, and of one who has something: what is there, and what is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { luci, type Luci } from './luci.ts';

type Any = any;

const session = {
  id: 1,
  server: 'vpn',
  username: 'anna',
  peer: '198.51.100.2',
  address: '192.168.99.2',
  uptime: 5,
  lost: 0,
  rx_packets: 1,
  tx_packets: 1,
  rx_bytes: 1000,
  tx_bytes: 0,
  mppe: 'mppe-128',
};
const server = { name: 'vpn', state: 'listening', port: 1723, sessions: 1, max_sessions: 16 };
const idle = {
  version: '1.0.0',
  uptime: 1,
  servers: [],
  links: [],
  disabled: [],
  relays: [],
  radius: [],
  problems: [],
};

async function overview(
  status: object,
  {
    sessions = [] as object[],
    failures = [] as object[],
    bans = [] as object[],
    access = true,
  } = {},
): Promise<{ router: Luci; node: Any; again: (sessions: object[]) => Promise<void> }> {
  const router = luci();
  Object.assign(router.answers, {
    'pptp.status': { ...idle, ...status },
    'pptp.sessions': { sessions },
    'pptp.failures': { failures },
    'pptp.bans': { bans },
    'network.get_proto_handlers': { pptpserver: {} },
    'session.access': { access },
  });
  const view = router.module('view.pptp-gateway.overview');
  const node = router.document.createElement('div');
  node.append(await view.render(await view.load()));
  const again = async (sessions: object[]) => {
    router.answers['pptp.sessions'] = { sessions };
    await new Promise((resolve) => setTimeout(resolve, 50)); // a rate needs two times
    for (const poll of router.polls) await poll();
  };
  return { router, node, again };
}

/** Titles of what is shown. */
const shown = (node: Any): string[] =>
  [...node.querySelectorAll('h3')]
    .filter((title) => title.parentNode.style.display !== 'none')
    .map(({ textContent }) => textContent);
const rows = (table: Any): string[] =>
  [...table.querySelectorAll('tr:not(.table-titles)')].map((row) =>
    [...row.children].map((cell) => cell.textContent).join(' | '),
  );
const tableUnder = (node: Any, title: string): Any =>
  [...node.querySelectorAll('h3')]
    .find(({ textContent }) => textContent === title)
    .parentNode.querySelector('table');

describe('nothing is set up', () => {
  test('it leads to the three things there are, and shows no empty tables', async () => {
    const { node } = await overview({});
    assert.deepEqual(shown(node), ['Nothing is set up yet. What do you want to do?']);
    assert.deepEqual(
      [...node.querySelectorAll('a.cbi-button')].map((link) => [
        link.textContent,
        link.getAttribute('href'),
      ]),
      [
        ['Enable a server', '/cgi-bin/luci/admin/vpn/pptp/server'],
        ['Add a link', '/cgi-bin/luci/admin/vpn/pptp/links#add'],
        ['Passthrough', '/cgi-bin/luci/admin/vpn/pptp/passthrough'],
      ],
    );
  });

  test('who may only watch is led nowhere', async () => {
    const { node } = await overview({}, { access: false });
    assert.equal(node.querySelectorAll('a.cbi-button').length, 0);
  });
});

test('the address of a session, with the IPv6 networks that it has', async () => {
  const ipv6 = ['2001:db8:5:1f0::/64', '2001:db8:5:180::/60'];
  const sessions = [session, { ...session, id: 2, ipv6 }];
  const servers = [{ ...server, ipv6: ['2001:db8:5:100::/56'] }];
  const { node } = await overview({ servers }, { sessions });
  const [about] = rows(tableUnder(node, 'What is set up'));
  assert.match(about!, /1 of 16 sessions\. 2001:db8:5:100::\/56/);
  const [first, second] = rows(tableUnder(node, 'Sessions'));
  assert.match(first!, /\| 192\.168\.99\.2 \|/);
  assert.match(second!, /\| 192\.168\.99\.2 2001:db8:5:1f0::\/64 2001:db8:5:180::\/60 \|/);
});

test('servers, passthroughs and RADIUS servers, each with a state in words', async () => {
  const relay = {
    name: 'branch',
    backend: 'relay',
    reason: 'chosen by option backend',
    src: 'lan',
    dest: 'wan',
  };
  const { node } = await overview({
    servers: [server],
    relays: [
      { ...relay, state: 'up', clients: 2 },
      { ...relay, name: 'idle', state: 'up', clients: 0 },
      { ...relay, name: 'dmz', state: 'failed', cause: { code: 'HELPER_MISSING' }, clients: 0 },
    ],
    radius: [
      { name: 'main', state: 'alive', waiting: 0, heard: 3, round_trip: 12, distrusted: false },
      { name: 'old', state: 'dead', waiting: 1, distrusted: false },
      { name: 'bad', state: 'alive', waiting: 0, distrusted: true },
    ],
  });
  assert.deepEqual(shown(node), ['What is set up', 'Sessions', 'Last failures']);
  const found = rows(tableUnder(node, 'What is set up'));
  for (const expected of [
    /^vpn \| Server \| . ready for callers \| 1 of 16 sessions$/,
    /^branch \| Passthrough \| . working: 2 callers \| relay of pptp-gateway: as the settings say$/,
    /^idle \| Passthrough \| . working: nobody uses it \|/,
    /^dmz \| Passthrough \| . does not work \| .*tracking helper/,
    /^main \| RADIUS server \| . answers \| Heard .* ago\. It takes 12 ms to answer\.$/,
    /^old \| RADIUS server \| . does not answer \| Requests waiting: 1\.$/,
    /^bad \| RADIUS server \| . its answers are not to be trusted/,
  ])
    assert.ok(
      found.some((row) => expected.test(row)),
      `${expected.source} in\n${found.join('\n')}`,
    );
  assert.equal(found.length, 7);
});

test('the graph is there while there is something to draw', async () => {
  const { node, again } = await overview({ servers: [server] }, { sessions: [session] });
  assert.ok(!shown(node).includes('Traffic'));
  await again([{ ...session, rx_bytes: 9000 }]);
  assert.ok(shown(node).includes('Traffic'));
});

test('a failure that repeats is one line, and each says who or which', async () => {
  const cause = { code: 'PEER_AUTH_FAILED', text: 'x' };
  const { node } = await overview(
    { servers: [server] },
    {
      failures: [
        {
          time: 90,
          first: 10,
          count: 7,
          kind: 'server',
          name: 'vpn',
          peer: '198.51.100.2',
          username: 'eve',
          cause,
        },
        {
          time: 80,
          first: 80,
          count: 1,
          kind: 'link',
          name: 'office',
          peer: '',
          username: '',
          cause,
        },
        {
          time: 70,
          first: 70,
          count: 1,
          kind: 'relay',
          name: 'dmz',
          peer: '10.0.0.1',
          username: '',
          cause,
        },
        {
          time: 60,
          first: 60,
          count: 1,
          kind: 'server',
          name: 'vpn',
          peer: '',
          username: '',
          cause,
        },
      ],
    },
  );
  const found = rows(tableUnder(node, 'Last failures')).map((row) => row.split(' | '));
  assert.deepEqual(
    found.map(([, who]) => who),
    ['eve, 198.51.100.2 (server vpn)', 'link office', '10.0.0.1 (passthrough dmz)', 'server vpn'],
  );
  assert.match(found[0]![2]!, /wrong user name or password\. 7 times since /);
  assert.doesNotMatch(found[1]![2]!, /times/);
});

test('who is locked out is shown while there is somebody, and Unban lets in', async () => {
  const ban = {
    address: '198.51.100.2',
    server: 'vpn',
    username: 'eve',
    tries: 5,
    since: 1,
    seconds_left: 600,
  };
  const { router, node, again } = await overview({ servers: [server] }, { bans: [ban] });
  assert.ok(shown(node).includes('Locked out'));
  const asked: string[] = [];
  router.answers['pptp.unban'] = (address: string) => {
    asked.push(address);
    router.answers['pptp.bans'] = { bans: [] };
    return { lifted: 1 };
  };
  await tableUnder(node, 'Locked out').querySelector('button').click();
  await again([]);
  assert.deepEqual(asked, ['198.51.100.2']);
  assert.ok(!shown(node).includes('Locked out'));
});
