/**
 * What the forms must refuse is refused, with LuCI's own way of asking; and the daemon refuses the same. LuCI's types are
 * judged by a stand-in here, which is held to what a real LuCI has said (verdicts.ts).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { files, refusal, type Kind } from '../daemon/configuration/parsed.ts';
import { isTaken, judged, luci, recorder, type Luci } from './luci.ts';
import { datatypes, recorded, values } from './verdicts.ts';

type Any = any;

/** Values by option: refused ones, and then one that is taken. */
type Cases = Readonly<Record<string, readonly [refused: readonly string[], taken: string]>>;

function tried(offered: readonly Any[], cases: Cases, values: Record<string, string> = {}): void {
  const map = { lookupOption: (name: string) => [{ formvalue: () => values[name] }] };
  for (const [name, [refused, taken]] of Object.entries(cases)) {
    const option = offered.find((each) => each.option === name);
    option.map = map;
    for (const value of refused) assert.equal(isTaken(option, value), false, `${name} '${value}'`);
    assert.equal(isTaken(option, taken), true, `${name} '${taken}'`);
  }
  const apart = ['_username']; // no option of the daemon's
  for (const each of offered.filter(({ validate, option }) => validate && !apart.includes(option)))
    assert.ok(cases[each.option] !== undefined, `${each.option} has no value that is refused`);
}

function refusedByDaemon(kind: Kind, cases: Cases): void {
  for (const [name, [refused]] of Object.entries(cases))
    for (const value of refused) {
      const without = name === 'nthash' ? ['password'] : [name];
      const faults = refusal(files(kind, `option ${name} '${value}'`, without));
      assert.ok(
        faults.some((line) => line.includes(`option '${name}'`)),
        `${name} '${value}'`,
      );
    }
}

function serverPage(): { router: Luci; offered: readonly Any[] } {
  const { form, sections } = recorder();
  const router = luci({ form });
  router.uci['network'] = {
    vpn: { '.type': 'interface', '.name': 'vpn', proto: 'pptpserver', network: '192.168.99.0/24' },
  };
  const map = new form.Map('network');
  const used = router
    .module('pptp-gateway.subnets')
    .used([{ interface: 'lan', 'ipv4-address': [{ address: '192.168.1.1', mask: 24 }] }], []);
  router.module('pptp-gateway.server-form').add(map, 'vpn', { isNew: true, used, title: null });
  return { router, offered: sections.find(({ name }) => name === 'vpn')!.offered };
}

test('the stand-in judges as LuCI does, by every type that our forms name', () => {
  const { verdicts, changed } = recorded();
  const types = datatypes();
  assert.deepEqual(types, Object.keys(verdicts).sort(), 'LUCI_RECORD=1, see browser.test.ts');
  for (const datatype of types)
    values.forEach((value, index) => {
      const [refused, taken, other] = [false, value, changed[datatype]?.[value]];
      const expected = [refused, taken, other][verdicts[datatype]![index]!];
      assert.equal(judged(datatype, value), expected, `${datatype} '${value}'`);
    });
});

test("no whole number may be a fraction, which LuCI's range alone would take", () => {
  const numbers = datatypes().filter((datatype) => datatype.includes('range('));
  assert.ok(numbers.length > 10);
  for (const datatype of numbers) {
    for (const value of ['1.5', '60.5', '-1', '1e3'])
      assert.equal(judged(datatype, value), false, `${datatype} ${value}`);
  }
});

test("the stand-in has LuCI's trap: cidr4 leaves its length in the place of the value", () => {
  const seen: string[] = [];
  const validate = (_sectionId: string, value: string) => seen.push(value) > 0;
  assert.ok(isTaken({ datatype: 'cidr4', validate }, '192.168.1.0/24'));
  assert.deepEqual(seen, ['24']);
});

