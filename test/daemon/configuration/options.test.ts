/** Every option of the table: its default, values that are allowed, and values that are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { parseConfiguration } from '../../../src/daemon/configuration/configuration.ts';
import {
  globalOptions,
  linkOptions,
  serverOptions,
  userOptions,
} from '../../../src/daemon/configuration/options.ts';
import { nasOptions, radiusOptions } from '../../../src/daemon/configuration/radius-options.ts';
import type { OptionTable } from '../../../src/daemon/configuration/option-table.ts';
import { Secret } from '../../../src/crypto/secret.ts';
import { parseAddress } from '../../../src/wire/ip.ts';
import { parseIpv6Address, parseIpv6Prefix } from '../../../src/wire/ipv6.ts';
import { files, only, refusal, type Kind } from './parsed.ts';

interface Case {
  /** Where the value is in the parsed section: a path of keys. */
  readonly at?: string;
  /** What it is when the option is absent; not for required ones. */
  readonly absent?: unknown;
  /** Text, or the texts of a list, to value. */
  readonly good: readonly (readonly [string | readonly string[], unknown])[];
  readonly bad: readonly string[];
  /** Lines that it needs beside it. */
  readonly beside?: string;
}

const ip = (text: string) => parseAddress(text)!;
const net = (text: string, length: number) => ({ address: ip(text), length });

const flag = (at: string, absent: boolean): Case => ({
  at,
  absent,
  good: [...['1', 'yes', 'on', 'true', 'enabled'].map((text) => [text, true] as const)].concat(
    ['0', 'no', 'off', 'false', 'disabled'].map((text) => [text, false] as never),
  ),
  bad: ['2', 'TRUE', ' 1'],
});
const whole = (at: string, absent: unknown, least: number, most: number, unit = 1): Case => ({
  at,
  absent,
  good: [least, most].map((number) => [String(number), number * unit] as const),
  bad: [String(most + 1), ...(least > 0 ? [String(least - 1)] : []), '-1', '1.5', '1e2', ' 5', 'x'],
});
const words = (at: string, absent: string, ...allowed: string[]): Case => ({
  at,
  absent,
  good: allowed.map((word) => [word, word] as const),
  bad: [allowed[0]!.toUpperCase(), `${allowed[0]!} `, 'none'],
});
const rates = (rate: number | undefined, burst: number | undefined) => ({
  rate_up: whole('rates.up', rate, 0, 10_000_000),
  rate_down: whole('rates.down', rate, 0, 10_000_000),
  rate_burst: whole('rates.burst', burst, 10, 10_000),
});
const QUOTA = "option quota_month '5'";
const quota: Readonly<Record<string, Case>> = {
  quota_month: {
    at: 'quota',
    absent: undefined,
    good: [
      ['0', undefined],
      ['1', { octets: 1_000_000, action: { kind: 'deny' }, day: 1 }],
      ['1000000000', { octets: 1e15, action: { kind: 'deny' }, day: 1 }],
    ],
    bad: ['1000000001', '-1', '1.5', '5 GB', 'x'],
  },
  quota_action: {
    at: 'quota.action',
    beside: QUOTA,
    good: [
      ['deny', { kind: 'deny' }],
      ['notify', { kind: 'notify' }],
      ['slow 1', { kind: 'slow', rate: 1 }],
      ['slow 10000000', { kind: 'slow', rate: 10_000_000 }],
    ],
    bad: ['slow', 'slow 0', 'slow 10000001', 'slow 512 kbit/s', 'Deny', 'deny 5'],
  },
  quota_day: {
    at: 'quota.day',
    beside: QUOTA,
    good: [
      ['1', 1],
      ['31', 31],
    ],
    bad: ['0', '32', '-1', 'Monday'],
  },
};
const domains: Case = {
  at: 'domains',
  absent: [],
  good: [
    ['office.lan', ['office.lan']],
    [
      ['office.lan', 'example.com'],
      ['office.lan', 'example.com'],
    ],
    ['_msdcs.ad-1.Example', ['_msdcs.ad-1.Example']],
    [`${'a'.repeat(63)}.lan`, [`${'a'.repeat(63)}.lan`]],
  ],
  bad: [
    '.',
    'a..b',
    '.lan',
    'lan.',
    '-a.lan',
    'a-.lan',
    'ä.lan',
    'a;b',
    `${'a'.repeat(64)}.lan`,
    'a.'.repeat(64) + 'b',
  ],
};
const secret: Case = {
  at: 'secret',
  good: [
    ['x', Secret.fromPassword('x')],
    ['päß "wörd"', Secret.fromPassword('päß "wörd"')],
    ['x'.repeat(255), Secret.fromPassword('x'.repeat(255))],
    ['☃'.repeat(85), Secret.fromPassword('☃'.repeat(85))],
  ],
  // Octets count, not characters.
  bad: ['x'.repeat(256), 'ж'.repeat(128), '☃'.repeat(86), '🔑'.repeat(64)],
};
const username: Case = {
  at: 'username',
  good: ['anna', 'CORP\\anna', 'anna@example.com', 'änna b', 'x'.repeat(128)].map(
    (name) => [name, name] as const,
  ),
  bad: ['x'.repeat(129), 'ä'.repeat(65), 'a\nb', 'a\u007f', 'a\u0000'],
};
const prefixList = (at: string): Case => ({
  at,
  absent: [],
  good: [
    ['10.1.0.0/16', [net('10.1.0.0', 16)]],
    [
      ['10.1.0.0/16', '10.2.3.4'],
      [net('10.1.0.0', 16), net('10.2.3.4', 32)],
    ],
    ['10.1.0.0/16 10.2.3.4', [net('10.1.0.0', 16), net('10.2.3.4', 32)]],
    ['10.1.2.3/16', [net('10.1.0.0', 16)]],
    ['0.0.0.0/0', [net('0.0.0.0', 0)]],
  ],
  bad: ['10.1.0.0/33', '10.1/16', '10.1.0.0/', '010.1.0.0/16', '2001:db8::/32'],
});
const addressList = (at: string): Case => ({
  at,
  absent: [],
  good: [
    ['192.0.2.1', [ip('192.0.2.1')]],
    [
      ['192.0.2.1', '192.0.2.2'],
      [ip('192.0.2.1'), ip('192.0.2.2')],
    ],
    ['192.0.2.1 192.0.2.2', [ip('192.0.2.1'), ip('192.0.2.2')]],
  ],
  bad: ['192.0.2.256', '192.0.2', '192.0.2.1/24', '1', 'localhost', '192.0.2.1 x'],
});

