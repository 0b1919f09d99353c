/** What the pages compute. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { deviceName } from '../../src/daemon/configuration/device-name.ts';
import { parseConfiguration } from '../../src/daemon/configuration/configuration.ts';
import { linkOptions } from '../../src/daemon/configuration/options.ts';
import { luci } from './luci.ts';

const module = (name: string) => luci().module(`pptp-gateway.${name}`);

test('devices have the names the daemon gives them', () => {
  const { of } = module('device-name');
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9_]{1,40}$/),
      fc.constantFrom('pptp-', 'pptps-'),
      (name, prefix) => {
        assert.equal(of(prefix, name), deviceName(prefix, name));
      },
    ),
  );
});

describe('rates', () => {
  const rates = () => new (module('rates').Rates)();

  test('octets per second since the last reading', () => {
    const one = rates();
    one.update([{ id: 1, rx_bytes: 1000, tx_bytes: 0 }], 5000);
    assert.deepEqual(one.current(1), { rx: 0, tx: 0 });
    one.update(
      [
        { id: 1, rx_bytes: 7000, tx_bytes: 300 },
        { id: 2, rx_bytes: 9e9, tx_bytes: 0 },
      ],
      8000,
    );
    assert.deepEqual(one.current(1), { rx: 2000, tx: 100 });
    assert.deepEqual(one.current(2), { rx: 0, tx: 0 }); // new: nothing to compare with
    assert.deepEqual(one.current('all'), { rx: 2000, tx: 100 });
  });

  test('a counter that goes back is no negative rate, a reading at the same time none at all', () => {
    const one = rates();
    one.update([{ id: 1, rx_bytes: 5000, tx_bytes: 0 }], 1000);
    one.update([{ id: 1, rx_bytes: 9000, tx_bytes: 0 }], 1000);
    assert.equal(one.history(1).length, 1);
    one.update([{ id: 1, rx_bytes: 10, tx_bytes: 0 }], 2000);
    assert.deepEqual(one.current(1), { rx: 0, tx: 0 });
  });

  test('history is bounded and ends with its session', () => {
    const one = rates();
    for (let i = 0; i < 500; i++) one.update([{ id: 1, rx_bytes: i, tx_bytes: i }], i * 1000);
    assert.equal(one.history(1).length, module('rates').POINTS);
    one.update([], 501_000);
    assert.deepEqual(one.history(1), []);
    assert.equal(one.history('all').length, module('rates').POINTS);
  });
});

describe('graph', () => {
  const { outline } = module('graph');
  const { ceiling } = module('chart-colours');

  test('the scale is the next round figure', () => {
    for (const [peak, top] of [
      [0, 1000],
      [NaN, 1000],
      [1, 1],
      [1.1, 2],
      [3, 5],
      [7, 10],
      [99, 100],
      [101, 200],
    ])
      assert.equal(ceiling(peak), top);
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e15, noNaN: true }), (peak) => {
        assert.ok(ceiling(peak) >= peak && ceiling(peak) <= peak * 10);
      }),
    );
  });

  test('the newest value stands at the right edge', () => {
    assert.equal(outline([], 120, 10), '');
    assert.equal(outline([5, 10], 120, 10), '118,100 118,50.00 119,0.00 119,100');
  });
});

describe('subnets', () => {
  const subnets = module('subnets');
  const interfaces = [
    {
      interface: 'lan',
      up: true,
      proto: 'static',
      'ipv4-address': [{ address: '192.168.1.1', mask: 24 }],
    },
    {
      interface: 'wan',
      up: true,
      proto: 'dhcp',
      'ipv4-address': [{ address: '100.66.0.5', mask: 20 }],
      route: [
        { target: '0.0.0.0', mask: 0 },
        { target: '10.99.0.0', mask: 16 },
      ],
    },
  ];
  const section = (type: string, name: string, values: object) => ({
    '.type': type,
    '.name': name,
    ...values,
  });

  test('addresses, lengths, masks', () => {
    assert.deepEqual(subnets.parse('192.168.1.77/24'), {
      first: 0xc0a80100,
      last: 0xc0a801ff,
      length: 24,
    });
    assert.deepEqual(
      subnets.parse('192.168.1.77', '255.255.255.0'),
      subnets.parse('192.168.1.0/24'),
    );
    assert.equal(subnets.parse('0.0.0.0/0').last, 0xffffffff);
    for (const wrong of ['', '1.2.3', '1.2.3.256/24', '1.2.3.4/33', '1.2.3.4/x', '::1'])
      assert.equal(subnets.parse(wrong), null);
    assert.equal(subnets.parse('1.2.3.4', '255.0.255.0'), null);
  });

  test('a free one collides with nothing the router has or is set up to have', () => {
    const used = subnets.used(interfaces, [
      section('interface', 'guest', { ipaddr: ['192.168.99.1/24'] }),
      section('interface', 'old', { ipaddr: '192.168.98.1', netmask: '255.255.255.0' }),
      section('interface', 'vpn', {
        proto: 'pptpserver',
        network: '192.168.97.0/25',
        range: ['192.168.1.200-192.168.1.210'],
      }),
      section('interface', 'office', { proto: 'pptpgw', route: ['192.168.192.0/18'] }),
      section('route', 'r', { interface: 'lan', target: '192.168.72.0', netmask: '255.255.252.0' }),
    ]);
    assert.equal(subnets.free(used), '10.199.99.0/24');
    assert.equal(subnets.takenBy('192.168.97.0/24', used), 'vpn');
    assert.equal(subnets.takenBy('192.168.97.0/24', used, 'vpn'), undefined);
    assert.equal(subnets.free(subnets.used(interfaces, [])), '192.168.99.0/24');
    assert.equal(subnets.free([{ first: 0, last: 2 ** 32 - 1 }]), null);
  });

  test('private addresses, also those of carriers', () => {
    for (const address of [
      '10.1.2.3',
      '172.31.255.255',
      '192.168.0.1',
      '100.64.0.1',
      '100.127.255.255',
      '169.254.1.1',
    ])
      assert.ok(subnets.isPrivate(address), address);
    for (const address of ['172.32.0.1', '100.128.0.1', '198.51.100.1', '8.8.8.8', 'x'])
      assert.ok(!subnets.isPrivate(address), address);
    assert.deepEqual(subnets.upstream(interfaces), { interface: 'wan', address: '100.66.0.5' });
    assert.equal(subnets.upstream([]), null);
  });
});

describe('passwords', () => {
  const passwords = module('passwords');

  test('every character is used, none that looks like another', () => {
    const seen = new Set(Array.from({ length: 300 }, () => passwords.generate()).join(''));
    assert.deepEqual([...seen].sort(), [...passwords.ALPHABET].sort());
    assert.ok(!/[0O1lI]/.test(passwords.ALPHABET));
    assert.equal(passwords.generate().length, passwords.LENGTH);
  });

  test('octets beyond the last whole multiple of the alphabet are thrown away', () => {
    let calls = 0;
    const random = (octets: Uint8Array) => octets.fill(calls++ === 0 ? 255 : 3);
    assert.equal(passwords.generate(random), passwords.ALPHABET[3].repeat(passwords.LENGTH));
  });
});

describe('set-up of a PC', () => {
  const wish = {
    username: 'anna',
    server: 'home',
    address: '198.51.100.1',
    routes: ['192.168.1.0/24'],
  };
  const opened = async (answer: (...args: unknown[]) => unknown) => {
    const router = luci();
    router.answers['pptp.client_setup'] = answer;
    await router.module('pptp-gateway.setup-dialog').open(wish);
    const find = (selector: string) => router.document.querySelector(selector);
    return { router, find, button: router.document.querySelectorAll('button')[1] };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('shows what the daemon writes, for each kind of machine and each address', async () => {
    const asked: unknown[][] = [];
    const { find, button, router } = await opened((...args) => {
      asked.push(args);
      return { file: 'home.ps1', text: `for ${String(args[0])} at ${String(args[3])}` };
    });
    assert.equal(find('pre').textContent, 'for windows at 198.51.100.1');
    assert.equal(button.disabled, false);
    assert.match(find('ol').textContent, /Connection name: PPTP home/);
    assert.equal(find('ol').parentNode.hidden, false);
    find('select').value = 'routeros';
    find('input').value = ' ';
    find('select').dispatchEvent(new router.document.defaultView.Event('change'));
    await settled();
    assert.equal(find('pre').textContent, 'for routeros at undefined');
    assert.equal(find('ol').parentNode.hidden, true, 'the mouse is for Windows');
    assert.deepEqual(asked, [
      ['windows', 'anna', 'home', '198.51.100.1', ['192.168.1.0/24']],
      ['routeros', 'anna', 'home', undefined, ['192.168.1.0/24']],
    ]);
  });

  test('an answer that comes late does not replace a newer one', async () => {
    const late: ((answer: unknown) => void)[] = [];
    const { find, router } = await opened((format) =>
      format === 'networkmanager'
        ? new Promise((resolve) => late.push(resolve))
        : { file: 'x', text: format },
    );
    for (const format of ['networkmanager', 'routeros']) {
      find('select').value = format;
      find('select').dispatchEvent(new router.document.defaultView.Event('change'));
    }
    await settled();
    late[0]!({ file: 'x', text: 'late' });
    await settled();
    assert.equal(find('pre').textContent, 'routeros');
  });

  test('what the daemon does not know yet is to be saved first; nothing can be downloaded', async () => {
    const { find, button } = await opened(() => {
      throw new Error('RPC call to pptp/client_setup failed with ubus code 4: Resource not found');
    });
    assert.match(find('pre').textContent, /Save & Apply first/);
    assert.equal(button.disabled, true);
  });

  test('without a daemon it says so', async () => {
    const { find } = await opened(() => {
      throw new Error('RPC call to pptp/client_setup failed with error -32000: Object not found');
    });
    assert.equal(find('pre').textContent, 'pptp-gateway is not running.');
  });
});

describe('log', () => {
  const log = module('log-lines');
  const entries = [
    { time: 1, level: 'info', text: 'server vpn session 3 user "anna" peer 203.0.113.1: up' },
    { time: 3, level: 'warning', text: 'link office: waiting GRE_BLOCKED "no session 12 here"' },
    { time: 4, level: 'debug', text: 'counted x' },
    {
      time: 5,
      level: 'warning',
      text: 'server vpn caller 1.2.3.4 user "x\\" session 99 link evil: ": login failed',
    },
  ];

  test('our lines, newest first, by level', () => {
    assert.deepEqual(
      log.select(entries, { level: 'info', about: '' }).map(({ time }: { time: number }) => time),
      [5, 3, 1],
    );
    assert.deepEqual(log.select(entries, { level: 'debug', about: '' }).length, 4);
    assert.deepEqual(log.select(entries, { level: 'error', about: '' }), []);
  });

  test('by session and by name; what a peer chose counts as neither', () => {
    assert.deepEqual(log.subjects(entries), ['office', 'vpn', '#3']);
    assert.deepEqual(log.select(entries, { level: 'debug', about: '#3' }).length, 1);
    assert.deepEqual(log.select(entries, { level: 'debug', about: 'vpn' }).length, 2);
    assert.deepEqual(log.select(entries, { level: 'debug', about: 'evil' }), []);
  });
});

describe('users as data', () => {
  const list = module('user-list');
  const anna = {
    username: 'anna',
    password: "p'w",
    server: ['vpn'],
    route: ['10.1.0.0/16'],
    expires: '2027-12-31',
  };

  test('what is exported can be imported again, and the daemon takes it', () => {
    const section = { '.name': 'cfg1', '.type': 'user', ...anna, something: 'else' };
    const { users, refused } = list.imported(list.exported([section]));
    assert.deepEqual(users, [anna]);
    assert.equal(refused, 0);
    const text = `config user\n option username 'anna'\n option password 'x'\n option expires '${anna.expires}'\n list route '10.1.0.0/16'\n`;
    assert.equal(parseConfiguration({ network: '', pptp_users: text }).users.length, 1);
  });

  test('what makes no sense is counted and left out', () => {
    const file = (users: unknown) =>
      JSON.stringify({ format: 'pptp-gateway users', version: 1, users });
    const wrong = [
      {},
      null,
      7,
      { username: 'a' },
      { username: 'a\n', password: 'x' },
      { username: 'a', password: 'ж'.repeat(128) }, // 256 octets
      { username: 'ä'.repeat(65), password: 'x' },
      { ...anna, ipaddr: 'x' },
      { ...anna, expires: 'soon' },
      { ...anna, server: ["'"] },
    ];
    assert.deepEqual(list.imported(file(wrong)), { users: [], refused: wrong.length });
    for (const text of ['', 'x', '{}', '[]', file('x'), 'null'])
      assert.throws(() => list.imported(text), /not a file of users/);
  });

  test('unknown keys do not get through', () => {
    const { users } = list.imported(
      JSON.stringify({
        format: 'pptp-gateway users',
        users: [{ ...anna, '.name': 'x', exec: 'y' }],
      }),
    );
    assert.deepEqual(users, [anna]);
  });

  test('logins of the old pptpd; * is no address', () => {
    const logins = [
      { username: 'ben', password: 'x', remoteip: '*' },
      { username: 'eva', password: 'y', remoteip: '192.168.0.9' },
      { username: 'no-password' },
      // pppd reads these in another way than they stand there.
      ...['"open sesame"', 'p#w', "it's", 'a\\sb', 'open sesame', 'grün', '@/etc/hers'].map(
        (password) => ({
          username: 'dan',
          password,
        }),
      ),
      { username: '*', password: 'x' },
      { username: 'dan', password: 'x', remoteip: '192.168.0.9 192.168.0.10' },
    ];
    assert.deepEqual(list.fromPptpd(logins), {
      users: [
        { username: 'ben', password: 'x' },
        { username: 'eva', password: 'y', ipaddr: '192.168.0.9' },
      ],
      refused: 10,
    });
  });

  test('an import changes nobody who is there, and takes a name once', () => {
    const fresh = list.without(
      [anna, { ...anna }, { ...anna, username: 'ben' }, { ...anna, username: 'eva' }],
      [{ username: 'ben' }],
    );
    assert.deepEqual(
      fresh.map(({ username }: { username: string }) => username),
      ['anna', 'eva'],
    );
  });
});

test('a section of the stock client keeps its settings and its defaults', () => {
  const { converted, DEFAULTS } = module('stock-link');
  const stockDefaults = Object.entries(linkOptions).flatMap(([name, option]) =>
    'stockDefault' in option ? [[name, option.stockDefault]] : [],
  );
  assert.deepEqual(DEFAULTS, Object.fromEntries(stockDefaults));
  assert.deepEqual(converted({ proto: 'pptp', ipv6: '0', pppd_options: 'nomppe', maxfail: '1' }), {
    set: { proto: 'pptpgw', keepalive: '5 1' },
    unset: ['maxfail'],
  });
});

describe('zones', () => {
  const router = () => {
    const made = luci();
    const firewall = (made.uci['firewall'] = {});
    const add = (name: string, type: string, values: object) =>
      Object.assign(firewall, { [name]: { '.type': type, '.name': name, ...values } });
    add('z1', 'zone', { name: 'lan', network: ['lan'], input: 'ACCEPT' });
    add('z2', 'zone', { name: 'wan', network: ['wan', 'wan6'], input: 'REJECT', masq: '1' });
    add('f1', 'forwarding', { src: 'lan', dest: 'wan' });
    made.uci['network'] = {
      vpn: { proto: 'pptpserver' },
      a_very_long_name: { proto: 'pptpserver' },
      office: { proto: 'pptpgw' },
    };
    return {
      ...made,
      zones: made.module('pptp-gateway.zones'),
      firewall: firewall as Record<string, Record<string, unknown>>,
      add,
    };
  };
  const everything = { router: true, lan: true, internet: true, back: true };
  const nothing = { router: false, lan: false, internet: false, back: false };

  test('what callers may reach is written and read back', () => {
    const { zones, firewall } = router();
    assert.deepEqual(zones.reach('vpn'), nothing);
    for (const reach of [
      everything,
      nothing,
      { ...nothing, lan: true },
      { ...everything, lan: false },
    ]) {
      zones.writeReach('vpn', reach);
      assert.deepEqual(zones.reach('vpn'), reach);
    }
    assert.equal(Object.values(firewall).filter(({ name }) => name === 'vpn').length, 1);
  });

  test('without the router, names are still resolved and pings answered', () => {
    const { zones, firewall } = router();
    const rules = () =>
      Object.values(firewall)
        .filter(({ '.type': type, src }) => type === 'rule' && src === 'vpn')
        .map(({ dest_port, icmp_type, target }) => [dest_port ?? icmp_type, target]);
    zones.writeReach('vpn', { ...everything, router: false });
    zones.writeReach('vpn', { ...everything, router: false });
    assert.deepEqual(rules(), [
      ['53', 'ACCEPT'],
      [['echo-request'], 'ACCEPT'],
    ]);
    zones.writeReach('vpn', everything);
    assert.deepEqual(rules(), []);
  });

  test('deleting leaves nothing behind and touches nothing else', () => {
    const { zones, firewall } = router();
    const before = structuredClone(firewall);
    zones.writeReach('vpn', { ...everything, router: false });
    zones.writeUsers('office', ['lan']);
    zones.forget('vpn');
    zones.forget('office');
    zones.forget('unknown');
    assert.deepEqual(firewall, before);
  });

  test('a network that shares a zone leaves the zone alone', () => {
    const { zones, firewall, add } = router();
    add('z3', 'zone', { name: 'vpns', network: ['vpn', 'wg0'] });
    zones.forget('vpn');
    assert.deepEqual(firewall['z3']!['network'], ['wg0']);
  });

  test('within the zone of the LAN, its own rule decides; who wants something else leaves it', () => {
    const { zones, firewall } = router();
    Object.assign(firewall['z1']!, { network: ['lan', 'vpn'], forward: 'ACCEPT' });
    const before = structuredClone(firewall);
    assert.deepEqual(zones.reach('vpn'), everything);
    zones.writeReach('vpn', everything);
    assert.deepEqual(firewall, before, 'saved as it was: nothing is written');
    zones.writeReach('vpn', { ...everything, router: false });
    assert.deepEqual(firewall['z1'], { ...before['z1'], network: ['lan'] });
    assert.equal(zones.zoneOf('vpn').name, 'vpn');
    assert.deepEqual(zones.reach('vpn'), { ...everything, router: false });
  });

  test('names are short and not taken', () => {
    const { zones, firewall, add } = router();
    add('z3', 'zone', { name: 'vpn', network: ['wg0'] });
    zones.writeReach('vpn', everything);
    zones.writeReach('a_very_long_name', everything);
    const names = Object.values(firewall)
      .filter(({ '.type': type }) => type === 'zone')
      .map(({ name }) => name as string);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.every((name) => name.length <= 11));
    assert.notEqual(zones.zoneOf('vpn').name, 'vpn');
  });

  test('a link is a way out, not a way in, and no way to the Internet for callers', () => {
    const { zones } = router();
    zones.writeUsers('office', ['lan']);
    assert.deepEqual(zones.users('office'), ['lan']);
    assert.equal(zones.zoneOf('office').input, 'REJECT');
    assert.equal(zones.zoneOf('office').masq, '1');
    assert.equal(zones.wan().name, 'wan');
    assert.deepEqual(
      zones.inside().map(({ name }: { name: string }) => name),
      ['lan'],
    );
    zones.writeUsers('office', []);
    assert.deepEqual(zones.users('office'), []);
  });

  test('a forwarded port 1723 is found', () => {
    const { zones, add } = router();
    assert.deepEqual(zones.stolenPort('1723'), []);
    add('r1', 'redirect', {
      src: 'wan',
      proto: 'tcp',
      src_dport: '1000-2000',
      dest_ip: '192.168.1.9',
    });
    add('r2', 'redirect', { src: 'wan', proto: 'udp', src_dport: '1723' });
    add('r3', 'redirect', { src: 'wan', src_dport: '1723', enabled: '0' });
    add('r4', 'redirect', { src: 'lan', src_dport: '1723' });
    add('r5', 'redirect', { src: 'wan', proto: ['tcp', 'udp'], src_dport: '1723' });
    assert.deepEqual(
      zones.stolenPort('1723').map(({ '.name': name }: { '.name': string }) => name),
      ['r1', 'r5'],
    );
  });
});

test('whose session it is, who has let it in, and what it may have', () => {
  const words = module('words');
  assert.equal(words.user({ username: 'anna' }), 'anna');
  assert.equal(words.user({ username: 'anna', account: 'local' }), 'anna');
  assert.equal(words.user({ username: 'anna', account: 'radius' }), 'anna (by RADIUS)');
  assert.equal(words.limits({}), '');
  assert.equal(words.limits({ rate_up: 0, rate_down: 0 }), '');
  assert.match(words.limits({ rate_up: 2000 }), /^ \(≤ ↓\s2000\.0\s/);
  assert.match(words.limits({ rate_up: 2000, rate_down: 8000 }), /↓.*↑\s8000\.0/);
});