/** Neither a server nor a user may have these. */
const notNetworks6 = [
  '2001:db8::',
  '2001:db8::/65',
  '2001:db8::/15',
  '2001:db8::/056',
  '2001:db8:1:2:3:4:5:6:7/64',
  '2001:db8::1::/64',
  '2001:db8:12345::/64',
  'fe80::/64',
  'ff02::/64',
  '192.168.99.0/24',
  'x',
];

describe('a server', () => {
  const both: Cases = {
    localip: [['192.168.98.1', '192.168.99.0', '192.168.99.255', 'x'], '192.168.99.7'],
    network: [['192.168.99.0/31', '192.168.0.0/15', '192.168.99.1', 'x'], '192.168.99.0/24'],
    filter_id: [['=staff', 'sales team', 'a=b c', 'a=inet'], 'sales team = sales'],
    range: [['192.168.99.9-192.168.99.2', '192.168.98.1', '1-5'], '192.168.99.2-192.168.99.9'],
    ip6prefix: [notNetworks6, '2001:db8:5:100::/56'],
    ip6dns: [['192.168.99.1', '2001:db8::53/64', 'x'], '2001:db8::53'],
  };

  test('in the form', () => {
    const { offered } = serverPage();
    const apart: Cases = { auth: [[''], 'pap'], mppe_strength: [[''], '40'] };
    tried(offered, { ...both, ...apart }, { network: '192.168.99.0/24' });
  });
  test('by the daemon', () => refusedByDaemon('server', both));

  test('a network that the router has', () => {
    const { offered } = serverPage();
    const network = offered.find(({ option }) => option === 'network');
    for (const value of ['192.168.1.0/24', '192.168.0.0/16', '192.168.1.128/25'])
      assert.equal(isTaken(network, value, 'vpn'), false, value);
  });

  test('a first user who is there already', () => {
    const { router, offered } = serverPage();
    const option = offered.find((each) => each.option === '_username');
    router.uci['pptp_users'] = { a: { '.type': 'user', '.name': 'a', username: 'anna' } };
    assert.equal(isTaken(option, 'anna'), false);
    assert.equal(isTaken(option, 'ä'.repeat(65)), false);
    assert.equal(isTaken(option, 'bert'), true);
  });
});

describe('a user', () => {
  const both: Cases = {
    expires: [['31.12.2027', '2027-02-31', '2027-13-01'], '2027-12-31'],
    nthash: [['0011', 'g'.repeat(32)], '0'.repeat(32)],
    hours: [
      ['Mon-Fri', '8-18', 'Mon 08:00-24:01', '08:00-8:00', 'Montag 08:00-18:00', '8:00-9:00 Mon'],
      'Mon-Fri,Sun 8:00-12:00, 13:00-18:00; Sat 22:00-06:00',
    ],
    group: [['a b', '@staff', 'staff;', 'inet', 'bridge fw4 staff', '1st'], 'inet filter staff'],
    note: [['x'.repeat(257), 'ж'.repeat(129)], '<b>Anna</b>'],
    quota_action: [['slow', 'slow 0', 'Deny', 'slow 512 kbit/s'], 'slow 512'],
    ip6prefix: [[...notNetworks6, '2001:db8:5::/56'], '2001:db8:5:1ff::/64'],
    ip6route: [notNetworks6, 'fd00:1:2:300::/56'],
  };

  function offeredUser(router: (form: unknown) => Luci): readonly Any[] {
    const { form, section, sections } = recorder();
    router(form).module('view.pptp-gateway.users').addOptions(section());
    return sections[0]!.offered;
  }

  test('in the form', () => {
    const offered = offeredUser((form) => {
      const router = luci({ form });
      const ip6prefix = '2001:db8:5:1fe::/64';
      const values = { username: 'anna', ipaddr: '192.168.99.10', ip6prefix };
      router.uci['pptp_users'] = { a: { '.type': 'user', '.name': 'a', ...values } };
      return router;
    });
    tried(offered, {
      ...both,
      username: [['anna', 'ä'.repeat(65), ''], 'bert'],
      ipaddr: [['192.168.99.10', '192.168.99.0/24'], '192.168.99.11'],
      ip6prefix: [[...both['ip6prefix']![0], '2001:db8:5:1fe::/64'], '2001:db8:5:1ff::/64'],
      password: [[''], 'geheim'],
    });
  });
  test('by the daemon', () => refusedByDaemon('user', both));

  test('the form can be drawn while there is no server to choose', () => {
    const offered = offeredUser((form) => luci({ form }));
    const option = offered.find((each) => each.option === 'server');
    option.super = () => null; // LuCI's own, without choices
    assert.deepEqual(option.transformChoices(), {});
  });
});