const network = (at: string, one: (name: string) => unknown): Case => ({
  at,
  good: ['wan', 'br-lan.10', 'a_name_of_20_letters'].map((name) => [name, one(name)] as const),
  bad: ['x'.repeat(65), 'a/b', 'a:1', '..', '.'],
});
const command = (at: string): Case => ({
  at,
  absent: undefined,
  good: [
    ['date >> /tmp/x', 'date >> /tmp/x'],
    ['x'.repeat(8192), 'x'.repeat(8192)],
  ],
  bad: ['x'.repeat(8193), 'ж'.repeat(4097), 'a\0b'],
});

const both: Readonly<Record<string, Case>> = {
  disabled: { good: [['0', undefined]], bad: ['2'] },
  auth: {
    at: 'auth',
    absent: ['mschap-v2'],
    good: [
      [
        ['mschap-v2', 'eap', 'mschap', 'chap', 'pap'],
        ['mschap-v2', 'eap', 'mschap', 'chap', 'pap'],
      ],
      ['mschap mschap-v2', ['mschap', 'mschap-v2']],
      [['mschap-v2', 'mschap-v2'], ['mschap-v2']],
    ],
    bad: ['EAP', 'eap-mschapv2', 'MSCHAP-V2', 'mschapv2'],
  },
  mppe: words('mppe.policy', 'required', 'required', 'optional', 'off'),
  mppe_strength: {
    at: 'mppe.strengths',
    absent: [128],
    good: [
      [
        ['40', '128', '56'],
        [128, 56, 40],
      ],
      ['56 56', [56]],
    ],
    bad: ['64', '128 64'],
  },
  mppe_stateful: {
    at: 'mppe.stateful',
    absent: false,
    good: [
      ['0', false],
      ['1', true],
      ['ask', true],
    ],
    bad: ['2', 'yes'],
  },
  mtu: whole('mtu', 1400, 576, 1500),
  keepalive: {
    at: 'keepalive',
    absent: { failures: 3, interval: 30_000 },
    good: [
      ['5 10', { failures: 5, interval: 10_000 }],
      ['5,10', { failures: 5, interval: 10_000 }],
      ['5', { failures: 5, interval: 5_000 }],
      ['0', undefined],
      ['0 0', undefined],
      ['3 0', undefined],
    ],
    bad: ['3 30 1', '-1', 'x', '3;30', '1000 1'],
  },
  port: whole('port', 1723, 1, 65535),
};

