/**
 * A change of every option of the option table. Two tests make them all: test/daemon/reload.test.ts in a running world, and
 * new-sessions.test.ts here in virtual time, for those that end nothing.
 */
import {
  globalOptions,
  linkOptions,
  relayOptions,
  serverOptions,
  userOptions,
} from '../../../src/daemon/configuration/options.ts';
import { nasOptions, radiusOptions } from '../../../src/daemon/configuration/radius-options.ts';
import type { OptionTable } from '../../../src/daemon/configuration/option-table.ts';

/** What stands behind an option; undefined: the option is absent. */
export type Words = string | readonly string[] | undefined;
export type Section = Readonly<Record<string, Words>>;

export interface Change {
  /** Said here once more: nobody gives an option another class without meaning to. */
  readonly ends: 'nothing' | 'some' | 'sessions' | 'all';
  readonly to: Words;
  /** Where it ends some: a change that still allows what there is. */
  readonly allows?: Words;
  /** What the section must have before and after it. */
  readonly among?: Section;
  /** What it takes besides. */
  readonly with?: Section;
  /** A session that it does not concern, though it is one of the section's. */
  readonly spares?: string;
}

export const tables = {
  server: serverOptions,
  link: linkOptions,
  user: userOptions,
  globals: globalOptions,
  relay: relayOptions,
  radius: radiusOptions,
  nas: nasOptions,
} satisfies Record<string, OptionTable>;
export type Kind = keyof typeof tables;

type More = Omit<Change, 'ends' | 'to' | 'allows'>;
const nothing = (to: Words, more: More = {}): Change => ({ ends: 'nothing', to, ...more });
const some = (to: Words, allows?: Words, more: More = {}): Change => ({
  ends: 'some',
  to,
  ...(allows === undefined ? {} : { allows }),
  ...more,
});
const sessions = (to: Words, more: More = {}): Change => ({ ends: 'sessions', to, ...more });
const all = (to: Words, more: More = {}): Change => ({ ends: 'all', to, ...more });

const security = {
  mppe: sessions('optional'),
  mppe_strength: sessions(['128', '40']),
  mppe_stateful: sessions('1'),
  mtu: sessions('1300'),
  keepalive: nothing('5 20'),
};
const rates = {
  rate_up: nothing('8000'),
  rate_down: nothing('16000'),
  rate_burst: nothing('100'),
};
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const OTHER_DAY = `${days[(new Date().getDay() + 3) % 7]!} 00:00-24:00`;
const quota = {
  quota_month: nothing('1000000'),
  quota_action: nothing('notify', { among: { quota_month: '1000000' } }),
  quota_day: nothing('15', { among: { quota_month: '1000000' } }),
};
const tls: More = { among: { transport: 'tls' } };
const inbound = { direction: 'inbound', dest_ip: '203.0.113.1' };

/**
 * Of the sections in `base`: the server `home`, the link `one`, the user anna, the globals, the relay `branch`, the RADIUS server
 * `office`, and ourselves as it sees us.
 */