describe('a RADIUS server', () => {
  const offered = (): readonly Any[] => {
    const { form, section, sections } = recorder();
    luci({ form }).module('view.pptp-gateway.radius').addOptions(section());
    return sections[0]!.offered;
  };
  const both: Cases = { ca: [['ca.pem', 'a b'], '/etc/pptp-gateway/ca.pem'] };

  test('in the form', () => {
    const values = { coa: '1', transport: 'udp', certificate: '/a', key: '/b' };
    tried(
      offered(),
      {
        ...both,
        server: [['radius.example.com', 'a b', ''], '2001:db8::1'],
        secret: [[''], 'geheim'],
        role: [[''], 'auth'],
        certificate: [['', 'a'], '/a'],
        key: [['', 'b'], '/b'],
      },
      values,
    );
    for (const option of offered()) {
      option.map = { lookupOption: () => [{ formvalue: () => undefined }] };
      const taken = { server: 'radius.example.com', certificate: '', key: '' }[
        option.name as string
      ];
      if (taken !== undefined) assert.ok(isTaken(option, taken), option.name);
    }
    const secret = offered().find(({ name }) => name === 'secret');
    secret.map = { lookupOption: () => [{ formvalue: () => 'tls' }] };
    assert.ok(isTaken(secret, ''));
  });

  test('by the daemon', () => {
    refusedByDaemon('radius', { ...both, server: [['a b', ''], ''], secret: [[''], ''] });
    for (const [lines, option] of [
      ["option server 'radius.example.com'\noption coa '1'", 'coa'],
      ["option transport 'tls'\noption certificate '/a'", 'key'],
      ["option transport 'tls'\noption key '/a'", 'certificate'],
      ["option ca '/a'", 'ca'],
    ])
      assert.match(refusal(files('radius', lines)).join(), new RegExp(`option '${option}'`));
  });

  test('the router as it sees it', () => {
    const { form, sections } = recorder();
    luci({ form }).module('view.pptp-gateway.radius').form();
    const nas: Cases = {
      address: [['192.0.2.0/24', 'x'], '192.0.2.1'],
      interim_interval: [['59', '86401', 'x'], '0'],
      records: [['records', '/a/../b', '/a b'], '/srv/records'],
      identifier: [['x'.repeat(254)], 'gateway-1'],
    };
    tried(sections[1]!.offered, nas);
    refusedByDaemon('nas', nas);
  });
});

test('a link: no address of IPv6', () => {
  const { form, section, sections } = recorder();
  luci({ form }).module('pptp-gateway.fields').link(section());
  const option: Any = sections[0]!.offered.find(({ name }) => name === 'server');
  for (const value of ['2001:db8::1', 'a b']) assert.equal(isTaken(option, value), false, value);
  for (const value of ['vpn.example.com', '203.0.113.9', ''])
    assert.equal(option.validate('office', value), true, value);
  assert.match(option.validate('office', '2001:db8::1'), /^PPTP needs IPv4: /);
  assert.equal(isTaken(option, 'vpn.example.com'), true);
  refusedByDaemon('link', { server: [['2001:db8::1', 'a b'], ''] });
});