const cases: Readonly<Record<Kind, Readonly<Record<string, Case>>>> = {
  server: {
    ...both,
    // Another value makes it another kind of interface: nothing of ours.
    proto: { at: 'kind', good: [['pptpserver', 'server']], bad: [] },
    localip: {
      at: 'localAddress',
      good: [['192.168.99.254', ip('192.168.99.254')]],
      bad: ['192.168.99', '192.168.99.1/24', '192.168.98.1', '192.168.99.0', '192.168.99.255'],
    },
    network: {
      at: 'network',
      good: [
        ['192.168.99.0/30', net('192.168.99.0', 30)],
        ['192.168.99.7/24', net('192.168.99.0', 24)],
        ['192.168.0.0/16', net('192.168.0.0', 16)],
      ],
      bad: ['192.168.0.0/15', '192.168.99.0/31', '192.168.99.1', 'lan'],
    },
    range: {
      at: 'pool',
      absent: [{ first: ip('192.168.99.1'), last: ip('192.168.99.254') }],
      good: [
        [
          '192.168.99.10-192.168.99.60',
          [{ first: ip('192.168.99.10'), last: ip('192.168.99.60') }],
        ],
        ['192.168.99.10', [{ first: ip('192.168.99.10'), last: ip('192.168.99.10') }]],
      ],
      bad: ['192.168.99.60-192.168.99.10', '10-60', '192.168.99.0/24', '192.168.98.1-192.168.99.9'],
    },
    listen: { ...network('listen', (name) => [name]), absent: [] },
    ipv6: flag('ipv6', false),
    ip6prefix: {
      at: 'ip6.prefixes',
      absent: [],
      good: [
        ['2001:db8:5:100::/56', [parseIpv6Prefix('2001:db8:5:100::/56')]],
        [['2001:db8::/64', 'fd00:1::/48'], ['2001:db8::/64', 'fd00:1::/48'].map(parseIpv6Prefix)],
      ],
      bad: [
        '2001:db8::',
        '2001:db8::/65',
        '2000::/3',
        'fe80::/64',
        'ff02::/64',
        '::/48',
        '10.0.0.0/8',
      ],
    },
    ip6mode: words('ip6.mode', 'own', 'own', 'shared'),
    ip6dns: {
      at: 'ip6.dns',
      absent: [],
      good: [[['2001:db8::53'], [parseIpv6Address('2001:db8::53')]]],
      bad: ['fe80::1', '::1', '2001:db8::/64', '192.0.2.53'],
    },
    idle_timeout: whole('idleTimeout', 0, 0, 604800, 1000),
    session_timeout: whole('sessionTimeout', 0, 0, 31536000, 1000),
    max_sessions: whole('maxSessions', 16, 1, 4096),
    max_per_user: whole('maxPerUser', 1, 1, 4096),
    on_duplicate: words('onDuplicate', 'replace', 'replace', 'deny'),
    isolate: flag('isolate', true),
    broadcast_relay: { ...network('broadcastRelay', (name) => [name]), absent: [] },
    ...rates(0, 50),
    client_dns: addressList('dns'),
    client_wins: addressList('nbns'),
    client_route: prefixList('clientRoutes'),
    domain: domains,
    open_firewall: { good: [['0', undefined]], bad: ['x'] },
    masquerade: flag('masquerade', false),
    accounts: {
      at: 'accounts',
      absent: ['local'],
      good: [
        ['radius', ['radius']],
        [
          ['radius', 'local'],
          ['radius', 'local'],
        ],
      ],
      bad: ['ldap', 'Local'],
    },
    allow_from: prefixList('allowFrom'),
    deny_from: prefixList('denyFrom'),
    filter_id: {
      at: 'filterSets',
      absent: [],
      good: [
        ['staff', [{ filter: 'staff', set: 'inet fw4 staff' }]],
        ['sales team = ip filter sales', [{ filter: 'sales team', set: 'ip filter sales' }]],
        [
          ['a=b', 'a=b=c'],
          [
            { filter: 'a', set: 'inet fw4 b' },
            { filter: 'a=b', set: 'inet fw4 c' },
          ],
        ],
      ],
      bad: ['=staff', 'staff=', 'sales team', 'a=b c', 'a\u0007=staff', `${'x'.repeat(254)}=staff`],
    },
    ban_after: whole('ban.after', 5, 0, 1000),
    ban_time: whole('ban.time', 600_000, 1, 86400, 1000),
  },
  link: {
    ...both,
    proto: {
      at: 'kind',
      good: [
        ['pptpgw', 'link'],
        ['pptp', 'link'],
      ],
      bad: [],
    },
    mtu: {
      at: 'mtu',
      absent: 1400,
      good: [
        ['576', 576],
        ['1500', 1500],
        ['9200', 1500],
      ],
      bad: ['575', '9201', '1e3', 'x'],
    },
    server: {
      at: 'server',
      good: ['vpn.example.com', '203.0.113.9', 'x'].map((name) => [name, name] as const),
      bad: ['a b', '-x', 'user@host', '2001:db8::1', 'x'.repeat(254)],
    },
    username,
    password: secret,
    interface: { ...network('bindDevice', (name) => name), absent: undefined },
    route: prefixList('routes'),
    ip6route: {
      at: 'ipv6Routes',
      absent: [],
      good: [
        [
          ['2001:db8:1::/48', '2001:db8:2::1'],
          ['2001:db8:1::/48', '2001:db8:2::1'].map(parseIpv6Prefix),
        ],
      ],
      bad: ['2001:db8::/129', '192.0.2.0/24', 'x'],
    },
    defaultroute: flag('defaultRoute', true),
    metric: whole('metric', 0, 0, 4294967295),
    nohostroute: {
      at: 'hostRoute',
      absent: true,
      good: [
        ['1', false],
        ['0', true],
      ],
      bad: ['x'],
    },
    peerdns: flag('peerDns', true),
    ipv6: {
      at: 'ipv6',
      absent: false,
      good: [
        ['auto', true],
        ['1', true],
        ['0', false],
      ],
      bad: ['yes'],
    },
    auto: flag('auto', true),
    authfail: flag('blockOnAuthFailure', false),
    maxfail: whole('maxFail', 0, 0, 1_000_000),
    holdoff: {
      at: 'holdoff',
      absent: 5000,
      good: [
        ['0', 1000],
        ['1', 1000],
        ['3600', 3_600_000],
      ],
      bad: ['3601', '-1', '1.5', 'x'],
    },
    ...rates(0, 50),
    ...quota,
    holdoff_max: {
      ...whole('holdoffMax', 300_000, 5, 86400, 1000),
      bad: ['0', '86401', '-1', '1.5', 'x'],
    },
    pppname: {
      at: 'device',
      absent: 'pptp-office',
      good: [['tunnel0', 'tunnel0']],
      bad: ['x'.repeat(16), 'ä'.repeat(8), 'a/b', 'a\0b', '.'],
    },
    demand: whole('demand', 0, 0, 604800, 1000),
    keepalive_adaptive: {
      at: 'keepalive',
      good: [
        ['1', { failures: 3, interval: 30_000 }],
        ['0', { failures: 3, interval: 30_000, always: true }],
      ],
      bad: ['2'],
    },
    unnumbered: { ...network('unnumbered', (name) => name), absent: undefined },
    reqprefix: { good: [['60', undefined]], bad: [] },
    norelease: { good: [['1', undefined]], bad: ['2'] },
    sourcefilter: { good: [['0', undefined]], bad: ['2'] },
    delegate: { good: [['0', undefined]], bad: ['2'] },
    persist: { good: [['0', undefined]], bad: ['2'] },
    connect: command('commands.up'),
    disconnect: command('commands.down'),
    pppd_options: { good: [['debug noauth', undefined]], bad: [] },
  },
  user: {
    enabled: flag('enabled', true),
    username,
    password: secret,
    nthash: {
      at: 'secret',
      good: [
        ['00112233445566778899AABBCCDDEEFF', hash()],
        ['00112233445566778899aabbccddeeff', hash()],
      ],
      bad: ['0011', `${'0'.repeat(31)}g`, '0'.repeat(34)],
    },
    server: {
      at: 'servers',
      absent: [],
      good: [
        [
          ['home', 'lab'],
          ['home', 'lab'],
        ],
      ],
      bad: [],
    },
    ipaddr: {
      at: 'address',
      absent: undefined,
      good: [['192.168.99.10', ip('192.168.99.10')]],
      bad: ['192.168.99.10/32', 'x'],
    },
    route: prefixList('routes'),
    ip6prefix: {
      at: 'ip6.prefixes',
      absent: [],
      good: [['2001:db8:5:1ff::/64', [parseIpv6Prefix('2001:db8:5:1ff::/64')]]],
      bad: ['2001:db8::/56', '2001:db8::1', 'fe80::/64'],
    },
    ip6route: {
      at: 'ip6.routes',
      absent: [],
      good: [
        [
          ['2001:db8:5:200::/60', '2001:db8:6::/48'],
          ['2001:db8:5:200::/60', '2001:db8:6::/48'].map(parseIpv6Prefix),
        ],
      ],
      bad: ['2001:db8::/65', '2001:db8::1', '::/0', 'fe80::/64'],
    },
    client_route: prefixList('clientRoutes'),
    domain: domains,
    max_sessions: whole('maxSessions', undefined, 1, 4096),
    mppe: {
      at: 'mppe',
      absent: undefined,
      good: ['required', 'optional', 'off'].map((word) => [word, word]),
      bad: ['on', 'Required'],
    },
    auth: { ...both['auth']!, absent: [] },
    hours: {
      at: 'hours',
      absent: undefined,
      good: [
        [
          'Mon-Fri 08:00-18:00',
          { periods: [{ days: 0b0111110, from: 480, to: 1080 }], text: 'Mon-Fri 08:00-18:00' },
        ],
        ['0:00-24:00', { periods: [{ days: 0b1111111, from: 0, to: 1440 }], text: '0:00-24:00' }],
        [
          ['fri,SAT 22:00-06:00', 'Sat-Mon 9:30-10:00'],
          {
            periods: [
              { days: 0b1100000, from: 1320, to: 360 },
              { days: 0b1000011, from: 570, to: 600 },
            ],
            text: 'fri,SAT 22:00-06:00; Sat-Mon 9:30-10:00',
          },
        ],
        [
          'Mon Wed 8:00-12:00, 13:00-17:00; Thu 8:00-12:00',
          {
            periods: [
              { days: 0b0001010, from: 480, to: 720 },
              { days: 0b0001010, from: 780, to: 1020 },
              { days: 0b0010000, from: 480, to: 720 },
            ],
            text: 'Mon Wed 8:00-12:00, 13:00-17:00; Thu 8:00-12:00',
          },
        ],
      ],
      bad: [
        'Mon-Fri',
        'Mon-Fri 8-18',
        'Mon-Fri 08:00-18:60',
        'Mon-Fri 08:00-24:01',
        '24:00-08:00',
        '08:00-08:00',
        'Montag 08:00-18:00',
        'Mon-Fri 08:00-18:00 Sat',
        'Mon--Fri 08:00-18:00',
        '08:00-18:00 \u001b[31m',
        '1:00-2:00 '.repeat(30),
      ],
    },
    group: {
      at: 'groups',
      absent: [],
      good: [
        ['staff', ['inet fw4 staff']],
        ['inet filter staff', ['inet filter staff']],
        [
          ['staff', 'ip6 x y', 'staff'],
          ['inet fw4 staff', 'ip6 x y'],
        ],
      ],
      bad: [
        'staff nas',
        '@staff',
        'staff; flush ruleset',
        'staff }',
        'bridge fw4 staff',
        'x'.repeat(65),
      ],
    },
    note: {
      at: 'note',
      absent: undefined,
      good: [
        ['<b>Anna</b> & Ben, $(reboot) "ext." 12', '<b>Anna</b> & Ben, $(reboot) "ext." 12'],
        ['ж'.repeat(128), 'ж'.repeat(128)],
      ],
      bad: ['x'.repeat(257), 'ж'.repeat(129), 'a\nb', 'a\u001b[31m', 'a\0'],
    },
    ...rates(undefined, undefined),
    ...quota,
    must_change: flag('mustChange', false),
    expires: {
      at: 'expires',
      absent: undefined,
      good: [
        ['2027-12-31', Date.UTC(2028, 0, 1) - 1],
        ['2028-02-29', Date.UTC(2028, 2, 1) - 1],
      ],
      bad: ['2027-02-29', '2027-13-01', '31.12.2027', '2027-1-1', '2027-12-31T00:00'],
    },
  },
  globals: {
    log_level: words('logLevel', 'info', 'error', 'warning', 'info', 'debug'),
    max_sessions: whole('maxSessions', 64, 1, 4096),
    max_half_open: whole('maxHalfOpen', 64, 1, 4096),
    max_half_open_per_source: whole('maxHalfOpenPerSource', 8, 1, 4096),
    ban_set: {
      at: 'banSet',
      absent: undefined,
      good: [
        ['banned', 'inet fw4 banned'],
        ['inet filter banned', 'inet filter banned'],
      ],
      bad: [
        'filter banned',
        'bridge filter banned',
        'a;b',
        'x'.repeat(65),
        'inet filter banned { 1.2.3.4 }',
      ],
    },
    login_timeout: whole('loginTimeout', 60_000, 5, 600, 1000),
    writable: {
      good: [['/tmp/reports', undefined]],
      bad: ['tmp', '/', '/tmp/', '/tmp/../etc', '/a b', '/a:b'],
    },
    imported: { good: [['pptpd', undefined]], bad: [] },
    metrics: {
      good: [['127.0.0.1:9723', undefined]],
      bad: [
        '9723',
        '127.0.0.1',
        '0.0.0.0:9723',
        '127.0.0.1:0',
        '127.0.0.1:65536',
        '[::1]:9723',
        '224.0.0.1:9723',
        'localhost:9723',
        '127.0.0.1:9723/metrics',
      ],
    },
    metrics_from: { good: [['192.168.1.0/24', undefined]], bad: ['lan', '10.0.0.0/33'] },
    metrics_sessions: { good: [['1', undefined]], bad: ['2'] },
    usage_folder: {
      good: [['/mnt/disk/usage', undefined]],
      bad: ['usage', '/', '/mnt/', '/a b'],
    },
  },
  radius: {
    enabled: { good: [['1', undefined]], bad: ['2'] },
    server: {
      at: 'server',
      good: ['radius.example.com', '203.0.113.9', '2001:db8::1'].map((name) => [name, name]),
      bad: ['a b', '-x', '2001:db8::1::2', '192.0.2.1/32', 'x'.repeat(254)],
    },
    secret: {
      at: 'secret.octets',
      good: ['x', 'päß "wörd"', 'x'.repeat(255)].map((text) => [
        text,
        new TextEncoder().encode(text),
      ]),
      bad: secret.bad,
    },
    role: {
      at: 'roles',
      absent: ['auth', 'acct'],
      good: [
        ['auth', ['auth']],
        ['acct', ['acct']],
      ],
      bad: ['coa'],
    },
    transport: {
      at: 'transport.kind',
      absent: 'udp',
      good: [
        ['udp', 'udp'],
        ['tls', 'tls'],
      ],
      bad: ['tcp', 'dtls'],
    },
    port: { ...whole('transport.authPort', 1812, 1, 65535), absent: 1812 },
    acct_port: whole('transport.acctPort', 1813, 1, 65535),
    priority: whole('priority', 0, 0, 1000),
    weight: whole('weight', 1, 1, 1000),
    timeout: whole('timeout', 2000, 1, 10, 1000),
    tries: whole('tries', 2, 1, 10),
    dead_time: whole('deadTime', 60_000, 1, 3600, 1000),
    source: {
      at: 'source',
      absent: undefined,
      good: ['192.0.2.1', '2001:db8::1'].map((address) => [address, address]),
      bad: ['eth0', '192.0.2.1/24'],
    },
    message_authenticator: words('messageAuthenticator', 'auto', 'auto', 'always', 'never'),
    ca: pem('transport.ca'),
    certificate: {
      ...pem('transport.own.certificate'),
      beside: "option transport 'tls'\noption key '/etc/own.key'",
    },
    key: {
      ...pem('transport.own.key'),
      beside: "option transport 'tls'\noption certificate '/etc/own.pem'",
    },
    tls_name: {
      at: 'transport.peerName',
      beside: "option transport 'tls'",
      good: [['radius.example.com', 'radius.example.com']],
      bad: ['a b', '-x'],
    },
    coa: { ...flag('coa', false) },
  },
  nas: {
    identifier: {
      at: 'identifier',
      absent: undefined,
      good: [
        ['gateway-1', 'gateway-1'],
        ['x'.repeat(253), 'x'.repeat(253)],
      ],
      bad: ['x'.repeat(254), 'ж'.repeat(127), 'a\u007f'],
    },
    address: {
      at: 'address',
      absent: undefined,
      good: [['192.0.2.1', ip('192.0.2.1')]],
      bad: ['x'],
    },
    interim_interval: {
      at: 'interimInterval',
      absent: 600_000,
      good: [
        ['0', 0],
        ['60', 60_000],
        ['86400', 86_400_000],
      ],
      bad: ['59', '86401', '-1', 'x'],
    },
    coa_port: whole('coaPort', 3799, 1, 65535),
    records: {
      at: 'records',
      absent: undefined,
      good: [['/srv/records', '/srv/records']],
      bad: ['records', '/', '/tmp/../etc', '/a b'],
    },
  },
};