export const changes: { readonly [K in Kind]: Readonly<Record<keyof (typeof tables)[K], Change>> } =
  {
    server: {
      proto: all('pptpgw', { with: { server: '198.18.1.9', username: 'eve', password: 'x' } }),
      disabled: all('1'),
      auth: some('mschap', ['mschap', 'mschap-v2']),
      ...security,
      localip: all('192.168.99.2'),
      network: all('192.168.98.0/23'),
      // Bert has a fixed address.
      range: some('192.168.99.100-192.168.99.120', '192.168.99.10-192.168.99.20', {
        spares: 'bert',
      }),
      listen: all(['outer1', 'lan1']),
      port: all('1724'),
      ipv6: sessions('1'),
      ip6prefix: nothing('2001:db8:5:100::/56', { among: { ipv6: '1' } }),
      ip6mode: sessions('shared'),
      ip6dns: nothing('2001:db8::53', { among: { ipv6: '1' } }),
      idle_timeout: nothing('60'),
      session_timeout: nothing('60'),
      max_sessions: nothing('1'),
      max_per_user: nothing('2'),
      on_duplicate: nothing('deny'),
      isolate: all('0'),
      ...rates,
      masquerade: all('1'),
      client_dns: nothing('192.0.2.53'),
      client_wins: nothing('192.0.2.54'),
      client_route: nothing('10.20.0.0/16'),
      domain: nothing('office.lan'),
      broadcast_relay: nothing('lan1'),
      open_firewall: nothing('0'),
      accounts: nothing(['local', 'radius']),
      allow_from: some('192.0.2.0/24', ['198.18.0.0/16', '198.51.100.0/24']),
      deny_from: some('198.18.1.0/24', ['192.0.2.1', '203.0.113.0/24']),
      filter_id: nothing(['staff', 'sales team=inet filter sales']),
      ban_after: nothing('1'),
      ban_time: nothing('60'),
    },
    link: {
      proto: all('pptp'),
      disabled: all('1'),
      auth: sessions(['mschap-v2', 'mschap']),
      ...security,
      server: sessions('198.18.1.9'),
      port: sessions('1724'),
      username: sessions('carl'),
      password: sessions('another'),
      interface: sessions('outer1'),
      route: sessions('10.9.0.0/16'),
      defaultroute: sessions('1'),
      metric: sessions('9'),
      nohostroute: sessions('1'),
      peerdns: sessions('0'),
      ipv6: sessions('1'),
      ip6route: sessions('2001:db8:1::/48'),
      auto: nothing('0'),
      authfail: nothing('1'),
      maxfail: nothing('3'),
      holdoff: nothing('2000'),
      holdoff_max: nothing('7200'),
      ...rates,
      ...quota,
      pppname: all('vpn0'),
      demand: sessions('600'),
      keepalive_adaptive: nothing('0'),
      unnumbered: sessions('outer2'),
      reqprefix: sessions('60'),
      norelease: sessions('1'),
      sourcefilter: sessions('0'),
      delegate: sessions('0'),
      persist: nothing('0'),
      connect: nothing('true'),
      disconnect: nothing('true'),
      pppd_options: sessions('mtu 1300'),
    },
    user: {
      enabled: some('0'),
      username: sessions('anne'),
      password: sessions('another'),
      nthash: sessions('8846f7eaee8fb117ad06bdd830b7586c', { with: { password: undefined } }),
      server: some('other', ['other', 'home']),
      ipaddr: sessions('192.168.99.55'),
      route: sessions('10.1.0.0/16'),
      ip6prefix: sessions('2001:db8:5:1ff::/64'),
      ip6route: sessions('2001:db8:5:200::/60'),
      client_route: nothing('10.20.0.0/16'),
      domain: nothing('office.lan'),
      max_sessions: nothing('2'),
      mppe: sessions('optional'),
      auth: some('eap', ['eap', 'mschap-v2']),
      hours: some(OTHER_DAY, '00:00-24:00'),
      group: nothing(['staff', 'inet filter staff']),
      note: nothing('Anna of the office, extension 12'),
      ...rates,
      ...quota,
      must_change: nothing('1'),
      expires: some('2001-01-01', '2099-12-31'),
    },
    globals: {
      log_level: nothing('debug'),
      max_sessions: nothing('2'),
      max_half_open: nothing('1'),
      max_half_open_per_source: nothing('1'),
      ban_set: nothing('banned'),
      login_timeout: nothing('30'),
      writable: nothing('/tmp'),
      imported: nothing('pptpd'),
      metrics: nothing('127.0.0.1:9723'),
      metrics_from: nothing('198.18.0.0/16'),
      metrics_sessions: nothing('1'),
      usage_folder: nothing('/tmp/usage'),
    },
    relay: {
      enabled: all('0'),
      direction: all('inbound', { with: inbound }),
      src: all(['lan1', 'outer2']),
      dest: all(['wan', 'outer2']),
      dest_ip: all('203.0.113.9', { among: inbound }),
      backend: all('auto'),
      client: all('192.168.1.0/24'),
      server: all('203.0.113.0/24'),
      max_connections: nothing('1'),
      max_per_client: nothing('1'),
      max_half_open: nothing('1'),
      idle_timeout: nothing('0'),
    },
    radius: {
      enabled: nothing('0'),
      server: nothing('radius.example.com'),
      secret: nothing('another'),
      role: nothing('auth'),
      transport: nothing('tls'),
      port: nothing('1645'),
      acct_port: nothing('1646'),
      priority: nothing('1'),
      weight: nothing('2'),
      timeout: nothing('5'),
      tries: nothing('3'),
      dead_time: nothing('30'),
      source: nothing('198.18.1.1'),
      message_authenticator: nothing('always'),
      ca: nothing('/etc/ssl/ca.pem', tls),
      certificate: nothing('/etc/ssl/own.pem', { ...tls, with: { key: '/etc/ssl/own.key' } }),
      key: nothing('/etc/ssl/own.key', { ...tls, with: { certificate: '/etc/ssl/own.pem' } }),
      tls_name: nothing('radius.example.com', tls),
      coa: nothing('1'),
    },
    nas: {
      identifier: nothing('gateway-2'),
      address: nothing('198.18.1.1'),
      interim_interval: nothing('300'),
      coa_port: nothing('3800'),
      records: nothing('/tmp/records'),
    },
  };