function pem(at: string): Case {
  return {
    at,
    beside: "option transport 'tls'",
    good: [['/etc/pptp-gateway/a b.pem', '/etc/pptp-gateway/a b.pem']],
    bad: ['ca.pem', '/'],
  };
}

function hash(): Secret {
  return Secret.fromNtHash(Uint8Array.from({ length: 16 }, (_, i) => i * 0x11));
}

const tables: Readonly<Record<Kind, OptionTable>> = {
  server: serverOptions,
  link: linkOptions,
  user: userOptions,
  globals: globalOptions,
  radius: radiusOptions,
  nas: nasOptions,
};
const section = {
  server: 'home',
  link: 'office',
  user: 'anna',
  globals: 'globals',
  radius: 'main',
  nas: 'nas',
} as const;
const file = {
  server: 'network',
  link: 'network',
  user: 'pptp_users',
  globals: 'pptp',
  radius: 'pptp_radius',
  nas: 'pptp_radius',
} as const;

function pick(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((found, key) => (found as Readonly<Record<string, unknown>>)[key], value);
}

function same(found: unknown, expected: unknown, message: string): void {
  if (expected instanceof Secret) {
    assert.ok(found instanceof Secret, message);
    assert.equal(found.password, expected.password, message);
    assert.deepEqual(found.ntHash, expected.ntHash, message);
  } else assert.deepEqual(found, expected, message);
}