const password = 'correct horse battery';

/** What the changes are made in: by kind and name, the first of each kind is changed. */
export const base: Readonly<Record<Kind, Readonly<Record<string, Section>>>> = {
  server: {
    home: {
      proto: 'pptpserver',
      localip: '192.168.99.1',
      network: '192.168.99.0/24',
      range: '192.168.99.10-192.168.99.60',
      listen: 'outer1',
      ban_after: '0',
    },
    other: {
      proto: 'pptpserver',
      localip: '192.168.200.1',
      network: '192.168.200.0/24',
      listen: 'outer2',
    },
  },
  link: {
    one: { server: '198.18.1.1', username: 'anna' },
    two: { server: '198.18.1.1', username: 'bert' },
    three: { server: '198.18.2.1', username: 'carl' },
  },
  user: {
    anna: { username: 'anna', password },
    bert: { username: 'bert', password, ipaddr: '192.168.99.77' },
    carl: { username: 'carl', password },
  },
  globals: { globals: {} },
  relay: {
    branch: { src: 'lan1', dest: 'wan', backend: 'relay' },
    shop: { src: 'lan2', dest: 'wan', backend: 'relay' },
  },
  radius: { office: { server: '198.51.100.9', secret: 'testing123' } },
  nas: { nas: {} },
};

/** What every link has: one that has failed stays down until somebody dials. */
const ofLinks: Section = {
  proto: 'pptpgw',
  password,
  defaultroute: '0',
  holdoff: '3600',
  holdoff_max: '3600',
};

const heads: Readonly<Record<Kind, string>> = {
  server: 'interface',
  link: 'interface',
  user: 'user',
  globals: 'pptp',
  relay: 'relay',
  radius: 'radius',
  nas: 'nas',
};

/** UCI text of all sections of a kind, the first of them with these options besides its own. */
export function text(kind: Kind, more: Section = {}): string {
  const sections = Object.entries(base[kind]).map(([name, own], at) => {
    const all = { ...(kind === 'link' ? ofLinks : {}), ...own, ...(at === 0 ? more : {}) };
    const lines = Object.entries(all).flatMap(([option, words]) =>
      words === undefined
        ? []
        : typeof words === 'string'
          ? [`\toption ${option} '${words}'`]
          : words.map((word) => `\tlist ${option} '${word}'`),
    );
    return `config ${heads[kind]} '${name}'\n${lines.join('\n')}\n`;
  });
  return sections.join('');
}