/** What must not stand in the section beside this option. */
function replaced(kind: Kind, name: string): string[] {
  return kind === 'user' && name === 'nthash' ? ['password'] : [name];
}

for (const kind of Object.keys(cases) as Kind[]) {
  test(`${kind}: every option of the table is tested`, () => {
    assert.deepEqual(Object.keys(cases[kind]).sort(), Object.keys(tables[kind]).sort());
  });

  for (const [name, each] of Object.entries(cases[kind])) {
    const { at, good, bad, beside = '' } = each;
    const { presence, type } = tables[kind][name]!;

    test(`${kind}: ${name}`, () => {
      if (Object.hasOwn(each, 'absent'))
        same(pick(only(kind, parseConfiguration(files(kind))), at!), each.absent, 'default');

      for (const [written, value] of good) {
        const lines =
          typeof written === 'string'
            ? `option ${name} '${written}'`
            : written.map((word) => `list ${name} '${word}'`).join('\n');
        const without = replaced(kind, name);
        const found = only(kind, parseConfiguration(files(kind, `${beside}\n${lines}`, without)));
        if (at !== undefined) same(pick(found, at), value, lines);
      }

      for (const text of bad) {
        const without = replaced(kind, name);
        const found = refusal(files(kind, `${beside}\noption ${name} '${text}'`, without));
        const place = `error: ${file[kind]}, section '${section[kind]}', option '${name}'`;
        assert.ok(
          found.some((line) => line.startsWith(place) && line.includes(': expected ')),
          `${name} '${text}': ${found.join('; ')}`,
        );
        if (type.secret === true)
          assert.ok(!found.some((line) => line.includes('value')), found.join());
      }
    });

    if (presence === 'required' && name !== 'proto')
      test(`${kind}: ${name} is required`, () => {
        assert.ok(
          refusal(files(kind, '', [name])).some((line) =>
            line.startsWith(
              `error: ${file[kind]}, section '${section[kind]}', option '${name}': is required: expected `,
            ),
          ),
        );
      });

    if (name !== 'proto')
      test(`${kind}: an empty ${name} is an absent one`, () => {
        const outcome = (lines: string) => {
          try {
            const found = parseConfiguration(files(kind, lines, replaced(kind, name)));
            const warnings = found.warnings.filter(({ message }) => !/^is empty/.test(message));
            return inspect({ ...found, warnings }, { depth: 9 }).replace(/digest: .*/, '');
          } catch (error) {
            return String(error).replaceAll(/:\d+,/g, ','); // it stands elsewhere
          }
        };
        for (const keyword of ['option', 'list'])
          assert.equal(outcome(`${keyword} ${name} ''`), outcome(''));
      });

    if (presence !== 'list')
      test(`${kind}: ${name} is one value, not a list`, () => {
        const lines = `list ${name} '${String(good[0]![0])}'\nlist ${name} '${String(good[0]![0])}'`;
        const without = replaced(kind, name);
        assert.ok(
          refusal(files(kind, lines, without)).some((line) =>
            line.endsWith(`option '${name}': expected one value, not a list`),
          ),
        );
      });
  }
}

test('defaults stand in the table as they would in a file', () => {
  for (const table of Object.values(tables))
    for (const [name, { type, presence, default: fallback }] of Object.entries(table)) {
      const texts = fallback === undefined ? [] : [fallback].flat();
      assert.equal(texts.length > 0 || presence !== 'defaulted', true, name);
      for (const text of texts) assert.notEqual(type.parse(text), undefined, `${name} '${text}'`);
    }
});

test('every option has a sentence', () => {
  for (const table of Object.values(tables))
    for (const [name, { doc }] of Object.entries(table)) assert.match(doc, /^[A-Z].*\.$/, name);
});

test('a value of several lines is not shown: what a quote that is not closed takes in may be a password', () => {
  const [fault] = refusal(files('link', "option mtu '1400\noption password geheim'"));
  assert.match(fault!, /option 'mtu'.*is a quote not closed\?$/);
  assert.doesNotMatch(fault!, /geheim/);
});
